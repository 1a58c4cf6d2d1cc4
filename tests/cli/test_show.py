"""How values, tables and jobs look to a person."""

from datetime import timedelta

import pytest

from cli.examples import NOW, a_job, a_sample, printed
from samplemind_tasks.cli import progress, show
from samplemind_tasks.schemas import (
    Counts,
    Failure,
    JobState,
    StageCounts,
)

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
