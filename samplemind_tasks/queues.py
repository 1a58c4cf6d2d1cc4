"""The Celery application: queue names, delivery settings, and how a task is sent by its name.

Why each delivery setting is as it is: docs/decisions/0001-mongodb-is-the-truth-celery-is-transport.md.
"""

import os
import time
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Any

import orjson
from celery import Celery, chain
from celery.backends.redis import RedisBackend
from celery.signals import (
    after_task_publish,
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    task_received,
    worker_ready,
)
from kombu.entity import Queue as KombuQueue
from kombu.exceptions import KombuError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.logs import REQUEST_ID, bind_request, configure_logs, current_request_id, unbind_everything
from samplemind_tasks.settings import Settings


class Queue(StrEnum):
    """Wire words, not settings. The `.now` queues are for what a person waits for and are listed first."""

    SCAN = "scan"
    CONTROL = "control"
    CPU_NOW = "cpu.now"
    CPU = "cpu"
    GPU_NOW = "gpu.now"
    GPU = "gpu"
    LIVE = "live"


class Results(RedisBackend):  # type: ignore[misc]
    """Celery's results in Redis, for those who poll. Nobody is subscribed to the result of what they send:

    Celery's own backend subscribes at each publishing and never lets go, so that a process that publishes for weeks
    holds a subscription for each message it ever sent.
    """

    def on_task_call(self, producer: Any, task_id: str) -> None:
        return


RESULTS = f"{__name__}:{Results.__name__}+"


def make_app(settings: Settings) -> Celery:
    """A Celery application bound to the settings' Redis."""
    redelivery = {
        "visibility_timeout": settings.visibility_timeout_s,
        # list the queues in the order of preference, instead of taking turns
        "queue_order_strategy": "priority",
        # sweep the unacknowledged messages of dead workers every 10 s instead of every 100 s
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "socket_connect_timeout": 3,
    }
    app = Celery("samplemind", broker=settings.redis_url, backend=RESULTS + settings.redis_url)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options=redelivery,
        result_backend_transport_options={
            "visibility_timeout": settings.visibility_timeout_s,
            # a result that cannot be kept is no reason to hold a worker for the 20 s of the default
            "retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.4},
        },
        visibility_timeout=settings.visibility_timeout_s,
        result_expires=settings.result_expires_s,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.4},
        redis_socket_connect_timeout=3,
        redis_retry_on_timeout=True,
        worker_send_task_events=True,
        task_send_sent_event=False,  # a worker tells of what it receives; that is enough for Flower
        task_track_started=False,
        task_default_queue=Queue.CONTROL.value,
        task_queues=[KombuQueue(queue.value) for queue in Queue],
        task_routes={
            "scan.*": {"queue": Queue.SCAN.value},
            "control.*": {"queue": Queue.CONTROL.value},
            "cpu.*": {"queue": Queue.CPU.value},
            "gpu.*": {"queue": Queue.GPU.value},
            "live.*": {"queue": Queue.LIVE.value},
        },
        beat_schedule={
            "reconcile": {
                "task": "control.reconcile",
                "schedule": settings.reconcile_s,
                "options": {"expires": settings.reconcile_s * 2},
            }
        },
        enable_utc=True,
    )
    return app


settings = Settings()
app = make_app(settings)


@setup_logging.connect
def _own_logging(**_: Any) -> None:
    """Celery is told not to take over the root logger."""
    configure_logs(settings.log_level)


@task_prerun.connect
def _take_up_request(task: Any = None, **_: Any) -> None:
    """Every line of a task carries its name, and the id of the request that asked for it."""
    bind_request(task.request.get(REQUEST_ID), task=task.name)


@task_postrun.connect
def _forget_request(**_: Any) -> None:
    unbind_everything()


def _headers(request_id: str | None) -> dict[str, str] | None:
    """What a message carries besides its task: whose request it is for."""
    return {REQUEST_ID: request_id} if request_id else None


