"""Containers: compose.yaml and the Dockerfiles say the same as the table of services, and keep what they promise.

No container engine is needed: what is read here is what an engine is told, and both Redis are really started as told.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from redis import Redis
from redis.exceptions import OutOfMemoryError

from samplemind_tasks.launch.probe import beats
from samplemind_tasks.launch.ready import redis_answers, worker_beats
from samplemind_tasks.launch.services import SERVICES
from samplemind_tasks.launch.site import Site, _redis_program, free_port
from samplemind_tasks.model_table import CONFIG_DIR
from samplemind_tasks.queues import worker_beat_key
from samplemind_tasks.settings import Settings

PROJECT = CONFIG_DIR.parent
LIBRARY = "/srv/samples"
NAMES = {"gateway": "api", "worker-ai": "worker-gpu"}
"""The table's services that have another name in compose.yaml."""
STEPS = {"warm-audio", "models"}
STORES = {"redis", "cache", "mongodb", "chroma"}


def filled(text: str, **environment: str) -> str:
    """What compose makes of the variables in its file: their defaults, where the environment does not name them."""

    def value(found: re.Match[str]) -> str:
        name, how, other = found.groups()
        if name not in environment and how == ":?":
            raise KeyError(f"{name}: {other}")
        return environment.get(name) or (other if how == ":-" else "") or ""

    return re.sub(r"(?<!\$)\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text).replace("$$", "$")


def compose(name: str = "compose.yaml", **environment: str) -> dict[str, Any]:
    """A compose file as the engine is told it."""
    loaded: dict[str, Any] = yaml.safe_load(
        filled((PROJECT / name).read_text(), **{"SAMPLEMIND_LIBRARY": LIBRARY, **environment})
    )
    return loaded


COMPOSE = compose()
SERVICE_NAMES = list(COMPOSE["services"])
OURS = [name for name in SERVICE_NAMES if "build" in COMPOSE["services"][name]]
TABLE = {NAMES.get(service.name, service.name): service for service in SERVICES if service.name != "mongodb-user"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A place where the table's commands can be written out."""
    ports = {"redis": 6379, "cache": 6379, "mongodb": 27017, "chroma": 8000, "flower": 5555, "gateway": 8321}
    return Site(Settings(data_dir=tmp_path), dict.fromkeys(("redis", "cache", "mongodb", "flower"), "x"), 2, ports)


# ----------------------------------------------------------------------------------------- the table and the file agree


def test_compose_has_the_services_of_the_table() -> None:
    assert set(SERVICE_NAMES) == set(TABLE)


@pytest.mark.parametrize("name", sorted(set(SERVICE_NAMES) - STORES - {"flower"}))
def test_a_service_runs_the_command_of_the_table(name: str, site: Site) -> None:
    assert COMPOSE["services"][name]["command"] == in_a_container(TABLE[name].argv(site), site)


def test_flower_runs_the_command_of_the_table(site: Site) -> None:
    _, _, line = COMPOSE["services"]["flower"]["command"]
    words = shlex.split(line)
    assert words[words.index("exec") + 1 :] == in_a_container(TABLE["flower"].argv(site), site)


def test_chroma_keeps_its_files_where_its_volume_is() -> None:
    """Its quicker server, which asks for no login: the network that it is in has no way in."""
    chroma = COMPOSE["services"]["chroma"]
    assert chroma["command"][:4] == ["chroma", "run", "--path", "/var/lib/samplemind/chroma"]
    assert chroma["volumes"] == ["chroma:/var/lib/samplemind/chroma"]
    assert "ports" not in chroma


def in_a_container(argv: list[str], site: Site) -> list[str]:
    """A command of the table as a container has it: its own python, addresses that others reach, its own folders."""
    places = {
        sys.executable: "python",
        "127.0.0.1": "0.0.0.0",
        str(site.folder / "beat-schedule"): "/tmp/beat-schedule",  # noqa: S108 - a container's own
        str(site.folder): "/var/lib/samplemind",
        str(CONFIG_DIR): "/opt/samplemind/config",
    }
    for here, there in places.items():
        argv = [word.replace(here, there) for word in argv]
    return argv


@pytest.mark.parametrize("name", [name for name in SERVICE_NAMES if name.startswith("worker-") or name in STEPS])
def test_a_service_is_told_what_the_table_tells_it(name: str, site: Site) -> None:
    assert TABLE[name].env(site).items() <= COMPOSE["services"][name]["environment"].items()


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    waits = {other: how["condition"] for other, how in COMPOSE["services"][name].get("depends_on", {}).items()}
    for need in set(TABLE[name].needs) & set(TABLE):
        assert waits[need] == ("service_completed_successfully" if need in STEPS else "service_healthy")


def test_the_image_of_the_gateway_starts_it_by_itself() -> None:
    (command,) = re.findall(r"^CMD (\[.*?\])$", (PROJECT / "Dockerfile.api").read_text(), re.DOTALL | re.MULTILINE)
    assert json.loads(command.replace("\\\n", "")) == COMPOSE["services"]["api"]["command"]


# ----------------------------------------------------------------------------------------------------- what is promised


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_every_service_is_bounded_watched_and_harmless(name: str) -> None:
    service = COMPOSE["services"][name]
    is_step = name in STEPS
    assert service["restart"] == ("no" if is_step else "unless-stopped")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert bool(service["healthcheck"].get("test")) is not is_step
    assert service["user"] not in ("root", "0", "0:0")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    if name in OURS:
        assert service["read_only"]


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_every_service_that_takes_no_port_can_be_scaled(name: str) -> None:
    assert not {"container_name", "hostname"} & set(COMPOSE["services"][name])
    if name.startswith("worker-"):
        words = COMPOSE["services"][name]["command"]
        assert words[words.index("-n") + 1].endswith("@%h")


def test_only_the_gateway_and_flower_are_published_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8321:8321"], "flower": ["127.0.0.1:5555:5555"]}


def test_stores_have_no_way_in_or_out() -> None:
    assert COMPOSE["networks"]["stores"]["internal"] is True
    for name in STORES:
        assert COMPOSE["services"][name]["networks"] == ["stores"]


def test_the_gateway_knows_that_others_reach_it() -> None:
    """So that it asks for keys, and refuses to start while there is none."""
    command = COMPOSE["services"]["api"]["command"]
    assert COMPOSE["services"]["api"]["environment"]["SAMPLEMIND_HOST"] == command[command.index("--host") + 1]


def test_a_path_means_the_same_outside_and_in_every_container() -> None:
    mounted = f"{LIBRARY}:{LIBRARY}:ro"
    readers = {name for name, service in COMPOSE["services"].items() if mounted in service.get("volumes", ())}
    assert readers == {"api", "worker-scan", "worker-cpu", "worker-gpu"}
    for name in readers:
        assert json.loads(COMPOSE["services"][name]["environment"]["SAMPLEMIND_ROOTS"]) == [LIBRARY]


def test_without_a_library_compose_says_what_to_do() -> None:
    with pytest.raises(KeyError, match=r"containers\.env\.example"):
        filled((PROJECT / "compose.yaml").read_text())


def test_the_example_names_no_variable_that_nobody_reads() -> None:
    read = set(re.findall(r"\$\{(\w+)", (PROJECT / "compose.yaml").read_text()))
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (CONFIG_DIR / "containers.env.example").read_text(), re.MULTILINE))
    settings = {f"SAMPLEMIND_{name.upper()}" for name in Settings.model_fields}
    assert named - read - settings == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT"}


