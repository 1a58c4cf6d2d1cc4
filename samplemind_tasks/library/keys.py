"""Keys: made, listed, revoked, and recognised when a request carries one.

A key is `sm_<id>_<secret>`. The id finds its document; the secret is 192 random bits, and a SHA-256 of the whole is
kept. Slow hashes are for passwords, which can be guessed; nobody guesses 192 bits, and every request would pay for it.
"""

import asyncio
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from samplemind_tasks.access import MOST_KEYS, Caller, CreatedKey, KeyList, KeyView, NewKey
from samplemind_tasks.errors import BadRequest, Conflict, NotFound, StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.keys import KeyStore

ID_BYTES = 6
SECRET_BYTES = 24
KEY = re.compile(rf"sm_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
BELIEVED_S = 5.0
"""A key that was right is not looked up again for so long: a revoked one may pass for as long."""
USE_NOTED = timedelta(minutes=1)
"""The last use is written this often at most."""
LISTED_AFTER_END = timedelta(days=90)
NOBODY = bytes(32)
"""Compared with where there is no key of an id, so that the answer comes by the same way."""

log = get_log(__name__)


@dataclass(frozen=True)
class _Known:
    """A key that was right when MongoDB was last asked."""

    caller: Caller
    expires_at: datetime | None
    until: float


class Keys:
    """All keys of a gateway."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._known: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Task[Caller | None]] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def create(self, wanted: NewKey) -> CreatedKey:
        """Make a key. Nobody can show it again.

        Raises
        ------
        BadRequest : it would have expired already.
        Conflict : there are too many.
        """
        now = _now()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            message = "this moment has passed"
            raise BadRequest(message, detail={"fields": [{"field": "expires_at", "message": message}]})
        await self._make_room(now)
        told = wanted.model_dump() | {"expires_at": _kept(wanted.expires_at) if wanted.expires_at else None}
        while True:
            key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
            view = KeyView(**told, id=key_id, created_at=now, last_used_at=None, revoked_at=None)
            key = f"sm_{key_id}_{secret}"
            if await self._store.insert(view, sha256(key.encode()).digest()):
                log.info("key_made", key=key_id, user=view.user, scope=view.scope.value, name=view.name)
                return CreatedKey(**view.model_dump(), key=key)

    async def _make_room(self, now: datetime) -> None:
        """Forget what ended long ago, and refuse where there are too many still."""
        keys = await self._store.all()
        ended = [key for key in keys if key.ended_before(now)]
        listed = [key for key in ended if not key.ended_before(now - LISTED_AFTER_END)][:MOST_KEYS]
        await self._store.forget([key.id for key in ended if key not in listed])
        if len(keys) - len(ended) >= MOST_KEYS:
            raise Conflict(f"there are {MOST_KEYS} keys: revoke some that nobody uses", code="too_many_keys")

    async def all(self) -> KeyList:
        """Every key, the newest first."""
        return KeyList(keys=await self._store.all())

    async def any_usable(self) -> bool:
        """Whether somebody could come in with a key."""
        now = _now()
        return any(not key.ended_before(now) for key in await self._store.all())

    async def revoke(self, key_id: str) -> None:
        """Let a key open nothing more: here at once, at other gateways within BELIEVED_S."""
        if await self._store.get(key_id) is None:
            raise NotFound(f"there is no key {key_id}", code="key_not_found")
        await self._store.revoke(key_id, _now())
        log.info("key_revoked", key=key_id)
        self._known = {digest: known for digest, known in self._known.items() if known.caller.key_id != key_id}

    def is_familiar(self, key: str) -> bool:
        """Whether this very key was right not long ago; nothing is asked."""
        return sha256(key.encode()).digest() in self._known

    async def caller(self, key: str) -> Caller | None:
        """Who sends this key; None where it is wrong, revoked or expired, and nobody is told which.

        Raises
        ------
        StoreUnavailable : MongoDB does not answer, and the key was not looked up just now.
        """
        digest = sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known.until:
            return known.caller if known.expires_at is None or _now() < known.expires_at else None
        asking = self._asking.get(digest)
        if asking is None:  # many requests of one key ask once
            asking = self._asking[digest] = asyncio.create_task(self._look_up(key, digest))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    async def _look_up(self, key: str, digest: bytes) -> Caller | None:
        told = KEY.fullmatch(key)
        stored = await self._store.get(told[1]) if told else None
        is_right = hmac.compare_digest(digest, stored.hash if stored else NOBODY)
        view = stored.view if stored and is_right else None
        if view is None or view.ended_before(_now()):
            self._known.pop(digest, None)
            return None
        caller = Caller(user=view.user, scope=view.scope, key_id=view.id)
        self._known[digest] = _Known(caller, view.expires_at, time.monotonic() + BELIEVED_S)
        if view.last_used_at is None or _now() - view.last_used_at >= USE_NOTED:
            noting = asyncio.create_task(self._note_use(view.id))  # no request waits for it
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)
        return caller

    async def _note_use(self, key_id: str) -> None:
        try:
            await self._store.used(key_id, _now())
        except StoreUnavailable as error:
            log.info("key_use_not_noted", key=key_id, why=error.message)

    async def close(self) -> None:
        """Let what is being noted come to its end."""
        await asyncio.gather(*self._noting)


def _now() -> datetime:
    return _kept(datetime.now(UTC))


def _kept(moment: datetime) -> datetime:
    """A moment as MongoDB keeps it: to the millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
