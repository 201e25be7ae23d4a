"""Model cards of all installed providers as plain rows: what there is, and what is on this disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from visionhub import places, registry
from visionhub.errors import UsageError
from visionhub.provider import installed
from visionhub.weights import ModelCard
from visionhub.word_vectors import MINILM


def cards() -> list[ModelCard]:
    """List all cards, by provider and in its order; those of no provider come last."""
    own = [card for provider in registry.installed().values() for card in provider.models]
    return [*own, MINILM]


def summaries() -> list[dict[str, Any]]:
    """List one short row a card.

    use: `default`, or `optional` when a parameter must name the model; with `, sensitive` for
    guesses about people. size_mb: the weights on the disk; archive_mb: the download, which several
    cards may share. where: as `places.whereabouts` says.
    """
    return [
        {
            "name": card.name,
            "provider": card.provider,
            "tasks": ", ".join(card.tasks),
            "license": card.license,
            "permissive": card.permissive,
            "size_mb": _megabytes(sum(file.size for file in card.files)),
            "archive_mb": _megabytes(card.archive.size),
            "use": _use(card),
            "where": places.whereabouts(card),
        }
        for card in cards()
    ]


def in_full(name: str) -> dict[str, Any]:
    """Give one card with everything that it says; UsageError when there is none of that name."""
    [card] = chosen([name])
    paths = [places.locate(file) for file in card.files]
    files = [
        {**asdict(file), "path": str(path) if path else None}
        for file, path in zip(card.files, paths, strict=True)
    ]
    more = {"permissive": card.permissive, "revision": card.revision}
    return {**asdict(card), "files": files, **more, "where": places.whereabouts(card)}


def chosen(names: Sequence[str], *, all_defaults: bool = False) -> list[ModelCard]:
    """Give the named cards, or without names the default ones.

    Sensitive defaults are among them only with `all_defaults`. UsageError for an unknown name.
    """
    known = {card.name: card for card in cards()}
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "none: no installed provider has local models"
            raise UsageError(f"There is no model {name!r}: choose among {listed}")
    if names and not all_defaults:
        return [known[name] for name in dict.fromkeys(names)]
    usable = [p for p in registry.installed().values() if installed(p.requires)]
    wanted = [card for provider in usable for card in provider.models if card.default]
    defaults = [card for card in wanted if all_defaults or not card.sensitive]
    return list(dict.fromkeys([*(known[name] for name in names), *defaults]))


def warnings(found: Sequence[ModelCard]) -> list[str]:
    """Say of which of these cards the licence restricts the use."""
    return [card.notice for card in found if card.notice]


def _use(card: ModelCard) -> str:
    return ("default" if card.default else "optional") + (", sensitive" if card.sensitive else "")


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)
