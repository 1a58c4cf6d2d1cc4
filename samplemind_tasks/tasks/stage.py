"""What every stage's task shares: one set of stores a process, the claim with its heartbeat, what a fault comes to."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.worker.request import Request

from samplemind_tasks.errors import ModelUnavailable, StoreUnavailable
from samplemind_tasks.logs import bind_request, get_log
from samplemind_tasks.pipeline import claim, let_go
from samplemind_tasks.queues import settings
from samplemind_tasks.reconcile import free_after_death, release_after_fault
from samplemind_tasks.store.chunks import Chunk, Stage
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.tally import FAULT, POSTPONED

log = get_log(__name__)

_stores_by_process: dict[int, Stores] = {}


def stores() -> Stores:
    """This process' stores. Keyed by process id, since connections do not survive a fork."""
    pid = os.getpid()
    if pid not in _stores_by_process:
        _stores_by_process.clear()
        _stores_by_process[pid] = Stores(settings)
    return _stores_by_process[pid]


class Heartbeat:
    """Renews a lease from a thread while the stage works. Once the lease is lost, `lost` stays true."""

    def __init__(self, beat: Callable[[], bool], interval_s: float) -> None:
        self.lost = False
        self._beat = beat
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                if not self._beat():
                    self.lost = True
                    return
            except StoreUnavailable:
                continue  # MongoDB is away: whether the lease stands is decided when it is back


class Work:
    """A leased chunk in a worker's hands."""

    def __init__(self, held: Stores, chunk: Chunk, heartbeat: Heartbeat) -> None:
        self.stores = held
        self.chunk = chunk
        self.heartbeat = heartbeat
        assert chunk.lease  # noqa: S101 - it was just taken
        self.token = chunk.lease.token
        self.windows = 0
        """Heard for it by the model."""


class StageTask(Task):  # type: ignore[misc]
    """A task of the trip. Its body claims a chunk, calls pure code, stores what came out and hands the chunk on."""

    abstract = True
    Request = "samplemind_tasks.tasks.stage:ChunkRequest"

    @contextmanager
    def claim(self, chunk_id: str, stage: Stage, versions: dict[str, str]) -> Iterator[Work | None]:
        """Lease the chunk for the time of the block; None when there is nothing to do for us.

        A store or a model being away gives the lease back and costs no attempt. A fault of ours is logged whole.
        """
        held = stores()
        token = f"{_token_prefix(self.request.id, os.getpid())}{os.urandom(4).hex()}"
        try:
            chunk = claim(held, chunk_id, stage, versions, token)
        except StoreUnavailable as error:
            log.warning("claim_postponed", chunk=chunk_id, reason=error.message)
            chunk = None
        if chunk is None:
            yield None
            return
        bind_request(chunk.request_id, job=chunk.job, chunk=chunk.id)
        held.marks.begin(chunk.id, token)
        began = time.monotonic()
        with Heartbeat(lambda: held.chunks.beat(chunk_id, token), settings.heartbeat_s) as heartbeat:
            work = Work(held, chunk, heartbeat)
            try:
                yield work
                _tell_finished(work, stage, time.monotonic() - began)
            except (StoreUnavailable, ModelUnavailable) as error:
                _give_back(held, chunk, error)
            except Exception as error:
                log.exception("stage_failed", chunk=chunk_id, stage=stage.value)
                held.tally.troubled(stage, FAULT)
                _after_fault(held, chunk, error)


def _tell_finished(work: Work, stage: Stage, seconds: float) -> None:
    """Also where a beat found the lease gone: it was held all the same, and mostly just handed on before the beat."""
    work.stores.tally.worked(stage, seconds, work.windows)
    if work.heartbeat.lost:
        log.info("lease_is_gone", stage=stage.value)
        return
    log.info("stage_finished", stage=stage.value, files=len(work.chunk.places), seconds=round(seconds, 3))


def _give_back(held: Stores, chunk: Chunk, error: StoreUnavailable | ModelUnavailable) -> None:
    away = error.store if isinstance(error, StoreUnavailable) else "model"
    log.warning("work_postponed", chunk=chunk.id, waiting_for=away, reason=error.message)
    held.tally.troubled(chunk.stage, POSTPONED)
    held.marks.begin(chunk.id, chunk.lease.token if chunk.lease else "")
    held.progress.waiting_for(chunk.job, away)
    try:
        let_go(held, chunk)
    except StoreUnavailable:
        return  # the lease's heartbeat stops here, and the reconciler frees the chunk


def _after_fault(held: Stores, chunk: Chunk, error: Exception) -> None:
    held.marks.begin(chunk.id, chunk.lease.token if chunk.lease else "")
    try:
        release_after_fault(held, chunk, f"A fault of SampleMind: {type(error).__name__}. The worker's log says more.")
    except StoreUnavailable:
        return


def _token_prefix(task_id: str, pid: int) -> str:
    """A lease's token begins with the message and the process, so that a parent can free what its dead child held."""
    return f"{task_id}@{pid}-"


class ChunkRequest(Request):  # type: ignore[misc]
    """Celery's record of a message in the worker's parent: the first to know that a child has died."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        answer = super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError) and self.args:
            has_exited = "exitcode" in str(error)  # as the watchdog has it do; anything else is killed by a signal
            prefix = _token_prefix(self.id, self.worker_pid)
            free_after_death(stores(), self.args[0], prefix, by_watchdog=has_exited)
        return answer
