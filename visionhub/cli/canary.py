"""Asking about a fixed set once more, with progress, a quote and consent as in `annotate`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from visionhub.cli.watch import Asked, Watched, pairs, watching

if TYPE_CHECKING:
    from visionhub.engine.canary import Canary
    from visionhub.engine.progress import Progress


def ask_again(
    study: Path, asked: Asked, size: int | None, *, as_json: bool, rehearse: bool
) -> tuple[Canary, Progress]:
    """Ask, and say on stderr what was done; stdout is for what it shows."""

    def tell(progress: Progress) -> None:
        _tell(progress, study, as_json=as_json)

    def carry(watched: Watched) -> tuple[Canary, Progress]:
        return _carry(study, asked, size, watched, as_json=as_json)

    canary, progress = watching(carry, tell, as_json=as_json, rehearse=rehearse)
    tell(progress)
    return canary, progress


def _tell(progress: Progress, study: Path, *, as_json: bool) -> None:
    from visionhub.cli.progress import note
    from visionhub.report.summary import PassedOver, summary
    from visionhub.report.terminal import write

    if as_json:
        note(json.dumps({"event": "summary", **progress.summary()}, default=str))
    else:
        write([summary(progress, str(study), PassedOver())], to_stderr=True)


def _carry(
    study: Path, asked: Asked, size: int | None, watched: Watched, *, as_json: bool
) -> tuple[Canary, Progress]:
    from visionhub.cli.consent import consent, retrying
    from visionhub.engine.plan import Ask
    from visionhub.facade import Study

    ask = Ask(
        providers=tuple(asked["providers"] or ()),
        tasks=_words(asked["tasks"]),
        parameters=pairs(asked["parameters"] or (), "--param", "task.name=value"),
        sensitive=_words(asked["sensitive"]),
        settings=pairs(asked["settings"] or (), "--set", "provider.name=value"),
        sandbox=watched.sandbox,
        max_cost=asked["max_cost"],
        prices=asked["prices"],
        old_prices=asked["old_prices"],
        assume_free=pairs(asked["assume_free"] or (), "--assume-free", "provider.task=N"),
        on_ambiguous=retrying(study, asked["on_ambiguous"], watched.say),
    )
    given = asked["max_cost"] is not None
    return Study(study).canary(
        ask,
        size,
        confirm=partial(consent, yes=asked["yes"], max_cost_given=given, as_json=as_json),
        announce=watched.say,
        watch=watched.watch,
        stop=watched.stop,
    )


def _words(given: object) -> tuple[str, ...]:
    text = given if isinstance(given, str) else ""
    return tuple(word.strip() for word in text.split(",") if word.strip())