def test_a_gpu_is_given_to_the_ai_worker_alone() -> None:
    (name,), (service,) = zip(*compose("config/compose.gpu.yaml")["services"].items(), strict=True)
    assert name == "worker-gpu"
    assert service["environment"] == {"SAMPLEMIND_DEVICE": "cuda"}
    assert service["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert COMPOSE["services"]["worker-gpu"]["environment"]["SAMPLEMIND_DEVICE"] == "cpu"


def test_no_image_and_no_index_is_named_by_its_host() -> None:
    for name in ("Dockerfile.api", "Dockerfile.worker", "compose.yaml"):
        assert not re.search(r"https?://(?!127\.0\.0\.1|chroma:)", (PROJECT / name).read_text())
    for service in COMPOSE["services"].values():
        assert not re.match(r"[^/]*[.:][^/]*/", service["image"])


# -------------------------------------------------------------------------------------------------------------- secrets


def test_passwords_are_files_and_nowhere_else() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"//[^/@]*:[^/@]*@", value), name
            assert not re.search(r"PASSWORD|SECRET|TOKEN|AUTH", name) or value.startswith("/run/secrets/")


@pytest.mark.parametrize("name", [name for name in OURS if name not in STEPS | {"chroma"}])
def test_who_asks_the_stores_is_given_their_passwords(name: str) -> None:
    passwords = {f"samplemind_{store}_password" for store in ("redis", "cache", "mongo")}
    assert passwords <= set(COMPOSE["services"][name]["secrets"]) <= set(COMPOSE["secrets"])


