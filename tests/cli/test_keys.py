"""`samplemind keys` on the server and from afar, and a stack that others can reach."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from samplemind_tasks.launch import BadSetting, Event, NoKeys, Stack, check_settings
from samplemind_tasks.launch.folder import PASSWORDS
from samplemind_tasks.launch.site import Site, free_port, reached_by
from samplemind_tasks.settings import Settings

URLS = ("redis_url", "cache_url", "mongo_url", "chroma_url")
KEY = r"sm_[0-9a-f]{12}_[0-9a-f]{48}"


class Server:
    """This machine as a server: its settings in the environment."""

    def __init__(self, settings: Settings) -> None:
        told = {f"SAMPLEMIND_{name.upper()}": getattr(settings, name) for name in (*URLS, "mongo_database")}
        self.env = {**os.environ, **told, "SAMPLEMIND_DATA_DIR": str(settings.data_dir), "no_proxy": "*"}

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A command of the command line."""
        argv = [sys.executable, "-m", "samplemind_tasks.cli", *words]
        return subprocess.run(argv, env=self.env | env, capture_output=True, text=True, check=False, timeout=60)

    def key(self, *words: str) -> str:
        """A new key."""
        made = self.run("keys", "create", "--name", "test", *words)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    @contextmanager
    def gateway(self, **env: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """A gateway as a container runs it, with settings from the environment."""
        port = free_port()
        argv = [sys.executable, "-m", "api_gateway", "--port", str(port)]
        process = subprocess.Popen(
            argv, env=self.env | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def server(settings: Settings) -> Server:
    return Server(settings)


def until_alive(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until a gateway answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            assert httpx.get(f"{url}/v1/health/live", trust_env=False).status_code == 204
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the gateway does not start")


def test_a_key_is_made_listed_and_revoked_where_the_gateway_runs(server: Server) -> None:
    made = server.run("keys", "create", "--user", "ada", "--scope", "read", "--name", "my laptop", "--expires", "90d")
    assert (made.returncode, bool(re.fullmatch(KEY + "\n", made.stdout))) == (0, True)
    key = made.stdout.strip()
    assert key not in made.stderr
    listed = server.run("keys", "list").stdout
    for shown in (key.split("_")[1], "ada", "read", "my laptop", "expires 20"):
        assert shown in listed
    assert key.split("_")[2] not in listed
    row = json.loads(server.run("keys", "list", "--json").stdout)  # one line for each key
    assert (row["user"], row["scope"], row["revoked_at"]) == ("ada", "read", None)
    assert server.run("keys", "revoke", key).returncode == 0  # the whole key will do as well as its id
    assert "revoked" in server.run("keys", "list").stdout
    gone = server.run("keys", "revoke", "0" * 12)
    assert (gone.returncode, gone.stderr.split(":")[0]) == (1, "key_not_found")


def test_the_first_key_needs_nothing_that_runs(server: Server, tmp_path: Path) -> None:
    for name in [name for name in server.env if name.startswith("SAMPLEMIND_")]:
        del server.env[name]
    server.env["SAMPLEMIND_DATA_DIR"] = str(tmp_path / "new")
    made = server.run("keys", "create", "--user", "ada", "--name", "first", "--scope", "admin")
    assert re.fullmatch(KEY + "\n", made.stdout), made.stderr
    assert made.stdout.split("_")[1] in server.run("keys", "list").stdout
    assert not (tmp_path / "new" / "run.json").exists()  # and nothing runs afterwards


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--user", "Ada", "--name", "x"], "lower-case"),
        (["--user", "ada", "--name", ""], "name"),
        (["--user", "ada", "--name", "x", "--scope", "all"], "none of read, write, admin"),
        (["--user", "ada", "--name", "x", "--expires", "soon"], "90d"),
    ],
)
def test_what_is_no_key_is_said_in_a_sentence(server: Server, words: list[str], said: str) -> None:
    refused = server.run("keys", "create", *words)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_gateway_that_asks_for_keys_does_not_start_without_one(server: Server) -> None:
    with server.gateway(SAMPLEMIND_HOST="0.0.0.0", SAMPLEMIND_ROOTS='["/srv"]') as (_, process):
        said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "samplemind keys create" in said
    assert "Traceback" not in said


def test_a_remote_gateway_is_asked_with_a_key(server: Server) -> None:
    admin = server.key("--user", "ada", "--scope", "admin")
    with server.gateway(SAMPLEMIND_KEYS="always") as (url, process):
        until_alive(url, process)
        refused = server.run("list", "--url", url)
        assert (refused.returncode, refused.stderr.split(":")[0]) == (1, "no_key")
        assert "next: give it by SAMPLEMIND_KEY" in refused.stderr
        afar = {"SAMPLEMIND_URL": url, "SAMPLEMIND_KEY": admin}
        assert server.run("list", **afar).returncode == 0
        assert server.run("list", "--url", url, "--api-key", admin).returncode == 0
        bob = server.run("keys", "create", "--user", "bob", "--scope", "read", "--name", "phone", **afar).stdout.strip()
        as_bob = {**afar, "SAMPLEMIND_KEY": bob}
        assert server.run("list", **as_bob).returncode == 0
        assert server.run("keys", "list", **as_bob).stderr.startswith("missing_scope")
        assert server.run("keys", "revoke", bob.split("_")[1], **afar).returncode == 0
        assert server.run("list", **as_bob).stderr.startswith("wrong_key")
        assert len(server.run("keys", "list", "--json", **afar).stdout.splitlines()) == 2


@pytest.mark.parametrize("away", [{}, {"SAMPLEMIND_MONGO_URL": "mongodb://127.0.0.1:1"}], ids=["there", "away"])
def test_a_gateway_that_others_can_reach_names_the_folders_it_opens(server: Server, away: dict[str, str]) -> None:
    server.key("--user", "ada")
    with server.gateway(SAMPLEMIND_HOST="0.0.0.0", **away) as (_, process):
        said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "SAMPLEMIND_ROOTS" in said


def test_a_stack_that_others_can_reach_names_them_too(settings: Settings) -> None:
    with pytest.raises(BadSetting, match="--root"), Stack(settings.model_copy(update={"host": "0.0.0.0"})) as stack:
        stack.start()


def test_a_stack_that_others_can_reach_needs_a_key_first(server: Server, settings: Settings) -> None:
    public = settings.model_copy(update={"host": "0.0.0.0", "roots": (settings.data_dir,)})
    with pytest.raises(NoKeys, match="samplemind keys create"), Stack(public, only=["gateway"]) as stack:
        stack.start()
    key = server.key("--user", "ada")
    with Stack(public, only=["gateway"]) as stack:
        stack.start()
        assert stack.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{stack.url}/v1/samples", trust_env=False).status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{stack.url}/v1/samples", headers=headers, trust_env=False).status_code == 200
        # a stack that runs is found by its run file
        del server.env["SAMPLEMIND_MONGO_URL"]
        listed = server.run("keys", "list")
        assert key.split("_")[1] in listed.stdout, listed.stderr


def test_where_there_can_be_no_key_nothing_is_started_to_find_that_out(tmp_path: Path) -> None:
    told: list[Event] = []
    public = Settings(data_dir=tmp_path / "data", host="0.0.0.0", roots=(tmp_path,))
    with pytest.raises(NoKeys, match="samplemind keys create"), Stack(public) as stack:
        stack.start(told.append)
    assert told == []


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "127.0.0.1:80"])
def test_an_address_of_another_machine_is_said_before_anything_starts(host: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="SAMPLEMIND_HOST"):
        check_settings(Settings(host=host, data_dir=tmp_path))


def test_the_key_of_a_person_is_not_handed_to_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_KEY", "sm_secret")
    settings = Settings(data_dir=tmp_path)
    assert "sm_secret" not in repr(settings)
    assert not any(
        "sm_secret" in value for value in Site(settings, dict.fromkeys(PASSWORDS, ""), 1).environment().values()
    )


def test_how_this_machine_reaches_what_listens_everywhere() -> None:
    hosts = ("127.0.0.1", "0.0.0.0", "::", "::1", "192.168.1.4")
    assert [reached_by(host) for host in hosts] == ["127.0.0.1", "127.0.0.1", "[::1]", "[::1]", "192.168.1.4"]
