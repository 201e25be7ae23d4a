"""From what a user asks for to the questions that every image is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_
from pathlib import Path

from visionhub import registry
from visionhub.engine.pace import Pace
from visionhub.errors import AuthenticationError, MissingExtra, UsageError
from visionhub.images import Limits
from visionhub.pricing import Amount
from visionhub.provider import Announce, Provider, TaskSpec, Value, canonical
from visionhub.schema import Task
from visionhub.store.canaries import ending_of
from visionhub.store.items import Question

SENSITIVE = (
    "NOTE {what}: guesses from appearance or biometric data, of no use for one person. Mind the "
    "law and your ethics board. How weak they are stands on their cards: visionhub models show "
    "NAME."
)
PATIENCE = "600"  # seconds: a stand-in computes on this machine what a service knows at once
DEFAULT_TASKS = (Task.LABELS, Task.OBJECTS, Task.FACES, Task.TEXT, Task.SAFE_SEARCH)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a user wants. `parameters` maps "task.name" or "provider.task.name" to typed text.

    settings: "provider.name" to typed text. sandbox: the address of a rehearsal server, which then
    answers for every provider that can be rehearsed.
    max_cost: the study's cap, such as "5 USD" or 5. prices: the user's own price table, over the
    packaged one; old_prices: use prices even when they were read long ago. assume_free:
    "provider.task" to the free units a month that the user claims. on_ambiguous: whether a request
    whose earlier outcome is unknown is asked again: skip, retry or ask (see `engine.terms`).
    canary: the moment (UTC) at which a set is asked about once more, by questions of its own, whose
    answers do not become current; empty for any other run.
    """

    providers: tuple[str, ...] = ("embedded",)
    tasks: tuple[str, ...] = DEFAULT_TASKS
    parameters: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    sandbox: str = ""
    max_cost: Amount | None = None
    prices: Path | None = None
    old_prices: bool = False
    assume_free: Mapping[str, str] = field(default_factory=dict)
    on_ambiguous: str = "skip"
    canary: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Providers ready to answer, the questions for each image, and what nobody offers.

    pace: where the rates of services are kept, for all processes; None where none is asked.
    canary: as in Ask.
    """

    providers: Mapping[str, Provider]
    questions: tuple[Question, ...]
    unsupported: tuple[tuple[str, Task], ...]
    limits: Limits
    pace: Pace | None = None
    canary: str = ""

    @property
    def paid(self) -> bool:
        """Whether a service charges for some of it."""
        return any(
            question.spec.sku and not self.providers[question.provider].rehearsing
            for question in self.questions
        )

    @property
    def rehearsal(self) -> bool:
        """Whether a stand-in answers for some service."""
        return any(provider.rehearsing for provider in self.providers.values())


def plan(ask: Ask, announce: Announce, *, to_send: bool = True) -> Plan:
    """Check everything that can be checked before an image is read, and make providers ready.

    to_send: without it (for a quote) no weights are fetched, and lacking credentials are no fault.
    Raises UsageError, UnknownProvider, MissingExtra, ModelError or AuthenticationError.
    """
    tasks = [_task(name) for name in dict.fromkeys(ask.tasks)]
    providers = {name: registry.get(name) for name in dict.fromkeys(ask.providers)}
    if not providers or not tasks:
        raise UsageError("Name at least one provider (-p) and one task (-t).")
    configure(ask, providers)
    _check_parameters(ask, providers, tasks)
    _check_sensitive(ask, providers, tasks)
    _check_gates(ask, providers, tasks)
    if ask.sensitive:
        announce(SENSITIVE.format(what=", ".join(ask.sensitive)))
    questions: list[Question] = []
    for provider in providers.values():
        if provider.rehearsing and not ask.sandbox:
            announce(
                f"REHEARSAL {provider.name}: a stand-in answers, for its setting sandbox says so."
            )
        wanted = {t: options(ask, provider, t) for t in tasks if t in provider.tasks}
        for task, chosen in wanted.items():
            _warn_of_withdrawal(provider, task, chosen, announce)
        _make_ready(provider, wanted, announce, to_send=to_send)
        asked = (question(provider, task, chosen) for task, chosen in wanted.items())
        questions += [again(one, ask.canary) if ask.canary else one for one in asked]
    unsupported = [(n, t) for n, p in providers.items() for t in tasks if t not in p.tasks]
    for name, task in unsupported if questions else ():
        announce(f"NOTE {name} does not offer {task}: it has the status `unsupported`.")
    if not questions:
        lacking = ", ".join(f"{name} has no {task}" for name, task in unsupported)
        raise UsageError(f"Nothing to ask: {lacking}. See `visionhub providers`.")
    # Nothing is enlarged, so a minimum side is each provider's own affair and not the rendering's.
    limits = reduce(and_, (p.limits for p in providers.values()), Limits())
    shared = replace(limits, min_side=1)
    pace = Pace(announce) if any(is_service(type(p)) for p in providers.values()) else None
    return Plan(providers, tuple(questions), tuple(unsupported), shared, pace, ask.canary)


def _make_ready(
    provider: Provider,
    wanted: Mapping[Task, Mapping[str, Value]],
    announce: Announce,
    *,
    to_send: bool,
) -> None:
    """As `ready`; a quote takes local models as they come, and needs no account."""
    if not to_send and provider.models:
        return
    try:
        provider.ready(wanted, announce)
    except (AuthenticationError, MissingExtra) as error:
        if to_send:
            raise
        announce(f"NOTE to run it: {error}")


def question(provider: Provider, task: Task, chosen: Mapping[str, Value]) -> Question:
    """The question that these options make."""
    spec = provider.tasks[task]
    floor = chosen.get("min_score", chosen.get("min_confidence", spec.floor))
    most = chosen.get("max_results", spec.max_results)
    asked = TaskSpec(
        scale=spec.scale,
        vocabulary=spec.vocabulary,
        floor=float(floor) if isinstance(floor, int | float) else None,
        max_results=most if isinstance(most, int) else None,
        sku=spec.sku,
    )
    revision = provider.revision(task, chosen)
    return Question(provider.name, task, revision, canonical(chosen), asked)


def again(one: Question, moment: str) -> Question:
    """The same question as a canary asks it."""
    return replace(one, revision=one.revision + ending_of(moment))


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
        offered = {task for one in registry.installed().values() for task in one.tasks}
        known = ", ".join(task for task in Task if task in offered)
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
        for name in sensitive_of(provider, task)
    }
    for name in ask.sensitive:
        if name not in offered:
            known = ", ".join(sorted(offered)) or "nothing sensitive"
            raise UsageError(
                f"--sensitive {name}: no chosen provider and task offers it; these offer {known}."
            )


def sensitive_of(provider: Provider | type[Provider], task: Task) -> tuple[str, ...]:
    """What has to be asked for by name: attributes, or the task itself."""
    spec = provider.tasks[task]
    return (*spec.sensitive, task.value) if spec.gated else spec.sensitive


def _check_gates(ask: Ask, providers: Mapping[str, Provider], tasks: Iterable[Task]) -> None:
    for task in tasks:
        for provider in providers.values():
            spec = provider.tasks.get(task)
            if spec and spec.gated and task.value not in ask.sensitive:
                raise UsageError(
                    f"-t {task} names or matches people: ask for it by name with --sensitive "
                    f"{task}, and mind the law and your ethics board."
                )


def configure(ask: Ask, providers: Mapping[str, Provider]) -> None:
    """Hand each provider its settings; UsageError for one that nobody takes."""
    given: dict[str, dict[str, str]] = {name: {} for name in providers}
    for key, text in ask.settings.items():
        name, _, setting = key.partition(".")
        if name not in given or not setting:
            raise UsageError(f"--set {key}: write it as provider.name=value, for a chosen -p.")
        given[name][setting] = text
    if ask.sandbox and not any("sandbox" in p.settings for p in providers.values()):
        raise UsageError(
            f"--sandbox: {', '.join(providers)} cannot be rehearsed: a stand-in answers for "
            f"services only, and models that run here cost nothing. Leave it out."
        )
    for name, provider in providers.items():
        if ask.sandbox and "sandbox" in provider.settings:
            given[name]["sandbox"] = ask.sandbox
        provider.configure(given[name])
        if ask.sandbox and _is_default(provider, "timeout"):
            provider.configure(given[name] | {"timeout": PATIENCE})


def is_service(provider: type[Provider]) -> bool:
    """Whether others than this machine answer, for money or in a rehearsal."""
    return "sandbox" in provider.settings or any(spec.sku for spec in provider.tasks.values())


def _is_default(provider: Provider, setting: str) -> bool:
    known = provider.settings.get(setting)
    return known is not None and provider.setting(setting) == known.default


def _warn_of_withdrawal(
    provider: Provider, task: Task, chosen: Mapping[str, Value], announce: Announce
) -> None:
    asked = chosen.get("attributes", [])
    for ends in provider.tasks[task].withdrawn:
        if not ends.attribute or (isinstance(asked, list) and ends.attribute in asked):
            announce(
                f"WARNING {provider.name} {task}: withdrawn by the vendor: {ends}. What comes back "
                f"without it has the status `withdrawn`, and is charged all the same."
            )