def test_a_password_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = COMPOSE["services"]["worker-cpu"]["environment"]
    for name in ("REDIS_URL", "CACHE_URL", "MONGO_URL"):
        monkeypatch.setenv(f"SAMPLEMIND_{name}", environment[f"SAMPLEMIND_{name}"])
    for store in ("redis", "cache", "mongo"):
        (tmp_path / f"samplemind_{store}_password").write_text(f"{store}: p@ss/word\n")
    settings = Settings(_secrets_dir=tmp_path)  # type: ignore[call-arg]
    assert settings.redis_url == "redis://:redis%3A%20p%40ss%2Fword@redis:6379/0"
    assert settings.cache_url == "redis://:cache%3A%20p%40ss%2Fword@cache:6379/0"
    assert settings.mongo_url.startswith("mongodb://samplemind:mongo%3A%20p%40ss%2Fword@mongodb:27017/?")
    assert "p@ss" not in repr(settings.redis_password)


def test_a_password_of_the_url_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "samplemind_redis_password").write_text("other")
    url = "redis://:own@elsewhere:6379/0"
    assert Settings(_secrets_dir=tmp_path, redis_url=url).redis_url == url  # type: ignore[call-arg]


def test_an_image_can_hold_nothing_but_the_program() -> None:
    everything, *kept = (PROJECT / ".dockerignore").read_text().splitlines()[1:]
    assert everything == "*"
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == {
        *("api_gateway", "samplemind_tasks", "config"),
        *("pyproject.toml", "requirements.lock", "README.md", "LICENSE"),
    }


# ------------------------------------------------------------------------------------ Redis, started as compose does it


