"""`visionhub export`: tidy long tables as CSV, JSON Lines or Parquet, with their codebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from visionhub.errors import UsageError
from visionhub.report.codebook import codebook_json, codebook_text
from visionhub.report.files import folder, whole
from visionhub.report.formats import WRITERS
from visionhub.report.tidy import EXPORTED, RARE, tidy_table
from visionhub.store.explain import explained
from visionhub.store.study import StudyFile

EMBEDDINGS = "face_embeddings"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write and how. No `tables` means all of them, rare ones where they hold rows."""

    form: str = "csv"
    tables: tuple[str, ...] = ()
    all_answers: bool = False
    embeddings: bool = False
    excel_safe: bool = False
    overwrite: bool = False

    def check(self) -> None:
        """Raise UsageError for what cannot be, before anything is read."""
        if self.form not in WRITERS:
            raise UsageError(f"--format {self.form}: choose one of {', '.join(WRITERS)}.")
        if self.excel_safe and self.form != "csv":
            raise UsageError("--excel-safe is for --format csv: the other formats need none.")
        for name in self.tables:
            if name not in EXPORTED:
                raise UsageError(f"--table {name}: choose among {', '.join(EXPORTED)}.")
        if EMBEDDINGS in self.tables and not self.embeddings:
            raise UsageError(
                f"--table {EMBEDDINGS}: embeddings identify people; add --embeddings to take them "
                f"out of the study."
            )


@dataclass(frozen=True, slots=True)
class Written:
    """A table that was written: rows do not count the header."""

    table: str
    path: Path
    rows: int


def export(study: StudyFile, out: Path, options: ExportOptions) -> list[Written]:
    """Write tables into the folder `out`, all of them or, after an error, none.

    Rows are streamed: memory does not grow with their number. All tables show the study at one
    moment; while they are read, a writing run waits where the study has no write-ahead log.
    Raises UsageError, StudyError, VisionHubError when the system refuses to write (a full disk),
    and MissingExtra for Parquet without the `analysis` extra.
    """
    options.check()
    writer = WRITERS[options.form](excel_safe=options.excel_safe)
    with one_moment(study):
        tables = [
            tidy_table(study, n, all_answers=options.all_answers) for n in _names(study, options)
        ]
        targets = {t.name: out / f"{t.name}.{options.form}" for t in tables}
        books = {"md": codebook_text, "json": codebook_json}
        extra = [out / f"codebook.{ending}" for ending in books]
        _refuse_existing([*targets.values(), *extra], overwrite=options.overwrite)
        folder(out)
        with ExitStack() as files:
            written = [
                Written(
                    t.name,
                    path,
                    writer.write(t, study.stream(t.sql), files.enter_context(whole(path))),
                )
                for t in tables
                if (path := targets[t.name])
            ]
            for path, text in zip(extra, books.values(), strict=True):
                files.enter_context(whole(path)).write(text(tables).encode())
    return written


@contextmanager
def one_moment(study: StudyFile) -> Iterator[None]:
    """Read everything inside the block from one state of the study."""
    with explained(study.path):
        study.connection.execute("BEGIN")
    try:
        yield
    finally:
        study.connection.execute("ROLLBACK")


def _names(study: StudyFile, options: ExportOptions) -> Sequence[str]:
    if options.tables:
        return tuple(dict.fromkeys(options.tables))
    chosen = [n for n in EXPORTED if n != EMBEDDINGS or options.embeddings]
    return [n for n in chosen if n not in RARE or study.query(f"SELECT 1 FROM {n} LIMIT 1")]


def _refuse_existing(paths: Sequence[Path], *, overwrite: bool) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there and not overwrite:
        raise UsageError(
            f"{there[0]!r} exists already: add --overwrite, or choose another folder with --out."
        )
