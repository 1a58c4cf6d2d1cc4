"""Messages that workers hold: what kombu delivered and nobody has acknowledged.

A worker whose broker dies, or which dies with its whole machine, acknowledges nothing; kombu gives its messages back
after `visibility_timeout`, which is longer than the longest chunk. Whoever knows better can say so at once.
"""

import time
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import orjson
from redis import Redis
from redis.exceptions import RedisError

UNACKED = "unacked"
"""Where kombu keeps them: [message, exchange, routing key] by delivery."""
DELIVERED_AT = "unacked_index"
"""And when each was delivered, by the clock of the worker that holds it."""
MESSAGE, ROUTING_KEY = 0, 2


@dataclass(frozen=True)
class Delivery:
    """A message at a worker; about is its first argument, the id of a chunk or a job, or "" without one."""

    tag: str
    about: str


class Deliveries:
    """Messages that workers hold."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def held_longer_than(self, seconds: float) -> list[Delivery]:
        """Those delivered longer ago and not given back; none while the broker does not answer."""
        try:
            tags = cast("list[str]", self._redis.zrangebyscore(DELIVERED_AT, "(0", time.time() - seconds))
            texts = cast("list[str | None]", self._redis.hmget(UNACKED, tags)) if tags else []
        except RedisError:
            return []
        return [Delivery(tag, _about(text)) for tag, text in zip(tags, texts, strict=True) if text]

    def give_back(self, deliveries: Iterable[Delivery]) -> None:
        """Let kombu's next sweep, within seconds, put messages into their queues again."""
        due = dict.fromkeys((delivery.tag for delivery in deliveries), 0)
        if due:
            try:
                self._redis.zadd(DELIVERED_AT, due, xx=True)
            except RedisError:
                return


def _about(text: str) -> str:
    try:
        arguments, *_ = orjson.loads(b64decode(orjson.loads(text)[MESSAGE]["body"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return ""  # a stranger's: whoever gets it refuses it
    return str(arguments[0]) if isinstance(arguments, list) and arguments else ""
