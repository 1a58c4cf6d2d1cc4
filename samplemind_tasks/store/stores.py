"""Everything a worker reads and writes, opened once a process."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from samplemind_tasks.settings import Settings
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.chunks import Chunks
from samplemind_tasks.store.deliveries import Deliveries
from samplemind_tasks.store.failures import Failures
from samplemind_tasks.store.jobs import Jobs
from samplemind_tasks.store.marks import Marks
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.places import Places
from samplemind_tasks.store.progress import Progress, connect_redis
from samplemind_tasks.store.queue_flags import QueueFlags
from samplemind_tasks.store.rebuilds import RebuildLog
from samplemind_tasks.store.samples import Samples
from samplemind_tasks.store.stretches import Stretches
from samplemind_tasks.store.tally import Tally
from samplemind_tasks.store.taught import TaughtHeads
from samplemind_tasks.store.vectors import VectorIndex


@dataclass(frozen=True)
class Stores:
    """The worker's side of every store. Nothing connects before it is used; a forked child must open its own."""

    settings: Settings

    @cached_property
    def _db(self) -> Any:
        return connect(self.settings)

    @cached_property
    def _redis(self) -> Redis:
        return connect_redis(self.settings.redis_url, self.settings)

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self._db)

    @cached_property
    def chunks(self) -> Chunks:
        return Chunks(self._db)

    @cached_property
    def places(self) -> Places:
        return Places(self._db)

    @cached_property
    def samples(self) -> Samples:
        return Samples(self._db)

    @cached_property
    def stretches(self) -> Stretches:
        return Stretches(self._db)

    @cached_property
    def rebuilds(self) -> RebuildLog:
        return RebuildLog(self._db)

    @cached_property
    def taught(self) -> TaughtHeads:
        return TaughtHeads(self._db)

    @cached_property
    def failures(self) -> Failures:
        return Failures(self._db)

    @cached_property
    def queue_flags(self) -> QueueFlags:
        return QueueFlags(self._db)

    @cached_property
    def progress(self) -> Progress:
        return Progress(self._redis)

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self._redis)

    @cached_property
    def tally(self) -> Tally:
        return Tally(self._redis)

    @cached_property
    def marks(self) -> Marks:
        # hints that change with every file: in the cache, where no write waits for the disk
        return Marks(connect_redis(self.settings.cache_url, self.settings))

    @cached_property
    def vectors(self) -> VectorIndex:
        return VectorIndex(self.settings)

    @cached_property
    def blobs(self) -> Blobs:
        return Blobs(self.settings.blob_location)

    def queue_length(self, queue: str) -> int | None:
        """Messages waiting in a broker queue; None when the broker does not answer."""
        try:
            return int(self._redis.llen(queue))
        except RedisError:
            return None
