"""One embedded stack on a folder of its own, as a user starts it, and a plain HTTP client for it."""

import http.client
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pymongo import MongoClient
from redis import Redis

from benchmarks.sizes import Sizes
from samplemind_tasks.launch import Event, Stack
from samplemind_tasks.launch.site import usable_cores
from samplemind_tasks.settings import Settings

Json = dict[str, Any]
KEPT_S = 3.0
"""The server closes a connection that was idle for longer than 5 s."""
ENDED = frozenset({"done", "cancelled", "failed"})


@dataclass
class World:
    """The stack under measurement. It is started by whoever first needs it, and stopped when its context ends."""

    folder: Path
    sizes: Sizes
    wishes: dict[str, Any] = field(default_factory=dict)
    """Settings that are not as usual."""
    starts: list[Json] = field(default_factory=list)
    """Of each start: seconds until ready, in all and by service."""
    _stack: Stack | None = None
    _connection: http.client.HTTPConnection | None = None
    _asked_at: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def data_dir(self) -> Path:
        """The stack's data folder."""
        return self.folder / "data"

    @property
    def cpu_children(self) -> int:
        """Children of the CPU worker: a core each."""
        return usable_cores()

    @property
    def stack(self) -> Stack:
        """The running stack."""
        if self._stack is None:
            self.start()
        assert self._stack
        return self._stack

    def start(self) -> None:
        """Start it, and note how long each service took, counted from the start of all."""
        began = time.monotonic()
        by_service: dict[str, float] = {}

        def note(event: Event) -> None:
            if event.what == "ready":
                by_service[event.service] = round(time.monotonic() - began, 2)

        self._stack = Stack(Settings(data_dir=self.data_dir, **self.wishes))
        self._stack.start(note)
        self.starts.append({"all": round(time.monotonic() - began, 2), "services": by_service})

    def stop(self) -> None:
        """Stop it; another start is on used data."""
        if self._connection:
            self._connection.close()
            self._connection = None
        if self._stack:
            self._stack.stop()
            self._stack = None

    # -- the gateway --------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request on a connection that is kept."""
        if self._connection is None or time.monotonic() - self._asked_at > KEPT_S:
            parts = urlsplit(self.stack.url)
            self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        sent = json.dumps(body).encode() if body is not None else None
        self._connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
        answer = self._connection.getresponse()
        text = answer.read()
        self._asked_at = time.monotonic()
        assert answer.status < 400, (method, path, answer.status, text[:300])
        return dict(json.loads(text)) if text else {}

    def submit(self, folder: Path, **wants: object) -> str:
        """Ask for a folder; the job's id."""
        return str(self.ask("POST", "/v1/jobs", {"path": str(folder), **wants})["id"])

    def job(self, job_id: str) -> Json:
        """A job as it is now."""
        return self.ask("GET", f"/v1/jobs/{job_id}")

    def finish(
        self, job_id: str, *, every_s: float = 0.25, limit_s: float = 900, look: Callable[[Json], None] | None = None
    ) -> Json:
        """Wait for a job's end; `look` sees every answer on the way."""
        deadline = time.monotonic() + limit_s
        while True:
            job = self.job(job_id)
            if look:
                look(job)
            if job["state"] in ENDED:
                return job
            assert time.monotonic() < deadline, f"job {job_id} did not end: {job}"
            time.sleep(every_s)

    # -- what lies below, to count ------------------------------------------------------------------------------------

    def redis_calls(self) -> dict[str, int]:
        """Calls by command of the broker's Redis until now."""
        with Redis.from_url(self.stack.settings.redis_url) as redis:
            rows: Json = redis.info("commandstats")
        return {name.removeprefix("cmdstat_"): int(row["calls"]) for name, row in rows.items()}

    def count_documents(self, collection: str, query: Json | None = None) -> int:
        """Documents of MongoDB. Listed, since the embedded server is slow at counting."""
        settings = self.stack.settings
        with MongoClient[Json](settings.mongo_url) as client:
            return sum(1 for _ in client[settings.mongo_database][collection].find(query or {}, {"_id": 1}))


def one_thread_each() -> dict[str, str]:
    """Our environment with one thread for each numeric library, as the stack's workers have it."""
    libraries = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    return {
        **os.environ,
        **{f"{library}_NUM_THREADS": "1" for library in libraries},
    }
