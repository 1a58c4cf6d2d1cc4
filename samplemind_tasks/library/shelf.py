"""Every sample of a user in memory, as columns: filters and scores are numpy over them, and no store is asked.

A shelf is read once, in slices, and kept fresh by asking MongoDB what was touched since. Deleted samples are found out
when a hit is read: nothing is shown that MongoDB does not have.
"""

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from samplemind_tasks.errors import IndexLost, SampleMindError
from samplemind_tasks.library.told import ToldIndex
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.shelf import Column, Kinds, Rows, ShelfReader, column_kinds

SLICE = 2_000
"""Samples read at a time."""
FRESH_S = 0.25
"""A shelf refreshed since is taken as it is."""
OVERLAP = timedelta(seconds=2)
"""Writers' clocks differ, and a write takes a moment to be seen."""
WIDE_OVERLAP = timedelta(seconds=60)
FIRST_SPAN, SHORTEST_SPAN = timedelta(seconds=1), timedelta(milliseconds=50)
FEW, MANY = 300, 1_200
"""Samples of a span of time: with fewer the next span is longer, with more it is shorter."""
WIDE_EVERY_S = 20.0
SKEW, WIDE_SKEW = timedelta(seconds=10), timedelta(seconds=120)
"""Nothing is written with a time stamp that is older than this, seen from here."""
REFRESHED_EVERY_S = 5.0
"""Also while nobody searches, so that the next search finds little to take over."""
PATIENCE_S = 0.2
"""A search waits so long for what was written a moment ago, then goes on with what it has."""
MOST_BYTES = 1 << 30
"""Shelves of all users together; the one unused for longest goes first."""
ROW_BYTES = 1_000
"""What names, paths, ids and the index of their words cost a row, about."""
LEAST_ROOM = 256

log = get_log(__name__)