def send(task: str, *args: object, queue: Queue | None = None, on: Celery | None = None, **options: Any) -> None:
    """Publish a task by its name.

    Raises
    ------
    StoreUnavailable : the broker does not answer. Whatever was asked for is in MongoDB, and is sent again from there.
    """
    try:
        headers = _headers(current_request_id())
        (on or app).send_task(task, args=args, queue=queue.value if queue else None, headers=headers, **options)
    except (KombuError, RedisError, OSError) as error:
        raise StoreUnavailable("redis", str(error)[:200]) from error


def send_chain(links: Iterable[tuple[str, Queue]], chunk_id: str, request_id: str | None = None) -> None:
    """Publish stages one after the other: immutable signatures by name, carrying nothing but the chunk's id."""
    headers = _headers(request_id)
    try:
        chain(
            *(
                app.signature(
                    task, args=(chunk_id,), immutable=True, options={"queue": queue.value, "headers": headers}
                )
                for task, queue in links
            )
        ).apply_async()
    except (KombuError, RedisError, OSError) as error:
        raise StoreUnavailable("redis", str(error)[:200]) from error


# ---------------------------------------------------------------------------------------- who is at work: by heartbeats

WORKER_BEAT_SECONDS = 15


def worker_beat_key(role: str, hostname: str) -> str:
    """The Redis key a living worker keeps fresh; it expires by itself."""
    return f"worker:{role}:{hostname}"


about_this_worker: dict[str, object] = {"host": os.uname().nodename}
"""What this process tells of itself with every heartbeat, besides that it lives: its device, how busy it is."""


class Standstill:
    """Since when work has been waiting for this worker while it took none: a pool may be stuck and its parent not."""

    def __init__(self) -> None:
        self._moved_at_s = 0.0
        self._moved = True

    def moved(self) -> None:
        """A task was taken."""
        self._moved = True

    def seconds(self, waiting: int, now_s: float) -> float:
        """How long nothing has moved. waiting: messages in the queues it takes from."""
        if self._moved or not waiting:
            self._moved, self._moved_at_s = False, now_s
        return now_s - self._moved_at_s


_standstill = Standstill()


@task_received.connect
def _note_movement(**_: Any) -> None:
    _standstill.moved()


@cache
def _beats() -> Redis:
    return Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1))


@worker_ready.connect
@heartbeat_sent.connect
def _tell_that_we_live(sender: Any = None, **_: Any) -> None:
    """A worker says so at every heartbeat. Readiness asks for this, not for `inspect ping`: a busy pool ignores it."""
    role = os.environ.get("SAMPLEMIND_ROLE", "worker")
    try:
        about_this_worker["stands_s"] = round(_standstill.seconds(_waiting_messages(), time.monotonic()))
        told = orjson.dumps(about_this_worker)
        _beats().set(worker_beat_key(role, f"{os.uname().nodename}:{os.getpid()}"), told, ex=WORKER_BEAT_SECONDS)
    except RedisError:
        return  # the next heartbeat tells


@after_task_publish.connect
def _tell_that_it_ticks(**_: Any) -> None:
    """Beat has no heartbeat of a worker's. It sends a task every few seconds, and lives while it does."""
    if os.environ.get("SAMPLEMIND_ROLE") != "beat":
        return
    lasts_s = max(WORKER_BEAT_SECONDS, round(3 * settings.reconcile_s))
    try:
        _beats().set(worker_beat_key("beat", f"{os.uname().nodename}:{os.getpid()}"), b"{}", ex=lasts_s)
    except RedisError:
        return  # the next tick tells


def _waiting_messages() -> int:
    """In the queues this worker takes from now: one that is paused for it does not count."""
    asked = _beats().pipeline(transaction=False)
    for name in app.amqp.queues.consume_from:
        asked.llen(name)
    return sum(asked.execute())
