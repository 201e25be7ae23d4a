"""What has changed between two times, as plain values, and as tables in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionhub.analysis import drift_versions
from visionhub.analysis.drift import Drift, DriftPart
from visionhub.analysis.drift_scores import NEAR
from visionhub.analysis.measured import MEANINGS
from visionhub.report.compared import rater_row
from visionhub.report.compared_files import COLUMNS
from visionhub.report.table_files import apart_rows, write_rows
from visionhub.store.study import StudyFile

ABOUT = {
    "verdicts": "Task by task whether there is evidence of a change, and which.",
    "measures": "Every measure of change, with its interval: one row a measure.",
    "noise_floor": "The same measures of two canaries of one day: what differs without a change.",
    "versions": "What was compared: each version, with its dates.",
    "changes": "How many things were kept, lost and gained, and how many near to the floor.",
    "flips": "Label by label: images that it was given of at one time only, tested by McNemar.",
    "vocabulary": "Labels that are called otherwise, are new, or are gone.",
    "transitions": "Images by the words of likelihood that they had then and have now.",
    "statuses": "Images by how requests ended then and now.",
    "apart": "How far the two times are apart about each image.",
}
MEANT: Mapping[str, tuple[str, str]] = {
    **COLUMNS,
    **MEANINGS,
    "a": ("the earlier version", ""),
    "b": ("the later version", ""),
    "lowest": ("the least that it can be over what either gave, whatever the censored scores", ""),
    "highest": ("the most that it can be over what either gave, whatever the censored scores", ""),
    "canary": ("moment of the canary; empty for other answers", "UTC"),
    "requested": ("API version or hash of the weights that was asked for", ""),
    "client": ("the SDKs that received the answers, with their versions", ""),
    "verdict": ("changed, no evidence of a change, or cannot be told", ""),
    "evidence": ("what speaks for a change", ""),
    "images": ("images", "images"),
    "images_identical": ("images of which nothing was lost or gained", "images"),
    "kept": ("things that both gave", "things"),
    "lost": ("things that only the earlier gave; of a label images", "things or images"),
    "gained": ("things that only the later gave; of a label images", "things or images"),
    "lost_near_floor": (f"of these, scores within {NEAR:g} of the scale from the floor", ""),
    "gained_near_floor": (f"of these, scores within {NEAR:g} of the scale from the floor", ""),
    "label": ("the label, by the later version if it gives it", ""),
    "vendor_id": ("the vendor's identifier; empty where there is none", ""),
    "both": ("images that it was given of at both times", "images"),
    "neither": ("images that it was given of at neither time", "images"),
    "difference": ("share of images now less the share then", "-1 to 1"),
    "test": ("the test of the flips; empty where nothing flipped", ""),
    "p_value": ("that so many flip in one direction without any change", "0 to 1"),
    "p_holm": ("the same, adjusted over all labels of the task (Holm)", "0 to 1"),
    "p_fdr_bh": (
        "the same, adjusted for the share of false alarms (Benjamini, Hochberg)",
        "0 to 1",
    ),
    "change": ("renamed, another identifier, new or gone", ""),
    "was": ("what it was called, or which identifier it had", ""),
    "images_a": ("images that the earlier version gives it of", "images"),
    "images_b": ("images that the later version gives it of", "images"),
    "category": ("the category of unsafe content", ""),
    "word_a": ("the earlier word", ""),
    "word_b": ("the later word", ""),
    "status_a": ("how the earlier request ended", ""),
    "status_b": ("how the later request ended", ""),
}


def as_json(found: Drift, study: StudyFile) -> dict[str, Any]:
    """Everything, as plain values."""
    return {
        "study": found.study,
        "rehearsal": found.rehearsal,
        "about": found.about,
        "changed": found.changed,
        "notes": found.notes,
        "tasks": [
            {
                "task": part.task,
                "provider": part.provider,
                "verdict": part.verdict.words,
                "changed": part.verdict.changed,
                "evidence": list(part.verdict.evidence),
                "reason": part.verdict.reason,
                "versions": version_rows(part, study),
                "notes": part.notes,
                "measures": [row.row() for row in part.rows],
                "noise_floor": [row.row() for row in part.noise],
                **part.tables,
            }
            for part in found.parts
        ],
    }


def version_rows(part: DriftPart, study: StudyFile) -> list[dict[str, Any]]:
    """Who answered, when, with which model, received by which SDK."""
    return [
        {
            **rater_row(part, at),
            "canary": rater.canary,
            "requested": rater.requested,
            "client": drift_versions.clients(study, rater),
        }
        for at, rater in enumerate(part.raters)
    ]


def write_tables(
    found: Drift, study: StudyFile, out: Path, form: str, *, overwrite: bool = False
) -> list[Path]:
    """Write every table into a folder: see `table_files.write_rows`."""
    return write_rows(all_tables(found, study), ABOUT, MEANT, out, form, overwrite=overwrite)


def all_tables(found: Drift, study: StudyFile) -> dict[str, list[dict[str, Any]]]:
    """Every table, by name."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ABOUT}
    for part in found.parts:
        tables["verdicts"].append(_verdict(part))
        tables["measures"] += [row.row() for row in part.rows]
        tables["noise_floor"] += [row.row() for row in part.noise]
        tables["versions"] += version_rows(part, study)
        for name, rows in part.tables.items():
            tables[name] += [{"task": part.task, **row} for row in rows]
    apart = ((part.task, one) for part in found.parts for one in part.apart)
    tables["apart"] += apart_rows(apart, study)
    return tables


def _verdict(part: DriftPart) -> dict[str, Any]:
    return {
        "task": part.task,
        "a": part.raters[0].name,
        "b": part.raters[1].name,
        "verdict": part.verdict.words,
        "evidence": "; ".join(part.verdict.evidence),
        "reason": part.verdict.reason,
    }
