"""The gateway over HTTP: one method a question. Answers stay JSON until a person is to read them."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from samplemind_tasks.cli.transport import (
    EXPORT_TIMEOUT,
    PAGE,
    QUIET_S,
    GatewayError,
    Json,
    Query,
    Transport,
    events,
    read,
)
from samplemind_tasks.errors import NotFound, SampleMindError
from samplemind_tasks.schemas import JobRequest

WHOLE_ID = 24
SHORTEST_PREFIX = 6
ID_OR_PREFIX = re.compile(rf"[0-9a-f]{{{SHORTEST_PREFIX},{WHOLE_ID}}}")
PREFIX_SEARCH = 10_000
"""A prefix is looked for among this many newest jobs or samples."""


def as_shown(name: str | Path) -> str:
    """A name as the gateway shows it: UTF-8, with U+FFFD where its bytes are none."""
    return os.fsencode(name).decode(errors="replace")


def folder_job(path: Path, **wishes: Any) -> JobRequest:
    """The request to analyse a folder or a file."""
    for pattern in (*wishes.get("include", ()), *wishes.get("exclude", ())):
        if as_shown(pattern) != pattern:
            raise SampleMindError(f"the pattern {as_shown(pattern)} is not UTF-8: write * or ? there", code="invalid")
    if as_shown(path) != str(path):
        message = f"{as_shown(path)}: a name that is not UTF-8 cannot be told to the gateway; add the folder around it"
        raise SampleMindError(message, code="not_utf8")
    try:
        return JobRequest(path=str(path), **wishes)
    except ValidationError as error:
        first = error.errors()[0]
        raise SampleMindError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", code="invalid") from error


class Gateway(Transport):
    """What a gateway can be asked."""

    # jobs ------------------------------------------------------------------------------------------------------------
    def add(self, request: JobRequest, key: str) -> Json:
        """Ask for a job. Repeating it with the same key asks for the same job."""
        return self._json("POST", "/v1/jobs", json=request.model_dump(), headers={"Idempotency-Key": key})

    def job(self, job_id: str) -> Json:
        return self._json("GET", f"/v1/jobs/{self._job_id(job_id)}")

    def poll(self, job_id: str, etag: str | None) -> tuple[Json | None, str | None]:
        """The job and its etag; no job when nothing has changed since that etag. Never repeats: the caller polls."""
        headers = {"If-None-Match": etag} if etag else {}
        answer = self._send("GET", f"/v1/jobs/{job_id}", repeats=(), headers=headers)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None, etag
        return read(answer, holding="id"), answer.headers.get("ETag")

    def job_events(self, job_id: str, after: str | None) -> Iterator[tuple[str, str | None, Json]]:
        """What a job's stream tells: name, id, data. Where it breaks off, the caller goes on behind the last id."""
        query: Query = {} if after is None else {"after": after}
        patience = httpx.Timeout(QUIET_S, connect=5)
        try:
            with self._stream(f"/v1/jobs/{job_id}/events", query, patience) as answer:
                yield from events(answer.iter_lines())
        except httpx.TransportError as error:
            raise self._no_answer(error) from error

    def jobs(self) -> Iterator[Json]:
        """Newest first."""
        return self._pages("/v1/jobs", "jobs", {})

    def failures(self, job_id: str, code: str | None = None, limit: int = PAGE) -> Iterator[Json]:
        query: Query = {"limit": limit, "code": code} if code else {"limit": limit}
        return self._pages(f"/v1/jobs/{self._job_id(job_id)}/failures", "failures", query)

    def retry(self, job_id: str, code: str | None, places: list[str]) -> Json:
        wanted = {"code": code, "places": places or None}
        given = {name: value for name, value in wanted.items() if value is not None}
        return self._json("POST", f"/v1/jobs/{self._job_id(job_id)}/retry", json=given, repeats=())

    def steer(self, job_id: str, verb: str) -> Json:
        """Cancel, pause or resume a job."""
        return self._json("POST", f"/v1/jobs/{self._job_id(job_id)}/{verb}")

    # queues ----------------------------------------------------------------------------------------------------------
    def queues(self) -> Json:
        """Every queue."""
        return self._json("GET", "/v1/queues", holding="queues")

    def steer_queue(self, name: str, verb: str) -> Json:
        """Pause or resume a queue; every queue then."""
        return self._json("POST", f"/v1/queues/{quote(name, safe='')}/{verb}", holding="queues")

    # samples ---------------------------------------------------------------------------------------------------------
    def samples(self, query: Query) -> Iterator[Json]:
        return self._pages("/v1/samples", "samples", query)

    def sample(self, sample_id: str) -> Json:
        return self._json("GET", f"/v1/samples/{self._sample_id(sample_id)}")

    def sample_at(self, path: Path) -> Json | None:
        """The sample that lives at an absolute path."""
        return next(self.samples({"path": as_shown(path), "limit": 1}), None)

    def lookup(self, text: str, limit: int) -> Json:
        """The samples that an id or its beginning, a path or its end, or a name may mean."""
        return self._json("GET", "/v1/lookup", holding="samples", params={"text": text, "limit": limit})

    def delete(self, sample_id: str) -> None:
        self._send("DELETE", f"/v1/samples/{self._sample_id(sample_id)}", repeats=())

    def similar(self, sample_id: str, limit: int) -> Json:
        return self._json("GET", f"/v1/samples/{self._sample_id(sample_id)}/similar", params={"limit": limit})

    def search(self, query: Json) -> Json:
        """What a query finds."""
        return self._json("POST", "/v1/search", holding="hits", json=query)

    def send_sound(self, path: Path) -> str:
        """Have a file heard that is not of the library; the id to search with. Its bytes are not kept."""
        request = {"params": {"query": '{"limit": 1}'}, "headers": {"Content-Type": "application/octet-stream"}}
        try:
            with path.open("rb") as sound:
                answer = self._json(
                    "POST", "/v1/search", holding="sound", content=sound, timeout=120, repeats=(), **request
                )
        except OSError as error:
            raise SampleMindError(f"{path}: {error.strerror}", code="unreadable") from error
        return str(answer["sound"])

    def export(self, query: Query) -> Iterator[bytes]:
        """The pieces of an export. It is whole when they end without an error."""
        written = 0
        try:
            with self._stream("/v1/export", query, EXPORT_TIMEOUT) as answer:
                for piece in answer.iter_bytes():
                    written += len(piece)
                    yield piece
        except httpx.TransportError as error:
            if not written:
                raise self._no_answer(error) from error
            raise GatewayError(500, "incomplete", f"the export broke off after {written:,} bytes") from error

    def reprocess(self, request: Json, query: Query, key: str) -> Json:
        """Ask for a stage to be done again of what the query keeps. With the same key, the same job."""
        headers = {"Idempotency-Key": key}
        return self._json("POST", "/v1/reprocess", holding="id", json=request, params=query, headers=headers)

    def duplicates(self) -> Iterator[Json]:
        """Groups of duplicates, the exact ones first."""
        return self._pages("/v1/duplicates", "groups", {})

    # what a person says and keeps -------------------------------------------------------------------------------------
    def edit(self, edit: Json) -> Json:
        """Say the same of many samples."""
        return self._json("POST", "/v1/samples/edit", holding="changed", json=edit)

    def collections(self) -> list[Json]:
        """By name."""
        return list(self._json("GET", "/v1/collections", holding="collections")["collections"])

    def create_collection(self, new: Json) -> Json:
        return self._json("POST", "/v1/collections", holding="id", json=new, repeats=())

    def change_members(self, collection: str, change: Json) -> Json:
        """Take samples in and out."""
        return self._json("POST", f"/v1/collections/{collection}/samples", holding="collection", json=change)

    def rename_collection(self, collection: str, name: str) -> Json:
        return self._json("PATCH", f"/v1/collections/{collection}", holding="id", json={"name": name})

    def delete_collection(self, collection: str) -> None:
        self._send("DELETE", f"/v1/collections/{collection}", repeats=())

    def searches(self) -> list[Json]:
        """By name."""
        return list(self._json("GET", "/v1/searches", holding="searches")["searches"])

    def save_search(self, name: str, query: Json) -> Json:
        return self._json("POST", "/v1/searches", holding="id", json={"name": name, "query": query}, repeats=())

    def run_search(self, search: str) -> Json:
        """What a saved search finds now."""
        return self._json("GET", f"/v1/searches/{search}/results", holding="hits")

    def delete_search(self, search: str) -> None:
        self._send("DELETE", f"/v1/searches/{search}", repeats=())

    def reindex(self) -> Json:
        """Have the index written anew."""
        return self._json("POST", "/v1/reindex")

    def teach(self, path: str) -> Json:
        """Learn labels from a folder, each of its subfolders one. May take some seconds."""
        return self._json("POST", "/v1/teach", holding="sounds", json={"path": path}, timeout=90, repeats=())

    def lesson(self) -> Json:
        """What was taught."""
        return self._json("GET", "/v1/teach", holding="sounds")

    def forget_lesson(self) -> None:
        """Take it back."""
        self._send("DELETE", "/v1/teach", repeats=())

    # keys ------------------------------------------------------------------------------------------------------------
    def create_key(self, wanted: Json) -> Json:
        """A new key, with its text."""
        return self._json("POST", "/v1/keys", holding="key", json=wanted, repeats=())

    def keys(self) -> Json:
        """Every key."""
        return self._json("GET", "/v1/keys", holding="keys")

    def revoke_key(self, key_id: str) -> None:
        """Let a key open nothing more."""
        self._send("DELETE", f"/v1/keys/{quote(key_id, safe='')}")

    # the whole -------------------------------------------------------------------------------------------------------
    def stats(self) -> Json:
        return self._json("GET", "/v1/stats")

    def ready(self) -> Json:
        """The health of every part, also when it is bad."""
        return read(self._send("GET", "/v1/health/ready", also_fine=httpx.codes.SERVICE_UNAVAILABLE), holding="parts")

    def _job_id(self, text: str) -> str:
        return _whole(text, "job", self.jobs)

    def _sample_id(self, text: str) -> str:
        return _whole(text, "sample", lambda: self.samples({"limit": PAGE}))


def _whole(text: str, thing: str, newest: Callable[[], Iterator[Json]]) -> str:
    """The id a unique prefix stands for; a whole id is taken as it is."""
    if not ID_OR_PREFIX.fullmatch(text):
        message = f"{text!r} is no {thing} id: give at least its first {SHORTEST_PREFIX} characters"
        raise NotFound(message, code=f"no_such_{thing}")
    if len(text) == WHOLE_ID:
        return text
    found = {item["id"] for _, item in zip(range(PREFIX_SEARCH), newest(), strict=False) if item["id"].startswith(text)}
    if len(found) == 1:
        return str(found.pop())
    if found:
        raise SampleMindError(
            f"{len(found)} {thing} ids start with {text}: {', '.join(sorted(found)[:3])}", code="ambiguous"
        )
    raise NotFound(f"no {thing} id starts with {text}", code=f"no_such_{thing}")
