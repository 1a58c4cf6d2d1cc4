"""The shelves of those who searched lately, read once in slices, and kept fresh by asking what was touched since.

Deleted samples are found out when a hit is read: nothing is shown that MongoDB does not have.
"""

import asyncio
import functools
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from samplemind_tasks.errors import IndexLost, SampleMindError
from samplemind_tasks.library.shelf import Shelf, View
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.shelf import Rows, ShelfReader, column_kinds

SLICE = 2_000
"""Samples read at a time."""
FRESH_S = 0.25
"""A shelf refreshed since is taken as it is."""
OVERLAP, SKEW = timedelta(seconds=2), timedelta(seconds=10)
"""Writers' clocks differ, and a write takes a moment to be seen: a look begins this long before the newest that is
known, though not longer than SKEW before the look before it."""
WIDE_OVERLAP, WIDE_SKEW = timedelta(seconds=60), timedelta(seconds=120)
"""The same for the look that finds what was written by a clock that is far behind. Nobody waits for it."""
WIDE_EVERY_S = 20.0
WIDE_REST = 4.0
"""It rests for so many times as long as it works: what was written in a minute may be a whole library."""
FIRST_SPAN, SHORTEST_SPAN = timedelta(milliseconds=500), timedelta(milliseconds=50)
RECENT = timedelta(seconds=180)
"""What was written within this may come thick after an empty stretch: there no span grows longer than the first."""
FEW, MANY = 300, 1_200
"""Samples of a span of time: with fewer the next span is longer, with more it is shorter."""
REFRESHED_EVERY_S = 5.0
"""Also while nobody searches, so that the next search finds little to take over."""
PATIENCE_S = 0.2
"""A search waits so long for what was written a moment ago, then goes on with what it has."""
MOST_BYTES = 1 << 30
"""Shelves of all users together; the one unused for longest goes first."""

log = get_log(__name__)


class _Held:
    """A shelf, and how fresh it is."""

    def __init__(self, reader: ShelfReader, user_id: str) -> None:
        self.shelf = Shelf(column_kinds(reader.card) | {"gone": (np.bool_, ()), "model": (np.int16, ())})
        self._reader = reader
        self._user_id = user_id
        self._latest: datetime | None = None
        self._asked_at: datetime | None = None
        self._refreshed = -float("inf")
        self._taking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self.loading = asyncio.create_task(self._load())
        self.loading.add_done_callback(_say_why)
        self._keeping = [asyncio.create_task(self._keep_fresh()), asyncio.create_task(self._look_wide())]

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
        async with self._taking:
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

    async def _look_wide(self) -> None:
        while True:
            await asyncio.sleep(WIDE_EVERY_S)
            if self.loading.done() and self._latest is not None:
                with suppress(SampleMindError):
                    await self._take_touched(self._since(WIDE_OVERLAP, WIDE_SKEW), rest=WIDE_REST)

    def close(self) -> None:
        for task in (self.loading, *self._keeping):
            task.cancel()

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
        if self._latest is None:  # nothing was there, or nothing has a time stamp yet
            last = await asyncio.to_thread(self._reader.newest, self._user_id)
            for after in range(len(self.shelf), last, SLICE):
                await self._read(after)
        else:
            since = self._since(OVERLAP, SKEW)
            self._asked_at = datetime.now(UTC)
            await self._take_touched(since)
        self._refreshed = began

    def _since(self, overlap: timedelta, skew: timedelta) -> datetime:
        """Long after a bulk job there is no need to read its end again and again."""
        assert self._latest is not None  # noqa: S101 - whoever asks has looked
        since = self._latest - overlap
        return since if self._asked_at is None else max(since, self._asked_at - skew)

    async def _take_touched(self, since: datetime, rest: float = 0.0) -> None:
        """Take over what was written since, by spans of time that hold some hundreds of samples each.

        All at once is more than one request can wait for when a whole library has just been labelled or indexed anew;
        and where one span fails, the next look goes on behind those before it.
        """
        span, until = FIRST_SPAN, datetime.now(UTC)
        while until - since > SHORTEST_SPAN:
            end, began = min(since + span, until), time.monotonic()
            took = await self._take_span(since, end)
            await asyncio.sleep(rest * (time.monotonic() - began))
            since = end
            if took < FEW:
                span = min(span * 4, FIRST_SPAN) if until - since < RECENT else span * 4
            elif took > MANY:
                span = max(span / 2, SHORTEST_SPAN)
            if not rest:
                until = datetime.now(UTC)  # what was written meanwhile may be much, too
        # by clocks that are ahead; where it rested, others have looked at what was written meanwhile
        await self._take_span(datetime.now(UTC) if rest else min(since, until), None)

    async def _take_span(self, since: datetime, until: datetime | None) -> int:
        """One at a time: what was read earlier must not go over what was read later."""
        async with self._taking:
            rows = await asyncio.to_thread(self._reader.touched, self._user_id, since, until)
            await asyncio.to_thread(self._take, rows)
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
