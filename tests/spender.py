"""A study whose ledger is written by hand, through the ledger itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.ledgers import Clock, key
from visionhub.pricing import Price, PriceTable
from visionhub.provider import TaskSpec
from visionhub.schema import Scale, Task
from visionhub.store.items import PathRow, Question
from visionhub.store.ledger import Ended, Ledger, Line, Reserved, State, Wanted
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

IMAGES = 9
LABELS, SAFE, TEXT = "LABEL_DETECTION", "SAFE_SEARCH_DETECTION", "TEXT_DETECTION"
DETECT_LABELS, DETECT_FACES = "DetectLabels", "DetectFaces"
TASKS = {
    LABELS: ("google", Task.LABELS),
    SAFE: ("google", Task.SAFE_SEARCH),
    TEXT: ("google", Task.TEXT),
    DETECT_LABELS: ("rekognition", Task.LABELS),
    DETECT_FACES: ("rekognition", Task.FACES),
}


class Spender:
    """A study whose ledger is written by hand: each call asks about one image."""

    def __init__(self, path: Path, *, rehearsal: bool = False) -> None:
        self.path, self.rehearsal, self.clock = path, rehearsal, Clock()
        self.table = PriceTable.packaged()
        with StudyFile(path, write=True) as study:
            recorder = Recorder.start(study, "0", "x")
            with study.transaction():
                self.questions = {sku: recorder.question(question(sku)) for sku in TASKS}
                recorder.new_images((key(n), 1) for n in range(1, IMAGES + 1))
                recorder.paths(
                    PathRow(f"photo{n}.jpg", None, n, None) for n in range(1, IMAGES + 1)
                )

    def open(self, study: StudyFile, cap: int | None, *, retry: bool = False) -> Ledger:
        return Ledger(
            study,
            1,
            self.table,
            "USD",
            cap=cap,
            free={},
            retry=retry,
            rehearsal=self.rehearsal,
            clock=self.clock,
        )

    def call(
        self,
        image: int,
        skus: Iterable[str],
        state: State | None,
        *,
        why: str = "",
        cap: int | None = None,
        retry: bool = False,
    ) -> Reserved:
        """Ask about one image in one call, and end it in a state; None leaves it to `close`."""
        with (
            StudyFile(self.path, write=True) as study,
            self.open(study, cap, retry=retry) as ledger,
        ):
            reserved = ledger.reserve(self.wanted(image, skus))
            found = [
                Ended(reserved.attempt or 0, k, state, why, body=state is State.SETTLED)
                for k in reserved.granted
                if state
            ]
            if state is State.SETTLED:
                with study.transaction() as sql:
                    ledger.settle(sql, found, {one.key: _body(sql) for one in found})
            elif found:
                ledger.end(found)
        return reserved

    def wanted(self, image: int, skus: Iterable[str]) -> Wanted:
        lines = [
            Line(key(1000 * image + self.questions[sku]), image, self.questions[sku], price)
            for sku, price in ((sku, self.price(sku)) for sku in skus)
        ]
        price = lines[0].price
        assert price is not None
        return Wanted(price.provider, "call", price.region, (tuple(lines),))

    def price(self, sku: str) -> Price:
        provider = TASKS[sku][0]
        return next(p for p in self.table if (p.provider, p.sku) == (provider, sku))


def question(sku: str) -> Question:
    return Question(*TASKS[sku], "1", "{}", TaskSpec(Scale.PROBABILITY))


def _body(sql) -> int:
    return sql.execute(
        "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data) "
        "VALUES ('', 0, 'zstd', '', '', x'')"
    ).lastrowid
