"""The library's front door: `visionhub.Study`, the same that the command line calls."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from visionhub import __version__
from visionhub.engine.agreement import agreed
from visionhub.engine.money import paying
from visionhub.engine.plan import DEFAULT_TASKS, Ask, Plan, plan
from visionhub.engine.progress import Progress
from visionhub.engine.rehearsal import mark, refuse_real, unmark
from visionhub.engine.run import Run
from visionhub.engine.sources import Sources, without_study
from visionhub.engine.terms import Terms, make_terms
from visionhub.errors import AuthenticationError, CapReached
from visionhub.pricing import Amount
from visionhub.report.comparable import Comparable
from visionhub.report.readable import items, words
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile
from visionhub.store.writable import check_paid

if TYPE_CHECKING:
    from visionhub.engine.canary import Canary
    from visionhub.engine.earlier import Imported
    from visionhub.engine.kept import Lost
    from visionhub.engine.quote import Quote


def _finish(study: StudyFile, recorder: Recorder, progress: Progress) -> None:
    """Note that a run ended in good order; a rehearsal that stored nothing leaves no mark."""
    with study.transaction():
        recorder.finish(progress.summary())
    unmark(study)


def _quiet(_: object) -> None:
    return None


class Study(Comparable):
    """A study file: annotate into it, read tables out of it.

    The file is made by the first `annotate`; it is opened for each call only, so that other
    programs can read and write it between calls.

        study = visionhub.Study("study.db")
        study.annotate("photos/", tasks=["labels"])
        study.table("labels")
    """

    def __init__(self, path: str | os.PathLike[str] = "study.db") -> None:
        self.path = Path(path)
        super().__init__(self.path.absolute())  # the same one wherever the program goes

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r})"

    def quote(
        self,
        sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Sources,
        ask: Ask,
        *,
        quick: bool | None = None,
        announce: Callable[[str], None] = _quiet,
        watch: Callable[[int, int | None], None] = lambda files, total: None,
    ) -> Quote:
        """What `annotate` would ask and cost: nothing is sent, and nothing is stored.

        quick: decode no image (True), every one (False), or the first 2,000 to be asked about.
        watch: told files so far and their total. Raises what `annotate` raises before it sends.
        """
        from visionhub.engine.quote import quote

        files = sources if isinstance(sources, Sources) else Sources.of(sources)
        files.check()
        planned = plan(ask, announce, to_send=False)
        today = datetime.now(UTC).date()
        terms = make_terms(ask, planned.providers, planned.questions, today, announce)
        found = without_study(files, self._file, files.pass_over)
        return quote(found, planned, terms, self._file, quick=quick, watch=watch)

    def annotate(
        self,
        sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Sources,
        *,
        providers: str | Sequence[str] = ("embedded",),
        tasks: str | Sequence[str] = DEFAULT_TASKS,
        parameters: Mapping[str, str] | None = None,
        sensitive: str | Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        sandbox: str = "",
        max_cost: Amount | None = None,
        prices: str | os.PathLike[str] | None = None,
        old_prices: bool = False,
        assume_free: Mapping[str, str] | None = None,
        on_ambiguous: str = "skip",
        confirm: Callable[[Quote], bool] | None = None,
        announce: Callable[[str], None] = _quiet,
        watch: Callable[[Progress], None] = _quiet,
        stop: threading.Event | None = None,
    ) -> Progress:
        """Ask providers about images; what is already answered is not asked again.

        sources: files, folders, globs, or a `Sources` for lists, CSV columns, limits and shuffles.
        parameters: "task.name" or "provider.task.name" to its text, as `--param` takes it.
        settings: "provider.name" to its text, as `--set` takes it.
        sandbox: the address, host:port, of a rehearsal server that answers for cloud services.
        max_cost: the most that the study may ever spend, such as "5 USD", "0.5" or 0.5.
        prices: a price table of your own, over the packaged one; old_prices: whatever its age.
        assume_free: "provider.task" to the free units a month that you claim.
        on_ambiguous: "skip" or "retry" requests of which nobody knows whether they were charged,
        and those that were, as a bill shows, without an answer.
        confirm: shown the quote of a paid run; whether to go on. Without it max_cost is needed;
        without max_cost the cap is what is spent already and the quote's highest cost.
        announce: shown one line at a time (downloads); watch: called as counts change.
        Raises UsageError, UnknownProvider, MissingExtra, ModelError, StudyError, CapReached,
        Declined and AuthenticationError. A bad image raises nothing: its status holds the reason.
        """
        files = sources if isinstance(sources, Sources) else Sources.of(sources)
        files.check()
        ask = Ask(
            words(providers),
            words(tasks),
            dict(parameters or {}),
            words(sensitive),
            dict(settings or {}),
            sandbox,
            max_cost,
            Path(prices) if prices is not None else None,
            old_prices,
            dict(assume_free or {}),
            on_ambiguous,
        )
        return self._annotate(files, ask, confirm, announce, watch, stop)

    def canary(
        self,
        ask: Ask,
        size: int | None = None,
        *,
        confirm: Callable[[Quote], bool] | None = None,
        announce: Callable[[str], None] = _quiet,
        watch: Callable[[Progress], None] = _quiet,
        stop: threading.Event | None = None,
    ) -> tuple[Canary, Progress]:
        """Ask one provider once more about a fixed set of the study's photographs.

        The set is chosen by the first canary of a provider. Answers are stored apart: what is
        current stays so. ask: without tasks and parameters, those of the current answers are asked.
        size: of a set that is still to be chosen; 50. Raises what `annotate` raises.
        """
        from visionhub.engine.canary import finish, prepare

        prepared = prepare(self._file, ask, size)
        for path, why in prepared.left_out:
            announce(f"WARNING left out of the canary: {path}: {why}.")
        progress = self._annotate(prepared.files, prepared.ask, confirm, announce, watch, stop)
        finish(self._file, prepared, progress)
        return prepared, progress

    def _annotate(
        self,
        files: Sources,
        ask: Ask,
        confirm: Callable[[Quote], bool] | None,
        announce: Callable[[str], None],
        watch: Callable[[Progress], None],
        stop: threading.Event | None,
    ) -> Progress:
        """Plan, agree on the cost, and run."""
        planned = plan(ask, announce)
        today = datetime.now(UTC).date()
        terms = make_terms(ask, planned.providers, planned.questions, today, announce)
        if terms is not None and planned.paid:
            check_paid(self._file, terms.currency, terms.cap)
        keep = files.repeatable() if planned.paid else nullcontext(files)
        with keep as kept:
            if terms is not None and planned.paid:
                terms = agreed(kept, planned, terms, self._file, confirm, stop)
            return self._run(kept, planned, terms, announce, watch, stop)

    def _run(
        self,
        files: Sources,
        planned: Plan,
        terms: Terms | None,
        announce: Callable[[str], None],
        watch: Callable[[Progress], None],
        stop: threading.Event | None,
    ) -> Progress:
        """Annotate, as planned and agreed."""
        if not self._file.exists() and files.are_none(self._file):
            return Progress()  # and no empty study that nobody asked for
        with StudyFile(self._file, write=True, shared=True, announce=announce) as study:
            mark(study, planned)
            asked = {"sources": files.described(), "questions": planned.questions}
            recorder = Recorder.start(study, __version__, asked)
            progress = Progress()
            try:
                with paying(study, recorder.run, planned, terms, announce) as money:
                    if planned.paid:
                        refuse_real(study)  # a rehearsal may have begun before this ledger did
                    run = Run(study, planned, recorder, watch, stop, money)
                    progress = run.progress
                    with files.counting(progress):
                        run.go(without_study(files, self._file, files.pass_over))
            except (CapReached, AuthenticationError):
                _finish(study, recorder, progress)
                raise
            _finish(study, recorder, progress)
        if progress.unknown:
            from visionhub.report.summary import warning

            announce(warning(progress, str(self.path)))
        return progress

    def import_bodies(
        self,
        answers: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        provider: str,
        images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        collection: str | None = None,
        tasks: str | Sequence[str] = (),
        match: str | os.PathLike[str] | None = None,
        pattern: str | None = None,
        received: str | None = None,
        sensitive: str | Sequence[str] = (),
        listed: Callable[[Lost], None] = _quiet,
        watch: Callable[[Imported], None] = _quiet,
        pass_over: Callable[[str], None] = _quiet,
        stop: threading.Event | None = None,
    ) -> Imported:
        """Put raw answers that were received earlier into the study; nothing is sent.

        answers: files and folders of JSON, JSON lines, or tables with columns `answer` and `image`.
        images: the files and folders of the images that they are about.
        collection: names the answers; two collections of one provider stay apart. Default: the
            name of the answers' folder.
        tasks: what the answers had been asked for, so that an empty one means "none found";
            default: what each says something about.
        match: a table of answers and images. pattern: how answers' files are named, such as
            "{stem}_vision.json". received: the day ("YYYY-MM-DD") of answers that do not tell.
        listed: told each thing that is not imported, with its reason; it is no error.
        Raises UsageError, UnknownProvider, StudyError.
        """
        from visionhub.engine.adopt import Adopting
        from visionhub.engine.earlier import Earlier, ready

        wanted = Earlier(
            provider,
            items(answers),
            items(images),
            collection,
            words(tasks),
            os.fspath(match) if match is not None else None,
            pattern,
            received,
            words(sensitive),
        )
        prepared = ready(wanted)
        with StudyFile(self._file, write=True) as study:
            refuse_real(study)
            recorder = Recorder.start(
                study, __version__, {"command": "import-bodies", **wanted.said()}
            )
            imported = Adopting(study, wanted, prepared, recorder, listed, watch, stop).go(
                pass_over
            )
            with study.transaction():
                recorder.finish(imported.summary())
        return imported

    def reparse(self) -> Mapping[str, int]:
        """Rebuild every derived table from the stored bodies; counts of requests by status."""
        from visionhub.engine.reparse import reparse

        StudyFile(self._file).close()  # raises when there is none, instead of making it
        with StudyFile(self._file, write=True) as study:
            return dict(reparse(study))
