"""Stand in for `pip install .`: put the example's module where Python looks for modules."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
