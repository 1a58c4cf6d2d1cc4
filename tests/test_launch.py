"""The embedded stack, on its quickest services: it starts, answers, restarts, refuses, and leaves nothing behind."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import Redis
from redis.exceptions import AuthenticationError

from samplemind_tasks.ai.sources import located
from samplemind_tasks.launch import (
    SERVICES,
    STORES,
    AlreadyRunning,
    Event,
    LaunchFailed,
    Stack,
    StartCancelled,
    read_run_file,
    site,
    supervisor,
)
from samplemind_tasks.launch.child import LOG_LIMIT_BYTES, Child, Guardian, rotate
from samplemind_tasks.launch.folder import PASSWORDS, DataFolder, write_run_file
from samplemind_tasks.launch.site import Site
from samplemind_tasks.model_table import network_cards
from samplemind_tasks.settings import Settings

QUICK = {"redis", "cache"}
PARENT = """
import sys
from pathlib import Path
from samplemind_tasks.launch import Stack, stop_on_signals
from samplemind_tasks.settings import Settings
stack = Stack(Settings(data_dir=Path(sys.argv[1])), only=sys.argv[2].split(","))
stop_on_signals(stack)
stack.start()
print("up", flush=True)
stack.wait()
stack.stop()
"""


def eventually(claim: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Wait for the claim to become true."""
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def carriers_of(folder: Path) -> list[int]:
    """Living processes that name the folder in their arguments, their environment or as their working directory."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), process.environ().get("SAMPLEMIND_DATA_DIR", ""), process.cwd()]
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if alive and process.pid != os.getpid() and any(str(folder) in word for word in told):
            found.append(process.pid)
    return found


@contextmanager
def stack_of_a_process(folder: Path, only: Iterable[str]) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that runs these services and has said that they are up."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), ",".join(only)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        eventually(lambda: not carriers_of(folder))


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the quick services."""
    with stack_of_a_process(tmp_path, QUICK) as process:
        yield process


def without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


# ------------------------------------------------------------------------------------------------------------- servers


def test_the_broker_never_evicts_and_the_cache_may(stores: Settings) -> None:
    with Redis.from_url(stores.redis_url) as broker, Redis.from_url(stores.cache_url) as cache:
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert broker.config_get("appendfsync") == {"appendfsync": "always"}
        assert broker.config_get("appendonly") == {"appendonly": "yes"}
        assert cache.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        assert cache.config_get("appendonly") == {"appendonly": "no"}


def test_strangers_do_not_get_in(stores: Settings) -> None:
    for url in (stores.redis_url, stores.cache_url):
        with Redis.from_url(without_password(url)) as redis, pytest.raises(AuthenticationError):
            redis.ping()
    bare = stores.mongo_url.partition("?")[0]
    with MongoClient[dict[str, object]](without_password(bare)) as client, pytest.raises(OperationFailure):
        client.samplemind.jobs.insert_one({})
    collections = "/api/v2/tenants/default_tenant/databases/default_database/collections"
    for login in (None, ("samplemind", "guessed"), ("", "")):
        url = without_password(stores.chroma_url)
        with httpx.Client(base_url=url, auth=login, trust_env=False) as stranger:
            assert stranger.get(collections).status_code in (401, 403)
            assert stranger.post(collections, json={"name": "mine"}).status_code in (401, 403)
            assert stranger.post("/api/v2/reset").status_code in (401, 403)
    assert httpx.get(f"{stores.chroma_url}{collections}", trust_env=False).is_success


