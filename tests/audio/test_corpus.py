"""Real files, good and hostile, named by SAMPLEMIND_CORPUS."""

import csv
import os
import tarfile
from pathlib import Path

import pytest

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes
from samplemind_tasks.audio.files import open_regular
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.errors import AudioError
from samplemind_tasks.model_table import front_ends

CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere"))
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "bad").is_dir(), reason="SAMPLEMIND_CORPUS names no folder with bad/"),
]
SECONDS = 60.0
"""Of the bombs; enough to see that they are not read whole."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(CORPUS / "bad" / "files.tar.gz") as archive:
        archive.extractall(folder, filter="tar")
    return folder


def verdict(path: bytes) -> str:
    try:
        with open_regular(path) as file:
            with open_sound(file, name="x", max_bytes=1 << 30, max_duration_s=43_200, max_seconds=SECONDS) as sound:
                heard = listen(sound, list(front_ends().values()))
            analyze(heard, in_bytes(file))
    except AudioError:
        return "error"
    return "ok"


def test_every_hostile_file_is_measured_or_refused_as_expected(hostile: Path) -> None:
    with (CORPUS / "bad" / "expected.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as table:
        expected = {os.fsencode(row["file"]): row["expected"] for row in csv.DictReader(table)}
    paths = [os.fsencode(path) for path in hostile.rglob("*") if path.is_symlink() or path.is_file()]
    verdicts = {os.path.basename(path): verdict(path) for path in paths}  # noqa: PTH119 - names are bytes
    wrong = {name: found for name, found in verdicts.items() if expected.get(name, "ok") not in (found, "either")}
    assert len(verdicts) > 60
    assert wrong == {}
