"""What an operator watches over time: how the work stands, and what has been done. For whoever makes curves of it."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.library.health import Health
from samplemind_tasks.library.queues import QueueDesk
from samplemind_tasks.queue_views import QueueView
from samplemind_tasks.store.live import Cache, Workers
from samplemind_tasks.store.pulse import OpenWork, Pulse
from samplemind_tasks.store.tally import Tallied

LOOK_S = 3.0
"""What has not answered after this long is left out of this look."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Look:
    """Everything at one moment. None: the store that knows was away, which is not the same as nothing."""

    stores: Mapping[str, bool]
    """Whether each answers."""
    queues: Sequence[QueueView] | None
    work: OpenWork | None
    oldest_lease_s: float
    """Zero where no chunk is leased."""
    tallied: Tallied | None
    workers: Mapping[str, list[dict[str, object]]] | None
    """What every living process tells of itself, by role."""
    cache: Mapping[tuple[str, str], int]
    """Reads of this process by what was asked for and how it went."""
    cache_s: Mapping[str, float]
    """What they took together, by what was asked for."""


class Metrics:
    """Looks at everything that is counted, of all users together."""

    def __init__(self, *, health: Health, desk: QueueDesk, pulse: Pulse, workers: Workers, cache: Cache) -> None:
        self._health = health
        self._desk = desk
        self._pulse = pulse
        self._workers = workers
        self._cache = cache

    async def look(self) -> Look:
        """One look. A store that is away makes it poorer and does not make it fail: that is when it is wanted."""
        stores, queues, work, tallied, workers = await asyncio.gather(
            self._health.stores(),
            _if_known(self._desk.all()),
            _if_known(self._pulse.open_work()),
            _if_known(self._pulse.tallied()),
            _if_known(self._workers.by_role()),
        )
        since = work.oldest_lease_at if work else None
        return Look(
            stores={part.name: part.ok for part in stores},
            queues=queues.queues if queues else None,
            work=work,
            oldest_lease_s=max(0.0, time.time() - since) if since else 0.0,
            tallied=tallied,
            workers=workers,
            cache=self._cache.reads,
            cache_s=self._cache.seconds,
        )


async def _if_known(asked: Awaitable[Found]) -> Found | None:
    try:
        async with asyncio.timeout(LOOK_S):
            return await asked
    except (StoreUnavailable, TimeoutError):
        return None
