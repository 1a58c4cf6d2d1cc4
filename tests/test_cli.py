"""The command line: how values look, what ranges mean, how it fails, and that programs get JSON and nothing else."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from samplemind_tasks.cli import app, list_filters, progress, show
from samplemind_tasks.cli.call import read_settings
from samplemind_tasks.cli.running import running_stack
from samplemind_tasks.features import Kind
from samplemind_tasks.schemas import (
    Counts,
    Failure,
    Job,
    JobKind,
    JobState,
    Sample,
    SampleDetail,
    SampleState,
    StageCounts,
)
from samplemind_tasks.settings import default_data_dir

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEAVY = ("librosa", "numba", "torch", "transformers", "soundfile", "pymongo", "chromadb", "redis", "celery")


def a_job(**changes: object) -> Job:
    """A job of 640 files on its way, 212 of them past everything."""
    job = Job(
        id="66ab12cd34ef5678aabbccdd",
        kind=JobKind.FOLDER,
        state=JobState.RUNNING,
        path="/music",
        created_at=NOW,
        finished_at=None,
        counts=Counts(found=640, waiting=400, leased=28, done=190, failed=12, skipped=10),
        stages=StageCounts(analyzed=260, embedded=220, indexed=190),
        failures={"not_audio": 9, "empty": 3},
        scan_done=True,
        rate_per_s=18.43,
        eta_s=23.4,
        waiting_for=None,
        problem=None,
        retry_of=None,
    )
    return job.model_copy(update=changes)


def a_sample(name: str, **changes: object) -> Sample:
    sample = Sample(
        id="0f1e2d3c4b5a69788796a5b4",
        file_hash="ab" * 32,
        name=name,
        state=SampleState.READY,
        number=1,
        created_at=NOW,
        size_bytes=1_234_567,
        duration_s=7.74,
        kind=Kind.LOOP,
        tempo_bpm=124.04,
        tempo_confidence=0.9,
        key="A minor",
        key_confidence=0.3,
        key_camelot="8A",
        loudness_lufs=-14.23,
        tags=["techno", "electronic", "synth"],
        analysis_version=1,
    )
    return sample.model_copy(update=changes)


def printed(shown: RenderableType, columns: int = 80) -> str:
    """What a file would get of it."""
    written = StringIO()
    Console(file=written, width=columns, markup=False, highlight=False, emoji=False).print(shown)
    return written.getvalue()


# ------------------------------------------------------------------------------------------------------ how values look


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4219, "0.42 s"), (12.34, "12.3 s"), (61, "1:01"), (205.4, "3:25"), (3723, "1:02:03")],
)
def test_length(seconds: float, text: str) -> None:
    assert show.length(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(124.0, "124"), (127.53, "127.5"), (-0.01, "0"), (None, "–"), (1820.0, "1820")]
)
def test_number(value: float | None, text: str) -> None:
    assert show.number(value) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0 B"), (812, "812 B"), (1_400_000, "1.4 MB"), (32e9, "32 GB"), (5e12, "5 TB")]
)
def test_size(size_bytes: float, text: str) -> None:
    assert show.size(size_bytes) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [(timedelta(seconds=-3), "just now"), (timedelta(minutes=5), "5 min ago"), (timedelta(hours=3), "3 h ago")],
)
def test_ago(age: timedelta, text: str) -> None:
    assert show.ago(NOW - age, now=NOW) == text


def test_a_path_is_shown_as_seen_from_its_folder() -> None:
    assert show.below("/music/drums/kick.wav", "/music") == "drums/kick.wav"
    assert show.below("/music2/kick.wav", "/music") == "/music2/kick.wav"
    assert show.below("/music/kick.wav", "/music/kick.wav") == "/music/kick.wav"


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_table_keeps_to_its_lines_whatever_a_file_is_called(columns: int) -> None:
    names = ["kick.wav", "[bold red]loop[/] :smile: " + "x" * 200 + ".wav"]
    lines = printed(show.sample_table(map(a_sample, names), width=columns), columns).splitlines()
    assert len(lines) == 1 + len(names)
    assert max(map(len, lines)) <= columns
    assert "[bold" in lines[2]


def test_what_the_analyser_is_not_sure_of_carries_a_question_mark_and_what_does_not_exist_a_dash() -> None:
    sure = printed(show.sample_table([a_sample("loop.wav")]))
    assert "124.0 " in sure
    assert "A minor?" in sure
    none = printed(show.sample_table([a_sample("hit.wav", tempo_bpm=None, key=None, loudness_lufs=None)]))
    assert none.count("–") == 4
    told = printed(show.sample_table([a_sample("hit.wav", category="kick", category_confidence=0.3)]))
    assert "kick?" in told


def test_a_question_mark_is_explained_under_the_table() -> None:
    assert [note.plain for note in show.footnote([a_sample("loop.wav")])] == ["? the analyser is not sure"]
    assert show.footnote([a_sample("loop.wav", key_confidence=0.9)]) == []


def test_a_long_name_does_not_widen_a_table_in_a_pipe() -> None:
    [_, line] = printed(show.sample_table([a_sample("x" * 300)]), 1000).splitlines()
    assert len(line.rstrip()) < 200
    assert "x…" in line


# ------------------------------------------------------------------------------------------------------- jobs as people


def test_the_bar_moves_with_the_stages_and_never_beyond_its_end() -> None:
    assert progress.part_done(a_job(counts=Counts(), stages=StageCounts())) == 0
    begun = a_job(counts=Counts(found=64, leased=64), stages=StageCounts(analyzed=32))
    assert progress.part_done(begun) == pytest.approx(32 / 3 / 64)
    over = a_job(counts=Counts(found=4, done=2, failed=2), stages=StageCounts(analyzed=4, embedded=4, indexed=2))
    assert progress.part_done(over) == 1


def test_a_line_of_a_log_says_how_far_how_fast_and_what_it_waits_for() -> None:
    line = progress.plain_line(a_job(waiting_for="chroma"))
    assert line == "212/640 (33%) · 190 done · 10 skipped · 12 failed · waiting for chroma · 18.4/s · 0:23 left"


def test_while_the_scan_still_finds_more_there_is_a_plus_and_no_time_left() -> None:
    line = progress.plain_line(a_job(scan_done=False))
    assert line.startswith("212/640+ ")
    assert "left" not in line


def test_a_paused_job_says_so() -> None:
    assert "paused" in progress.plain_line(a_job(state=JobState.PAUSED))


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(found=3, done=2, failed=1), "done  3 files in 0:35: 2 done · 1 failed"),
        (Counts(found=3, skipped=3), "done  3 files in 0:35: nothing new: 3 files are unchanged"),
        (Counts(), "done  0 files in 0:35: no audio files there"),
    ],
)
def test_summary(counts: Counts, said: str) -> None:
    done = a_job(state=JobState.DONE, counts=counts, finished_at=NOW + timedelta(seconds=35))
    assert progress.summary(done).plain == said


def test_failures_are_grouped_by_code_with_a_few_paths() -> None:
    failures = [
        Failure(place=str(n), path=f"/music/bad {n}.wav", code="not_audio", message="no RIFF header") for n in range(9)
    ]
    lines = printed(progress.failure_groups(a_job(), [("not_audio", failures)])).splitlines()
    assert [word in lines[1] for word in ("9", "not_audio", "bad 0.wav: no RIFF header")] == [True] * 3
    assert lines[-1].strip() == "and 6 more"


# ------------------------------------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120-130", (120, 130)),
        ("87.5–90", (87.5, 90)),
        ("120-", (120, None)),
        ("-130", (None, 130)),
        (" 124 ", (123.5, 124.5)),
    ],
)
def test_bpm_range(text: str, expected: tuple[float | None, float | None]) -> None:
    assert list_filters.bpm_range(text) == expected


@pytest.mark.parametrize("text", ["", "-", "fast", "130-120", "1-2-3"])
def test_what_is_no_bpm_range_is_said_to_be_none(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        list_filters.bpm_range(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", "A minor"),
        ("a minor", "A minor"),
        ("A", "A major"),
        ("F#maj", "F# major"),
        ("B♭ min", "Bb minor"),
        ("bb", "Bb major"),
        ("12b", "E major"),
        ("h-moll", "B minor"),
    ],
)
def test_key_name(text: str, key: str) -> None:
    assert list_filters.key_name(text) == key


@pytest.mark.parametrize("text", ["H minor", "13A", "A dorian", ""])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        list_filters.key_name(text)


# ------------------------------------------------------------------------------------------------------- how it fails

Called = Callable[..., "Outcome"]


class Outcome:
    """What a call of the command line left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Called:
    """Call the command line on a data directory where nothing runs."""
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path))

    def called(*arguments: str) -> Outcome:
        result = CliRunner().invoke(app, list(arguments))
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return called


