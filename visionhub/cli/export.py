"""`visionhub export`: the study as tidy long tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """File formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


def export(
    study: Annotated[Path, typer.Argument(help="The study file.")] = Path("study.db"),
    form: Annotated[Format, typer.Option("--format", help="File format.")] = Format.CSV,
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("export"),
    table: Annotated[
        list[str] | None, typer.Option(help="Only this table; may be given several times.")
    ] = None,
    all_answers: Annotated[
        bool, typer.Option("--all-answers", help="Older answers too, marked current = 0.")
    ] = False,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Face embeddings too: they identify people.")
    ] = False,
    excel_safe: Annotated[
        bool, typer.Option("--excel-safe", help="CSV whose cells no spreadsheet runs as formulas.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Write the study as tidy long tables, one file a table, with a codebook."""
    from visionhub.report.export import ExportOptions
    from visionhub.report.export import export as write_tables
    from visionhub.store.study import StudyFile

    options = ExportOptions(
        form.value, tuple(table or ()), all_answers, embeddings, excel_safe, overwrite
    )
    with StudyFile(study) as opened:
        for written in write_tables(opened, out, options):
            typer.echo(f"{written.rows:>9} rows  {written.path}")
    typer.echo(f"What the columns mean: {out / 'codebook.md'}", err=True)
