"""ETags: what a client has already is not sent again. Each is a hash of the answer, right whatever that is made of."""

import hashlib

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REVALIDATED = "private, no-cache"
"""Kept by the client alone, who asks each time whether it still holds."""


def etag_of(body: bytes) -> str:
    """Tells two answers apart."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def has_already(if_none_match: str | None, etag: str) -> bool:
    """Whether a client says that it has the answer."""
    if if_none_match is None:
        return False
    told = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return etag in told or told == {"*"}


class ConditionalGet:
    """Gives every JSON answer to a GET an ETag, and answers 304 where the client has it. Streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(b"if-none-match")
        held: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _can_be_tagged(message):
                held = message
                return
            start, held = held, None
            if start is not None:
                if not message.get("more_body"):
                    start, message = _tagged(start, message, asked.decode("latin-1") if asked else None)
                await send(start)
            await send(message)

        await self._app(scope, receive, sending)


def _can_be_tagged(start: Message) -> bool:
    headers = MutableHeaders(raw=start["headers"])
    is_json = headers.get("content-type", "").startswith("application/json")
    return start["status"] == 200 and is_json and "etag" not in headers


def _tagged(start: Message, message: Message, if_none_match: str | None) -> tuple[Message, Message]:
    """The answer with its ETag, or 304 in its place."""
    etag, headers = etag_of(message.get("body", b"")), MutableHeaders(raw=list(start["headers"]))
    headers["etag"] = etag
    headers.setdefault("cache-control", REVALIDATED)
    if not has_already(if_none_match, etag):
        return {**start, "headers": headers.raw}, message
    del headers["content-length"], headers["content-type"]
    return {**start, "status": 304, "headers": headers.raw}, {**message, "body": b""}
