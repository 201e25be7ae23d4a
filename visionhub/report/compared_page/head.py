"""The top of the page: whose comparison it is, who was compared, how, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from visionhub import __version__
from visionhub.analysis.compare import Comparison, Part
from visionhub.report.card import safe
from visionhub.report.compared import intervals, rater_row
from visionhub.report.compared_page.glance import glance
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.wording import TITLES
from visionhub.store.items import now

SHORT = 12  # characters of a hash that are shown


def header(found: Comparison, roster: Roster, *, gallery: bool) -> str:
    """Everything before the tasks."""
    tasks = [(part.task, TITLES.get(part.task, part.task)) for part in found.parts]
    links = [f'<a href="#{safe(task)}">{safe(title)}</a>' for task, title in tasks]
    links += ['<a href="#photographs">Photographs</a>'] if gallery else []
    return f"""\
<a class="skip" href="#main">Skip to the comparison</a>
<header>
<h1>How far they agree <span>{safe(found.study)}</span></h1>
<p class="lead">{len(roster.names)} raters, {safe(", ".join(t.lower() for _, t in tasks))} ·
made {now()[:10]} with visionhub {safe(__version__)}</p>
{_rehearsal(found)}{_notes(found)}<nav aria-label="Sections">{" ".join(links)}</nav>
<div class="top">{glance(found.parts, roster)}
<section><h3>How to read this page</h3><ul class="reading">{_reading(found)}</ul></section></div>
<section><h3>Who was compared</h3>{_who(found, roster)}</section>
<details><summary>How it was computed</summary>{_about(found)}</details>
</header>
"""


def _rehearsal(found: Comparison) -> str:
    if not found.rehearsal:
        return ""
    return (
        '<p class="warning" role="note"><strong>REHEARSAL.</strong> A stand-in on one\u2019s own '
        "machine answered for the cloud services. Nothing on this page is a finding about them.</p>"
    )


def _notes(found: Comparison) -> str:
    notes = list(
        dict.fromkeys([*found.notes, *(note for part in found.parts for note in part.notes)])
    )
    if not notes:
        return ""
    items = "".join(f"<li>{safe(note, 600)}</li>" for note in notes)
    return f'<ul class="notes" aria-label="Notes">{items}</ul>'


def _reading(found: Comparison) -> str:
    how = safe(intervals((row for part in found.parts for row in part.rows), found.about))
    points = (
        ("Agreement is not being right.", "Services may be wrong together. Only codes by people, "
         "given with <code>--codes</code>, can tell how often one is right."),
        ("Scores are not comparable.", "0.9 of one service is not 0.9 of another. They are only "
         "ranked, or cut so that both name as many things; likelihood words are never turned into "
         "numbers."),
        ("What is missing may be hidden, not absent.", "A service reports nothing below its floor, "
         "or after so many results: such a score is censored. The figures count it as not said; "
         "\u201copen\u201d, or a thin line, runs from the worst to the best that these scores "
         "leave possible."),
        ("Each figure has an interval, or says why not.", f"{how}. It is about other photographs "
         "of this kind; not about other services or years."),
        ("Services do not share words.", "Labels are compared as equal strings (exact), as things "
         "with all that is broader (crosswalk), and as constructs of yours (codebook). Comparable "
         "labels are those that both have a word for."),
        ("Not estimable is a finding, too.", "Its reason stands beside it. It is never 0."),
    )  # fmt: skip
    return "".join(f"<li><b>{title}</b> {text}</li>" for title, text in points)


COLUMNS = (
    "Rater", "Task", "Version", "Model", "Answers came", "Photographs", "Scale", "Floor",
    "Most results", "Words",
)  # fmt: skip


def _who(found: Comparison, roster: Roster) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    groups: dict[str, list[tuple[Part, int]]] = {}
    for part in found.parts:
        for at, rater in enumerate(part.raters):
            groups.setdefault(rater.name, []).append((part, at))
    body = "".join(_rater(name, rows, roster) for name, rows in groups.items())
    return (
        f'<div class="wide"><table class="who"><thead><tr>{head}</tr></thead>{body}</table></div>'
    )


def _rater(name: str, rows: Sequence[tuple[Part, int]], roster: Roster) -> str:
    first = f'<th scope="rowgroup" rowspan="{len(rows)}">{roster.keyed(name)}</th>'
    lines = "".join(
        f"<tr>{first if not n else ''}{''.join(_facts(part, at))}</tr>"
        for n, (part, at) in enumerate(rows)
    )
    return f"<tbody>{lines}</tbody>"


def _facts(part: Part, at: int) -> Iterator[str]:
    row, human = rater_row(part, at), part.raters[at].human
    days = [str(row[name])[:10] for name in ("first_answer", "last_answer") if row[name]]
    yield f"<td>{safe(TITLES.get(part.task, part.task))}</td>"
    if human:
        yield '<td colspan="3">codes by a person, from a file</td>'
    else:
        yield f"<td><code>{safe(row['revision'])}</code></td>"
        yield f"<td>{safe(_model(row['revision'], row['model_version']))}</td>"
        dates = " to ".join(f'<span class="day">{safe(day)}</span>' for day in dict.fromkeys(days))
        yield f"<td>{dates or 'not known'}</td>"
    yield f'<td class="num">{row["images"]:,}</td><td>{safe(row["scale"])}</td>'
    yield f'<td class="num">{"" if row["floor"] is None else format(row["floor"], "g")}</td>'
    yield f'<td class="num">{"" if row["max_results"] is None else row["max_results"]}</td>'
    yield f"<td>{safe(row['vocabulary'])}</td>"


def _model(revision: str, model: str) -> str:
    return "as the version" if model == revision else model or "not reported"


def _about(found: Comparison) -> str:
    about = found.about
    facts: list[tuple[str, object]] = [
        ("draws", f"{about['draws']:,}"), ("seed", about["seed"]),
        ("intervals", f"{100 * about['confidence']:g} %"), ("sources", about["sources"]),
    ]  # fmt: skip
    for part in found.parts:
        title = TITLES.get(part.task, part.task)
        facts += [(f"{title}: {n.replace('_', ' ')}", value) for n, value in part.about.items()]
        facts += [
            (f"{title}: parameters of {one.name}", one.parameters)
            for one in part.raters
            if not one.human
        ]
    items = "".join(
        f"<div><dt>{safe(name)}</dt><dd>{safe(value, 900)}</dd></div>" for name, value in facts
    )
    return f'<dl class="about">{items}</dl>'
