"""Every request has a name: taken from X-Request-ID or made, answered, and bound to whatever is logged for it.

One line a request when it is over, and its place in the metrics. Outermost, so that what a guard refuses is seen too.
"""

import re
import secrets
import time
from http import HTTPStatus
from typing import Protocol

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samplemind_tasks.logs import REQUEST_ID, bind_request, get_log

HEADER = "X-Request-ID"
NO_ROUTE = "(none)"
"""Refused before it was looked at, or no such address."""

_ACCEPTABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
"""An id of somebody else's making ends in our logs and answers: letters that mean nothing anywhere."""
_NOT_LOGGED = frozenset({"/v1/health/live", "/metrics"})
"""Asked every few seconds by programs, for as long as it goes well."""

log = get_log(__name__)


class Observer(Protocol):
    """Who wants to know of requests."""

    def began(self) -> None:
        """A request has come."""

    def stream_began(self) -> None:
        """Its answer is a stream of events."""

    def ended(self, *, method: str, route: str, status: int, seconds: float, is_stream: bool) -> None:
        """It is over. seconds: until the answer was whole; until it began, where it is a stream of events."""


class RequestIds:
    """The middleware."""

    def __init__(self, app: ASGIApp, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send, self._observer)
        try:
            await self._app(scope, receive, request.send)
        finally:
            request.end()


class _Request:
    """One request on its way."""

    def __init__(self, scope: Scope, send: Send, observer: Observer) -> None:
        self._scope = scope
        self._send = send
        self._observer = observer
        self._began = time.perf_counter()
        self._begins_to_answer_s: float | None = None
        self._status = 500
        """Until the answer begins: what is raised becomes that."""
        self._is_stream = False
        self.id = request_id_of(scope)
        scope[REQUEST_ID] = self.id
        structlog.contextvars.clear_contextvars()
        bind_request(self.id)
        observer.began()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._begins_to_answer_s = time.perf_counter() - self._began
            headers = MutableHeaders(scope=message)
            headers[HEADER] = self.id
            if headers.get("content-type", "").startswith("text/event-stream"):
                self._is_stream = True
                self._observer.stream_began()
        await self._send(message)

    def end(self) -> None:
        seconds = time.perf_counter() - self._began
        if self._is_stream and self._begins_to_answer_s is not None:
            seconds = self._begins_to_answer_s
        method, route, status = self._scope["method"], route_of(self._scope), self._status
        self._observer.ended(method=method, route=route, status=status, seconds=seconds, is_stream=self._is_stream)
        if route not in _NOT_LOGGED or status >= HTTPStatus.BAD_REQUEST:
            user = getattr(self._scope.get("state", {}).get("caller"), "user", None)
            ms = round(seconds * 1000, 2)
            log.info("request_answered", method=method, route=route, status=status, ms=ms, user=user)


def request_id_of(scope: Scope) -> str:
    """The id a request brought along, if it is one; else a new one."""
    brought = Headers(scope=scope).get(HEADER, "")
    return brought if _ACCEPTABLE.fullmatch(brought) else secrets.token_hex(8)


def route_of(scope: Scope) -> str:
    """The template of the route that was taken, never the address itself: there are few of them."""
    whole = scope.get("fastapi", {}).get("effective_route_context")  # knows its prefix, which the route does not
    if taken := whole or scope.get("route"):
        return str(taken.path)
    is_fixed = "endpoint" in scope and not scope.get("path_params")  # as /openapi.json
    return str(scope["path"]) if is_fixed else NO_ROUTE
