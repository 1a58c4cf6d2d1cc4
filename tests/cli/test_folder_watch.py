"""watch: what changes in a folder becomes jobs, also after the gateway or the folder was away; nothing else does."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from api.world import eventually

from api_gateway.app import create_app
from samplemind_tasks.cli import folder_watch
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.mongo import connect


@contextmanager
def gateway(settings: Settings, port: int) -> Iterator[str]:
    """A gateway on a port, until the end of the block."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), port=port, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert eventually(lambda: server.started, 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def rewrite(path: Path) -> None:
    """Later than a second ago: a look at a disk that tells nothing sees seconds."""
    path.write_bytes(b"RIFF, longer")
    os.utime(path, (time.time() + 5, time.time() + 5))


class Watching:
    """`samplemind watch` as a process of its own, and what it says on stderr."""

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        command = [sys.executable, "-m", "samplemind_tasks.cli", "watch", str(folder), "--url", url, "--quiet", "0.3"]
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.said.append(line.rstrip())

    def says(self, text: str) -> bool:
        return eventually(lambda: any(text in line for line in self.said), 30)

    def end(self) -> int:
        """As Ctrl-C ends it."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(15)
        finally:
            self._process.kill()
            self._reading.join(5)


Watch = Callable[..., Watching]


@pytest.fixture
def watch() -> Iterator[Watch]:
    running: list[Watching] = []

    def begin(*arguments: Any) -> Watching:
        running.append(Watching(*arguments))
        return running[-1]

    yield begin
    for watching in running:
        watching.end()


@pytest.fixture
def folder(settings: Settings) -> Path:
    folder = settings.data_dir / "music"
    (folder / "drums").mkdir(parents=True)
    return folder.resolve()


class Jobs:
    """The jobs that were asked for."""

    def __init__(self, settings: Settings) -> None:
        self._db = connect(settings)

    def paths(self) -> list[str]:
        return [row["path"] for row in self._db.jobs.find().sort("created_at", 1)]

    def after(self, seen: int) -> set[str]:
        """The folders of those that come after the first so many, as soon as there are some."""
        assert eventually(lambda: len(self.paths()) > seen, 20)
        return set(self.paths()[seen:])


@pytest.mark.parametrize("how", [(), ("--poll", "--every", "0.3")])
def test_new_and_changed_sounds_are_added_by_their_folder_and_nothing_else_is(
    settings: Settings, folder: Path, watch: Watch, how: tuple[str, ...]
) -> None:
    jobs = Jobs(settings)
    with gateway(settings, free_port()) as url:
        watching = watch(folder, url, *how)
        assert jobs.after(0) == {str(folder)}  # what changed while nobody watched
        (folder / "notes.txt").write_text("no sound")
        (folder / ".hidden.wav").write_text("a file manager's own")
        (folder / "drums/kick.wav").write_bytes(b"RIFF")
        assert jobs.after(1) == {str(folder / "drums")}
        for seen, change in enumerate(
            [
                lambda: rewrite(folder / "drums/kick.wav"),
                lambda: (folder / "drums/kick.wav").rename(folder / "drums/snare.wav"),
                lambda: (folder / "drums/snare.wav").unlink(),
            ],
            start=2,
        ):
            change()
            assert jobs.after(seen) == {str(folder / "drums")}
        shutil.copytree(folder / "drums", folder / "loops/deep")
        assert all(path.startswith(str(folder / "loops")) for path in jobs.after(5))
        assert watching.end() == 0
        assert "jobs go on" in watching.said[-1]


def test_a_name_that_is_no_text_ends_nothing(settings: Settings, folder: Path, watch: Watch) -> None:
    jobs = Jobs(settings)
    with gateway(settings, free_port()) as url:
        watching = watch(folder, url)
        assert jobs.after(0) == {str(folder)}
        Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.wav")).write_bytes(b"RIFF")
        assert jobs.after(1) == {str(folder)}
        (folder / "drums/kick.wav").write_bytes(b"RIFF")
        assert jobs.after(2)
        assert watching.end() == 0


def test_a_gateway_that_is_away_is_asked_until_it_answers_and_nothing_is_forgotten(
    settings: Settings, folder: Path, watch: Watch
) -> None:
    jobs, port = Jobs(settings), free_port()
    watching = watch(folder, f"http://127.0.0.1:{port}")
    assert watching.says("unreachable: no answer from")
    (folder / "drums/kick.wav").write_bytes(b"RIFF")
    with gateway(settings, port):
        assert watching.says("the gateway answers again")
        assert jobs.after(0) == {str(folder)}


def test_a_disk_that_goes_away_and_comes_back_is_told_of_both(settings: Settings, folder: Path, watch: Watch) -> None:
    jobs = Jobs(settings)
    with gateway(settings, free_port()) as url:
        watching = watch(folder, url)
        assert jobs.after(0) == {str(folder)}
        folder.rename(folder.with_name("unmounted"))
        assert watching.says("went away; waiting for it")
        folder.with_name("unmounted").rename(folder)
        assert watching.says("is back")
        assert jobs.after(1) == {str(folder)}
        seen = len(jobs.paths())
        (folder / "drums/later.wav").write_bytes(b"RIFF")
        assert jobs.after(seen) <= {str(folder), str(folder / "drums")}


def test_programs_get_each_job_when_it_has_ended(settings: Settings, folder: Path) -> None:
    with gateway(settings, free_port()) as url:
        command = [sys.executable, "-m", "samplemind_tasks.cli", "watch", str(folder), "--url", url, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            db = connect(settings)
            assert eventually(lambda: db.jobs.find_one({}) is not None, 20)
            job_id = db.jobs.find_one({})["_id"]
            db.jobs.update_one({"_id": job_id}, {"$set": {"state": "done", "open": False}})
            assert watching.stdout
            line = _after_its_view_is_lost(settings, job_id, watching.stdout.readline)
            watching.send_signal(signal.SIGINT)
            _, err = watching.communicate(timeout=15)
    assert json.loads(line)["id"] == job_id
    assert err == ""


def _after_its_view_is_lost(settings: Settings, job_id: str, read: Callable[[], str]) -> str:
    """The gateway reads an ended job from MongoDB then."""
    from redis import Redis

    with Redis.from_url(settings.redis_url) as redis:
        redis.delete(f"job:{job_id}", f"job:{job_id}:parts")
    return read()


def test_a_folder_that_is_not_there_or_that_the_gateway_may_not_read_ends_it(
    settings: Settings, folder: Path, watch: Watch
) -> None:
    nowhere = watch(folder / "nowhere", "http://127.0.0.1:9")
    assert nowhere.says("path_not_found: there is no folder")
    elsewhere = settings.model_copy(update={"roots": (folder / "drums",)})
    with gateway(elsewhere, free_port()) as url:
        assert watch(folder, url).says("outside_roots: ")


@pytest.mark.parametrize(
    ("changed", "around"),
    [
        (["/m/a/kick.wav"], "/m/a"),
        (["/m/a/kick.wav", "/m/a/b/pad.wav"], "/m/a"),
        (["/m/a/kick.wav", "/m/b/pad.wav"], "/m"),
        (["/m/gone/kick.wav"], "/m"),
        (["/m"], "/m"),
    ],
)
def test_the_folder_around_what_changed(tmp_path: Path, changed: list[str], around: str) -> None:
    (tmp_path / "m/a/b").mkdir(parents=True)
    (tmp_path / "m/b").mkdir()
    (tmp_path / "m/a/kick.wav").touch()
    paths = {tmp_path / path.lstrip("/") for path in changed}
    assert folder_watch.common_folder(paths, tmp_path / "m") == tmp_path / around.lstrip("/")


def test_a_local_disk_tells_what_changes(tmp_path: Path) -> None:
    assert folder_watch.tells_no_changes(tmp_path) is False
    assert os.path.ismount("/proc")
