"""What every request must pass before it is looked at: whose page sent it, and how long its body may be."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.problems import problem_response
from samplemind_tasks.schemas import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_BODY_BYTES = 1 << 20


class SiteGuard:
    """Keeps other web sites away from a gateway that asks for no key.

    A page of another site can make a browser send requests to this machine. It cannot forge Origin, so an unsafe method
    from elsewhere is refused; and it can only read answers by pointing a name of its own at 127.0.0.1 (DNS rebinding),
    so on loopback only this machine's own names are answered to.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (problem := _stranger(scope)):
            await problem_response(403, problem)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _stranger(scope: Scope) -> Problem | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    server = scope.get("server")
    if server and _is_this_machine(server[0]) and not _is_this_machine(_host_name(host)):
        return Problem(code="wrong_host", message="on this machine the gateway answers to localhost and 127.0.0.1 only")
    origin = headers.get("origin")
    if scope["method"] not in SAFE_METHODS and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        detail: dict[str, object] = {"origin": origin, "host": host}
        return Problem(code="wrong_origin", message="this request was sent by a page of another site", detail=detail)
    return None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_this_machine(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


class BodyGuard:
    """Bounds request bodies, announced or counted as they come."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes = self._limit_of(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
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
