"""The tables of a comparison as CSV or Parquet, one file a table, with a codebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionhub.analysis.compare import Comparison
from visionhub.analysis.measured import MEANINGS
from visionhub.report.compared import rater_row
from visionhub.report.table_files import apart_rows, write_rows
from visionhub.store.study import StudyFile

ABOUT = {
    "measures": "Every measure of agreement, with its interval: one row a measure.",
    "raters": "Who was compared: each provider's version, and each coder.",
    "cells": "Images by what two raters said of one label.",
    "sweep": "Agreement on labels against the threshold: both cut to as many labels an image.",
    "mapped": "Tier by tier, the share of one rater's labels that another has words for.",
    "unmapped": "The most frequent labels that the other rater has no word for.",
    "collapses": "Labels of one vocabulary that the crosswalk takes for one thing.",
    "apart": "How far two raters are apart about each image.",
}
COLUMNS: Mapping[str, tuple[str, str]] = {
    **MEANINGS,
    "rater": ("name in this comparison", ""),
    "provider": ("who answered; coder for a person", ""),
    "revision": ("API version or hash of the weights that answered", ""),
    "model_version": ("model version, as the provider reported it", ""),
    "parameters": ("all parameters of the question", "JSON"),
    "scale": ("scale of the rater's scores", ""),
    "vocabulary": ("the set of labels that it draws from", ""),
    "floor": ("lowest score that it reports; empty where it does not say", "as `scale` says"),
    "max_results": ("most results in one answer; empty for no limit", ""),
    "images": ("images that it has answered for", "images"),
    "first_answer": ("when its first answer came", "UTC"),
    "last_answer": ("when its last answer came", "UTC"),
    "both": ("images of which both said it", "images"),
    "only_a": ("images of which only the first said it", "images"),
    "only_b": ("images of which only the second said it", "images"),
    "neither": ("images of which neither said it", "images"),
    "unknown": ("of these, images where a score is censored", "images"),
    "prevalence_a": ("share of images of which the first said it", "0 to 1"),
    "prevalence_b": ("share of images of which the second said it", "0 to 1"),
    "point": ("0: if both reported everything; 1: what was returned; then fewer and fewer", ""),
    "labels_an_image_a": ("labels an image, of the first, at its threshold", "labels"),
    "labels_an_image_b": ("labels an image, of the second, at its threshold", "labels"),
    "threshold_a": ("the first's threshold; empty for what was returned", "as its scale"),
    "threshold_b": ("the second's threshold; empty for what was returned", "as its scale"),
    "jaccard": ("mean Jaccard of comparable labels", "0 to 1"),
    "of": ("whose labels", ""),
    "to": ("to whose words", ""),
    "tier": ("what maps them: exact, identifier, words, vectors, person, codebook, none", ""),
    "how": ("same: the very concept; broader or narrower: only something broader", ""),
    "labels": ("how many labels; of a collapse their names", ""),
    "mass": ("how often they were emitted", ""),
    "share": ("of all that the rater emitted", "0 to 1"),
    "label": ("the label, in the rater's words", ""),
    "concept": ("what the labels are taken for", ""),
    "image": ("identity of the image (images.sha256)", "hexadecimal SHA-256"),
    "path": ("the first path under which the study met it", ""),
    "about": ("what the distance is of", ""),
    "distance": ("how far apart the two are: 0 is as one", "0 to 1"),
}


def write_tables(
    found: Comparison, study: StudyFile, out: Path, form: str, *, overwrite: bool = False
) -> list[Path]:
    """Write every table that has rows into a folder, all of them or, after an error, none.

    form: csv or parquet. UsageError when a file is there already and is not to be overwritten.
    """
    tables = all_tables(found, study)
    return write_rows(tables, ABOUT, COLUMNS, out, form, overwrite=overwrite)


def all_tables(found: Comparison, study: StudyFile) -> dict[str, list[dict[str, Any]]]:
    """Every table of a comparison, by name."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ABOUT}
    for part in found.parts:
        tables["measures"] += [row.row() for row in part.rows]
        tables["raters"] += [rater_row(part, at) for at in range(len(part.raters))]
        for name, rows in part.tables.items():
            tables[name] += [{"task": part.task, **row} for row in rows]
    tables["apart"] += apart_rows(((p.task, one) for p in found.parts for one in p.apart), study)
    return tables
