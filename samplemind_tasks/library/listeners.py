"""Who listens for events: each keeps of every topic the newest only, until it takes it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from samplemind_tasks.news import Happening

MOST_HELD = 500
"""Topics a listener keeps that it has not been told yet; beyond, it is told to read everything anew."""


@dataclass(frozen=True, eq=False)
class Told:
    """One event. All who hear it hear the same object."""

    happening: Happening
    topic: str
    version: int
    """Where to go on; 0 for what is no change."""
    text: str
    """JSON."""


class Listener:
    """Somebody who is told what changes: of one topic, or all. Iterate it; it ends when there is nothing more."""

    def __init__(self, user: str, topic: str | None = None) -> None:
        self.user = user
        self.topic = topic
        self.told = 0
        """The version of the last change it was given."""
        self._held: dict[str, Told] = {}
        self._news = asyncio.Event()
        self._is_over = False

    def offer(self, told: Told) -> None:
        """Keep what is new to it, in place of what is older on that topic."""
        if told.version and (told.version <= self.told or self.topic not in (None, told.topic)):
            return
        before = self._held.pop(told.topic, None)
        self._held[told.topic] = told if before is None or before.version <= told.version else before
        if len(self._held) > MOST_HELD:
            self.start_anew(max(row.version for row in self._held.values()))
        self._news.set()

    def start_anew(self, version: int) -> None:
        """Drop what is kept: everything is to be read again, and what changes from this version on is told."""
        self._held = {Happening.START: Told(Happening.START, Happening.START, version, "{}")}
        self.told = version
        self._news.set()

    def go_on(self, version: int, missed: Sequence[Told] = ()) -> None:
        """It knows all up to a version, and missed what followed: that comes before what is kept already."""
        until = missed[-1].version if missed else version
        newer = [told for told in self._held.values() if told.version == 0 or told.version > until]
        self._held = {}
        self.told = version
        for told in (*missed, *newer):
            self.offer(told)

    def end(self) -> None:
        """Tell no more."""
        self._is_over = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Told]:
        while not self._is_over:
            if not self._held:
                self._news.clear()
                await self._news.wait()
                continue
            told = self._held.pop(next(iter(self._held)))
            self.told = max(self.told, told.version)
            yield told
            if self.topic is not None and told.happening is Happening.DONE:
                return