@pytest.fixture(scope="module")
def redis_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of the broker and the cache, started by the commands of compose.yaml with folders and ports of this test."""
    home = tmp_path_factory.mktemp("containers")
    (home / "redis-server").symlink_to(_redis_program())
    running, urls = [], {}
    for name in ("redis", "cache"):
        port, service = free_port(), COMPOSE["services"][name]
        (configuration,) = [each.split(":")[0] for each in service["volumes"] if each.endswith("samplemind.conf:ro")]
        shutil.copy(PROJECT / configuration, home / "samplemind.conf")
        (home / f"samplemind_{name}_password").write_text(f"{name}-s3cret\n")
        (home / name).mkdir()
        line = service["command"][2].replace("dir /data", f"dir {home / name}\nport {port}")
        line = line.replace("/etc/redis", str(home)).replace("/run/secrets", str(home))
        environment = {**os.environ, **service["environment"], "PATH": f"{home}:{os.environ['PATH']}"}
        running.append(subprocess.Popen(["sh", "-ec", line], env=environment, stdout=subprocess.DEVNULL))
        urls[name] = f"redis://:{name}-s3cret@127.0.0.1:{port}/0"
        while not redis_answers(urls[name]):
            assert running[-1].poll() is None
    yield urls
    for server in running:
        server.terminate()
        server.wait()


def test_the_broker_keeps_what_it_has_accepted(redis_servers: dict[str, str]) -> None:
    with Redis.from_url(redis_servers["redis"]) as redis:
        kept = {**redis.config_get("maxmemory-policy"), **redis.config_get("append*"), **redis.config_get("save")}
        assert kept["maxmemory-policy"] == "noeviction"
        assert (kept["appendonly"], kept["appendfsync"], kept["save"]) == ("yes", "always", "")
        limit_bytes = int(redis.config_get("maxmemory")["maxmemory"])
        assert 0 < limit_bytes <= memory_bytes(COMPOSE["services"]["redis"]) * 3 // 4
        redis.config_set("maxmemory", "4mb")
        redis.rpush("queue", *["task"] * 100)
        with pytest.raises(OutOfMemoryError):
            fill(redis, key_bytes=100_000, keys=100)
        assert redis.llen("queue") == 100
        redis.config_set("maxmemory", limit_bytes)


def fill(redis: Redis, *, keys: int, key_bytes: int) -> None:
    """Write other keys than a queue."""
    for number in range(keys):
        redis.set(f"other:{number}", "x" * key_bytes)


def test_the_cache_makes_room(redis_servers: dict[str, str]) -> None:
    with Redis.from_url(redis_servers["cache"]) as redis:
        assert redis.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"
        assert redis.config_get("appendonly")["appendonly"] == "no"
        assert (
            0 < int(redis.config_get("maxmemory")["maxmemory"]) <= memory_bytes(COMPOSE["services"]["cache"]) * 3 // 4
        )


def test_a_stranger_is_not_answered_and_the_password_is_in_no_command_line(redis_servers: dict[str, str]) -> None:
    for url in redis_servers.values():
        assert not redis_answers(re.sub(r"//.*@", "//", url))
        assert not redis_answers(re.sub(r"//.*@", "//:wrong@", url))
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if "-s3cret" in line]


def memory_bytes(service: dict[str, Any]) -> int:
    """The memory limit of a service."""
    number, unit = re.fullmatch(r"(\d+)([mg])", service["deploy"]["resources"]["limits"]["memory"]).groups()  # type: ignore[union-attr]
    return int(number) << {"m": 20, "g": 30}[unit]


def test_a_worker_is_healthy_while_it_beats(redis_servers: dict[str, str]) -> None:
    """The worker is the first process of its container, or the child of an init that is."""
    url = redis_servers["redis"]
    with Redis.from_url(url) as redis:
        assert not beats(url, "cpu")
        redis.set(worker_beat_key("cpu", f"{os.uname().nodename}:1"), "{}", ex=15)
        assert beats(url, "cpu")
        assert not beats(url, "ai")
        redis.delete(worker_beat_key("cpu", f"{os.uname().nodename}:1"))
        redis.set(worker_beat_key("cpu", "another-container:1"), "{}", ex=15)
        assert not beats(url, "cpu")


def test_beat_is_healthy_while_it_ticks(redis_servers: dict[str, str], tmp_path: Path) -> None:
    url = redis_servers["redis"]
    told = {"SAMPLEMIND_REDIS_URL": url, "SAMPLEMIND_ROLE": "beat", "SAMPLEMIND_RECONCILE_S": "0.5"}
    words = [word.replace("/tmp", str(tmp_path)) for word in COMPOSE["services"]["beat"]["command"][1:]]  # noqa: S108
    with subprocess.Popen([sys.executable, *words], env={**os.environ, **told}, stderr=subprocess.DEVNULL) as ticking:
        while not worker_beats(url, "beat", ticking.pid):
            assert ticking.poll() is None
        ticking.terminate()