class Shelf:
    """The samples of one user. One task at a time writes; readers take a `view` and keep to it."""

    def __init__(self, kinds: Kinds) -> None:
        self._whole: dict[str, Column] = {name: np.zeros((0, *shape), kind) for name, (kind, shape) in kinds.items()}
        self._count = 0
        self._models = {"": 0}
        """Numbers of those that heard samples; nobody is 0."""
        self.ids: list[str] = []
        self.names: list[str] = []
        self.paths: list[tuple[str, ...]] = []
        self.tags: list[tuple[str, ...]] = []
        self.row_of: dict[str, int] = {}
        self.tagged: dict[str, set[int]] = {}
        """Rows by tag."""
        self.words = ToldIndex()

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        return sum(column.nbytes for column in self._whole.values()) + ROW_BYTES * len(self)

    def view(self, model: str) -> "View":
        """What is there now. Rows that come later are not in it; what changes of the others may be.

        Sounds are compared by the model that has heard most of them: an older one serves until a new one is that far.
        """
        columns = {name: column[: self._count] for name, column in self._whole.items()}
        heard = np.bincount(columns["model"][columns["ready"] & columns["has_timbre"]], minlength=len(self._models))
        serving = self._models.get(model, 0)
        if heard.size and heard[serving] < heard.max():
            serving = int(heard.argmax())
        columns["has_timbre"] = columns["has_timbre"] & (columns["model"] == serving)
        return View(self, columns, list(self._models)[serving] or model)

    def put(self, rows: Rows) -> None:
        """Add samples, or take over what has changed of them. Takes 50 us a row: call it in a thread."""
        for sample in rows.ids:
            if sample not in self.row_of:
                self.row_of[sample] = len(self.ids)
                self.ids.append(sample)
                self.names.append("")
                self.paths.append(())
                self.tags.append(())
        self._make_room(len(self.ids))
        places = [self.row_of[sample] for sample in rows.ids]
        for name, column in rows.columns.items():
            self._whole[name][places] = column
        self._whole["model"][places] = [self._models.setdefault(name, len(self._models)) for name in rows.models]
        for number, row in enumerate(places):
            self.names[row], self.paths[row] = rows.names[number], rows.paths[number]
            folder = rows.paths[number][-1].rpartition("/")[0] if rows.paths[number] else ""
            self.words.tell(row, rows.names[number], folder, rows.own_tags[number], rows.told_words[number])
            self._tag(row, rows.tags[number])
        self._count = len(self.ids)

    def forget(self, sample: str) -> None:
        """Leave out a sample that is not there any more."""
        row = self.row_of.get(sample)
        if row is not None:
            self._whole["gone"][row] = True
            self.words.drop(row)

    def _tag(self, row: int, tags: tuple[str, ...]) -> None:
        if tags == self.tags[row]:
            return
        for tag in self.tags[row]:
            self.tagged[tag].discard(row)
        for tag in tags:
            self.tagged.setdefault(tag, set()).add(row)
        self.tags[row] = tags

    def _make_room(self, count: int) -> None:
        if count <= len(self._whole["ready"]):
            return
        room = max(count, len(self) + len(self) // 4, LEAST_ROOM)
        for name, column in self._whole.items():
            grown = np.zeros((room, *column.shape[1:]), column.dtype)
            grown[: len(self)] = column[: len(self)]
            self._whole[name] = grown


def _no_members(_collection: str) -> Sequence[str]:
    """Collections are the library's, not a shelf's."""
    return ()


@dataclass(frozen=True)
class View:
    """The rows of a shelf at one moment: every column has the same length."""

    shelf: Shelf
    _columns: dict[str, Column]
    model: str
    """The model and revision that sounds are compared by; rows that another heard have no timbre here."""
    members: Callable[[str], Sequence[str]] = _no_members
    """Ids of the samples of a collection. Blocks."""
    mark: str = ""
    """The same for two looks between which nothing changed, in whichever process."""

    def __len__(self) -> int:
        return len(self._columns["ready"])

    def __getitem__(self, column: str, /) -> Column:
        return self._columns[column]


class _Held:
    """A shelf, and how fresh it is."""

    def __init__(self, reader: ShelfReader, user_id: str) -> None:
        self.shelf = Shelf(column_kinds(reader.card) | {"gone": (np.bool_, ()), "model": (np.int16, ())})
        self._reader = reader
        self._user_id = user_id
        self._latest: datetime | None = None
        self._asked_at: datetime | None = None
        self._refreshed = self._looked_wide = -float("inf")
        self._refreshing: asyncio.Task[None] | None = None
        self.loading = asyncio.create_task(self._load())
        self.loading.add_done_callback(_say_why)
        self._keeping = asyncio.create_task(self._keep_fresh())

    @property
    def mark(self) -> str:
        """When the newest of what was read changed, and how much was read."""
        return f"{self._latest} {len(self.shelf)}"

    async def _load(self) -> None:
        last, began = await asyncio.to_thread(self._reader.newest, self._user_id), time.monotonic()
        for after in range(0, last, SLICE):
            await self._read(after)
        log.info("shelf_read", user=self._user_id, samples=len(self.shelf), seconds=round(time.monotonic() - began, 2))

    async def _read(self, after: int) -> None:
        await asyncio.to_thread(lambda: self._take(self._reader.stretch(self._user_id, after, after + SLICE)))

    def _take(self, rows: Rows) -> None:
        self.shelf.put(rows)
        if rows.latest is not None and (self._latest is None or rows.latest > self._latest):
            self._latest = rows.latest

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESHED_EVERY_S)
            if self.loading.done():
                with suppress(SampleMindError):  # it is logged, and tried again
                    await self.freshen()

    def close(self) -> None:
        self.loading.cancel()
        self._keeping.cancel()

    async def freshen(self, timeout_s: float = PATIENCE_S) -> None:
        """Take over what was written since; a search waits a moment for it, and for the first samples longer."""
        if time.monotonic() - self._refreshed < FRESH_S:
            return
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(_say_why)
        with suppress(TimeoutError):
            patience_s = timeout_s if self._latest is None else min(timeout_s, PATIENCE_S)
            await asyncio.wait_for(asyncio.shield(self._refreshing), patience_s)

    async def _refresh(self) -> None:
        began = time.monotonic()
        is_wide = began - self._looked_wide > WIDE_EVERY_S
        if self._latest is None:  # nothing was there, or nothing has a time stamp yet
            last = await asyncio.to_thread(self._reader.newest, self._user_id)
            for after in range(len(self.shelf), last, SLICE):
                await self._read(after)
        else:
            since = self._latest - (WIDE_OVERLAP if is_wide else OVERLAP)
            if self._asked_at is not None:  # long after a bulk job there is no need to read its end again and again
                since = max(since, self._asked_at - (WIDE_SKEW if is_wide else SKEW))
            self._asked_at = datetime.now(UTC)
            await self._take_touched(since)
        self._refreshed = began
        if is_wide:
            self._looked_wide = began

    async def _take_touched(self, since: datetime) -> None:
        """Take over what was written since, by spans of time that hold some hundreds of samples each.

        All at once is more than one request can wait for when a whole library has just been labelled or indexed anew;
        and where one span fails, the next look goes on behind those before it.
        """
        span, until = FIRST_SPAN, datetime.now(UTC)
        while since < until:
            end = min(since + span, until)
            took = await asyncio.to_thread(self._take_span, since, end)
            since = end
            if took < FEW:
                span *= 4
            elif took > MANY:
                span = max(span / 2, SHORTEST_SPAN)
        await asyncio.to_thread(self._take_span, until, None)

    def _take_span(self, since: datetime, until: datetime | None) -> int:
        rows = self._reader.touched(self._user_id, since, until)
        self._take(rows)
        return len(rows.ids)


