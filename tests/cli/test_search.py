"""search, similar, duplicates and reindex on the command line, against a gateway over real stores."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from api.test_search import heard, work_once
from api.world import World, eventually
from typer.testing import CliRunner

from samplemind_tasks.cli import app
from samplemind_tasks.cli.search import span, weight
from samplemind_tasks.features import Kind, Word
from samplemind_tasks.settings import Settings


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "music"
    folder.mkdir()
    with World(settings.model_copy(update={"roots": (folder,)}), folder.resolve()) as world:
        same = {"pcm_hash": "a" * 32}
        world.sample("drums/kick.wav", vector=[1.0], **same, kind=Kind.ONE_SHOT, tempo_bpm=None,
                     heard_as={"808 kick": 0.9}, words=[Word(name="dark", score=0.9)])  # fmt: skip
        world.sample("drums/hat.wav", vector=[0.6, 0.4], **same, kind=Kind.ONE_SHOT, heard_as={"closed hat": 0.8})
        world.sample("loops/beat.wav", vector=[0.8, 0.2], **same, tempo_bpm=62.0, heard_as={"drum loop": 0.95})
        yield world


def told(url: str, *words: str) -> list[dict[str, Any]]:
    """What a program gets."""
    outcome = CliRunner().invoke(app, [*words, "--json", "--url", url])
    assert outcome.exit_code == 0, outcome.output
    return [json.loads(line) for line in outcome.stdout.splitlines() if line.startswith("{")]  # the gateway logs too


def found(url: str, *words: str) -> list[str]:
    (answer,) = told(url, *words)
    return [hit["sample"]["name"] for hit in answer["hits"]]


def shown(url: str, *words: str) -> str:
    """What a person reads."""
    outcome = CliRunner().invoke(app, [*words, "--url", url])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_a_text_is_answered_with_what_was_understood_and_why(url: str) -> None:
    page = shown(url, "search", "dark kick")
    assert "kick.wav" in page
    assert "understood" in page
    assert "category" in page
    assert "dark" in page
    assert "Nothing matches" in shown(url, "search", "cowbell")


def test_likes_take_ids_and_paths_and_filters_narrow(url: str, world: World) -> None:
    kick = str(world.folder / "drums/kick.wav")
    assert found(url, "search", "--like", kick) == ["beat.wav", "hat.wav"]
    assert found(url, "similar", kick, "--limit", "1") == ["beat.wav"]
    assert found(url, "search", "--like", kick, "--kind", "one-shot") == ["hat.wav"]
    assert found(url, "search", "--bpm", "120-126", "--octaves") == ["beat.wav", "hat.wav"]
    assert found(url, "search", "--category", "kick", "--category", "closed hat") == ["hat.wav", "kick.wav"]
    assert set(found(url, "search", "--folder", str(world.folder / "drums"))) == {"kick.wav", "hat.wav"}
    assert found(url, "search", "--word", "dark", "--duration", "1-3") == ["kick.wav"]
    (answer,) = told(url, "search", "--like", kick, "--weight", "pitch=0.5", "--weight", "timbre=1")
    assert set(answer["hits"][0]["parts"]) == {"timbre", "pitch", "spectrum"}


def test_a_name_as_lists_show_it_stands_for_the_sample(url: str, world: World) -> None:
    world.sample("loops/kick.wav", vector=[0.1, 0.9])
    assert found(url, "similar", "hat.wav", "--limit", "1") == found(url, "similar", "HAT", "--limit", "1")
    assert found(url, "search", "--like", "drums/kick.wav", "--limit", "1") == ["beat.wav"]
    (sheet,) = told(url, "show", "beat")
    assert sheet["sample"]["name"] == "beat.wav"
    outcome = CliRunner().invoke(app, ["show", "kick.wav", "--url", url])
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("ambiguous: 2 samples may be meant by 'kick.wav':")
    for name in ("drums/kick.wav", "loops/kick.wav"):
        assert str(world.folder / name) in outcome.stderr
    ids = [line.split()[0] for line in outcome.stderr.splitlines() if "/kick.wav" in line]
    assert [told(url, "show", short)[0]["sample"]["name"] for short in ids] == ["kick.wav", "kick.wav"]


def test_paths_are_for_other_programs(url: str, world: World) -> None:
    hat, kick = str(world.folder / "drums/hat.wav"), str(world.folder / "drums/kick.wav")

    def paths(*words: str) -> list[str]:
        return [line for line in shown(url, *words).splitlines() if line.startswith("/")]  # the gateway logs too

    assert paths("search", "--category", "Closed Hats", "--paths") == [hat]
    assert set(paths("list", "--path", str(world.folder / "drums"), "--paths")) == {hat, kick}
    assert paths("similar", kick, "--paths", "--limit", "1") == [str(world.folder / "loops/beat.wav")]
    copy = str(world.folder / "My loops/hat 2.wav")
    world.copy(told(url, "show", "hat")[0]["sample"]["id"], "My loops/hat 2.wav")
    assert eventually(lambda: paths("search", "--folder", str(world.folder / "My loops"), "--paths") == [copy])
    assert f"{hat}\0" in shown(url, "search", "--category", "closed-hat", "--folder", str(Path(hat).parent), "-0")


def test_a_file_outside_the_library_is_sent_once(url: str, world: World, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.wav"
    stranger.write_bytes(b"a sound")
    asked: list[object] = []
    worker = work_once(world, heard(world, 1.0), asked)
    (answer,) = told(url, "search", "--like", str(stranger), "--kind", "loop")
    worker.join()
    assert [hit["sample"]["name"] for hit in answer["hits"]] == ["beat.wav"]
    assert asked == [b"a sound"]


def test_what_makes_no_sense_is_told(url: str) -> None:
    for words in (["search"], ["search", "--like", "nowhere.wav"], ["search", "--weight", "colour=1"],
                  ["search", "--kind", "spoon"], ["search", "--loudness", "loud"]):  # fmt: skip
        outcome = CliRunner().invoke(app, [*words, "--url", url])
        assert outcome.exit_code != 0, words
        assert not isinstance(outcome.exception, ValueError), words


def test_a_sound_that_is_liked_and_unliked_is_refused(url: str) -> None:
    outcome = CliRunner().invoke(app, ["search", "--like", "kick.wav", "--unlike", "KICK", "--url", url])
    assert outcome.exit_code == 1, outcome.output
    assert outcome.stderr.startswith("invalid: unlike: a sound cannot be in both like and unlike")


def test_a_category_that_may_be_several_is_refused_as_by_list(url: str) -> None:
    """`search kick --category hat` said that nothing matches."""
    for words in (["search", "kick"], ["list"]):
        outcome = CliRunner().invoke(app, [*words, "--category", "hat", "--url", url])
        assert outcome.exit_code == 2, outcome.output
        told = " ".join(outcome.stderr.replace("│", "").split())
        assert "'hat' may be closed hat, open hat: choose one of them" in told


def test_duplicates_are_listed_and_an_index_can_be_written_anew(url: str, world: World) -> None:
    (group,) = told(url, "duplicates")
    assert (group["how"], len(group["members"])) == ("exact", 3)
    assert "3 samples" in shown(url, "reindex")
    assert eventually(lambda: len(world.queued("control")) >= 1)


def test_what_duplicates_take_is_told_of_the_whole_library_only_where_all_of_it_was_seen(
    url: str, world: World
) -> None:
    for number in range(2):
        world.sample(f"loops/fill {number}.wav", vector=[0.0, 1.0], pcm_hash="b" * 32)
    assert eventually(lambda: len(told(url, "duplicates")) == 2)
    for words in ([], ["--exact"], ["--limit", "0"]):
        assert "3 files more than one of each exact sound, " in shown(url, "duplicates", *words)
    assert "2 files more than one of each exact sound in the groups shown, " in shown(url, "duplicates", "--limit", "1")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("0.5-2", 0.5, 2), ("0.5-", 0.5, None), ("-2", None, 2), ("-20..-8", -20, -8), ("..-8", None, -8)],
)
def test_ranges(text: str, least: float | None, most: float | None) -> None:
    assert span(text) == {"least": least, "most": most}


@pytest.mark.parametrize("text", ["", "-", "loud", "3-2", "1-2-3", ".."])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        span(text)


def test_weights() -> None:
    assert weight("pitch=0.5") == ("pitch", 0.5)
    for text in ("pitch", "pitch=2", "colour=1", "pitch=-1", "pitch=nan"):
        with pytest.raises(typer.BadParameter):
            weight(text)
