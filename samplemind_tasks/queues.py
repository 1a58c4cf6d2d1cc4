"""The Celery application: queue names, delivery settings, and how a task is sent by its name.

Why each delivery setting is as it is: docs/decisions/0001-mongodb-is-the-truth-celery-is-transport.md.
"""

import os
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Any

import orjson
from celery import Celery, chain
from celery.backends.redis import RedisBackend
from celery.signals import heartbeat_sent, setup_logging, worker_ready
from kombu.entity import Queue as KombuQueue
from kombu.exceptions import KombuError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.logs import configure_logs
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


def send(task: str, *args: object, queue: Queue | None = None, on: Celery | None = None, **options: Any) -> None:
    """Publish a task by its name.

    Raises
    ------
    StoreUnavailable : the broker does not answer. Whatever was asked for is in MongoDB, and is sent again from there.
    """
    try:
        (on or app).send_task(task, args=args, queue=queue.value if queue else None, **options)
    except (KombuError, RedisError, OSError) as error:
        raise StoreUnavailable("redis", str(error)[:200]) from error


def send_chain(links: Iterable[tuple[str, Queue]], chunk_id: str) -> None:
    """Publish stages one after the other: immutable signatures by name, carrying nothing but the chunk's id."""
    try:
        chain(
            *(
                app.signature(task, args=(chunk_id,), immutable=True, options={"queue": queue.value})
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


about_this_worker: dict[str, object] = {}
"""What this process tells of itself with every heartbeat, besides that it lives: its device, how busy it is."""


@cache
def _beats() -> Redis:
    return Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1))


@worker_ready.connect
@heartbeat_sent.connect
def _tell_that_we_live(sender: Any = None, **_: Any) -> None:
    """A worker says so at every heartbeat. Readiness asks for this, not for `inspect ping`: a busy pool ignores it."""
    role = os.environ.get("SAMPLEMIND_ROLE", "worker")
    try:
        told = orjson.dumps(about_this_worker)
        _beats().set(worker_beat_key(role, f"{os.uname().nodename}:{os.getpid()}"), told, ex=WORKER_BEAT_SECONDS)
    except RedisError:
        return  # the next heartbeat tells
