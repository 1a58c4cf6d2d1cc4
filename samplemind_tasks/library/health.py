"""How the parts are, and the library in numbers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pydantic import ValidationError

from samplemind_tasks.errors import SampleMindError, StoreUnavailable
from samplemind_tasks.schemas import Part, Readiness, SampleState, Stats
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.ledger import Ledger
from samplemind_tasks.store.live import Cache, Workers
from samplemind_tasks.store.queue_flags import QueueSwitches
from samplemind_tasks.store.rebuilds import Rebuild, Rebuilds
from samplemind_tasks.store.search import VectorSearch, collection_name

LOOK_S = 2.0
"""A part that has not answered after this long is away."""
STATS_KEPT_S = 3.0
STATS_KEPT_TIMES = 10
"""Numbers that took long to count are kept for this many times as long."""

MOST_MISSING = 0.001
"""Of the sounds with a vector, so many may be on their way into or out of the index; more are lost."""

STUCK_S = 600.0
"""Work that waits this long while no worker of its role takes any is told: the longest files take minutes."""

ROLES = {
    "control": "work is not handed out",
    "scan": "folders are not listed",
    "cpu": "sounds are not measured",
    "ai": "sounds are not heard by the model",
    "live": "sounds cannot be compared with an uploaded one",
}
"""Roles of workers, and what it means when there is none."""
IF_NONE = dict.fromkeys(("ai", "live"), "start one; `samplemind models verify` says whether its model is whole")


class Health:
    """Asks every part how it is."""

    def __init__(
        self,
        *,
        settings: Settings,
        catalog: Catalog,
        ledger: Ledger,
        workers: Workers,
        cache: Cache,
        vectors: VectorSearch,
        rebuilds: Rebuilds,
        switches: QueueSwitches,
        blobs: Blobs,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._ledger = ledger
        self._workers = workers
        self._cache = cache
        self._vectors = vectors
        self._rebuilds = rebuilds
        self._switches = switches
        self._blobs = blobs
        self._counting: dict[str, asyncio.Task[Stats]] = {}

    async def readiness(self, user_id: str) -> Readiness:
        """Every store and kind of worker, asked at the same time."""
        (*stores, cache), index, queues, workers = await asyncio.gather(
            self.stores(), self._index(user_id), self._queues(), self._workers_by_role()
        )
        return Readiness(ready=all(part.ok for part in stores), parts=[*stores, *index, cache, *queues, *workers])

    async def stores(self) -> list[Part]:
        """Every store; the cache, which is not needed, is the last."""
        advice = "work waits and goes on when it is back; its log says more"
        looks = (
            _look("mongodb", self._catalog.beat, f"start MongoDB, or correct SAMPLEMIND_MONGO_URL; {advice}"),
            _look("redis", self._workers.beat, f"start Redis, or correct SAMPLEMIND_REDIS_URL; {advice}"),
            _look("chroma", self._vectors.beat, f"start Chroma, or correct SAMPLEMIND_CHROMA_URL; {advice}"),
            _look("blobs", self._blobs.beat, "mount the folder or start the store of SAMPLEMIND_BLOB_URL"),
            _look(
                "cache", self._cache.beat, "start the second Redis of SAMPLEMIND_CACHE_URL; answers are slower without"
            ),
        )
        return list(await asyncio.gather(*looks))

    async def _index(self, user_id: str) -> list[Part]:
        """The index held against the library; nothing while one of them is away, or still being counted."""
        try:
            async with asyncio.timeout(LOOK_S):
                stats = await self.stats(user_id)
                model = serving_model(stats)
                indexed = await self._vectors.count(collection_name(model, user_id))
                rebuild = await self._rebuilds.of(model, user_id)
        except (SampleMindError, TimeoutError):
            return []
        return [_index_part(stats, model, indexed, rebuild)]

    async def _queues(self) -> list[Part]:
        """Which queues are paused; nothing while MongoDB is away."""
        try:
            async with asyncio.timeout(LOOK_S):
                paused = sorted(await self._switches.paused_since())
        except (StoreUnavailable, TimeoutError):
            return []
        told = f"paused: {', '.join(paused)}" if paused else "none is paused"
        advice = f"`samplemind resume {paused[0]}` lets it go on; what is in it waits" if paused else ""
        return [Part(name="queues", ok=not paused, message=told, advice=advice)]

    async def _workers_by_role(self) -> list[Part]:
        try:
            async with asyncio.timeout(LOOK_S):
                told = await self._workers.by_role()
        except (StoreUnavailable, TimeoutError):
            return [
                Part(
                    name=f"{role} worker", ok=False, message="not known while redis is away", advice="start Redis first"
                )
                for role in ROLES
            ]
        return [_worker(role, told.get(role, [])) for role in ROLES]

    async def stats(self, user_id: str) -> Stats:
        """The library in numbers, a few seconds old at most; older where counting takes long."""
        cached = await self._cache.get(f"stats:{user_id}")
        if cached is not None:
            try:
                return Stats.model_validate_json(cached)
            except ValidationError:
                pass  # written by another version
        if user_id not in self._counting:  # however many ask at once, it is counted once
            self._counting[user_id] = asyncio.create_task(self._count(user_id))
            self._counting[user_id].add_done_callback(lambda _: self._counting.pop(user_id, None))
        return await asyncio.shield(self._counting[user_id])

    async def _count(self, user_id: str) -> Stats:
        began = time.monotonic()
        totals = await self._catalog.totals(user_id)
        stats = Stats(
            samples=sum(totals.by_state.values()),
            by_state=totals.by_state,
            by_kind=totals.by_kind,
            duration_s=totals.duration_s,
            size_bytes=totals.size_bytes,
            jobs_open=(await self._ledger.open_jobs())[user_id],
            model=self._settings.model_card.collection,
            heard=totals.heard,
            silent=totals.silent,
        )
        kept_s = max(STATS_KEPT_S, (time.monotonic() - began) * STATS_KEPT_TIMES)
        await self._cache.put(f"stats:{user_id}", stats.model_dump_json(), kept_s)
        return stats

    async def close(self) -> None:
        await self._cache.close()


def ready_samples(stats: Stats) -> int:
    """How many samples of a library are searchable."""
    return stats.by_state.get(SampleState.READY, 0)


def serving_model(stats: Stats) -> str:
    """Whose vectors sounds are compared by: the model in use, or another while that one has heard more."""
    most = max(stats.heard, key=lambda name: stats.heard[name], default=stats.model)
    return most if stats.heard.get(most, 0) > stats.heard.get(stats.model, 0) else stats.model


def _index_part(stats: Stats, model: str, indexed: int, rebuild: Rebuild | None) -> Part:
    """The index held against the sounds that have a vector."""
    expected = stats.heard.get(model, 0)
    told = [f"{min(indexed, expected):,} of {expected:,} sounds are in the index"]
    told += [f"{stats.silent:,} silent, with nothing to hear"] if stats.silent else []
    waiting = ready_samples(stats) - stats.silent - stats.heard.get(stats.model, 0)
    told += [f"{waiting:,} wait to be heard by {stats.model}"] if waiting > 0 else []
    is_whole = expected - indexed <= expected * MOST_MISSING
    advice = ""
    if rebuild is not None and rebuild.written is not None:
        advice = "it is being filled again from MongoDB; searches by sound compare fewer until then"
    elif not is_whole and model == stats.model:
        advice = "`samplemind reindex` fills it again from MongoDB; searches by sound may miss some until then"
    elif waiting > 0:
        advice = "`samplemind reprocess` has the model hear them; until then they are found by words and numbers alone"
    is_well = bool(stats.jobs_open) or (is_whole and waiting <= 0)
    return Part(name="index", ok=is_well, message="; ".join(told), advice="" if is_well else advice)


async def _look(name: str, beat: Callable[[], Awaitable[None]], advice: str) -> Part:
    try:
        async with asyncio.timeout(LOOK_S):
            await beat()
    except TimeoutError:
        return Part(name=name, ok=False, message=f"no answer within {LOOK_S:g} s", advice=advice)
    except SampleMindError as error:
        return Part(name=name, ok=False, message=error.message, advice=advice)
    return Part(name=name, ok=True, message="answers", advice="")


def _worker(role: str, processes: Sequence[Mapping[str, object]]) -> Part:
    stands_s = min((_stands_s(facts) for facts in processes), default=0.0)
    if stands_s >= STUCK_S:
        return Part(
            name=f"{role} worker",
            ok=False,
            message=f"{len(processes)} alive, but none took any of the waiting work for {stands_s / 60:.0f} minutes",
            advice="end it and start it again: it goes on where it was; its log says what it did last",
        )
    if processes:
        told = "; ".join(filter(None, map(_told, processes)))
        message = f"{len(processes)} at work" + (f": {told}" if told else "")
        return Part(name=f"{role} worker", ok=True, message=message, advice="")
    return Part(
        name=f"{role} worker",
        ok=False,
        message=f"none at work: {ROLES[role]}",
        advice=f"{IF_NONE.get(role, 'start one')}; what is asked for waits",
    )


def _stands_s(facts: Mapping[str, object]) -> float:
    """For how long a worker took nothing although something waited."""
    told = facts.get("stands_s")
    return float(told) if isinstance(told, int | float) else 0.0


def _told(facts: Mapping[str, object]) -> str:
    """What a worker that hears tells of itself: its model and device, how large its batches are, how much it idles."""
    if "device" not in facts:
        return ""
    words = [f"{facts.get('model')} on {facts['device']}"]
    sizes = facts.get("batch_sizes")
    if isinstance(sizes, dict):
        words.append("batches " + ", ".join(f"{name} {'/'.join(map(str, each))}" for name, each in sizes.items()))
    if isinstance(idle := facts.get("idle_share"), float):
        words.append(f"{facts.get('windows')} windows heard, idle {idle:.0%}")
    return ", ".join(words)
