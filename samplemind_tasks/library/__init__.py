"""The use cases: what the gateway can be asked, without HTTP. On one event loop; nothing waits without a time-out."""

from dataclasses import dataclass

from samplemind_tasks.library.disk import Disk
from samplemind_tasks.library.duplicates import Duplicates
from samplemind_tasks.library.health import Health
from samplemind_tasks.library.jobs import Jobs
from samplemind_tasks.library.lessons import Lessons
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.library.samples import Samples
from samplemind_tasks.library.search import Search
from samplemind_tasks.library.shelf import Shelves
from samplemind_tasks.library.sounds import Sounds
from samplemind_tasks.library.uploads import Uploads
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.analyses import Analyses
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.ledger import Ledger
from samplemind_tasks.store.live import Cache, LiveAnswers, Views, Workers, open_redis
from samplemind_tasks.store.migrations import migrate
from samplemind_tasks.store.mongo import connect, connect_async
from samplemind_tasks.store.search import VectorSearch
from samplemind_tasks.store.shelf import ShelfReader

__all__ = ["Library", "bring_up_to_date"]


def bring_up_to_date(settings: Settings) -> list[str]:
    """Run the database's migrations; answers what ran. Blocks."""
    db = connect(settings, timeout_s=settings.request_timeout_s)
    try:
        return migrate(db)
    finally:
        db.client.close()


@dataclass(frozen=True)
class Library:
    """Every use case, over stores opened once a process."""

    jobs: Jobs
    uploads: Uploads
    samples: Samples
    search: Search
    duplicates: Duplicates
    lessons: Lessons
    health: Health
    shelves: Shelves

    _catalog: Catalog
    _vectors: VectorSearch
    _nudges: Nudges
    _disk: Disk

    @classmethod
    def open(cls, settings: Settings) -> "Library":
        """Open the stores. Nothing is asked yet, so stores that are away do not keep the gateway from starting."""
        db = connect_async(settings)
        redis = open_redis(settings.redis_url, settings.redis_pool_max, settings.request_timeout_s)
        cache = Cache(open_redis(settings.cache_url, 8, min(1.0, settings.request_timeout_s)))
        catalog, analyses, ledger = Catalog(db), Analyses(db), Ledger(db)
        vectors = VectorSearch(settings)
        blobs, nudges, disk = Blobs(settings.blob_location), Nudges(settings), Disk(settings)
        blobs.tidy()
        shelves = Shelves(ShelfReader(settings), settings.request_timeout_s)
        answers = LiveAnswers(redis)
        sounds = Sounds(settings, catalog, analyses, blobs, nudges, answers, cache)
        health = Health(
            settings=settings, catalog=catalog, ledger=ledger, workers=Workers(redis), cache=cache, vectors=vectors,
            blobs=blobs,
        )  # fmt: skip
        return cls(
            jobs=Jobs(ledger, catalog, Views(redis), nudges, disk),
            uploads=Uploads(settings, blobs, catalog),
            samples=Samples(settings, catalog, analyses, vectors, blobs, disk, nudges),
            search=Search(settings, catalog, vectors, shelves, sounds),
            duplicates=Duplicates(catalog, analyses, vectors, shelves),
            lessons=Lessons(settings, catalog, nudges, answers, disk),
            health=health,
            shelves=shelves,
            _catalog=catalog, _vectors=vectors, _nudges=nudges, _disk=disk,
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of every store."""
        await self._nudges.close()
        self._disk.close()
        await self.shelves.close()
        await self._vectors.close()
        await self._catalog.close()
        await self.jobs.close()
        await self.health.close()
