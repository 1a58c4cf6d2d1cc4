"""Whatever is sent, the gateway has an answer: no 5xx over the whole OpenAPI document, and what it declares is true."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from samplemind_tasks.launch import STORES, Stack
from samplemind_tasks.settings import Settings

from .conftest import serving
from .world import World

ANSWER_REQUESTS = frozenset({"warm-audio", "models", "worker-live", "worker-ai"})
"""What a request may wait for besides the stores: queries are heard, lessons are learnt."""
STREAMS = ("all_events", "job_events")
"""They do not end by themselves."""
LEAST_EXAMPLES = 2_000
EXAMPLES_EACH, SEED = os.environ.get("FUZZ_EXAMPLES_EACH", "60"), os.environ.get("FUZZ_SEED", "7")
"""Of an operation, at most. CI sends the same every time; FUZZ_EXAMPLES_EACH=200 FUZZ_SEED=8 looks for more."""
LIMIT_S = 600 * max(1, int(EXAMPLES_EACH) // 60)
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TOLD = 6_000


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Settings]:
    with Stack(Settings(data_dir=tmp_path / "stack"), only=STORES | ANSWER_REQUESTS) as stack:
        stack.start()
        folder = (tmp_path / "music").resolve()
        folder.mkdir()
        yield stack.settings.model_copy(update={"roots": (folder,), "max_upload_bytes": 3 << 20})


@pytest.mark.timeout(LIMIT_S)
def test_no_input_is_answered_with_a_fault_of_ours(answering: Settings, tmp_path: Path) -> None:
    with World(answering, answering.roots[0]) as world, serving(answering) as client:
        world.sample("kick.wav", vector=[1.0], heard_as={"kick": 0.9})
        world.sample("pad.wav", vector=[0.0, 1.0])
        ran = _fuzzed(client, tmp_path)
    assert ran.returncode == 0, ran.stdout[-TOLD:] + ran.stderr[-TOLD:]
    generated = re.search(r"(\d+) generated", ran.stdout)
    assert generated is not None
    print(f"{generated[1]} examples")
    assert int(generated[1]) >= LEAST_EXAMPLES


def _fuzzed(client: httpx.Client, folder: Path) -> subprocess.CompletedProcess[str]:
    """One seeded run over every operation."""
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{client.base_url}/openapi.json", "--seed", SEED,
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES_EACH, "--checks", CHECKS,
            "--generation-database", "none", "--request-timeout", "30", "--continue-on-failure", "--no-color",
            *(word for each in STREAMS for word in ("--exclude-operation-id", each)),
            "--no-shrink", "--warnings", "off", "--suppress-health-check", "all",
        ],
        cwd=folder, capture_output=True, text=True, timeout=LIMIT_S - 20, check=False,
    )  # fmt: skip
