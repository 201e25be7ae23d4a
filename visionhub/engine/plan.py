"""From what a user asks for to the questions that every image is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_

from visionhub import registry
from visionhub.errors import UsageError
from visionhub.images import Limits
from visionhub.provider import Announce, Provider, TaskSpec, Value, canonical
from visionhub.schema import Task
from visionhub.store.items import Question

SENSITIVE = (
    "NOTE {what}: guesses from appearance or biometric data, of no use for one person. Mind the "
    "law and your ethics board. How weak they are stands on their cards: visionhub models show "
    "NAME."
)
DEFAULT_TASKS = (Task.LABELS, Task.OBJECTS, Task.FACES, Task.TEXT, Task.SAFE_SEARCH)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a user wants. `parameters` maps "task.name" or "provider.task.name" to typed text."""

    providers: tuple[str, ...] = ("embedded",)
    tasks: tuple[str, ...] = DEFAULT_TASKS
    parameters: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Providers ready to answer, the questions for each image, and what nobody offers."""

    providers: Mapping[str, Provider]
    questions: tuple[Question, ...]
    unsupported: tuple[tuple[str, Task], ...]
    limits: Limits


def plan(ask: Ask, announce: Announce) -> Plan:
    """Check everything that can be checked before an image is read, and make providers ready.

    Raises UsageError, UnknownProvider, MissingExtra, ModelError or AuthenticationError.
    """
    tasks = [_task(name) for name in dict.fromkeys(ask.tasks)]
    providers = {name: registry.get(name) for name in dict.fromkeys(ask.providers)}
    if not providers or not tasks:
        raise UsageError("Name at least one provider (-p) and one task (-t).")
    _check_parameters(ask, providers, tasks)
    _check_sensitive(ask, providers, tasks)
    if ask.sensitive:
        announce(SENSITIVE.format(what=", ".join(ask.sensitive)))
    questions: list[Question] = []
    for provider in providers.values():
        _refuse_paid(provider, tasks)
        wanted = {t: options(ask, provider, t) for t in tasks if t in provider.tasks}
        provider.ready(wanted, announce)
        questions += [question(provider, task, chosen) for task, chosen in wanted.items()]
    unsupported = [(n, t) for n, p in providers.items() for t in tasks if t not in p.tasks]
    if not questions:
        lacking = ", ".join(f"{name} has no {task}" for name, task in unsupported)
        raise UsageError(f"Nothing to ask: {lacking}. See `visionhub providers`.")
    # Nothing is enlarged, so a minimum side is each provider's own affair and not the rendering's.
    limits = reduce(and_, (p.limits for p in providers.values()), Limits())
    shared = replace(limits, min_side=1)
    return Plan(providers, tuple(questions), tuple(unsupported), shared)


def question(provider: Provider, task: Task, chosen: Mapping[str, Value]) -> Question:
    """The question that these options make."""
    floor = chosen.get("min_score", provider.tasks[task].floor)
    spec = provider.tasks[task]
    asked = TaskSpec(
        scale=spec.scale,
        vocabulary=spec.vocabulary,
        floor=float(floor) if isinstance(floor, int | float) else None,
        max_results=spec.max_results,
        sku=spec.sku,
    )
    revision = provider.revision(task, chosen)
    return Question(provider.name, task, revision, canonical(chosen), asked)


def options(ask: Ask, provider: Provider, task: Task) -> dict[str, Value]:
    """Defaults, then "task.name", then "provider.task.name", then sensitive words asked for."""
    spec = provider.tasks[task]
    chosen: dict[str, Value] = {}
    for name, parameter in spec.parameters.items():
        chosen[name] = parameter.default
        for key in (f"{task}.{name}", f"{provider.name}.{task}.{name}"):
            if key in ask.parameters:
                chosen[name] = parameter.read(key, ask.parameters[key])
    if spec.sensitive:
        chosen["attributes"] = sorted(set(spec.sensitive) & set(ask.sensitive))
    return chosen


def _task(name: str) -> Task:
    try:
        return Task(name)
    except ValueError:
        known = ", ".join(Task)
        raise UsageError(f"-t {name}: there is no such task; choose from {known}.") from None


def _check_parameters(ask: Ask, providers: Mapping[str, Provider], tasks: Sequence[Task]) -> None:
    known = {
        prefix + f"{task}.{name}"
        for provider in providers.values()
        for task in tasks
        if task in provider.tasks
        for name in provider.tasks[task].parameters
        if name != "attributes"
        for prefix in ("", f"{provider.name}.")
    }
    for key in ask.parameters:
        if key not in known:
            offered = ", ".join(sorted(name for name in known if name.count(".") == 1)) or "none"
            raise UsageError(f"--param {key}: there is no such parameter; these are: {offered}.")


def _check_sensitive(ask: Ask, providers: Mapping[str, Provider], tasks: Iterable[Task]) -> None:
    offered = {
        name
        for provider in providers.values()
        for task in tasks
        if task in provider.tasks
        for name in provider.tasks[task].sensitive
    }
    for name in ask.sensitive:
        if name not in offered:
            known = ", ".join(sorted(offered)) or "nothing sensitive"
            raise UsageError(
                f"--sensitive {name}: no chosen provider and task offers it; these offer {known}."
            )


def _refuse_paid(provider: Provider, tasks: Sequence[Task]) -> None:
    paid = [task for task in tasks if task in provider.tasks and provider.tasks[task].sku]
    if paid:
        raise UsageError(
            f"{provider.name} charges for {', '.join(paid)}, and this version of visionhub cannot "
            f"hold a spending cap yet: it sends no paid request."
        )
