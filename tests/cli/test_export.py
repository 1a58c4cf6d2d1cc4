"""export and reprocess from the command line, on the whole stack: files that are whole, and stages done again."""

import csv
import json
import math
import os
import struct
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from arro3.io import read_parquet

from samplemind_tasks.launch import Stack
from samplemind_tasks.schemas import JobState
from samplemind_tasks.store.mongo import connect

STARTING_S = 240


@dataclass(frozen=True)
class Outcome:
    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Shell:
    """The command line as a process of its own, on a running stack."""

    url: str

    def __call__(self, *arguments: str, folder: Path | None = None) -> Outcome:
        command = [sys.executable, "-m", "samplemind_tasks.cli", *arguments, "--url", self.url]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, cwd=folder)
        return Outcome(done.returncode, done.stdout, done.stderr.decode())

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        outcome = self(*arguments, "--json")
        assert outcome.code == 0, outcome.err
        return [json.loads(line) for line in outcome.out.splitlines()]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tones."""
    folder = tmp_path_factory.mktemp("music")
    for name, pitch_hz in {"low.wav": 110.0, "middle.wav": 220.0, "=high.wav": 880.0}.items():
        with wave.open(str(folder / name), "wb") as sound:
            sound.setparams((1, 2, 22_050, 0, "NONE", ""))
            values = (round(16_000 * math.sin(math.tau * pitch_hz * n / 22_050) * 0.9999**n) for n in range(22_050))
            sound.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return folder


@pytest.fixture(scope="module")
def shell(stack: Stack, music: Path) -> Shell:
    """With the three tones in the library."""
    shell = Shell(stack.url)
    [job] = shell.json("add", str(music))
    assert (job["state"], job["counts"]["done"]) == (JobState.DONE, 3)
    return shell


@pytest.mark.timeout(STARTING_S)
def test_export_writes_to_stdout_what_a_table_program_reads(shell: Shell) -> None:
    outcome = shell("export")
    assert outcome.err == ""
    rows = list(csv.DictReader(outcome.out.decode().splitlines()))
    assert sorted(row["name"] for row in rows) == ["'=high.wav", "low.wav", "middle.wav"]
    assert all(float(row["duration_s"]) == 1 for row in rows)


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.parquet"])
def test_a_files_name_says_its_format(shell: Shell, tmp_path: Path, name: str) -> None:
    [told] = shell.json("export", "-o", str(tmp_path / name), "--features")
    whole = (tmp_path / name).read_bytes()
    assert (told["format"], told["size_bytes"]) == (name.removeprefix("all."), len(whole))
    rows = {
        "csv": lambda: len(list(csv.DictReader(whole.decode().splitlines()))),
        "jsonl": lambda: len([json.loads(line)["features"]["rate_hz"] for line in whole.splitlines()]),
        "parquet": lambda: read_parquet(tmp_path / name).read_all().num_rows,
    }[told["format"]]()
    assert rows == 3
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_a_name_that_says_no_format_is_taken_for_a_slip(shell: Shell, tmp_path: Path) -> None:
    outcome = shell("export", "-o", str(tmp_path / "all.xlsx"))
    assert outcome.code == 2
    assert ".xlsx is none of .csv" in " ".join(outcome.err.replace("│", " ").split())
    assert not list(tmp_path.iterdir())
    shell("export", "-o", str(tmp_path / "all.txt"), "--format", "csv")
    assert (tmp_path / "all.txt").read_text().startswith("id,")


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_filters_narrow_and_vectors_come_along(shell: Shell) -> None:
    outcome = shell("export", "--name", "low", "--format", "jsonl", "--vectors")
    [row] = [json.loads(line) for line in outcome.out.splitlines()]
    assert row["name"] == "low.wav"
    assert math.isclose(sum(value**2 for value in row["vector"]), 1, abs_tol=1e-3)
    assert shell("export", "--path", "/nowhere", "--format", "jsonl").out == b""


def test_what_cannot_be_exported_is_said_and_leaves_the_file_as_it_was(shell: Shell, tmp_path: Path) -> None:
    kept = tmp_path / "all.csv"
    kept.write_text("mine")
    outcome = shell("export", "--vectors", "-o", str(kept))
    assert outcome.code == 1
    assert outcome.err.startswith("invalid: ")
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]
    assert shell("export", "-o", "/nowhere/all.csv").err.startswith("unwritable: /nowhere/all.csv: ")
    assert shell("export", "-o", str(tmp_path)).err.startswith("unwritable: ")


def test_a_link_is_followed_and_what_is_no_file_is_written_to(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert shell("export", "-o", str(tmp_path / "link.csv")).code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes().count(b"\r\n") == 4
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reading:
        assert shell("export", "-o", str(tmp_path / "pipe")).code == 0
        assert reading.communicate(timeout=20)[0] == (tmp_path / "real.csv").read_bytes()
    assert shell("export", "-o", "-").out == (tmp_path / "real.csv").read_bytes()


def test_whoever_has_read_enough_of_stdout_ends_it_quietly(shell: Shell) -> None:
    command = f"{sys.executable} -m samplemind_tasks.cli export --url {shell.url} --features | true"
    quiet = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert quiet.stderr == ""


# ----------------------------------------------------------------------------------------------------------- reprocess


def _embed_dates(stack: Stack) -> dict[str, Any]:
    rows = connect(stack.settings).analyses.find({}, {"stage": 1, "created_at": 1})
    return {row["_id"]: row["created_at"] for row in rows}


def test_nothing_is_done_again_that_is_at_todays_version(shell: Shell, stack: Stack) -> None:
    before = _embed_dates(stack)
    for stage in ("analyze", "embed", "index"):
        [job] = shell.json("reprocess", stage)
        assert (job["kind"], job["state"], job["counts"]["skipped"], job["counts"]["done"]) == (
            "reprocess",
            "done",
            3,
            0,
        )
    assert _embed_dates(stack) == before


def test_a_vector_that_is_missing_is_made_and_nothing_else(shell: Shell, stack: Stack) -> None:
    db = connect(stack.settings)
    lost = db.analyses.find_one({"stage": "embed"})
    db.analyses.delete_one({"_id": lost["_id"]})
    before = _embed_dates(stack)
    [job] = shell.json("reprocess")
    assert (job["state"], job["counts"]["done"], job["counts"]["skipped"]) == ("done", 1, 2)
    after = _embed_dates(stack)
    assert set(after) - set(before) == {lost["_id"]}
    assert {name: after[name] for name in before} == before
    again = db.analyses.find_one({"_id": lost["_id"]})["vector"]
    assert np.frombuffer(again, "<f4") == pytest.approx(np.frombuffer(lost["vector"], "<f4"), abs=1e-4)


def test_all_does_one_stage_anew_and_what_a_person_said_stays(shell: Shell, stack: Stack) -> None:
    [sample] = shell.json("list", "--name", "low")
    with httpx.Client(base_url=stack.url) as client:
        said = {"category": "bass", "favourite": True, "note": "mine"}
        assert client.patch(f"/v1/samples/{sample['id']}", json=said).status_code == 200
        before = _embed_dates(stack)
        for stage, redone in (("embed", {"embed"}), ("analyze", {"analyze"}), ("index", set())):
            [job] = shell.json("reprocess", stage, "--all", "--yes")
            assert (job["state"], job["counts"]["done"]) == ("done", 3)
            after = _embed_dates(stack)
            assert {name.split(":")[1] for name in after if after[name] != before[name]} == redone
            before = after
        told = client.get(f"/v1/samples/{sample['id']}").json()
        assert (told["sample"]["category"], told["sample"]["favourite"], told["note"]) == ("bass", True, "mine")
        assert told["sample"]["state"] == "ready"


def test_a_rescan_afterwards_has_nothing_to_do(shell: Shell, music: Path) -> None:
    [job] = shell.json("add", str(music))
    assert job["counts"]["skipped"] == 3


def test_all_asks_first_where_somebody_can_answer(shell: Shell) -> None:
    outcome = shell("reprocess", "--all")
    assert outcome.code == 1
    assert outcome.err.startswith("unconfirmed: This has the model listen to all 3 samples anew.")
    assert "--yes" in outcome.err


def test_a_file_that_is_gone_is_left_as_it_was(shell: Shell, music: Path, tmp_path: Path) -> None:
    (music / "middle.wav").rename(tmp_path / "middle.wav")
    try:
        [job] = shell.json("reprocess", "--all", "--yes", "--name", "middle")
    finally:
        (tmp_path / "middle.wav").rename(music / "middle.wav")
    assert (job["state"], job["counts"]["failed"], job["failures"]) == ("done", 1, {"vanished": 1})
    assert len(shell.json("list")) == 3
