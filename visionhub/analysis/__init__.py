"""Statistics over annotations: pure functions over arrays, tables and label sets.

Needs the `analysis` extra, and says so when it is imported without. Studies are read in `frames`,
`raters`, `naming`, `codes_read` and `vocabulary.emitted` alone.
"""

from visionhub.errors import MissingExtra
from visionhub.provider import installed

NEEDED = ("numpy", "scipy", "pandas", "sklearn", "statsmodels", "rapidfuzz")

for module in NEEDED:
    if not installed((module,)):
        raise MissingExtra("analysis", module)
