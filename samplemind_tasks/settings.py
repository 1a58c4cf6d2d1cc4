"""Settings: one frozen class, read once at the door, handed down.

Every field is an environment variable SAMPLEMIND_<FIELD>.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from samplemind_tasks.access import is_loopback
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.features import TempoRange
from samplemind_tasks.model_table import model_cards, read_words


def default_data_dir() -> Path:
    """Where the embedded stack keeps its databases, blobs, logs and caches."""
    return Path("~/.local/share/samplemind").expanduser()


SECRETS_DIR = Path("/run/secrets")
"""Where containers are handed their secrets, a file each: samplemind_<field>. The environment goes before it."""


class Settings(BaseSettings):
    """What a process needs to know of the world. Defaults suit one laptop."""

    model_config = SettingsConfigDict(
        env_prefix="SAMPLEMIND_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
    )

    # where everything is ---------------------------------------------------------------------------------------------
    data_dir: Path = Field(default_factory=default_data_dir)
    """Databases, blobs, logs and caches of the embedded stack; the converted model weights everywhere."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    """Broker, Celery results and job progress. Must not evict: maxmemory-policy noeviction."""
    cache_url: str = "redis://127.0.0.1:6380/0"
    """A second instance that may evict."""
    mongo_url: str = "mongodb://127.0.0.1:27017/?journal=true"
    """The truth. Keep journal=true: what is acknowledged is on the disk."""
    mongo_database: str = "samplemind"
    """Name of the database."""
    chroma_url: str = "http://127.0.0.1:8000"
    """The vector index. A login may stand in it, as in http://user:password@host:8000."""
    blob_url: str = ""
    """A folder (file:///srv/blobs) or s3://bucket/prefix; empty means <data_dir>/blobs."""
    redis_password: SecretStr | None = None
    """Goes into redis_url where that has none; or a file: /run/secrets/samplemind_redis_password."""
    cache_password: SecretStr | None = None
    """The same for cache_url."""
    mongo_password: SecretStr | None = None
    """The same for mongo_url."""
    url: str = ""
    """Where the command line finds the gateway; empty means the embedded stack of data_dir."""
    key: SecretStr = SecretStr("")
    """The key the command line sends it, made by `samplemind keys create`; or a file: /run/secrets/samplemind_key."""

    # who may ask -----------------------------------------------------------------------------------------------------
    host: str = "127.0.0.1"
    """The address the gateway listens on. Where others can reach it (0.0.0.0), everybody needs a key."""
    keys: Literal["auto", "always"] = "auto"
    """auto: keys are not asked for on loopback; always: there too, as behind a proxy of this machine."""
    requests_per_s: float = Field(default=200.0, ge=0)
    """Each key may send so many, counted by each gateway process for itself; 0 for no limit. More get 429."""
    requests_burst: int = Field(default=1000, ge=1)
    """Requests a key may send at once after a pause."""
    allowed_origins: tuple[str, ...] = ()
    """Web sites whose pages may ask (CORS), as a JSON list: ["https://music.example"]."""

    # what may be read ------------------------------------------------------------------------------------------------
    roots: tuple[Path, ...] = (Path("/"),)
    """Folders under which jobs may name paths."""

    # limits ----------------------------------------------------------------------------------------------------------
    max_upload_bytes: int = 1 << 30
    """A larger upload is refused with 413."""
    max_file_bytes: int = 4 << 30
    """A larger file fails as too_large."""
    max_duration_s: float = 12 * 3600
    """A longer file fails as too_long."""
    analysis_seconds: float = 900.0
    """A longer file is measured over its first part of this length, and the result says so."""
    tempo_range_bpm: TempoRange | None = None
    """Lowest and highest tempo to tell, as a JSON list: [70, 140]. Others are halved or doubled into it."""
    child_memory_bytes: int = 2 << 30
    """A CPU worker's child may allocate this much beyond what it holds at start."""
    file_timeout_s: float = 60.0
    """One file's time limit, plus a second for each megabyte."""
    request_timeout_s: float = 5.0
    """The gateway waits this long for a store, then answers 503."""
    max_open_jobs: int = Field(default=500, ge=1)
    """Jobs of one user that may be unfinished at once. More get 429; what was accepted is done."""
    max_streams: int = 800
    """Event streams a gateway process holds open at most; one user may have three quarters of them."""

    # pools -----------------------------------------------------------------------------------------------------------
    mongo_pool_min: int = 0
    """Connections to MongoDB a process keeps open."""
    mongo_pool_max: int = 100
    """Connections to MongoDB a process opens at most."""
    redis_pool_max: int = 64
    """Connections to Redis a process opens at most."""

    # the trip --------------------------------------------------------------------------------------------------------
    model: str = "ears"
    """A model of config/models.toml, or of models_file."""
    models_file: Path | None = None
    """More front-ends, networks and models, written as in config/models.toml; a name that is there too is replaced."""
    words_file: Path | None = None
    """Your own tags: a text file, a word or phrase a line, # for comments. For models that know text."""
    device: str = "auto"
    """auto, cpu or cuda; cuda without a GPU refuses to start."""
    bulk_nice: int = 10
    """CPU and AI workers give way to everything else by this nice value; 0 is equal rights."""
    scan_slice_paths: int = 2000
    """Paths listed between two savings of a scan's progress, at most."""
    scan_slice_s: float = 2.0
    """Seconds between two savings of a scan's progress: a pause or a cancel is seen then."""
    scan_turn_s: float = 10.0
    """After this long a scan lets the next job's scan have a turn."""
    settle_s: float = 2.0
    """A file younger than this is looked at twice before it is believed to be whole."""
    settle_limit_s: float = 600.0
    """A file that grows for longer than this fails as still_growing."""
    chunk_places: int = 64
    """Places in a chunk at most."""
    chunk_bytes: int = 24 << 20
    """Bytes of PCM in a chunk, about; a compressed byte counts six times. A larger file travels alone."""
    chunks_in_flight: int = 16
    """Per job: chunks sent and not finished."""
    heartbeat_s: float = 2.0
    """A lease is renewed this often."""
    reconcile_s: float = 2.0
    """The reconciler looks this often."""
    lease_patience: int = 4
    """A lease whose heartbeat stands still for this many looks of the reconciler is taken away."""
    result_expires_s: int = 600
    """Celery keeps a task's result this long. Nobody asks for one later: what came of a chunk is in MongoDB."""
    visibility_timeout_s: int = 6 * 3600
    """Longer than the longest chunk."""

    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @model_validator(mode="before")
    @classmethod
    def _passwords_into_urls(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Who reads a URL need not know where its password came from."""
        urls = {
            f"{server}_url": with_password(given[f"{server}_url"], given[f"{server}_password"])
            for server in ("redis", "cache", "mongo")
            if f"{server}_url" in given and given.get(f"{server}_password")
        }
        return {**given, **urls}

    @property
    def asks_for_keys(self) -> bool:
        """Whether nobody is let in without a key, wherever he comes from."""
        return self.keys == "always" or not is_loopback(self.host)

    @property
    def opens_the_whole_disk(self) -> bool:
        """Whether others could have any folder of this machine analysed, and hear what is in it."""
        return not is_loopback(self.host) and Path("/") in self.roots

    @property
    def blob_location(self) -> str:
        """URL of the blob store."""
        return self.blob_url or (self.data_dir.absolute() / "blobs").as_uri()

    @property
    def model_card(self) -> ModelCard:
        """The model in use."""
        return model_cards(self.models_file)[self.model]

    @property
    def words(self) -> tuple[str, ...]:
        """The user's own words; none for a model that knows no text."""
        return read_words(self.words_file) if self.words_file and self.model_card.joint_text else ()

    @property
    def hearing_version(self) -> str:
        """What tags and vectors were made by: the model, and the words. Another list changes tags, not vectors."""
        words = self.words
        listed = f"~{sha256(chr(10).join(words).encode()).hexdigest()[:8]}" if words else ""
        return f"{self.model_card.collection}{listed}"

    def hearing_version_of(self, model: str) -> str:
        """The version under which what a model heard is kept: with the words for the one in use."""
        return self.hearing_version if model == self.model_card.collection else model


def with_password(url: str, password: SecretStr | str) -> str:
    """The URL of a server with a password in it; unchanged where it has one."""
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    if ":" in user:
        return url
    secret = password.get_secret_value() if isinstance(password, SecretStr) else password
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(secret, safe='')}@{hosts}"))


def env_example() -> str:
    """Every setting with its meaning and its default, as `config/samplemind.env.example` holds it."""
    lines = ["# Every setting of SampleMind with its default. Made by: python -m samplemind_tasks.settings"]
    for name, field in Settings.model_fields.items():
        default = "~/.local/share/samplemind" if field.default_factory else _as_env(field.default)
        lines += ["", f"# {field.description}", f"# SAMPLEMIND_{name.upper()}={default}"]
    return "\n".join(lines) + "\n"


def _as_env(value: object) -> str:
    if value is None:
        return ""
    return json.dumps([str(path) for path in value]) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.stdout.write(env_example())
