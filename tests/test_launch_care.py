"""What the stack does by itself when an index folder is deleted, and what it says when a part cannot start."""

import shutil
import threading
from pathlib import Path

import httpx
import pytest

from samplemind_tasks.cli.call import NEXT_STEPS
from samplemind_tasks.launch import Event, LaunchFailed, Stack
from samplemind_tasks.launch import supervisor as supervising
from samplemind_tasks.settings import Settings

LOG = Path("/data/logs/worker-ai.log")


def test_the_last_word_of_a_start_is_the_reason_that_the_worker_gave() -> None:
    lines = (
        "Traceback (most recent call last):",
        "no_gpu: The device is set to cuda, but PyTorch sees no GPU here.",
        "bye",
    )
    failure = LaunchFailed.with_last_words("worker-ai", lines, LOG)
    assert failure.message == (f"worker-ai: The device is set to cuda, but PyTorch sees no GPU here. Its log: {LOG}")
    assert (failure.code, failure.service, failure.log_lines) == ("no_gpu", "worker-ai", lines)
    assert "SAMPLEMIND_DEVICE=auto" in NEXT_STEPS[failure.code]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("ImportError: no module named x",), "does not start: ImportError: no module named x; log: "),
        ((), "does not start: it says nothing; log: "),
    ],
)
def test_without_a_reason_the_last_line_is_told(lines: tuple[str, ...], told: str) -> None:
    failure = LaunchFailed.with_last_words("gateway", lines, LOG)
    assert failure.message == f"gateway: {told}{LOG}"
    assert failure.code == "launch_failed"


def test_chroma_starts_again_when_its_folder_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "CARE_EVERY_SECONDS", 0.2)
    seen: list[Event] = []
    is_back = threading.Event()

    def watch(event: Event) -> None:
        seen.append(event)
        if [each.what for each in seen].count("ready") == 2:
            is_back.set()

    with Stack(Settings(data_dir=tmp_path), only=["chroma"]) as stack:
        stack.start(watch)
        collections = (
            f"{stack.settings.chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
        )
        httpx.post(collections, json={"name": "kept"}, trust_env=False).raise_for_status()
        shutil.rmtree(tmp_path / "chroma")
        assert is_back.wait(60)
        assert any("folder is gone" in event.message for event in seen)
        assert httpx.get(collections, trust_env=False).json() == []
        httpx.post(collections, json={"name": "new"}, trust_env=False).raise_for_status()  # it can be written to
