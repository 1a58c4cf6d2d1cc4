"""A queue as the API, the command line and the UI show it."""

from datetime import datetime

from samplemind_tasks.features import Strict


class QueueView(Strict):
    """One of Celery's queues."""

    name: str
    messages: int
    """Waiting in the broker."""
    taken: int
    """Held by a worker: at work, or next. Those of a worker that was killed are counted until they are sent anew."""
    chunks_waiting: int | None
    """Parts of jobs that wait for this queue's workers, sent or not; null where none pass through."""
    chunks_at_work: int | None
    workers: int
    """Worker processes that take from it."""
    can_pause: bool
    paused_since: datetime | None
    """Null: it is not paused."""


class Queues(Strict):
    """Every queue, in the order of the trip; what a person waits for comes before bulk work."""

    queues: list[QueueView]
