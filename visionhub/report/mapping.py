"""What becomes of every member of every provider's answers, and what in a study is new.

python -m visionhub.report.mapping > docs/mapping.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from itertools import groupby

from visionhub import registry
from visionhub.errors import UsageError
from visionhub.leaves import Leaf, Leaves
from visionhub.provider import Provider
from visionhub.report.plain import counted
from visionhub.report.terminal import Section
from visionhub.schema import Task
from visionhub.store.study import StudyFile
from visionhub.store.table import Table

PACKAGE = "visionhub"  # the distribution whose providers docs/mapping.md describes
COLUMNS = ("provider", "answer", "member", "column", "reason")
NEWS = (
    "SELECT q.provider, q.task, m.value AS member, q.revision, count(*) AS answers, "
    "min(b.received_at) AS first_seen FROM requests r JOIN questions q ON q.id = r.question_id "
    "LEFT JOIN bodies b ON b.id = r.body_id, json_each(r.unknown) m WHERE r.unknown IS NOT NULL "
    "GROUP BY q.provider, q.task, m.value, q.revision ORDER BY 1, 2, 3, 4"
)
INTRO = """\
# What becomes of every member of an answer

A provider's adapter declares, for each kind of answer, what becomes of every member: the column of
the study that it fills, or the reason why it is dropped. A member that stands in neither list is
NEW: it is counted, `annotate` and `import-bodies` warn of it, and `visionhub schema study.db` lists
it. Nothing is lost by either: the answer itself is kept as it was received, and `visionhub reparse`
reads it again when an adapter has learnt more.

`visionhub schema` prints the same from the adapters that are installed. Paths are those of the
body: members with dots between, `[]` for each item of a list, `*` for everything below. Where a
column holds ratios, pixels were divided by the width or height of the picture that was sent.

This page is generated: `make docs`.
"""


def chosen(provider: str | None = None) -> Mapping[str, type[Provider]]:
    """Providers that declare leaves: one by name, or all that are installed.

    Raises UnknownProvider, and UsageError for one that declares none.
    """
    found = registry.installed() if provider is None else {provider: registry.load(provider)}
    declared = {name: kind for name, kind in found.items() if kind.leaves}
    if provider is not None and not declared:
        raise UsageError(f"--provider {provider}: it has no table of its answers' members.")
    return declared


def rows(providers: Mapping[str, type[Provider]], task: str | None = None) -> list[dict[str, str]]:
    """A row a leaf: provider, kind of answer, path, and the column, or the reason for none.

    Raises UsageError for a word that is no task.
    """
    _check(task)
    return [
        dict(zip(COLUMNS, (name, leaves.kind, leaf.path, leaf.to, leaf.reason), strict=True))
        for name, provider in providers.items()
        if task is None or task in provider.tasks
        for leaves in provider.leaves
        for leaf in leaves
        if task is None or _is_about(leaves, leaf, task)
    ]


def _check(task: str | None) -> None:
    if task is not None and task not in list(Task):
        raise UsageError(f"--task {task}: there is no such task; choose from {', '.join(Task)}.")


def _is_about(leaves: Leaves, leaf: Leaf, task: str) -> bool:
    """Whether a leaf belongs to a task's part of the body, or to all of its tasks'."""
    if not leaves.tasks:
        return True
    if task not in leaves.tasks:
        return False
    top = leaf.path.partition(".")[0].partition("[")[0]
    owners = [owner for owner, members in leaves.tasks.items() if top in members]
    return task in owners or not owners


def sections(providers: Mapping[str, type[Provider]], task: str | None) -> Iterator[Section]:
    """The tables for a terminal: one for each kind of answer."""
    found = rows(providers, task)
    for (name, kind), leaves in groupby(found, key=lambda row: (row["provider"], row["answer"])):
        cells = [
            (row["member"], f"→ {row['column']}" if row["column"] else f"dropped: {row['reason']}")
            for row in leaves
        ]
        yield Section(f"{name}: {kind}", ("member", "becomes"), cells)
    if not found:
        about = f" for {task}" if task else ""
        yield Section("", notes=(f"No installed provider has a table of members{about}.",))


def news(study: StudyFile, provider: str | None = None, task: str | None = None) -> Table:
    """Members of stored answers that no table holds: by provider, task, path and revision.

    Raises UnknownProvider for one that is neither in the study nor installed, and UsageError for a
    word that is no task.
    """
    _check(task)
    held = study.query("SELECT DISTINCT provider FROM questions").column("provider")
    if provider is not None and provider not in held:
        registry.load(provider)
    found = study.query(NEWS)
    kept = [
        row
        for row in found.rows
        if (provider is None or row[0] == provider) and (task is None or row[1] == task)
    ]
    return Table(found.columns, kept)


def news_section(found: Table, study: str) -> Section:
    """The same for a terminal."""
    if not found.rows:
        return Section(f"Study {study}", notes=("Nothing in its answers is new.",))
    note = (
        f"{counted(len(found), 'member')} of stored answers that no table holds: kept in the "
        "bodies; a newer visionhub may read them, with  visionhub reparse"
    )
    title, columns = f"Study {study}: new members", tuple(found.columns)
    return Section(title, columns, found.rows, (note,), ("answers",))


def mapping_page() -> str:
    """The text of docs/mapping.md, made from the tables of this package's own providers."""
    own = {
        entry.name
        for entry in entry_points(group=registry.GROUP)
        if entry.dist is not None and entry.dist.name == PACKAGE
    }
    providers = {name: kind for name, kind in chosen().items() if name in own}
    lines = [INTRO]
    for name, provider in providers.items():
        lines += [f"## {name}", ""]
        for leaves in provider.leaves:
            lines += [*_page_of(leaves), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _page_of(leaves: Leaves) -> Sequence[str]:
    head = [f"### {leaves.kind}", "", "| member | becomes |", "|---|---|"]
    return [*head, *(f"| `{leaf.path}` | {_cell(leaf)} |" for leaf in leaves)]


def _cell(leaf: Leaf) -> str:
    text = f"`{leaf.to}`" if leaf.to else f"dropped: {leaf.reason}"
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(mapping_page())
