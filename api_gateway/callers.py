"""Who sends a request: the key it carries, how often that key may ask, and a log of what it changed."""

import math
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.guards import OPEN_PATHS, SAFE_METHODS, asks_for_key
from api_gateway.pace import Pace, neighbourhood
from api_gateway.problems import RETRY_AFTER_S, problem_response
from api_gateway.scopes import needed_scope
from samplemind_tasks.access import KEYLESS, NO_KEYS, Caller
from samplemind_tasks.access import Scope as KeyScope
from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.library.keys import BELIEVED_S, Keys
from samplemind_tasks.logs import get_log
from samplemind_tasks.schemas import Problem
from samplemind_tasks.settings import Settings

WRONG_KEYS_PER_MINUTE = 20
"""From one address; then keys that were not right before are not even looked at. Those that were still are, so that
nobody can lock out who shares a proxy with him."""
EMPTY_KEY = Problem(code="no_key", message="the header for a key is there, and no key is in it")
NO_KEY = Problem(code="no_key", message="send a key: Authorization: Bearer KEY")
WRONG_KEY = Problem(code="wrong_key", message="this key is wrong, or it was revoked or has expired")
OTHER_SCHEME = Problem(
    code="no_key", message="a key is sent as Authorization: Bearer KEY, or as X-API-Key: KEY; no other scheme is read"
)
KEY_HEADERS = ("authorization", "x-api-key")
CHALLENGE = 'Bearer realm="SampleMind"'

log = get_log(__name__)


class Refused(Exception):
    """The request goes no further."""

    def __init__(self, status: int, problem: Problem, **headers: str) -> None:
        super().__init__(problem.code)
        self.status = status
        self.problem = problem
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class KeyGuard:
    """Lets a request pass that carries a right key, or needs none; `request.state.caller` says whose it is."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._pace = Pace(settings.requests_per_s, settings.requests_burst)
        self._wrong = Pace(WRONG_KEYS_PER_MINUTE / 60, WRONG_KEYS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, _in_a_sentence(send))
            return
        try:
            caller = None if scope["path"] in OPEN_PATHS else await self._caller(scope)
        except Refused as refused:
            await problem_response(refused.status, refused.problem, refused.headers)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        if caller is None or caller.key_id is None:
            await self._app(scope, receive, send)
        else:
            await _KeyedAnswer(scope, send).through(self._app, receive)

    async def _caller(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        if _has_other_scheme(headers):
            raise Refused(401, OTHER_SCHEME, WWW_Authenticate=CHALLENGE)
        key = sent_key(headers)
        if not key:
            if any(name in headers for name in KEY_HEADERS):  # a script whose variable is empty means to send one
                raise Refused(401, EMPTY_KEY, WWW_Authenticate=CHALLENGE)
            if asks_for_key(scope, self._settings):
                raise Refused(401, NO_KEY, WWW_Authenticate=CHALLENGE)
            return KEYLESS
        caller = await self._holder(scope["app"].state.library.keys, key, _address(scope))
        if wait_s := self._pace.take(caller.key_id or ""):
            raise _too_often(wait_s, f"a key may send {self._settings.requests_per_s:g} requests a second")
        return caller

    async def _holder(self, keys: Keys, key: str, address: str) -> Caller:
        """Whose key it is. All that is wrong with one gets the same answer."""
        if (wait_s := self._wrong.wait_s(address)) and not keys.is_familiar(key):
            raise _too_often(wait_s, "too many wrong keys came from this address")
        try:
            caller = await keys.caller(key)
        except StoreUnavailable as error:
            problem = Problem(code=error.code, message=error.message, detail=error.detail)
            raise Refused(503, problem, Retry_After=str(RETRY_AFTER_S)) from error
        if caller is None:
            self._wrong.take(address)
            log.warning("key_refused", address=address)
            raise Refused(401, WRONG_KEY, WWW_Authenticate=f'{CHALLENGE}, error="invalid_token"')
        return caller


class _KeyedAnswer:
    """An answer that may take long, such as a stream of events: it breaks off when its key is not right any more."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._keys: Keys = scope["app"].state.library.keys
        self._ask_again_at = time.monotonic() + BELIEVED_S
        self._is_over = False

    async def through(self, app: ASGIApp, receive: Receive) -> None:
        try:
            await app(self._scope, receive, self._send_while_right)
        except Exception:  # whatever the server makes of our breaking off is no fault
            if not self._is_over:
                raise
            log.info("answer_broken_off", path=self._scope["path"])

    async def _send_while_right(self, message: Message) -> None:
        if message.get("more_body") and time.monotonic() >= self._ask_again_at:
            self._ask_again_at = time.monotonic() + BELIEVED_S
            with suppress(StoreUnavailable):  # then it is asked next time
                self._is_over = await self._keys.caller(sent_key(Headers(scope=self._scope))) is None
        if self._is_over:
            raise Refused(401, WRONG_KEY)
        await self._send(message)


def _in_a_sentence(send: Send) -> Send:
    """Lets a start that was refused say why, without the calls that led there."""

    async def send_briefly(message: Message) -> None:
        is_refused = NO_KEYS in message.get("message", "")
        await send({**message, "message": NO_KEYS} if is_refused else message)

    return send_briefly


def sent_key(headers: Headers) -> str:
    """The key a request carries; empty where it carries none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return (key if scheme else headers.get("x-api-key", "")).strip()


def _has_other_scheme(headers: Headers) -> bool:
    return headers.get("authorization", "").partition(" ")[0].lower() not in ("", "bearer")


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return neighbourhood(client[0]) if client else ""


def _too_often(wait_s: float, why: str) -> Refused:
    return Refused(429, Problem(code="too_many_requests", message=why), Retry_After=str(math.ceil(wait_s)))


class AuditLog:
    """One line in the log for each request that changes something, or tried to: by whom, what, and how it ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told: dict[str, object] = {"status": 500}  # what is answered where the route breaks before it answers

        async def send_watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                made = Headers(raw=message["headers"]).get("location")
                told.update({"made": made} if made else {})
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        finally:
            if _would_change(scope):
                route, caller = scope["route"], scope["state"]["caller"]
                log.info(
                    "change_asked", user=caller.user, key=caller.key_id, method=scope["method"], route=route.path,
                    operation=route.name, ids=scope["path_params"], address=_address(scope), **told,
                )  # fmt: skip


def _would_change(scope: Scope) -> bool:
    """Whether it found a route that changes something. A search changes nothing, though it is a POST."""
    if scope["type"] != "http" or scope["method"] in SAFE_METHODS or "route" not in scope:
        return False
    return needed_scope(scope["route"].name, scope["method"]) is not KeyScope.READ