@contextmanager
def answering(status: int, body: str, asked: list[str] | None = None) -> Iterator[str]:
    """The address of a real server that answers everything the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("arguments", [["list"], ["jobs"], ["stats"], ["add", "x"], ["cancel", "abcdef"]])
@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_without_a_stack_every_command_says_how_to_start_it(
    call: Called, arguments: list[str], json_option: list[str]
) -> None:
    outcome = call(*arguments, *json_option)
    assert outcome.code == 1
    assert outcome.out == ""
    if json_option:
        told = json.loads(outcome.err)
        code, message, step = told["code"], told["message"], told["next"]
    else:
        said, step = outcome.err.splitlines()
        code, _, message = said.partition(": ")
    assert code == "not_running"
    assert message.startswith("no stack runs on ")
    assert "samplemind up`" in step


@pytest.mark.parametrize(
    "arguments", [["list", "--bpm", "x"], ["list", "--kind", "song"], ["add"], ["add", ""], ["nonsense"]]
)
def test_a_call_that_makes_no_sense_exits_with_2(call: Called, arguments: list[str]) -> None:
    outcome = call(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""


def test_a_setting_that_makes_no_sense_is_named(call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_MAX_UPLOAD_BYTES", "plenty")
    outcome = call("list")
    assert outcome.code == 2
    assert "SAMPLEMIND_MAX_UPLOAD_BYTES" in outcome.err


def test_a_list_that_is_no_json_is_shown_as_it_should_be(call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_ROOTS", "/music")
    for command in ("list", "up"):
        outcome = call(command)
        assert outcome.code == 2
        assert """SAMPLEMIND_ROOTS='["/music"]'""" in " ".join(outcome.err.replace("│", "").split())


def test_a_word_that_is_none_of_the_choices_is_said_with_them(call: Called) -> None:
    outcome = call("list", "--kind", "bongo")
    assert outcome.code == 2
    assert "'bongo' is none of one-shot, loop, track" in outcome.err
    assert "Value error" not in outcome.err


def test_a_data_folder_set_to_nothing_is_not_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", "")
    assert read_settings("", None).data_dir == default_data_dir()


# --------------------------------------------------------------------------------------------- names that are not UTF-8

LATIN = os.fsdecode(b"latin1_\xe9.wav")


@pytest.mark.parametrize("arguments", [["show", LATIN], ["delete", LATIN], ["list", "--path", LATIN, "--name", LATIN]])
def test_a_name_that_is_not_utf8_is_asked_for_as_it_is_shown(call: Called, arguments: list[str]) -> None:
    asked: list[str] = []
    with answering(200, '{"samples": []}', asked) as url:
        outcome = call(*arguments, "--url", url)
    assert "Traceback" not in outcome.err
    assert "latin1_%EF%BF%BD.wav" in asked[0]


def test_a_folder_whose_name_is_not_utf8_cannot_be_added(call: Called) -> None:
    outcome = call("add", os.fsdecode(b"/music/d\xe9"), "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("not_utf8: /music/d\ufffd: ")
    assert "add the folder around it" in outcome.err


@pytest.mark.parametrize("pattern", ["", os.fsdecode(b"*\xe9*")])
def test_a_request_of_ours_that_makes_no_sense_is_not_blamed_on_the_gateway(call: Called, pattern: str) -> None:
    outcome = call("add", "/music", "--include", pattern, "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("invalid: ")


def test_what_is_neither_an_id_nor_a_file_is_said_so(call: Called) -> None:
    with answering(200, '{"samples": []}') as url:
        outcome = call("show", "nope", "--url", url)
    assert outcome.err.startswith("no_such_sample: nothing in the library is called 'nope', and there is no such file")


def test_nobody_listens_there(call: Called) -> None:
    outcome = call("stats", "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("unreachable: no answer from http://127.0.0.1:9")


def test_the_gateways_own_words_reach_the_person(call: Called) -> None:
    with answering(503, json.dumps({"code": "store_unavailable", "message": "mongodb: away", "detail": {}})) as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert outcome.err.splitlines()[0] == "store_unavailable: mongodb: away"
    assert outcome.err.splitlines()[1].startswith("next: ")


def test_another_server_at_that_address_is_noticed(call: Called) -> None:
    with answering(502, "<html>Bad Gateway</html>") as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert outcome.err.startswith("http_502: ")
    assert "is this SampleMind?" in outcome.err


def test_something_that_is_no_json_with_status_200_is_noticed_too(call: Called) -> None:
    with answering(200, "<html>Welcome to nginx</html>") as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert "is this SampleMind?" in outcome.err


# ------------------------------------------------------------------------------------------------ this machine's stack


def test_doctor_says_what_is_wrong_and_what_to_do(call: Called) -> None:
    outcome = call("doctor")
    assert outcome.code == 1
    assert "no stack runs on" in outcome.out
    assert "samplemind up" in outcome.out


def test_doctor_speaks_json_to_programs(call: Called) -> None:
    outcome = call("doctor", "--json")
    assert outcome.code == 1
    told = json.loads(outcome.out)
    assert told["ok"] is False
    assert {part["name"]: part["ok"] for part in told["parts"]}["gateway"] is False
    assert told["versions"]["samplemind"]


def test_down_where_nothing_runs_is_no_error(call: Called) -> None:
    outcome = call("down", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out) == {"stopped": False, "pid": None}


@pytest.mark.parametrize(
    "left", ['{"pid": 1, "url": "http://127.0.0.1:1"}', '{"pid": 99999999}', "", "[]", '{"pid": "x"}']
)
def test_a_run_file_left_by_a_dead_stack_is_not_believed(tmp_path: Path, left: str) -> None:
    (tmp_path / "run.json").write_text(left)
    (tmp_path / "lock").touch()
    assert running_stack(tmp_path) is None


def test_a_library_that_does_not_exist_is_said_before_anything_starts(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", "run", "--library", "nowhere", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("no_such_folder: ")
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_loads_nothing_heavy() -> None:
    program = f"import sys, samplemind_tasks.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def run_program(*arguments: str, **environment: str) -> Outcome:
    """The command line as a process of its own, with settings of the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SAMPLEMIND_DATA_DIR": "/proc/x"}, "unusable_folder: the data folder /proc/x cannot be used: "),
        ({"SAMPLEMIND_DATA_DIR": __file__}, "unusable_folder: "),
        ({"SAMPLEMIND_BLOB_URL": "ftp://x"}, "bad_setting: SAMPLEMIND_BLOB_URL begins with 'ftp'"),
        ({"SAMPLEMIND_DEVICE": "tpu"}, "bad_setting: SAMPLEMIND_DEVICE is 'tpu'; it may be auto, cpu, cuda"),
    ],
)
@pytest.mark.parametrize("command", ["up", "run"])
def test_a_stack_that_cannot_start_says_why_and_what_to_do(
    tmp_path: Path, command: str, environment: dict[str, str], said: str
) -> None:
    outcome = run_program(command, **{"SAMPLEMIND_DATA_DIR": str(tmp_path), **environment})
    assert outcome.code == 1
    assert outcome.err.startswith(said)
    assert outcome.err.splitlines()[1].startswith("next: ")


