"""The codebook of an export: what each column of each file means, and its unit."""

from __future__ import annotations

import json
from collections.abc import Sequence

from visionhub.report.tidy import TidyTable

INTRO = """\
# Codebook

One file a table, one row a thing that was reported. `path` and `image` say of which photograph,
`provider`, `task` and `revision` by whom.

- A score is the provider's own, on the scale that `scale` names; scores of different providers or
  scales are not comparable numbers.
- A `revision` that begins with `rehearsal` is a stand-in's answer: no finding. One that begins with
  `imported` came from answers that were kept before. One that ends in `canary` and a moment was
  asked once more, to see whether answers have changed: it is never current.
- No row is not "no": `status` says, for each image, provider and task, whether the provider looked
  (`observed`), found nothing at its floor (`below_floor`), failed (`error`), or was not asked
  (`not_requested`). For counts with zeros keep `observed`, `truncated` and `below_floor`: a zero
  then says that nothing was found at or above the floor.
- Boxes and points are ratios of the upright picture that was sent: times `sent_width` or
  `sent_height` they are pixels of it.
- An empty cell (CSV), null (JSON Lines, Parquet) is a missing value. Labels and recognised text may
  be words such as NA or null: read CSV with that guess switched off, in pandas with
  `read_csv(…, keep_default_na=False, na_values=[""])`, in R with `na.strings = ""`.
"""


def codebook_text(tables: Sequence[TidyTable], intro: str = INTRO) -> str:
    """As Markdown. intro: what holds for all tables."""
    lines = [intro]
    for table in tables:
        lines += [f"## {table.name}", "", table.text, ""]
        lines += ["| column | type | meaning | unit |", "|---|---|---|---|"]
        lines += [
            f"| `{c.name}` | {c.kind} | {c.meaning.text} | {c.meaning.unit} |"
            for c in table.columns
        ]
        lines.append("")
    return "\n".join(lines)


def codebook_json(tables: Sequence[TidyTable]) -> str:
    """As JSON: {table: {"meaning": …, "columns": {name: {"type", "meaning", "unit"}}}}."""
    book = {
        table.name: {
            "meaning": table.text,
            "columns": {
                c.name: {"type": c.kind, "meaning": c.meaning.text, "unit": c.meaning.unit}
                for c in table.columns
            },
        }
        for table in tables
    }
    return json.dumps(book, indent=2, ensure_ascii=False) + "\n"
