"""How long the gateway waits for a client to say what it wants, and to take what it asked for.

uvicorn waits for ever, and takes a request's head of any size: a few hundred clients that send a byte now and then
would hold every file descriptor there is (slow loris).
"""

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from samplemind_tasks.schemas import Problem

HEAD_WITHIN_S = 15.0
MOST_HEAD_BYTES = 64 << 10
"""Of request line and headers together."""
BODY_WITHIN_S = 20.0
LEAST_BYTES_PER_S = 1_000
"""A body may take `BODY_WITHIN_S`, and as much longer as its bytes would at this pace."""
ANSWERED_BODY_WITHIN_S = 5.0
"""What is left of a body when its request is answered, as one that is too large."""
TAKEN_WITHIN_S = 60.0
"""So long a client may leave a full buffer of its answer untaken."""


class Connection(HttpToolsProtocol):
    """One connection, let go of when the head of a request does not arrive, or its answer is not taken."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _body_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request. Between two requests uvicorn has a time-out of its own."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._head_timer, self._body_timer, self._reader_timer):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head that has not ended."""
        super().data_received(data)
        if self._head_timer:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the shape of every other problem."""
        body = Problem(code="bad_request", message=msg).model_dump_json().encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_is_there()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The answer is out. A body that nobody asks for any more may end soon, so that the client reads the answer."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._body_timer = self.loop.call_later(ANSWERED_BODY_WITHIN_S, self.transport.abort)

    def on_message_complete(self) -> None:
        """The body is whole."""
        super().on_message_complete()
        if self._body_timer:
            self._body_timer.cancel()
            self._body_timer = None

    def pause_writing(self) -> None:
        """The client takes its answer more slowly than it is made."""
        super().pause_writing()
        self._reader_timer = self.loop.call_later(TAKEN_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken what waited for it."""
        super().resume_writing()
        if self._reader_timer:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _await_head(self) -> None:
        if not self._head_timer:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.abort)

    def _head_is_there(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None


class SlowBodyGuard:
    """Waits for the body of a request as long as it comes at all well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, _hurrying(receive) if scope["type"] == "http" else receive, send)


def _hurrying(receive: Receive) -> Receive:
    began, received_bytes, is_whole = time.monotonic(), 0, False

    async def receive_soon() -> Message:
        nonlocal received_bytes, is_whole
        if is_whole:  # what is waited for now is that the client goes
            return await receive()
        left_s = began + BODY_WITHIN_S + received_bytes / LEAST_BYTES_PER_S - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(left_s, 0))
        except TimeoutError:
            late = f"the body came more slowly than {LEAST_BYTES_PER_S:,} bytes a second"
            raise HTTPException(408, late, {"Connection": "close"}) from None
        received_bytes += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        return message

    return receive_soon
