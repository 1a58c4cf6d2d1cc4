"""What has changed, in order: a log for each user that keeps, of everything that changes, the last change only.

A sorted set holds topics (a job, a sample, the library) by the version of their last change, in microseconds of Redis'
own clock and always growing. A reader who knows a version asks for what is above it and is told each topic once, with
its state of now: nothing is lost however long it was away, nothing is told twice, and the log never grows. `begin` is
the version from which on it is complete; whoever knows less has to read everything anew.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.store.event_scripts import MOST_AT_ONCE, NOTE_MANY, NOTE_SAMPLES, READ
from samplemind_tasks.store.progress import View, read_view

NO_MORE = 2**53
"""Above every version: for who only asks where a log is."""
MOST_NAMED = 100
"""Of samples changed together, so many are told by name; of more it is told that there were many."""


class Change(NamedTuple):
    """A topic's last change."""

    topic: str
    version: int
    state: dict[str, str]
    """Of a job its view, of the library its counts; empty when it is lost, and of a sample."""


class Changes(NamedTuple):
    """What a log holds above a version, the oldest first."""

    begin: int
    """Below this version the log is not complete."""
    newest: int
    rows: list[Change]

    @property
    def is_all(self) -> bool:
        """Whether nothing more was there at that moment."""
        return len(self.rows) < MOST_AT_ONCE - 1  # `begin` may have been one of those read


class EventLog:
    """The logs as the gateway reads them, and adds to them what a person changed."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._read = redis.register_script(READ)
        self._note_samples = redis.register_script(NOTE_SAMPLES)
        self._note_many = redis.register_script(NOTE_MANY)

    async def since(self, known: Mapping[str, int]) -> dict[str, Changes]:
        """What changed above the version known of each user, in one go.

        Raises
        ------
        StoreUnavailable : Redis does not answer.
        """
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for user, version in known.items():
                    await self._read(keys=[_log(user)], args=[user, version], client=pipe)
                return dict(zip(known, map(_changes, await pipe.execute()), strict=True))
        except RedisError as error:
            raise StoreUnavailable("redis", str(error)[:200]) from error

    async def view(self, job_id: str) -> View | None:
        """How a job is at this moment; None when its view is lost."""
        return await read_view(self._redis, job_id)

    async def edited(self, user: str, samples: Sequence[str]) -> None:
        """Note that a person changed or deleted samples. Never fails: what is shown is read again sooner or later."""
        try:
            if len(samples) > MOST_NAMED:
                await self._note_many(keys=[_log(user)], args=[user, len(samples)])
            elif samples:
                await self._note_samples(keys=[_log(user)], args=[user, *samples])
        except RedisError:
            return

    async def rearranged(self, user: str) -> None:
        """Note that something about the library as a whole is different: a collection, what was taught."""
        try:
            await self._note_many(keys=[_log(user)], args=[user, 1])
        except RedisError:
            return


def _log(user: str) -> str:
    return f"events:{user}"


def _changes(found: object) -> Changes:
    begin, newest, *rows = cast("list[str | list[str | list[str]]]", found)
    changes = [
        Change(topic, int(version), dict(zip(state[::2], state[1::2], strict=True)))
        for topic, version, state in cast("list[list[str]]", rows)
    ]
    return Changes(int(cast("str", begin)), int(cast("str", newest)), changes)
