"""What has changed between two times, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visionhub.analysis.drift import Drift, DriftPart
from visionhub.analysis.drift_scores import NEAR
from visionhub.analysis.measured import Measured
from visionhub.analysis.methods import title_of
from visionhub.report.compared import cell, intervals, number
from visionhub.report.drifted_files import version_rows
from visionhub.report.terminal import Section
from visionhub.store.study import StudyFile

SHOWN = 12  # labels on the terminal; all are in the other forms


def sections(found: Drift, study: StudyFile) -> Iterator[Section]:
    """For a terminal: the verdict of each task, what it rests on, and what to know about it."""
    title = f"{found.study}: has it changed?"
    title += " (REHEARSAL: no finding)" if found.rehearsal else ""
    how = f"{intervals((row for part in found.parts for row in part.rows), found.about)}."
    rows = [
        [part.task, part.raters[0].name, part.raters[1].name, part.verdict.words]
        for part in found.parts
    ]
    yield Section(title, ("task", "then", "now", "verdict"), rows, (how, *found.notes))
    for part in found.parts:
        yield from _part(part, study)


def _part(part: DriftPart, study: StudyFile) -> Iterator[Section]:
    verdict = part.verdict
    notes = [f"{verdict.words}{': ' + verdict.reason if verdict.reason else ''}"]
    yield Section(f"## {part.task}", notes=(*notes, *verdict.evidence, *part.notes))
    yield _versions(part, study)
    yield from _counts(part)
    yield from _measures(part)
    yield from _flips(part)
    yield from _vocabulary(part)
    yield from _transitions(part)


def _versions(part: DriftPart, study: StudyFile) -> Section:
    rows = [
        [
            row["rater"],
            row["requested"],
            row["model_version"] or "not reported",
            row["client"],
            row["images"],
            row["first_answer"][:10],
            row["last_answer"][:10],
        ]
        for row in version_rows(part, study)
    ]
    columns = ("version", "asked for", "model", "client", "images", "first", "last")
    return Section("", columns, rows, right=("images",))


def _counts(part: DriftPart) -> Iterator[Section]:
    for row in part.tables.get("changes", []):
        cells = [
            row["kept"],
            row["lost"],
            row["lost_near_floor"],
            row["gained"],
            row["gained_near_floor"],
            f"{row['images_identical']:,} of {row['images']:,}",
        ]
        columns = (
            "kept",
            "lost",
            "near the floor",
            "gained",
            "near it",
            "images with none lost or gained",
        )
        note = f"Near the floor: within {NEAR:g} of the scale. What lies below it is not known."
        yield Section("", columns, [cells], (note,), columns)


def _measures(part: DriftPart) -> Iterator[Section]:
    noise = {(row.measure, row.thing, row.at): row for row in part.noise}
    lines: list[list[str]] = []
    reasons: dict[str, dict[str, None]] = {}
    for row in part.rows:
        line = [_named(row), _cell(row)]
        if noise:
            line.append(_cell(noise.get((row.measure, row.thing, row.at))))
        lines.append(line)
        if row.estimate.reason:
            words = title_of(row.measure)
            reasons.setdefault(row.estimate.reason, {})[words] = None
    columns = ("measure", "then to now", *(["noise of one day"] if noise else []))
    notes = [f"n: {', '.join(sorted({f'{row.estimate.n:,}' for row in part.rows}))}"]
    if any(row.lowest is not None and row.lowest != row.highest for row in part.rows):
        notes.append("(x to y): over all that either gave, whatever the censored scores are.")
    notes += [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
    yield Section("", columns, lines, tuple(notes))


def _named(row: Measured) -> str:
    words = title_of(row.measure)
    words += f", {row.at:g}" if row.measure == "score_shift_quantile" else ""
    return f"{row.thing}: {words}" if row.thing else words


def _cell(row: Measured | None) -> str:
    """As in comparisons; small numbers with more digits, for these are about small changes."""
    text = cell(row)
    small = row is not None and row.estimate.value is not None and abs(row.estimate.value) < NEAR
    if row is None or not small or row.estimate.value == 0:
        return text
    found = row.estimate
    text = f"{found.value:.2g}"
    if found.low is not None and found.high is not None:
        text += f" [{found.low:.2g}, {found.high:.2g}]"
    if row.lowest is not None and row.highest is not None and row.lowest < row.highest:
        text += f" ({number(row.lowest)} to {number(row.highest)})"
    return text


def _flips(part: DriftPart) -> Iterator[Section]:
    flipped = [row for row in part.tables.get("flips", []) if row["p_value"] is not None]
    if not flipped:
        return
    lines = [
        [
            row["label"],
            row["both"],
            row["lost"],
            row["gained"],
            _interval(row),
            _p(row["p_value"]),
            _p(row["p_holm"]),
            _p(row["p_fdr_bh"]),
        ]
        for row in flipped[:SHOWN]
    ]
    tests = ", ".join(dict.fromkeys(row["test"] for row in flipped))
    notes = [f"{len(flipped):,} labels flipped and were tested ({tests})."]
    if len(flipped) > SHOWN:
        notes.append(f"{len(flipped) - SHOWN:,} more: --csv and --json have all of them.")
    columns = ("label", "both", "lost", "gained", "difference", "p", "Holm", "BH")
    right = ("both", "lost", "gained", "p", "Holm", "BH")
    yield Section(
        "Images that a label was given of, then and now", columns, lines, tuple(notes), right
    )


def _interval(row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return _signed(row["difference"])
    return f"{_signed(row['difference'])} [{_signed(row['low'])}, {_signed(row['high'])}]"


def _signed(value: float) -> str:
    """A difference: with its sign, but for 0, which has none."""
    text = number(value)
    return f"+{text}" if value > 0 and text != "0.00" else text


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004


def _vocabulary(part: DriftPart) -> Iterator[Section]:
    rows: Sequence[Mapping[str, Any]] = part.tables.get("vocabulary", [])
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: -(row["images_a"] + row["images_b"]))
    named = [row for row in ordered if row["change"] not in ("new", "gone")]
    lines = [[row["change"], row["was"], row["label"], row["vendor_id"]] for row in named[:SHOWN]]
    notes = []
    for kind in ("new", "gone"):
        names = [row["label"] for row in ordered if row["change"] == kind]
        if names:
            more = f", and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            notes.append(f"{kind}, {len(names):,}: {', '.join(names[:SHOWN])}{more}")
    columns = ("change", "was", "is", "identifier")
    yield Section("Words", columns, lines, tuple(notes))


def _transitions(part: DriftPart) -> Iterator[Section]:
    rows = [row for row in part.tables.get("transitions", []) if row["word_a"] != row["word_b"]]
    if rows:
        lines = [[row["category"], row["word_a"], row["word_b"], row["images"]] for row in rows]
        columns = ("category", "then", "now", "images")
        yield Section("Words of likelihood that changed", columns, lines, right=("images",))
