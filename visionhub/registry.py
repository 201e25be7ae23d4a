"""Providers by entry point: a built-in is found in just the way a stranger's plugin is."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from visionhub.errors import UnknownProvider
from visionhub.provider import Provider

GROUP = "visionhub.providers"


def names() -> list[str]:
    """Names of all installed providers, sorted; none of them is imported."""
    return sorted(_found())


def installed() -> dict[str, type[Provider]]:
    """All installed provider classes by name. One that fails to import is left out."""
    classes: dict[str, type[Provider]] = {}
    for name in names():
        try:
            classes[name] = load(name)
        except UnknownProvider:
            continue
    return classes


def load(name: str) -> type[Provider]:
    """The class of one provider; UnknownProvider says what to install or what is wrong with it."""
    found = _found()
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise UnknownProvider(
            f"No provider named {name!r}: installed are {known}. A provider comes with a Python "
            f"package that declares the entry point group {GROUP!r}."
        )
    try:
        loaded = found[name].load()
    except Exception as error:  # a stranger's module: whatever it raises, the others still work
        raise UnknownProvider(
            f"The provider {name!r} ({found[name].value}) cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Provider)):
        raise UnknownProvider(
            f"The entry point {name!r} ({found[name].value}) is no visionhub.provider.Provider"
        )
    if getattr(loaded, "name", None) != name:  # answers are kept, and found again, by this name
        raise UnknownProvider(
            f"The entry point {name!r} ({found[name].value}) has the class variable name = "
            f"{getattr(loaded, 'name', None)!r}: both must be the same"
        )
    return loaded


def get(name: str) -> Provider:
    """A new instance of one provider."""
    return load(name)()


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
