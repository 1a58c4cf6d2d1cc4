"""The use cases: what the gateway can be asked, without HTTP. On one event loop; nothing waits without a time-out."""

from dataclasses import dataclass

from samplemind_tasks.library.admission import Admission
from samplemind_tasks.library.collections import Collections
from samplemind_tasks.library.disk import Disk
from samplemind_tasks.library.duplicates import Duplicates
from samplemind_tasks.library.edits import Edits
from samplemind_tasks.library.events import Events
from samplemind_tasks.library.export import Exports
from samplemind_tasks.library.health import Health
from samplemind_tasks.library.index import Index
from samplemind_tasks.library.jobs import Jobs
from samplemind_tasks.library.kept_search import KeptSearch
from samplemind_tasks.library.keys import Keys
from samplemind_tasks.library.lessons import Lessons
from samplemind_tasks.library.lookup import Lookup
from samplemind_tasks.library.metrics import Metrics
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.library.queues import QueueDesk
from samplemind_tasks.library.reprocess import Reprocessing
from samplemind_tasks.library.samples import Samples
from samplemind_tasks.library.search import Search
from samplemind_tasks.library.searches import Searches
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.library.sounds import Sounds
from samplemind_tasks.library.uploads import Uploads
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.analyses import Analyses
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.collections import Collections as CollectionStore
from samplemind_tasks.store.events import EventLog
from samplemind_tasks.store.export import ExportReader
from samplemind_tasks.store.keys import KeyStore
from samplemind_tasks.store.ledger import Ledger
from samplemind_tasks.store.live import Cache, LiveAnswers, Views, Workers, open_redis
from samplemind_tasks.store.migrations import migrate
from samplemind_tasks.store.mongo import connect, connect_async
from samplemind_tasks.store.pulse import Pulse
from samplemind_tasks.store.queue_counts import QueueCounts
from samplemind_tasks.store.queue_flags import QueueSwitches
from samplemind_tasks.store.rebuilds import Rebuilds
from samplemind_tasks.store.said import Said
from samplemind_tasks.store.search import VectorSearch
from samplemind_tasks.store.searches import SavedSearches
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
    events: Events
    queues: QueueDesk
    uploads: Uploads
    samples: Samples
    index: Index
    edits: Edits
    collections: Collections
    search: Search
    searches: Searches
    lookup: Lookup
    duplicates: Duplicates
    exports: Exports
    reprocessing: Reprocessing
    lessons: Lessons
    keys: Keys
    health: Health
    metrics: Metrics
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
        rebuilds = Rebuilds(db)
        index = Index(settings, catalog, rebuilds, nudges)
        shelves = Shelves(ShelfReader(settings), settings.request_timeout_s)
        answers = LiveAnswers(redis)
        sounds = Sounds(settings, catalog, analyses, blobs, nudges, answers, cache)
        workers, event_log = Workers(redis), EventLog(redis)
        switches = QueueSwitches(db)
        health = Health(
            settings=settings, catalog=catalog, ledger=ledger, workers=workers, cache=cache, vectors=vectors,
            rebuilds=rebuilds, switches=switches, blobs=blobs,
        )  # fmt: skip
        jobs = Jobs(ledger, Admission(ledger, settings.max_open_jobs), catalog, Views(redis), nudges, disk)
        desk = QueueDesk(switches, QueueCounts(db, redis), workers, nudges)
        said, collections = Said(db), CollectionStore(db, catalog)
        samples = Samples(settings, catalog, analyses, vectors, blobs, disk, said, collections, event_log)
        search = KeptSearch(settings, catalog, vectors, shelves, sounds, cache, disk)
        return cls(
            jobs=jobs,
            events=Events(event_log, jobs, settings.max_streams),
            queues=desk,
            uploads=Uploads(settings, blobs, catalog),
            samples=samples,
            index=index,
            edits=Edits(catalog, said, samples, event_log),
            collections=Collections(collections, catalog, event_log),
            search=search,
            searches=Searches(SavedSearches(db), search),
            lookup=Lookup(catalog, shelves),
            duplicates=Duplicates(catalog, analyses, vectors, shelves),
            reprocessing=Reprocessing(jobs, catalog),
            exports=Exports(settings, catalog, collections, ExportReader(db), disk),
            lessons=Lessons(settings, catalog, index, nudges, answers, disk, event_log),
            keys=Keys(KeyStore(db)),
            health=health,
            metrics=Metrics(health=health, desk=desk, pulse=Pulse(db, redis), workers=workers, cache=cache),
            shelves=shelves,
            _catalog=catalog, _vectors=vectors, _nudges=nudges, _disk=disk,
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of every store."""
        await self.events.close()
        await self.keys.close()
        await self._nudges.close()
        self._disk.close()
        await self.shelves.close()
        await self._vectors.close()
        await self._catalog.close()
        await self.jobs.close()
        await self.health.close()
