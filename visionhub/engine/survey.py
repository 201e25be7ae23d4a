"""Looking through files for a quote: what would be asked about each, as a run would ask it.

The way is that of a run (read and hash -> what is missing -> render -> group into calls), with the
same functions, so that units and cost are the same; only nothing is stored and nothing is sent.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from visionhub.engine.flow import available_cpus, batched, bounded_map
from visionhub.engine.intake import Prepared, Seen, Todo, prepare, read_and_hash
from visionhub.engine.likeness import fingerprint
from visionhub.engine.plan import Plan
from visionhub.engine.sources import Found
from visionhub.engine.tally import Shares, Sku, Tally
from visionhub.errors import UnreadableImage
from visionhub.images import Rendering
from visionhub.pricing import Price
from visionhub.provider import Provider, Request, Work
from visionhub.schema import Task
from visionhub.store.holding import Holding, Image

READ = 32  # files a job
LOOKUP = 256  # files a lookup
DECODED = 2_000  # images that are decoded when nobody says whether to decode
COMPARED = 200_000  # images among which near duplicates are looked for


class Survey:
    """One look through files. Use `go` once, in the thread that the study was opened in."""

    def __init__(
        self,
        plan: Plan,
        prices: Mapping[Sku, Price],
        held: Holding,
        quick: bool | None,
        watch: Callable[[int, int | None], None],
        stop: threading.Event | None,
    ) -> None:
        self.plan, self.prices, self.held, self.watch = plan, prices, held, watch
        self._most = {None: DECODED, True: 0, False: None}[quick]
        self._stop = stop or threading.Event()
        self.tally = Tally()
        self._every = tuple(range(len(plan.questions)))
        self._places: dict[Shares, int] = {(): 0}
        self._met: dict[bytes, int] = {}  # half a hash -> position of the image's shares
        self._copies: Counter[bytes] = Counter()
        self._alike: Counter[tuple[int, ...]] = Counter()  # undecoded images, by open questions
        self._alone: dict[tuple[int, ...], int] = {}  # and the position of what each takes

    def go(self, files: Iterable[Found]) -> Tally:
        """Look at every file."""
        ahead = available_cpus() + 1
        group = max(p.images_per_batch for p in self.plan.providers.values())
        with ThreadPoolExecutor(available_cpus(), "read") as pool:
            chunks = batched(self._until(files), READ)
            seen = bounded_map(lambda c: pool.submit(read_and_hash, c), chunks, ahead)
            todo = self._todo(part for chunk in seen for part in chunk)
            ready = bounded_map(lambda t: pool.submit(self._decode, t), todo, ahead)
            for chunk in batched(ready, group):
                self._take(chunk)
        for questions, images in self._alike.items():
            self._take_alike(questions, images)
        for image, copies in self._copies.items():
            self.tally.copies[self._met[image]] += copies
        self.tally.interrupted = self._stop.is_set()
        return self.tally

    def _until(self, files: Iterable[Found]) -> Iterator[Found]:
        for found in files:
            if self._stop.is_set():
                return
            yield found

    def _todo(self, seen: Iterable[Seen]) -> Iterator[Todo]:
        """Images that have to be decoded; all others are counted here."""
        for chunk in batched(seen, LOOKUP):
            new = self._first_met(chunk)
            known = self.held.look(list(new))
            for sha256, path in new.items():
                image = known.get(sha256) or Image(self._every)
                if not self._is_open(image):
                    continue
                if self._most is not None and self.tally.decoded >= self._most:
                    self._leave(sha256, image)
                elif not self._stop.is_set():
                    self.tally.decoded += 1
                    yield Todo(path, sha256, int(sha256 in known), image.open)
            self.watch(self.tally.files, None)

    def _first_met(self, chunk: Sequence[Seen]) -> dict[str, str]:
        """Paths by hash, of what was not met before."""
        new: dict[str, str] = {}
        for seen in chunk:
            self.tally.files += 1
            if seen.problem is not None:
                self.tally.unreadable_files += 1
                self.tally.reasons[seen.problem] += 1
            elif _half(seen.sha256) in self._met:
                self._copies[_half(seen.sha256)] += 1
            else:
                self._met[_half(seen.sha256)] = 0
                self.tally.images += 1
                new[seen.sha256] = seen.path
        return new

    def _is_open(self, image: Image) -> bool:
        """Whether anything is left to ask about an image; counts what is not."""
        if image.problem is not None:
            self._unreadable(image.problem)
            return False
        for at, question in enumerate(self.plan.questions):
            if at not in image.open:
                self.tally.held[question.provider, question.task.value] += 1
        return bool(image.open)

    def _unreadable(self, reason: str) -> None:
        self.tally.unreadable_images += 1
        self.tally.reasons[reason] += 1

    def _decode(self, todo: Todo) -> tuple[Prepared, int | None]:
        """The picture as it would be sent, and its hash. Runs in the pool."""
        prepared = prepare(todo, self.plan.limits)
        try:
            return prepared, fingerprint(prepared.rendering) if prepared.rendering else None
        except UnreadableImage:
            return prepared, None

    def _take(self, chunk: Sequence[tuple[Prepared, int | None]]) -> None:
        """Count what is asked about decoded images, in the groups of a run."""
        shares: dict[str, Shares] = {}
        asked = [(p.todo, p.rendering) for p, _ in chunk if p.rendering is not None]
        left = self._sendable(asked)
        for provider in self.plan.providers.values():
            works = [
                Work(sent, requests)
                for todo, sent in asked
                if (requests := self._for(provider, sent, left[todo.sha256]))
            ]
            for image, share in self.tally.take(provider, works, self.prices).items():
                shares[image] = (*shares.get(image, ()), share)
        for prepared, alike in chunk:
            if isinstance(prepared.facts, UnreadableImage):
                self._unreadable(prepared.facts.reason)
            elif mine := shares.get(prepared.todo.sha256):
                place = self._place(mine)
                self._met[_half(prepared.todo.sha256)] = place
                self._compare(prepared.todo.path, alike, place)

    def _sendable(self, asked: Sequence[tuple[Todo, Rendering]]) -> dict[str, list[Request]]:
        """Requests by image, without those that earlier attempts stand in the way of."""
        made = {
            todo.sha256: [self._request(at, todo.sha256, sent) for at in todo.questions]
            for todo, sent in asked
        }
        met = [r for todo, _ in asked if todo.image_id for r in made[todo.sha256]]
        away = self.held.away([request.key for request in met])
        for request in met:
            if request.key in away:
                self.tally.away[away[request.key], request.provider, request.task.value] += 1
        return {image: [r for r in mine if r.key not in away] for image, mine in made.items()}

    def _request(self, at: int, sha256: str, sent: Rendering) -> Request:
        asked = self.plan.questions[at]
        return Request(
            sha256,
            sent.sha256,
            sent.width,
            sent.height,
            asked.task,
            asked.provider,
            asked.revision,
            asked.parameters,
        )

    def _for(
        self, provider: Provider, sent: Rendering, left: Iterable[Request]
    ) -> tuple[Request, ...]:
        """What one provider is asked; what it refuses is counted, and costs nothing."""
        mine = []
        for request in left:
            if request.provider != provider.name:
                continue
            if _refuses(provider, sent, request.task):
                self.tally.refused[provider.name, request.task.value] += 1
            else:
                mine.append(request)
        return tuple(mine)

    def _compare(self, path: str, alike: int | None, place: int) -> None:
        compared = self.tally.compared
        if alike is not None and len(compared.hashes) < COMPARED:
            compared.hashes.append(alike)
            compared.paths.append(path)
            compared.shares.append(place)
        elif alike is not None:
            compared.left_out += 1

    def _place(self, shares: Shares) -> int:
        """The position of shares, new or known: most images have the same."""
        if shares not in self._places:
            self._places[shares] = len(self.tally.shares)
            self.tally.shares.append(shares)
        return self._places[shares]

    def _leave(self, sha256: str, image: Image) -> None:
        """An image that is not decoded: it counts as one that every provider takes."""
        left = image.open
        if image.sent:
            sent = Rendering(image.sent, b"", "", 1, 1)
            todo = Todo("", sha256, 1, image.open)
            keys = {r.key for r in self._sendable([(todo, sent)])[sha256]}
            left = tuple(at for at in left if self._request(at, sha256, sent).key in keys)
        self.tally.undecoded += 1
        if left not in self._alike:
            self._alone[left] = self._place_alone(left)
        self._alike[left] += 1
        self._met[_half(sha256)] = self._alone[left]

    def _place_alone(self, questions: Sequence[int]) -> int:
        """The position of what one image takes when all that is open about it is asked."""
        shares: Shares = ()
        for provider in self.plan.providers.values():
            works = self._stand_ins(provider, questions, 1)
            shares += tuple(Tally().take(provider, works, self.prices).values())
        return self._place(shares)

    def _take_alike(self, questions: Sequence[int], images: int) -> None:
        """Count undecoded images that have the same open questions: full calls, and a last one."""
        for provider in self.plan.providers.values():
            group = provider.images_per_batch
            for size, times in ((group, images // group), (images % group, 1)):
                if times:
                    works = self._stand_ins(provider, questions, size)
                    self.tally.take(provider, works, self.prices, times)

    def _stand_ins(self, provider: Provider, questions: Sequence[int], images: int) -> list[Work]:
        works = []
        for number in range(images):
            sent = Rendering(f"{number:064x}", b"", "", 1, 1)
            requests = [self._request(at, sent.sha256, sent) for at in questions]
            if mine := tuple(r for r in requests if r.provider == provider.name):
                works.append(Work(sent, mine))
        return works


def _half(sha256: str) -> bytes:
    """Enough of a hash to tell images by, in a quarter of the memory."""
    return bytes.fromhex(sha256)[:16]


def _refuses(provider: Provider, sent: Rendering, task: Task) -> bool:
    """Whether a provider is not asked; a fault in its judgement has the same effect in a run."""
    try:
        return provider.refusal(sent, task) is not None
    except Exception:
        return True
