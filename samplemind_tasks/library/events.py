"""What changes, told to all who listen: one reader a process, however many streams hang on it.

The reader asks the logs of the users that are listened for a few times a second and hands each listener what is new;
one that is slow is told less and never holds much (listeners.py). Where somebody has to go on is a version of the log
(store/events.py), so any gateway can go on where another stopped.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from samplemind_tasks.errors import Busy, NotFound, StoreUnavailable, TooMany
from samplemind_tasks.library.jobs import Jobs
from samplemind_tasks.library.listeners import Listener, Told
from samplemind_tasks.logs import get_log
from samplemind_tasks.news import Happening, LibraryNews, SamplesNews, StoreNews
from samplemind_tasks.schemas import TERMINAL_STATES, Job
from samplemind_tasks.store.event_scripts import JOB, LIBRARY, SAMPLE
from samplemind_tasks.store.events import NO_MORE, Change, Changes, EventLog
from samplemind_tasks.store.progress import parse_view

LOOK_S = 0.25
"""Four times a second is as often as an eye wants to know."""
LOOK_AGAIN_S = 1.0
"""While Redis is away."""
SHARE = 0.75
"""Of a gateway's streams one user may hold so many."""

log = get_log(__name__)


@dataclass
class Channel:
    """The listeners of one user, and how far they have been told."""

    listeners: set[Listener] = field(default_factory=set)
    told: int | None = None
    """None while the first of them asks where the log is."""


