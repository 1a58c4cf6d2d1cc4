"""Files that kill, stop or starve whoever reads them are set aside, and cost their neighbours nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.chaos.poison import EXPECTED, poison_files, poisoned
from benchmarks.material import one_shots
from benchmarks.sizes import QUICK
from benchmarks.world import World

FILES = 40
SETTINGS = {
    "file_timeout_s": 6.0, "chunk_places": 64, "settle_s": 0.0, "heartbeat_s": 0.5, "reconcile_s": 1.0,
    "lease_patience": 15,
}  # fmt: skip
"""Who hangs cannot beat either: the watchdog, which knows why, must be quicker than the reconciler."""


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marker") / "poison-works"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, marker: Path) -> Iterator[World]:
    with poisoned(marker), World(tmp_path_factory.mktemp("poison"), QUICK, SETTINGS) as world:
        assert world.stack
        yield world


@pytest.mark.timeout(300)
def test_poison_of_every_kind_in_one_chunk_is_told_and_no_neighbour_pays(world: World, marker: Path) -> None:
    folder = world.folder / "music"
    one_shots(folder, FILES)
    bad = poison_files(folder / "pack-000", list(EXPECTED))
    job = world.finish(world.submit(folder), limit_s=200)
    assert job["counts"]["done"] == FILES
    failures = world.ask("GET", f"/v1/jobs/{job['id']}/failures")["failures"]
    told = {Path(row["path"]).name.split("-")[0]: row["code"] for row in failures}
    assert told == EXPECTED
    deadly = [path for path in bad if not path.name.startswith("eat")]
    assert world.count_documents("chunks", {"job": job["id"], "attempts": {"$gt": 0}}) == len(deadly)
    marker.unlink()  # as after a mended decoder
    with httpx.Client(base_url=world.stack.url, trust_env=False) as gateway:
        retried = gateway.post(f"/v1/jobs/{job['id']}/retry", json={}).raise_for_status().json()
    assert world.finish(retried["id"])["counts"]["done"] == len(bad)