def test_up_and_run_take_the_short_word_for_help_too() -> None:
    assert "--root" in run_program("up", "-h").out
    assert "--library" in run_program("run", "-h").out
    assert run_program("--version").out.startswith("samplemind ")


def test_measure_says_that_there_is_no_such_file_and_ends_quietly_when_nobody_reads() -> None:
    assert "There is no such file." in run_program("measure", "/nowhere.wav").out
    command = f"{sys.executable} -m samplemind_tasks.cli measure /a.wav /b.wav /c.wav | true"
    quiet = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in quiet.stderr


@pytest.mark.parametrize("after_s", [0.5, 1.0])
def test_ctrl_c_while_it_loads_ends_it_quietly(tmp_path: Path, after_s: float) -> None:
    command = [sys.executable, "-m", "samplemind_tasks.cli", "up", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        time.sleep(after_s)
        up.send_signal(signal.SIGINT)
        _, said = up.communicate(timeout=30)
    assert up.returncode != 0  # which number depends on how far it had come
    assert "Traceback" not in said


# ------------------------------------------------------------------------------------------------- with a real stack

STARTING_S = 240
"""The first start on a machine compiles the signal code and converts the model."""


def program(*arguments: str, data_dir: Path, limit_s: float = STARTING_S) -> Outcome:
    """The command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.cli", *arguments, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_s,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def lines(outcome: Outcome) -> list[dict[str, Any]]:
    """The JSON values on stdout; that there is nothing else is what this asks."""
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    return [json.loads(line) for line in outcome.out.splitlines()]


def addresses(told: Iterable[str]) -> dict[str, Any]:
    """What `up --json` says when everything is ready."""
    for line in told:
        value: dict[str, Any] = json.loads(line)
        if "url" in value:
            return value
    raise AssertionError("the stack does not start")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where `samplemind up` runs a stack, until `samplemind down`."""
    folder = tmp_path_factory.mktemp("up")
    command = [sys.executable, "-m", "samplemind_tasks.cli", "up", "--json", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stack:
        try:
            assert stack.stdout is not None
            assert addresses(stack.stdout)["url"].startswith("http://127.0.0.1:")
            yield folder
            assert lines(program("down", "--json", data_dir=folder)) == [{"stopped": True, "pid": stack.pid}]
            assert stack.wait(10) == 0
        finally:
            stack.terminate()
    assert running_stack(folder) is None


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sounds and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    for name, pitch_hz in {"low.wav": 110.0, "middle.wav": 220.0, "high.wav": 880.0}.items():
        write_tone(folder / name, pitch_hz)
    (folder / "broken.wav").write_bytes(b"this is no sound" * 100)
    return folder


def write_tone(path: Path, pitch_hz: float, rate_hz: int = 22_050, seconds: float = 1.5) -> None:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-2 * time_s)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes((tone * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def job(data_dir: Path, music: Path) -> Job:
    """The job that took the sounds in."""
    [told] = lines(program("add", str(music), "--json", data_dir=data_dir))
    return Job.model_validate(told)


@pytest.fixture(scope="module")
def samples(data_dir: Path, job: Job) -> dict[str, Sample]:
    """By name."""
    told = map(Sample.model_validate, lines(program("list", "--json", data_dir=data_dir)))
    return {sample.name: sample for sample in told}


@pytest.mark.timeout(STARTING_S)
def test_a_stack_that_is_up_is_well(data_dir: Path) -> None:
    [told] = lines(program("doctor", "--json", data_dir=data_dir))
    assert told["ok"] is True
    assert {"stack", "gateway"} < {part["name"] for part in told["parts"]}


def test_a_second_up_is_refused(data_dir: Path) -> None:
    outcome = program("up", data_dir=data_dir)
    assert outcome.code == 1
    assert outcome.err.startswith("already_running: ")


def test_add_waits_until_every_file_has_a_result(job: Job) -> None:
    assert job.state is JobState.DONE
    assert (job.counts.found, job.counts.done, job.counts.failed) == (4, 3, 1)


def test_adding_again_skips_what_is_known(data_dir: Path, music: Path, job: Job) -> None:
    outcome = program("add", str(music), data_dir=data_dir)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err


def test_jobs_lists_the_job_and_shows_it_by_the_start_of_its_id(data_dir: Path, job: Job) -> None:
    assert job.id in [told["id"] for told in lines(program("jobs", "--json", data_dir=data_dir))]
    [told] = lines(program("jobs", job.id[:10], "--json", data_dir=data_dir))
    assert told["id"] == job.id
    assert "4 found" in program("jobs", job.id, data_dir=data_dir).out


def test_failures_say_which_file_and_why(data_dir: Path, job: Job) -> None:
    [failure] = map(Failure.model_validate, lines(program("failures", job.id, "--json", data_dir=data_dir)))
    assert Path(failure.path).name == "broken.wav"
    shown = program("failures", job.id, data_dir=data_dir).out
    assert "broken.wav" in shown
    assert failure.code in shown


def test_retry_takes_the_failures_up_again_as_a_new_job(data_dir: Path, job: Job) -> None:
    [told] = lines(program("retry", job.id, "--json", data_dir=data_dir))
    again = Job.model_validate(told)
    assert again.retry_of == job.id
    assert (again.counts.found, again.counts.failed) == (1, 1)


def test_list_narrows(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    assert set(samples) == {"low.wav", "middle.wav", "high.wav"}
    assert len(lines(program("list", "--path", str(music), "--json", data_dir=data_dir))) == len(samples)
    [only] = lines(program("list", "--name", "low", "--json", data_dir=data_dir))
    assert only["name"] == "low.wav"
    assert lines(program("list", "--bpm", "20-30", "--json", data_dir=data_dir)) == []


def test_show_takes_an_id_its_start_or_a_path(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    wanted = samples["low.wav"]
    for name in (wanted.id, wanted.id[:8], str(music / "low.wav")):
        [told] = lines(program("show", name, "--json", data_dir=data_dir))
        assert SampleDetail.model_validate(told).sample.id == wanted.id
    assert "LUFS" in program("show", wanted.id, data_dir=data_dir).out


def test_similar_takes_a_sample_or_any_sound(data_dir: Path, samples: dict[str, Sample], tmp_path: Path) -> None:
    [told] = lines(program("similar", samples["low.wav"].id, "--json", data_dir=data_dir))
    assert {hit["sample"]["name"] for hit in told["hits"]} == {"middle.wav", "high.wav"}
    write_tone(tmp_path / "stranger.wav", 111.0)
    outcome = program("similar", str(tmp_path / "stranger.wav"), "--limit", "1", data_dir=data_dir)
    assert outcome.code == 0, outcome.err
    assert "low.wav" in outcome.out


def test_a_deleted_sample_comes_back_when_asked_for(data_dir: Path, music: Path, samples: dict[str, Sample]) -> None:
    wanted = samples["high.wav"]
    assert lines(program("delete", wanted.id, "--json", data_dir=data_dir)) == [{"deleted": wanted.id}]
    assert program("show", wanted.id, data_dir=data_dir).err.startswith("not_found: ")
    assert program("add", str(music), "--restore", data_dir=data_dir).code == 0
    assert program("show", wanted.id, data_dir=data_dir).code == 0


def test_run_uses_the_stack_that_is_there_and_leaves_it_running(data_dir: Path, music: Path) -> None:
    outcome = program("run", "--once", "--library", str(music), data_dir=data_dir)
    assert outcome.code == 0, outcome.err
    assert "low.wav" in outcome.out
    assert "/docs" in outcome.out
    assert running_stack(data_dir) is not None


@pytest.mark.timeout(STARTING_S)
def test_run_once_starts_everything_and_leaves_nothing_behind(tmp_path: Path, music: Path) -> None:
    outcome = program("run", "--once", "--library", str(music), data_dir=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "high.wav" in outcome.out
    assert running_stack(tmp_path) is None
    assert not (tmp_path / "run.json").exists()
