"""The frame of a contact sheet: head, how to read it, filter, end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from visionhub import __version__
from visionhub.engine.rehearsal import is_rehearsal
from visionhub.report.answers import ORDER, Shown
from visionhub.report.card import heading, safe
from visionhub.report.document import asset, head
from visionhub.report.plain import counted
from visionhub.report.shown import guesses_note
from visionhub.store.items import now
from visionhub.store.study import StudyFile

REHEARSAL = (
    '<p class="warning" role="note"><strong>REHEARSAL.</strong> A stand-in on one\u2019s own '
    "machine answered for the cloud services. Nothing on this page is a finding about them.</p>\n"
)
STYLES = 8  # colours and dash patterns in contact_sheet.css

_QUESTIONS = (
    "SELECT DISTINCT q.task, q.provider, q.revision, q.vocabulary, q.scale, q.floor "
    "FROM questions q WHERE EXISTS (SELECT 1 FROM status s JOIN requests r ON r.id = s.request_id "
    "WHERE r.question_id = q.id)"
)

_GUESSED = (
    "SELECT DISTINCT a.name FROM status s JOIN face_attributes a ON a.request_id = s.request_id "
    "WHERE s.task = 'faces' AND s.image_id IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True)
class Sheet:
    """What the page says about itself."""

    study: str
    photographs: int
    total: int
    sort: str
    show_faces: bool
    questions: Sequence[tuple[Any, ...]]
    styles: dict[tuple[str, str], int] = field(default_factory=dict)
    guessed: frozenset[str] = frozenset()  # sensitive properties that are on the page
    rehearsal: bool = False

    @classmethod
    def of(
        cls, study: StudyFile, ids: Sequence[int], total: int, sort: str, *, show_faces: bool
    ) -> Sheet:
        """Read from a study who answered what, and what was guessed about people in `ids`."""
        rows = study.query(_QUESTIONS).rows
        rows.sort(key=lambda row: (ORDER.get(row[0], len(ORDER)), *map(str, row[1:])))
        pairs = dict.fromkeys((row[1], row[0]) for row in rows)
        styles = {pair: number % STYLES for number, pair in enumerate(pairs)}
        guessed = frozenset(study.query(_GUESSED, (json.dumps(ids),)).column("name"))
        mock = is_rehearsal(study)
        name = study.path.name + (" (REHEARSAL)" if mock else "")
        return cls(name, len(ids), total, sort, show_faces, rows, styles, guessed, mock)

    def style(self, answer: Shown) -> str:
        """The class that gives an answer its colour and, for those who see none, its dashes."""
        return f"s{self.styles.get((answer.provider, answer.task), 0)}"


def page_start(sheet: Sheet) -> str:
    """Everything up to the first card."""
    shown = counted(sheet.photographs, "photograph")
    if sheet.photographs < sheet.total:
        total = counted(sheet.total, "photograph")
        shown = f"{sheet.photographs:,} of {total}, by {safe(sheet.sort)}"
    style = asset("page.css") + asset("contact_sheet.css")
    start = head(f"Contact sheet: {sheet.study}", style, [asset("contact_sheet.js")])
    return f"""\
{start}<a class="skip" href="#photographs">Skip to the photographs</a>
<header>
<h1>Contact sheet <span>{safe(sheet.study)}</span></h1>
<p class="lead">{shown} · made {now()[:10]} with visionhub {safe(__version__)}</p>
{REHEARSAL if sheet.rehearsal else ""}{_warning(sheet)}<ul class="reading">{_reading(sheet)}</ul>
<details class="who"><summary>Who answered: providers, revisions, scales</summary>
{_who(sheet)}</details>
</header>
{_filter(sheet)}
<main id="photographs" tabindex="-1">
<p id="nothing" hidden>No photograph matches. Take a word away, or choose “everything”.</p>
<div class="grid">
"""


def page_end(unread: Sequence[tuple[str, str]]) -> str:
    """Everything after the last card; `unread` are (path, problem) of files without an image."""
    rows = "".join(f"<tr><td>{safe(p, 1000)}</td><td>{safe(why)}</td></tr>" for p, why in unread)
    table = (
        '<section class="unread"><h2>Files that could not be read</h2><table><thead><tr>'
        f"<th>File</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )
    return (
        f"</div>\n{table if unread else ''}\n</main>\n<footer><p>This page is one file. It loads "
        "nothing from any network and sends nothing. Its pictures are small copies without "
        f"metadata.</p></footer>\n<script>{asset('contact_sheet.js')}</script>\n</body>\n</html>\n"
    )


def _warning(sheet: Sheet) -> str:
    note = guesses_note(sheet.guessed)
    return f'<p class="warning" role="note">{safe(note)}</p>\n' if note else ""


def _reading(sheet: Sheet) -> str:
    faces = (
        "<b>Faces are shown</b>, because this page was made with <code>--show-faces</code>."
        if sheet.show_faces
        else "<b>Faces are blurred</b> where a detector found them; one that no detector found is "
        "not. A photograph that was not searched for faces is blurred as a whole."
    )
    return (
        "<li><b>Scores are the models\u2019 own</b>, on the scale named beside each; they are not "
        "comparable between providers, tasks or scales, and not how often the model is right.</li>"
        "<li><b>No result is not “no”.</b> What was not found, not reached or not answered stands "
        f"under each photograph with its reason.</li><li>{faces}</li>"
    )


def _who(sheet: Sheet) -> str:
    rows = "".join(
        f'<tr><td><span class="key s{sheet.styles[provider, task]}"></span>{safe(heading(task))}'
        f"</td><td>{safe(provider)}</td><td><code>{safe(revision)}</code></td>"
        f"<td>{safe(words or '')}</td><td>{safe(scale)}</td>"
        f"<td>{'' if floor is None else format(floor, 'g')}</td></tr>"
        for task, provider, revision, words, scale, floor in sheet.questions
    )
    names = ("Task", "Provider", "Revision", "Vocabulary", "Scale", "Floor")
    top = "".join(f"<th>{name}</th>" for name in names)
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _filter(sheet: Sheet) -> str:
    tasks = dict.fromkeys(row[0] for row in sheet.questions)
    options = "".join(f'<option value="{safe(t)}">{safe(heading(t))}</option>' for t in tasks)
    return (
        '<form class="filter" role="search" hidden>'
        '<label>Words <input id="words" type="search" autocomplete="off" spellcheck="false" '
        'placeholder="such as: dog"></label>'
        f'<label>Found by task <select id="task"><option value="">everything</option>{options}'
        '<option value="problems">problems</option></select></label>'
        '<label class="tick"><input id="boxes" type="checkbox" checked> boxes</label>'
        '<output id="count" aria-live="polite"></output></form>'
    )