class Events:
    """Opens streams and feeds them."""

    def __init__(self, event_log: EventLog, jobs: Jobs, most_streams: int) -> None:
        self._log = event_log
        self._jobs = jobs
        self._most = most_streams
        self._channels: dict[str, Channel] = {}
        self._reading: asyncio.Task[None] | None = None
        self._away: str | None = None
        """The store that does not answer."""

    # -- opening ------------------------------------------------------------------------------------------------------

    async def of_job(self, user: str, job_id: str, after: int | None) -> Listener | None:
        """A stream of one job: how it is now, unless that is what `after` knows; then each change, and its end.

        None when it has ended and `after` has been told so.
        """
        job = await self._jobs.get(user, job_id)
        listener = await self._join(Listener(user, f"{JOB}{job_id}"))
        try:
            now = await self._now(job)
        except BaseException:
            self.leave(listener)
            raise
        if after != now.version:
            listener.offer(now)
        elif now.happening is Happening.DONE:
            self.leave(listener)
            return None
        else:
            listener.go_on(after)
        return listener

    async def of_user(self, user: str, after: int | None) -> Listener:
        """A stream of all that changes for a user; with `after`, from there on, if the log reaches back so far."""
        listener = await self._join(Listener(user))
        try:
            await self._catch_up(listener, after)
        except BaseException:
            self.leave(listener)
            raise
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell no more."""
        channel = self._channels.get(listener.user)
        if channel is not None:
            channel.listeners.discard(listener)
            if not channel.listeners:
                del self._channels[listener.user]

    async def close(self) -> None:
        """End every stream."""
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.end()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _join(self, listener: Listener) -> Listener:
        """Hear what changes from now on. Whoever joins asks for what was before only then, so that nothing is between.

        Raises
        ------
        TooMany : the user has too many open; Busy : the gateway has.
        """
        self._check_room(listener.user)
        channel = self._channels.setdefault(listener.user, Channel())
        channel.listeners.add(listener)
        try:
            if channel.told is None:
                newest = (await self._log.since({listener.user: NO_MORE}))[listener.user].newest
                channel.told = newest if channel.told is None else channel.told
        except BaseException:
            self.leave(listener)
            raise
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._end_all)
        return listener

    def _check_room(self, user: str) -> None:
        counts = {name: len(channel.listeners) for name, channel in self._channels.items()}
        own = counts.get(user, 0)
        if own >= self._most * SHARE:
            raise TooMany(f"{own} event streams are open for you: close one first")
        if sum(counts.values()) >= self._most:
            raise Busy("this gateway has as many event streams open as it may")

    async def _catch_up(self, listener: Listener, after: int | None) -> None:
        """Give what changed since, or the order to start anew."""
        known, missed = NO_MORE if after is None else after, list[Told]()
        while True:
            found = (await self._log.since({listener.user: known}))[listener.user]
            if after is None or not found.begin <= after <= found.newest:
                listener.start_anew(found.newest)
                return
            missed += _tellings(found.rows)
            if found.is_all:
                listener.go_on(after, missed)
                return
            known = found.rows[-1].version

    async def _now(self, job: Job) -> Told:
        """How a job is now: in its view; or, if it has ended long ago, as its document says."""
        view = await self._log.view(job.id)
        if view is not None:
            return _of_job(view.job, view.version)
        ended_at = job.finished_at or job.created_at
        return _of_job(job, round(ended_at.timestamp() * 1e6))

    # -- feeding ------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Look for what is new for as long as anybody listens."""
        while self._channels:
            await asyncio.sleep(LOOK_S)
            known = {user: row.told for user, row in self._channels.items() if row.told is not None}
            try:
                found = await self._log.since(known)
                for user, changes in found.items():
                    await self._deliver(user, changes)
            except StoreUnavailable as error:
                self._note_away(error.store)
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                self._note_away(None)

    async def _deliver(self, user: str, changes: Changes) -> None:
        channel = self._channels.get(user)
        if channel is None or channel.told is None:
            return
        if channel.told < changes.begin:  # the log was lost, or we were away for a day
            await self._start_anew(user, channel, changes.newest)
            return
        for told in _tellings(changes.rows):
            for listener in channel.listeners:
                listener.offer(told)
        if changes.rows:
            channel.told = changes.rows[-1].version

    async def _start_anew(self, user: str, channel: Channel, version: int) -> None:
        """After a loss: each job that is listened for is looked at again, which also writes its view anew."""
        for topic in {listener.topic for listener in channel.listeners if listener.topic is not None}:
            try:
                told = await self._now(await self._jobs.get(user, topic.removeprefix(JOB)))
            except NotFound:
                continue
            for listener in channel.listeners:
                if listener.topic == topic:
                    listener.offer(told)
        for listener in channel.listeners:
            if listener.topic is None:
                listener.start_anew(version)
        channel.told = version

    def _note_away(self, store: str | None) -> None:
        """Say once that a store is away, and once that it is back."""
        if store == self._away:
            return
        happening, named = (Happening.BACK, self._away) if store is None else (Happening.AWAY, store)
        self._away = store
        log.warning(f"events_{happening}", store=named)
        told = Told(happening, "store", 0, StoreNews(store=named or "").model_dump_json())
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.offer(told)

    def _end_all(self, reading: asyncio.Task[None]) -> None:
        """A reader that failed by a fault of ours must not leave streams that are never told anything."""
        if reading.cancelled() or reading.exception() is None:
            return
        log.error("events_failed", exc_info=reading.exception())
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.end()


def _tellings(rows: Sequence[Change]) -> list[Told]:
    """Changes as events, in their order; samples that were changed one after the other in one."""
    told: list[Told] = []
    for of_samples, group in groupby(rows, key=lambda row: row.topic.startswith(SAMPLE)):
        changes = list(group)
        if of_samples:
            news = SamplesNews(ids=[row.topic.removeprefix(SAMPLE) for row in changes])
            version = changes[-1].version
            told.append(Told(Happening.SAMPLES, f"{SAMPLE}{version}", version, news.model_dump_json()))
        else:
            told += [event for row in changes if (event := _telling(row)) is not None]
    return told


def _telling(change: Change) -> Told | None:
    if change.topic == LIBRARY:
        counts = {name: int(change.state.get(name, 0)) for name in LibraryNews.model_fields}
        return Told(Happening.LIBRARY, LIBRARY, change.version, LibraryNews(**counts).model_dump_json())
    view = parse_view(change.topic.removeprefix(JOB), change.state)
    return _of_job(view.job, change.version) if view else None


def _of_job(job: Job, version: int) -> Told:
    happening = Happening.DONE if job.state in TERMINAL_STATES else Happening.JOB
    return Told(happening, f"{JOB}{job.id}", version, job.model_dump_json())
