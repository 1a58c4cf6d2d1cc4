"""Is it ready? Each part is asked; nothing is guessed from time that has passed."""

import hashlib
import http.client
import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import RedisError

from samplemind_tasks.access import NO_KEYS
from samplemind_tasks.launch.events import NoKeys
from samplemind_tasks.queues import worker_beat_key
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.keys import has_usable_key
from samplemind_tasks.store.migrations import migrate
from samplemind_tasks.store.mongo import connect

ASK_SECONDS = 1.0
ANSWER_SECONDS = 10.0
"""One that lets us in and then says nothing for so long does not answer."""


def address(url: str) -> str:
    """A URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def leads_nowhere(url: str) -> bool:
    """No such host, or nobody listens there. False where that cannot be told."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # several hosts
        return False
    if not host or not port:
        return False
    try:
        socket.create_connection((host, port), ASK_SECONDS).close()
    except (ConnectionRefusedError, socket.gaierror):
        return True
    except OSError:
        return False
    return False


def redis_answers(url: str) -> bool:
    """It is up, lets us in, and has read its log (a server still loading says so instead of PONG)."""
    try:
        with Redis.from_url(url, socket_connect_timeout=ASK_SECONDS, socket_timeout=ASK_SECONDS) as redis:
            return bool(redis.ping())
    except RedisError:
        return False


def mongodb_answers(url: str) -> bool:
    """It is up and lets us in."""
    try:
        ask_ms, answer_ms = int(ASK_SECONDS * 1000), int(ANSWER_SECONDS * 1000)
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=ask_ms, timeoutMS=answer_ms) as client:
            client.admin.command("ping")
            client.admin.list_collection_names()  # a ping is answered to strangers too
    except PyMongoError:
        return False
    return True


def has_mongodb_user(folder: Path, password: str) -> bool:
    """MongoDB's user was made with this password."""
    return says_same(folder / "mongodb-user", hashlib.sha256(password.encode()).hexdigest())


def note_mongodb_user(folder: Path, password: str) -> None:
    """Remember that MongoDB's user was made with this password."""
    leave_marker(folder / "mongodb-user", hashlib.sha256(password.encode()).hexdigest())


def migrate_database(settings: Settings) -> None:
    """Bring the database up to date before anyone else uses it."""
    database = connect(settings)
    try:
        migrate(database)
    finally:
        database.client.close()


def require_a_key(settings: Settings) -> None:
    """Nothing that others can reach is opened before there is a key.

    Raises
    ------
    NoKeys : with the command that makes one.
    """
    if not settings.asks_for_keys:
        return
    database = connect(settings)
    try:
        if not has_usable_key(database):
            raise NoKeys("gateway", NO_KEYS)
    finally:
        database.client.close()


def http_answers(url: str) -> bool:
    """A GET of the url succeeds."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_beats(redis_url: str, role: str, pid: int) -> bool:
    """The worker with this process id has told Redis that it lives, which it first does when it takes tasks."""
    key = worker_beat_key(role, f"{os.uname().nodename}:{pid}")
    try:
        with Redis.from_url(redis_url, socket_connect_timeout=ASK_SECONDS, socket_timeout=ASK_SECONDS) as redis:
            return bool(redis.exists(key))
    except RedisError:
        return False


def schedule_written(schedule: Path, since: float) -> bool:
    """Beat writes its schedule file when it has read the schedule and begins to tick. since: seconds of the epoch."""
    return any(file.stat().st_mtime >= since for file in schedule.parent.glob(f"{schedule.name}*"))


def says_same(marker: Path, state: object) -> bool:
    """The marker was left by work done in just this state."""
    return marker.exists() and marker.read_text() == json.dumps(state)


def leave_marker(marker: Path, state: object) -> None:
    """Note that the work is done in this state."""
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(state))
