"""Asking one provider through the product, and reading its answers back out of the study."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from visionhub import Study, registry
from visionhub.schema import ANSWERED, Task
from visionhub.store.items import Beside

Rows: TypeAlias = list[dict[str, Any]]
Answers: TypeAlias = Mapping[Path, Rows]

ANSWER_TABLES = {Task.TEXT: "text_lines"}
ANSWERED_WORDS = tuple(status.value for status in ANSWERED)
BATCH = 500  # values in one query


@dataclass
class Spent:
    """CPU seconds of all threads that answers took, reading and decoding included."""

    seconds: float = 0.0
    answers: int = 0


@dataclass
class Asked:
    """One provider, asked about photographs into studies in `folder`.

    What `folder` already holds is not asked again. parameters: as typed after --param.
    limit: at most so many photographs of each set.
    """

    folder: Path
    provider: str = "embedded"
    parameters: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    announce: Callable[[str], None] = lambda line: None
    spent: dict[str, Spent] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)  # task and file -> reason
    revisions: dict[str, str] = field(default_factory=dict)  # by task and model

    def offers(self, task: Task) -> bool:
        """Whether the provider has this task."""
        return task in registry.load(self.provider).tasks

    def offers_words(self, task: Task, vocabulary: str) -> bool:
        """Whether the provider answers this task in the words that the truth is written in."""
        tasks = registry.load(self.provider).tasks
        return task in tasks and tasks[task].vocabulary == vocabulary

    def offers_sensitive(self, *names: str) -> bool:
        """Whether the provider guesses all of these about a face."""
        tasks = registry.load(self.provider).tasks
        return Task.FACES in tasks and set(names) <= set(tasks[Task.FACES].sensitive)

    def study(self, name: str = "study") -> Study:
        """The study of that name in the folder."""
        return Study(self.folder / f"{name}.db")

    def cut(self, files: Iterable[Path]) -> list[Path]:
        """The first `limit` files, each once."""
        return list(dict.fromkeys(files))[: self.limit]

    def ask(
        self,
        task: Task,
        files: Sequence[Path],
        *,
        parameters: Mapping[str, str] | None = None,
        sensitive: Sequence[str] = (),
        study: str = "study",
    ) -> Answers:
        """Annotate these files, and give each its rows, best first; none for no answer."""
        chosen = {**(parameters or {}), **self.parameters}
        mine = {name: value for name, value in chosen.items() if f"{task}." in name}
        before = time.process_time()
        progress = self.study(study).annotate(
            files,
            providers=[self.provider],
            tasks=[task],
            parameters=mine,
            sensitive=sensitive,
            announce=self.announce,
        )
        spent = self.spent.setdefault(task.value, Spent())
        if progress.done:
            spent.seconds += time.process_time() - before
            spent.answers += progress.done
        self._note(task, study, files)
        return self._rows(ANSWER_TABLES.get(task, task.value), study, files)

    def facts(self, files: Sequence[Path], study: str = "study") -> Mapping[Path, dict[str, Any]]:
        """What the study holds about these files themselves: the columns of `images`."""
        sql = "SELECT p.path, i.* FROM paths p JOIN images i ON i.id = p.image_id"
        wanted = _by_real_path(files)
        found = ((self._file(study, row), row) for row in self.study(study).query(sql))
        return {wanted[file]: row for file, row in found if file in wanted}

    def _file(self, study: str, row: Mapping[str, Any]) -> Path:
        """The file that a row is about: a study keeps real paths, from its own folder."""
        return Path(Beside.located(self.study(study).path.resolve(), row["path"]))

    def attributes(self, files: Sequence[Path], study: str) -> Answers:
        """What was guessed about the strongest face of each file, one row a guess."""
        sql = (
            "SELECT p.path, a.* FROM status s JOIN paths p USING (image_id) JOIN face_attributes a "
            "USING (request_id) WHERE s.provider = ? AND s.task = 'faces' AND a.rank = 1 "
            "ORDER BY p.path, a.item"
        )
        return self._grouped(sql, study, files)

    def _rows(self, table: str, study: str, files: Sequence[Path]) -> Answers:
        sql = (
            f"SELECT p.path, a.* FROM status s JOIN paths p USING (image_id) JOIN {table} a "
            "USING (request_id) WHERE s.provider = ? ORDER BY p.path, a.rank"
        )
        return self._grouped(sql, study, files)

    def _grouped(self, sql: str, study: str, files: Sequence[Path]) -> Answers:
        grouped: dict[Path, Rows] = {file: [] for file in files}
        wanted = _by_real_path(files)
        for row in self.study(study).query(sql, (self.provider,)):
            if (path := self._file(study, row)) in wanted:
                grouped[wanted[path]].append(row)
        return grouped

    def _note(self, task: Task, study: str, files: Sequence[Path]) -> None:
        """Keep which model answered, and which file has no answer, with the reason."""
        sql = (
            "SELECT p.path, s.status, s.reason, q.revision FROM status s JOIN paths p USING "
            "(image_id) LEFT JOIN requests r ON r.id = s.request_id LEFT JOIN questions q ON "
            "q.id = r.question_id WHERE s.provider = ? AND s.task = ?"
        )
        wanted = _by_real_path(files)
        for row in self.study(study).query(sql, (self.provider, task.value)):
            if self._file(study, row) not in wanted:
                continue
            if row["revision"]:
                self.revisions[row["revision"]] = task.value
            if row["status"] not in ANSWERED_WORDS:
                self.unanswered[f"{task} {Path(row['path']).name}"] = row["reason"]


def _by_real_path(files: Iterable[Path]) -> dict[Path, Path]:
    return {file.parent.resolve() / file.name: file for file in files}
