"""`visionhub compare`: how far the services, and people, agree, and where they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import spared

TasksOption = Annotated[
    str | None,
    typer.Option(
        "--tasks",
        "-t",
        help="What is compared, comma-separated: labels, objects, faces, text, safe_search, "
        "ratings. Default: all that two have answered.",
    ),
]
RatersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rater",
        help="Who is compared: PROVIDER, or PROVIDER@PART of its version, with NAME= before it if "
        "it is to be called so; repeat it. Default: everybody, of each provider the version with "
        "most current answers.",
    ),
]
CodesOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What people coded: CSV with image and label (and coder, value, x_min…), or COCO "
        "JSON; repeat it."
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(help="Where images come from, TABLE.csv:COLUMN or folder: they go together."),
]
MOST = 100


def _page(param: typer.CallbackParam, value: Path | None) -> Path | None:
    """Refuse a name that the page cannot have, before anything is compared."""
    if value is None:
        return None
    from visionhub.report.compared_page import check_name

    check_name(value)
    return spared(param, value)


HtmlOption = Annotated[
    Path | None, typer.Option(help="Write a page to look through.", callback=_page)
]


def compare(
    study: Annotated[Path, typer.Argument(help="The study file.")] = Path("study.db"),
    tasks: TasksOption = None,
    rater: RatersOption = None,
    crosswalk: Annotated[
        Path | None, typer.Option(help="Your crosswalk (visionhub vocabulary propose).")
    ] = None,
    codebook: Annotated[Path | None, typer.Option(help="Your constructs (TOML).")] = None,
    codes: CodesOption = None,
    gold: Annotated[str, typer.Option(help="The coder who is taken as true: gives AP.")] = "",
    source: SourceOption = None,
    sensitive: Annotated[
        str | None, typer.Option(help="Guesses about people to compare: age,gender,emotion.")
    ] = None,
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap draws.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the draws.")] = 0,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    most: Annotated[int, typer.Option(min=1, help="Labels measured one by one.")] = MOST,
    html: HtmlOption = None,
    gallery: Annotated[int, typer.Option(min=0, help="Photographs on that page.")] = 200,
    show_faces: Annotated[
        bool, typer.Option("--show-faces", help="Do not blur faces: mind who will see the page.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option(help="A folder for all tables as CSV.", callback=spared)
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="The same as Parquet.", callback=spared)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace tables that are there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far services and people agree, label by label and box by box, with intervals."""
    from visionhub.cli.progress import note
    from visionhub.report.compared import as_json, sections
    from visionhub.report.compared_files import write_tables
    from visionhub.report.compared_page import compared_page
    from visionhub.report.comparing import compare as compared
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        found = compared(
            opened,
            tasks=_words(tasks),
            raters=rater or (),
            crosswalk=crosswalk,
            codebook=codebook,
            codes=codes or (),
            gold=gold,
            source=source,
            sensitive=_words(sensitive),
            draws=draws,
            seed=seed,
            confidence=confidence,
            most=most,
        )
        for folder, form in ((csv, "csv"), (parquet, "parquet")):
            if folder is not None:
                write_tables(found, opened, folder, form, overwrite=overwrite)
        if html is not None:
            page = compared_page(found, opened, html, gallery=gallery, show_faces=show_faces)
            note(page.said(html))
    write_json(as_json(found)) if json else write(sections(found))


def _words(given: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (given or "").split(",") if word.strip())
