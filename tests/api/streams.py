"""A client of event streams, and the workers that give it something to hear."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import httpx

from samplemind_tasks.schemas import JobState
from samplemind_tasks.store.chunks import Chunk, ChunkState, Stage
from samplemind_tasks.store.events import EventLog
from samplemind_tasks.store.live import open_redis
from samplemind_tasks.store.stores import Stores

from .world import World


class Event(NamedTuple):
    """One event as a client reads it."""

    name: str
    id: int | None
    data: dict[str, Any]


class Stream:
    """An open stream, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        self._lines = answer.iter_lines()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                return Event(fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"]))
            else:
                fields.clear()
        raise StopIteration


@contextmanager
def listening(client: httpx.Client, path: str, last: int | None = None, **query: Any) -> Iterator[Stream]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with client.stream("GET", path, headers=headers, params=query) as answer:
        yield Stream(answer)


class Worker:
    """Reports of one job, as its workers write them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.progress = Stores(world.settings).progress
        self.job = world.job(state=JobState.RUNNING.value)
        self.chunk = Chunk("c", self.job, "local", -1, tuple("abcdefgh"), False, {})
        self.progress.rebuild(world.record(self.job), [self.chunk])

    def lose(self, failed: int) -> None:
        """Some more of the eight places come to nothing."""
        self.chunk = replace(self.chunk, rev=self.chunk.rev + 1, dropped=failed)
        self.progress.report(self.job, [self.chunk])

    def end(self) -> None:
        final = {"counts": {"found": 8, "done": 8}, "stages": {"indexed": 8}, "failures": {}}
        self.chunk = replace(self.chunk, rev=self.chunk.rev + 1, stage=Stage.FINISHED, state=ChunkState.DONE, dropped=0)
        ended = {"state": "done", "finished_at": self.world.record(self.job).created_at, "final": final}
        self.world.db.jobs.update_one({"_id": self.job}, {"$set": ended, "$unset": {"open": ""}})
        self.progress.rebuild(self.world.record(self.job), [self.chunk])


def edited(world: World, *batches: list[str], user: str = "local") -> None:
    """Note changes of samples as the gateway does."""

    async def note() -> None:
        redis = open_redis(world.settings.redis_url, 2, 5)
        for batch in batches:
            await EventLog(redis).edited(user, batch)
        await redis.aclose()

    asyncio.run(note())
