"""What every request must pass before it is looked at, and what every answer must say: other sites, bodies, headers.

Who sends a request, and how often, is callers.py's to ask.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.problems import problem_response
from samplemind_tasks.access import is_loopback
from samplemind_tasks.schemas import Problem
from samplemind_tasks.settings import Settings

OF_BODIES = {
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body is packed, or of a type that is not read here.",
}
"""What an operation that takes a body may answer before it is reached."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_BODY_BYTES = 1 << 20
OPEN_PATHS = frozenset({"/", "/docs", "/openapi.json", "/v1/health/live"})
"""Nobody needs a key for these: they say what every copy of SampleMind says, and nothing of any library."""
FORWARDED = (
    "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for", "true-client-ip",
    "cf-connecting-ip", "fly-client-ip", "fastly-client-ip",
)  # fmt: skip
FORWARDED_PREFIX = "x-forwarded"
"""A request that carries one of these came through a proxy, from who knows where."""
NOTHING_LOADED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy of what is no page, and the beginning of every page's."""
ON_EVERY_ANSWER = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": NOTHING_LOADED.encode(),
    b"cache-control": b"no-store",
}
"""Unless the route says otherwise."""


def asks_for_key(scope: Scope, settings: Settings) -> bool:
    """Whether a request must carry a key.

    Not where this machine alone can have sent it: the gateway is set to listen on loopback, the connection did come in
    there, and no proxy handed it on. What the client says in Host is never asked.
    """
    address = (scope.get("server") or ("", None))[0]
    return settings.asks_for_keys or not is_loopback(address) or _came_by_a_proxy(Headers(scope=scope))


def _came_by_a_proxy(headers: Headers) -> bool:
    return any(name in FORWARDED or name.startswith(FORWARDED_PREFIX) for name in headers)


class SiteGuard:
    """Keeps other web sites away from a gateway that asks for no key.

    A page of another site can make a browser send requests to this machine. It cannot forge Origin or Sec-Fetch-Site,
    so what comes from elsewhere is refused; and it can only read answers by pointing a name of its own at 127.0.0.1
    (DNS rebinding), so this machine's own names alone are answered to. Where keys are asked for, no page of another
    site has one to send.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        needs_no_key = scope["type"] == "http" and not asks_for_key(scope, self._settings)
        if needs_no_key and (problem := _stranger(scope, self._settings.allowed_origins)):
            await problem_response(403, problem)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _stranger(scope: Scope, allowed_origins: tuple[str, ...]) -> Problem | None:
    headers = Headers(scope=scope)
    hosts = headers.getlist("host")
    host = hosts[0] if len(hosts) == 1 else ""  # of several, nobody knows which one others go by
    if not is_loopback(_host_name(host)):
        return Problem(code="wrong_host", message="on this machine the gateway answers to localhost and 127.0.0.1 only")
    origin = headers.get("origin")
    if origin in allowed_origins:
        return None
    site = headers.get("sec-fetch-site", "").lower()
    is_foreign = site == "same-site" if origin is None else urlsplit(origin).netloc.lower() != host.lower()
    is_linked = scope["path"] not in OPEN_PATHS and site == "cross-site"
    if is_linked or (is_foreign and scope["method"] not in SAFE_METHODS):
        detail: dict[str, object] = {"origin": origin, "host": host}
        return Problem(code="wrong_origin", message="this request was sent by a page of another site", detail=detail)
    return None


def _host_name(host: str) -> str:
    if re.search(r"[^\w.:\[\]-]", host):  # what an address may hold besides, a Host may not
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class CrossOrigin(CORSMiddleware):
    """Lets pages of other sites ask, those the settings name; without it browsers let none."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Range"],
            expose_headers=["Content-Range", "ETag", "Location", "Retry-After", "X-Request-ID"],
        )


class HeaderGuard:
    """Puts on every answer what keeps browsers from doing more with it than was meant."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                missing = [header for header in ON_EVERY_ANSWER.items() if header[0] not in said]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self._app(scope, receive, send_guarded)


class BodyGuard:
    """Bounds request bodies, announced or counted as they come; packed ones, whose size nobody knows, are refused."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes = self._limit_of(scope["path"])
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            problem = Problem(code="unsupported_media_type", message="send the body as it is, with no Content-Encoding")
            await problem_response(415, problem, {"Connection": "close"})(scope, receive, send)
            return
        if announced.isdecimal() and int(announced) > limit_bytes:
            problem = Problem(code="too_large", message=_too_large(limit_bytes), detail={"limit_bytes": limit_bytes})
            await problem_response(413, problem, {"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, _counting(receive, limit_bytes), send)


def _counting(receive: Receive, limit_bytes: int) -> Receive:
    received_bytes = 0

    async def receive_counted() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit_bytes:
            raise HTTPException(413, _too_large(limit_bytes))
        return message

    return receive_counted


def _too_large(limit_bytes: int) -> str:
    return f"more than {limit_bytes:,} bytes"
