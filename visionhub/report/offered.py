"""What the installed providers offer: a table of tasks by provider, and one provider in full."""

from __future__ import annotations

from typing import Any

from visionhub import registry
from visionhub.engine.plan import sensitive_of
from visionhub.provider import Parameter, Provider, TaskSpec
from visionhub.report.terminal import Section
from visionhub.schema import Task

LEGEND = (
    "In a cell: the scale of the scores, the floor below which nothing is reported, the most "
    "results; $ is charged for by the service, * must be asked for by name (--sensitive).",
    "Parameters, settings and price lines of one provider: visionhub providers NAME",
)


def offered(names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """One row for each provider and task, ready for JSON."""
    return [
        {"provider": name, "task": task.value} | _described(spec)
        for name, provider in _chosen(names).items()
        for task, spec in provider.tasks.items()
    ]


def sections(names: tuple[str, ...] = ()) -> list[Section]:
    """For the terminal: the table of tasks by provider or, of those named, everything.

    Raises UnknownProvider.
    """
    chosen = _chosen(names)
    if not names:
        return [_matrix(chosen)]
    return [part for provider in chosen.values() for part in _in_full(provider)]


def _chosen(names: tuple[str, ...]) -> dict[str, type[Provider]]:
    return {name: registry.load(name) for name in names} if names else registry.installed()


def _matrix(providers: dict[str, type[Provider]]) -> Section:
    tasks = [task for task in Task if any(task in p.tasks for p in providers.values())]
    rows = [(task.value, *(_cell(p.tasks.get(task)) for p in providers.values())) for task in tasks]
    return Section("", ("task", *providers), rows, LEGEND)


def _cell(spec: TaskSpec | None) -> str:
    if spec is None:
        return ""
    floor = "" if spec.floor is None else f" ≥{spec.floor:g}"
    most = "" if spec.max_results is None else f" ≤{spec.max_results}"
    marks = ("$" if spec.sku else "") + ("*" if spec.gated else "")
    return f"{spec.scale.value}{floor}{most} {marks}".rstrip()


def _in_full(provider: type[Provider]) -> list[Section]:
    tasks = [
        [task.value, *map(str, (spec.scale.value, *_limits(spec), spec.vocabulary, spec.sku or ""))]
        for task, spec in provider.tasks.items()
    ]
    parameters = [
        [f"{task}.{name}", _default(parameter), _help(parameter)]
        for task, spec in provider.tasks.items()
        for name, parameter in spec.parameters.items()
        if name != "attributes"
    ]
    columns = ("task", "scale", "floor", "most", "vocabulary", "price line")
    parts = [Section(provider.name, columns, tasks, tuple(_notes(provider)))]
    if parameters:
        parts.append(Section("--param", ("parameter", "default", "meaning"), parameters))
    if provider.settings:
        settings = [
            [f"{provider.name}.{name}", _default(parameter), _help(parameter)]
            for name, parameter in provider.settings.items()
        ]
        variable = f"VISIONHUB_{provider.name}_NAME".upper()
        note = f"Each can also stand in a variable of the environment: {variable}"
        parts.append(Section("--set", ("setting", "default", "meaning"), settings, (note,)))
    return parts


def _notes(provider: type[Provider]) -> list[str]:
    said = []
    for task, spec in provider.tasks.items():
        if asked := sensitive_of(provider, task):
            said.append(f"{task}: only when asked for by name: --sensitive {','.join(asked)}")
        said += [f"{task}: withdrawn by the vendor: {ends}" for ends in spec.withdrawn]
    return said


def _limits(spec: TaskSpec) -> tuple[str, str]:
    floor = "" if spec.floor is None else f"{spec.floor:g}"
    return floor, "" if spec.max_results is None else str(spec.max_results)


def _default(parameter: Parameter) -> str:
    value = parameter.default
    return ",".join(value) if isinstance(value, list) else str(value)


def _help(parameter: Parameter) -> str:
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    return parameter.help + choices


def _described(spec: TaskSpec) -> dict[str, Any]:
    return {
        "scale": spec.scale.value,
        "floor": spec.floor,
        "max_results": spec.max_results,
        "vocabulary": spec.vocabulary,
        "price_line": spec.sku,
        "parameters": {n: p.default for n, p in spec.parameters.items() if n != "attributes"},
        "sensitive": list(spec.sensitive),
        "gated": spec.gated,
        "withdrawn": [
            {"attribute": ends.attribute, "on": ends.on.isoformat(), "whom": ends.whom}
            for ends in spec.withdrawn
        ],
    }
