"""The head of the gallery: what it shows, how to read it, and the fields to search it by."""

from __future__ import annotations

from visionhub.analysis.compare import Comparison
from visionhub.report.card import safe
from visionhub.report.compared_page.ranking import Ranking
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.wording import TITLES
from visionhub.report.plain import counted
from visionhub.report.shown import guesses_note

MARKS = (
    ("all", "all who answered say it"),
    ("some", "some others say it"),
    ("wide", "others say only something broader"),
    ("one", "one alone says it"),
    ("none", "others have no word for it: not counted"),
)


def gallery_head(found: Comparison, roster: Roster, ranking: Ranking, *, show_faces: bool) -> str:
    """Everything before the photographs."""
    marks = "".join(f'<li><span class="{name}">word</span> {text}</li>' for name, text in MARKS)
    several = len(roster.names) > 2  # noqa: PLR2004
    marks = (
        marks
        if several
        else marks.replace(f'<li><span class="some">word</span> {MARKS[1][1]}</li>', "")
    )
    raters = "".join(f"<li>{roster.keyed(name)}</li>" for name in roster.names)
    shown, total = len(ranking.images), ranking.of
    chosen = (
        f"all {counted(total, 'photograph')}"
        if shown == total
        else f"{shown:,} of {counted(total, 'photograph')}: in turn those furthest apart in all, "
        "and in each task"
    )
    return (
        '<section class="task photographs" id="photographs"><h2>Where they differ most</h2>'
        f"<p>Here are {chosen}. How far apart two raters are about a photograph runs from 0 (as "
        "one) to 1: for labels 1 - Jaccard of comparable labels as the crosswalk has them (also "
        "where there is a codebook), for boxes 1 - F1 at IoU .5, for text the character error "
        "rate. A photograph\u2019s own figure is the mean over its tasks, of each the mean over "
        "pairs of raters. Each word and box is marked by who else has it:</p>"
        f'<ul class="key-list marks">{marks}</ul>'
        f'<ul class="key-list">{raters}</ul>{_privacy(found, show_faces=show_faces)}'
        f"{_form(roster, ranking)}"
    )


def _privacy(found: Comparison, *, show_faces: bool) -> str:
    guessed = [name.strip() for name in str(found.about["guesses"]).split(",")]
    note = guesses_note(guessed)
    warning = f'<p class="warning" role="note">{safe(note)}</p>' if note else ""
    faces = (
        "Faces are shown, because this page was made with <code>--show-faces</code>."
        if show_faces
        else "Faces are blurred where a detector found them; one that no detector found is not. A "
        "photograph that was not searched for faces is blurred as a whole."
    )
    return f"{warning}<p>{faces}</p>"


def _form(roster: Roster, ranking: Ranking) -> str:
    tasks = dict.fromkeys(ranking.tasks)
    task = "".join(f"<option value='{safe(t)}'>{safe(TITLES.get(t, t))}</option>" for t in tasks)
    pairs = dict.fromkeys(one.raters for one in ranking.columns)
    pair = "".join(
        f"<option value='{roster.place(a)} {roster.place(b)}'>{roster.letter(a)} {safe(a)} ~ "
        f"{roster.letter(b)} {safe(b)}</option>"
        for a, b in pairs
    )
    who = "".join(
        f"<option value='{roster.place(name)}'>only {roster.letter(name)} {safe(name)}</option>"
        for name in roster.names
    )
    return (
        '<form class="filter" id="filter" role="search" hidden>'
        '<label>Words <input id="words" type="search" autocomplete="off" spellcheck="false" '
        'placeholder="such as: dog"></label>'
        '<label>said by <select id="who"><option value="">anybody</option><option value="all">all '
        f'who answered</option><option value="one">one alone</option>{who}</select></label>'
        f'<label>Task <select id="task"><option value="">all tasks</option>{task}</select></label>'
        '<label>Raters <select id="pair"><option value="">all pairs</option>'
        f"{pair}</select></label>"
        '<label class="tick"><input id="boxes" type="checkbox" checked> boxes</label>'
        '<output id="count" aria-live="polite"></output>'
        '<span class="pager"><button type="button" id="before">Previous</button> '
        '<output id="place"></output> <button type="button" id="after">Next</button></span></form>'
        '<p id="nothing" hidden>No photograph matches. Take a word away, or choose more.</p>'
    )
