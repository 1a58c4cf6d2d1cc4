"""queues, pause and resume on the command line, against a gateway over real stores."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api.world import World
from typer.testing import CliRunner

from samplemind_tasks.cli import app
from samplemind_tasks.cli.queues import QUEUES_TO_PAUSE
from samplemind_tasks.settings import Settings


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    with World(settings, tmp_path) as world:
        yield world


def run(url: str, *words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--url", url])


def told(url: str, *words: str) -> dict[str, dict[str, Any]]:
    """What a program gets of queues, by name."""
    outcome = run(url, *words, "--json")
    assert outcome.exit_code == 0, outcome.output
    lines = (line for line in outcome.stdout.splitlines() if line.startswith("{"))  # the gateway in here logs too
    return {row["name"]: row for row in map(json.loads, lines)}


def test_queues_shows_each_queue_and_that_nobody_takes_from_it(url: str) -> None:
    assert set(told(url, "queues")) == {"scan", "control", "cpu.now", "cpu", "gpu.now", "gpu", "live"}
    assert run(url, "queues").stdout.count("no worker") == 7


def test_the_shell_completes_what_can_be_paused(url: str) -> None:
    assert {name for name, row in told(url, "queues").items() if row["can_pause"]} == set(QUEUES_TO_PAUSE)


def test_a_name_is_a_queue_and_an_id_a_job(url: str, world: World) -> None:
    job = world.job()
    outcome = run(url, "pause", "cpu", job[:8], "gpu")
    assert outcome.exit_code == 0, outcome.output
    assert world.record(job).pause
    assert outcome.stdout.count("paused") == 3
    assert {name for name, row in told(url, "queues").items() if row["paused_since"]} == {"cpu", "gpu"}
    assert told(url, "resume", "gpu")["gpu"]["paused_since"] is None
    assert run(url, "resume", job).exit_code == 0
    assert not world.record(job).pause
    assert told(url, "queues")["cpu"]["paused_since"] is not None


@pytest.mark.parametrize(("name", "code"), [("cups", "no_such_queue"), ("abc", "no_such_queue"), ("live", "cannot_")])
def test_what_cannot_be_paused_is_said_with_the_next_step(url: str, name: str, code: str) -> None:
    outcome = run(url, "pause", name)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(code)
    assert "queues` lists them" in outcome.stderr.replace("\n", " ")
