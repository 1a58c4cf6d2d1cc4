"""How the command line speaks HTTP with a gateway: patience, pages, streams, and errors in the gateway's own words."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from samplemind_tasks.access import is_loopback
from samplemind_tasks.errors import SampleMindError

Json = dict[str, Any]
Query = dict[str, str | int | float | list[str]]

PAGE = 200
"""Items asked for at once; the gateway may answer with fewer."""
PATIENCE_S = (0.2, 0.6)
"""Pauses before a request that is safe to repeat is repeated."""
MOST_WAIT_S = 5
"""Where the gateway asks for more patience than this, its answer is shown."""
QUIET_S = 45
"""A stream that is quiet for longer, without even a comment, is cut."""
EXPORT_TIMEOUT = httpx.Timeout(60, connect=5)
"""Between two pieces: a filter may keep nothing of a long stretch."""


class GatewayError(SampleMindError):
    """The gateway said no."""

    def __init__(self, status: int, code: str, message: str, detail: Json | None = None) -> None:
        super().__init__(message, code=code, detail=detail)
        self.status = status


class Unreachable(SampleMindError):
    """No gateway answers."""

    code = "unreachable"


class Transport:
    """Requests to one gateway."""

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url.rstrip("/")
        # a proxy meant for the internet must not be asked for this machine's own stack
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(30, connect=5),
            trust_env=not is_loopback(urlsplit(url).hostname or ""),
            headers=[(b"Authorization", f"Bearer {key.strip()}".encode())] if key else None,
        )

    def _json(self, method: str, path: str, *, holding: str | None = None, **request: Any) -> Json:
        return read(self._send(method, path, **request), holding)

    def _pages(self, path: str, items: str, query: Query) -> Iterator[Json]:
        query = {"limit": PAGE, **query}
        while True:
            page = self._json("GET", path, holding=items, params=query)
            yield from page[items]
            if not page.get("next"):
                return
            query["cursor"] = page["next"]

    @contextmanager
    def _stream(self, path: str, query: Query, timeout: httpx.Timeout) -> Iterator[httpx.Response]:
        """An answer that is read as it comes; one that is no success is raised."""
        with self._http.stream("GET", path, params=query, timeout=timeout) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(answer)
            yield answer

    def _no_answer(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(f"no answer from {self.url}: {error or 'timed out'}")

    def _send(
        self,
        method: str,
        path: str,
        *,
        repeats: tuple[float, ...] = PATIENCE_S,
        also_fine: int = httpx.codes.NOT_MODIFIED,
        **request: Any,
    ) -> httpx.Response:
        """One request. A lost connection is tried again where repeating is safe, and what came too soon, later."""
        for pause_s in (*repeats, None):
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if pause_s is None:
                    raise self._no_answer(error) from error
                time.sleep(pause_s)
                continue
            wait_s = answer.headers.get("Retry-After", "")
            if pause_s is None or answer.status_code != httpx.codes.TOO_MANY_REQUESTS or not wait_s.isdecimal():
                break
            time.sleep(min(int(wait_s), MOST_WAIT_S))
        if answer.is_success or answer.status_code == also_fine:
            return answer
        raise _refusal(answer)


def read(answer: httpx.Response, holding: str | None = None) -> Json:
    """The JSON object of an answer. A proxy or another server may have answered in the gateway's place."""
    try:
        told = answer.json()
    except ValueError as error:
        raise _stranger(answer) from error
    if not isinstance(told, dict) or (holding and holding not in told):
        raise _stranger(answer)
    return told


def events(lines: Iterator[str]) -> Iterator[tuple[str, str | None, Json]]:
    """Server-sent events, each with one line of data."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
            continue
        if "data" in fields:
            yield fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])
        fields.clear()


def _refusal(answer: httpx.Response) -> GatewayError:
    """What the gateway's error says."""
    try:
        problem = read(answer)
        return GatewayError(answer.status_code, problem["code"], problem["message"], problem.get("detail"))
    except (GatewayError, KeyError):
        return _stranger(answer)


def _stranger(answer: httpx.Response) -> GatewayError:
    message = f"{answer.request.url} answered {answer.status_code} {answer.reason_phrase}: is this SampleMind?"
    return GatewayError(answer.status_code, f"http_{answer.status_code}", message)