class Shelves:
    """The shelves of the users who searched lately."""

    def __init__(self, reader: ShelfReader, timeout_s: float) -> None:
        self._reader = reader
        self._timeout_s = timeout_s
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def warm(self, user_id: str) -> None:
        """Begin to read a user's samples, so that the first search need not wait."""
        self._of(user_id)

    async def of(self, user_id: str) -> View:
        """A user's samples as they are now.

        Raises
        ------
        IndexLost : they are still being read, with the code `index_loading`.
        """
        held = self._of(user_id)
        try:
            await asyncio.wait_for(asyncio.shield(held.loading), self._timeout_s)
        except TimeoutError as error:
            told = f"{len(held.shelf):,} samples are read into the search so far: ask again in a moment"
            raise IndexLost(told, code="index_loading") from error
        except SampleMindError:
            self._held.pop(user_id, held).close()  # the next search begins anew
            raise
        await held.freshen(self._timeout_s)
        self._make_room(user_id)
        view = held.shelf.view(self._reader.card.collection)
        return replace(view, members=functools.partial(self._reader.members, user_id), mark=held.mark)

    def _of(self, user_id: str) -> _Held:
        if user_id not in self._held:
            self._held[user_id] = _Held(self._reader, user_id)
        self._held.move_to_end(user_id)
        return self._held[user_id]

    def _make_room(self, kept_user: str) -> None:
        """Let go of the shelves unused for longest."""
        sizes = {user: held.shelf.size_bytes for user, held in self._held.items()}
        total = sum(sizes.values())
        for user in list(self._held):
            if total <= MOST_BYTES or user == kept_user:
                return
            total -= sizes[user]
            self._held.pop(user).close()

    async def close(self) -> None:
        """Let go of all."""
        for held in self._held.values():
            held.close()
        self._held.clear()
        self._reader.close()


def _say_why(task: "asyncio.Task[None]") -> None:
    """A reading that failed is told once; whoever waits for it is told too."""
    if not task.cancelled() and (error := task.exception()):
        log.warning("shelf_not_read", why=str(error))