def test_servers_listen_on_loopback_only(stores: Settings) -> None:
    services = read_run_file(stores.data_dir)["services"]
    listening = [
        connection.laddr.ip
        for service in services.values()
        for connection in psutil.Process(service["pid"]).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
    assert len(listening) == len(services) == 4


def test_what_is_written_is_for_the_owner_alone(stores: Settings) -> None:
    folder = stores.data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {"passwords.json", "run.json", "lock", "redis", "chroma", "logs"} <= {path.name for path in folder.iterdir()}
    open_to_others = [path for path in folder.rglob("*") if path.lstat().st_mode & 0o077 and not path.is_symlink()]
    assert open_to_others == []


def test_an_address_is_told_when_it_answers_and_not_before(tmp_path: Path) -> None:
    site = Site(Settings(data_dir=tmp_path), dict.fromkeys(PASSWORDS, "secret"), 1, {"gateway": 7, "flower": 8})
    folder = DataFolder(tmp_path)
    for answering, told in (set[str](), ""), ({"gateway"}, "http://127.0.0.1:7"):
        site.answering |= answering  # another's server may have taken the port meanwhile
        write_run_file(folder, site, "token", [])
        assert (read_run_file(tmp_path)["url"], read_run_file(tmp_path)["flower"]["url"]) == (told, "")


def test_passwords_are_not_in_anybodys_arguments(stores: Settings) -> None:
    passwords = json.loads((stores.data_dir / "passwords.json").read_text()).values()
    for service in read_run_file(stores.data_dir)["services"].values():
        arguments = " ".join(psutil.Process(service["pid"]).cmdline())
        assert not any(password in arguments for password in passwords)


def test_children_see_the_settings_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(
        data_dir=tmp_path, roots=(Path("/a b"), Path("/c")), heartbeat_s=0.5, redis_url="redis://elsewhere/3"
    )
    site = Site(given, dict.fromkeys(PASSWORDS, "secret"), 1, {"cache": 7, "mongodb": 8})
    for name, value in site.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == site.settings
    assert site.settings.redis_url == "redis://elsewhere/3"
    assert site.settings.cache_url == "redis://:secret@127.0.0.1:7/0"


# --------------------------------------------------------------------------------------------------------------- start


def test_a_second_start_on_the_same_folder_says_who_runs(stores: Settings) -> None:
    with pytest.raises(AlreadyRunning, match=rf"already running \(pid {os.getpid()}"):
        Stack(Settings(data_dir=stores.data_dir), only=QUICK).start()
    with Redis.from_url(stores.redis_url) as redis:
        assert redis.ping()


def test_data_and_passwords_survive_a_stop_and_a_start(tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        with Stack(Settings(data_dir=tmp_path), only={"redis"}) as stack:
            stack.start()
            with Redis.from_url(stack.settings.redis_url) as redis:
                assert redis.getset("word", "kept") == expected
        assert read_run_file(tmp_path) == {}


def test_a_named_server_is_used_and_none_of_ours_started(stores: Settings, tmp_path: Path) -> None:
    events: list[Event] = []
    with Stack(Settings(data_dir=tmp_path, redis_url=stores.redis_url), only=QUICK) as stack:
        stack.start(events.append)
        assert stack.settings.redis_url == stores.redis_url
        assert stack.settings.cache_url != stores.cache_url
        assert set(read_run_file(tmp_path)["services"]) == {"cache"}
    assert ("redis", "elsewhere") in [(event.service, event.what) for event in events]


def test_a_named_server_that_is_away_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "NOWHERE_PATIENCE_SECONDS", 0.5)
    away = Settings(data_dir=tmp_path, redis_url="redis://:hidden@127.0.0.1:1/0")
    with pytest.raises(LaunchFailed, match=r"SAMPLEMIND_REDIS_URL names redis://127\.0\.0\.1:1/0: nobody") as failure:
        Stack(away, only=QUICK).start()
    assert "hidden" not in failure.value.message
    assert not carriers_of(tmp_path)


def test_a_service_that_cannot_start_ends_the_start_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "redis" / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest\n")
    events: list[Event] = []
    with pytest.raises(LaunchFailed, match=r"redis: does not start: .+; log: .*redis\.log") as failure:
        Stack(Settings(data_dir=tmp_path), only=QUICK).start(events.append)
    assert any("manifest" in line for line in failure.value.log_lines)
    assert [event.what for event in events if event.service == "redis"].count("died") == 3
    assert not carriers_of(tmp_path)
    assert read_run_file(tmp_path) == {}


class Stranger(BaseHTTPRequestHandler):
    """Says yes to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def test_a_stranger_who_took_the_port_first_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered as Chroma (or the gateway) would, and got what was meant for us."""
    stranger = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    chosen, taken = iter([stranger.server_port]), site.free_port
    monkeypatch.setattr(site, "free_port", lambda preferred=None: next(chosen, None) or taken(preferred))
    with Stack(Settings(data_dir=tmp_path), only={"chroma"}) as stack:
        stack.start()
        assert urlsplit(stack.settings.chroma_url).port != stranger.server_port
        answer = httpx.get(f"{stack.settings.chroma_url}/api/v2/heartbeat", trust_env=False)
        assert "nanosecond heartbeat" in answer.json()
    stranger.shutdown()


def test_a_start_can_be_called_off(tmp_path: Path) -> None:
    stack = Stack(Settings(data_dir=tmp_path))
    with pytest.raises(StartCancelled):
        stack.start(lambda event: stack.request_stop() if event.what == "ready" else None)
    assert not carriers_of(tmp_path)


# -------------------------------------------------------------------------------------------------------------- deaths


def test_a_dead_child_is_restarted_where_it_was_and_its_last_words_are_shown(tmp_path: Path) -> None:
    events: list[Event] = []
    with Stack(Settings(data_dir=tmp_path), only={"redis"}) as stack:
        stack.start(events.append)
        url = stack.settings.redis_url
        with Redis.from_url(url) as redis:
            redis.set("word", "kept")
        before = read_run_file(tmp_path)["services"]["redis"]["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: [event.what for event in events].count("ready") == 2)
        assert read_run_file(tmp_path)["services"]["redis"]["pid"] != before
        assert stack.settings.redis_url == url
        with Redis.from_url(url) as redis:
            assert redis.get("word") == b"kept"
    death = next(event for event in events if event.what == "died")
    assert "ended with -9" in death.message
    assert any("Ready to accept connections" in line for line in death.log_lines)


def test_a_child_is_restarted_also_where_the_logs_were_cleared_away(tmp_path: Path) -> None:
    events: list[Event] = []
    with Stack(Settings(data_dir=tmp_path), only={"cache"}) as stack:
        stack.start(events.append)
        shutil.rmtree(tmp_path / "logs")
        os.kill(read_run_file(tmp_path)["services"]["cache"]["pid"], signal.SIGKILL)
        eventually(lambda: [event.what for event in events].count("ready") == 2)
        assert (tmp_path / "logs" / "cache.log").exists()


@pytest.mark.timeout(120)
def test_a_model_that_is_away_holds_up_its_workers_alone_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MEND_LOOK_SECONDS", 0.2)
    own, weights = tmp_path / "own.toml", tmp_path / "weights"
    row = network_cards()["musicnn-mtt"]
    own.write_text(f"""
        [networks.musicnn-mtt]
        architecture = "musicnn"
        source = "file:{weights}"
        file = "MTT_musicnn"
        sha256 = "{row.sha256}"
        licence = "ISC"
        credit = "somebody"
        front_end = "musicnn"
        size = {row.size}
        tags = {json.dumps(row.tags)}
    """)
    events: list[Event] = []
    given = Settings(data_dir=tmp_path / "data", models_file=own, model="musicnn-mtt")
    with Stack(given, only=STORES | {"models", "worker-ai"}) as stack:
        stack.start(events.append)
        died = [event.message for event in events if event.what == "died"]
        assert len(died) == 1
        assert "The weights of musicnn-mtt are not there. Put it there whole: its row in models.toml" in died[0]
        weights.symlink_to(located(row, tmp_path).parent)
        eventually(
            lambda: {"models", "worker-ai"} <= {event.service for event in events if event.what == "ready"}, within_s=90
        )


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_within_ten_seconds(
    parent: subprocess.Popen[str], tmp_path: Path, sent: signal.Signals
) -> None:
    assert len(carriers_of(tmp_path)) == 3
    began = time.monotonic()
    parent.send_signal(sent)
    assert parent.wait(10) == 0
    assert time.monotonic() - began < 10
    assert not carriers_of(tmp_path)


def test_a_killed_parent_leaves_no_children_and_the_next_start_works(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    parent.kill()
    parent.wait()
    with Stack(Settings(data_dir=tmp_path), only=QUICK) as stack:  # waits for the guardian to finish
        stack.start()
        assert len(carriers_of(tmp_path)) == 2
    assert not carriers_of(tmp_path)


def left_by(parent: subprocess.Popen[str], data_dir: Path) -> list[int]:
    """The children that go on when parent and guardian are killed."""
    os.kill(parent.pid, signal.SIGSTOP)  # or it would make a new guardian
    [guardian] = [
        child for child in psutil.Process(parent.pid).children() if "guardian.py" in " ".join(child.cmdline())
    ]
    guardian.kill()
    parent.kill()
    parent.wait()
    orphans = carriers_of(data_dir)
    assert len(orphans) == 2
    return orphans


def test_down_ends_what_a_killed_stack_left(parent: subprocess.Popen[str], tmp_path: Path) -> None:
    left_by(parent, tmp_path)
    command = [sys.executable, "-m", "samplemind_tasks.cli", "down", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "Ended 2 processes of a stack that was killed.\n"
    assert not carriers_of(tmp_path)


def test_children_that_outlived_parent_and_guardian_are_ended_by_the_next_start(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    orphans = left_by(parent, tmp_path)
    with Stack(Settings(data_dir=tmp_path), only={"cache"}) as stack:
        stack.start()
        assert not set(orphans) & set(carriers_of(tmp_path))


def test_a_dead_guardian_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "CARE_EVERY_SECONDS", 0.1)
    with Stack(Settings(data_dir=tmp_path), only={"cache"}) as stack:
        stack.start()
        first = stack._children._guardian
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        eventually(lambda: stack._children._guardian is not first)
        assert stack._children._guardian is not None
        assert stack._children._guardian.is_alive


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_guardian_ends_a_child_it_was_not_told_of_and_one_that_ignores_sigterm(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    env = {**os.environ, "SAMPLEMIND_STACK": "token-of-this-test", "PYTHONUNBUFFERED": "1"}
    told, untold = (
        Child(name, [sys.executable, "-c", deaf], env, tmp_path / "logs" / f"{name}.log") for name in ("told", "untold")
    )
    eventually(lambda: told.last_lines() and untold.last_lines())
    with (tmp_path / "lock").open("w") as lock:
        guardian = Guardian("token-of-this-test", lock.fileno(), [told.pid])
        guardian.dismiss()
    assert told.wait() == untold.wait() == -signal.SIGKILL


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "redis.log"
    log.write_bytes(b"x" * (LOG_LIMIT_BYTES - 1))
    rotate(log)
    assert log.stat().st_size == LOG_LIMIT_BYTES - 1
    log.write_bytes(b"x" * LOG_LIMIT_BYTES)
    rotate(log)
    assert log.stat().st_size == 0
    assert (tmp_path / "redis.log.1").stat().st_size == LOG_LIMIT_BYTES


# ---------------------------------------------------------------------------------------------------- the whole of it

WHOLE = {service.name for service in SERVICES}
ROLES = {"cpu", "ai", "live", "control", "scan"}


def test_the_whole_stack_starts_works_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with stack_of_a_process(tmp_path, WHOLE) as parent:
        running = read_run_file(tmp_path)
        assert set(running["services"]) == {service.name for service in SERVICES if not service.runs_once}
        assert httpx.get(f"{running['url']}/v1/health/live").is_success
        flower = running["flower"]
        assert httpx.get(f"{flower['url']}/api/workers").status_code == 401
        seen = httpx.get(f"{flower['url']}/workers", auth=(flower["user"], flower["password"]))
        assert seen.status_code == 200
        with Redis.from_url(running["urls"]["redis"], decode_responses=True) as redis:
            assert {key.split(":")[1] for key in redis.scan_iter("worker:*")} >= ROLES
        parent.kill()
        eventually(lambda: not carriers_of(tmp_path))
