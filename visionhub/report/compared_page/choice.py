"""A choice among views that lie in the page together: radio buttons, and style that hides the rest.

It works without a script, and shows everything where a browser does not know `:has()`.
"""

from __future__ import annotations

from collections.abc import Sequence

from visionhub.report.card import safe

MOST = 40  # views that compared.css tells apart (.v0, .v1, ...)


def choice(name: str, legend: str, options: Sequence[str]) -> str:
    """The buttons. Elements below the nearest `.pick` with class `v vN` belong to option N.

    name: of the group, once a page. options: plain text.
    """
    if len(options) < 2:  # noqa: PLR2004
        return ""
    buttons = "".join(
        f'<label><input type="radio" name="{safe(name)}" class="c{at}"'
        f"{' checked' if not at else ''}> {safe(text)}</label>"
        for at, text in enumerate(options[:MOST])
    )
    return f'<fieldset class="choices"><legend>{safe(legend)}</legend>{buttons}</fieldset>'


def rules() -> str:
    """The style that hides what is not chosen."""
    return "\n".join(f".pick:has(.c{n}:checked) .v:not(.v{n}){{display:none}}" for n in range(MOST))
