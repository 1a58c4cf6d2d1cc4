"""set, collections and searches on the command line: what a person says goes before what machines found."""

import pytest
from api.world import World, eventually
from typer.testing import CliRunner

from cli.test_search import found, shown, told, world
from samplemind_tasks.cli import app

__all__ = ["world"]  # a fixture


def refused(url: str, *words: str) -> str:
    outcome = CliRunner().invoke(app, [*words, "--url", url])
    assert outcome.exit_code == 1, outcome.output
    return outcome.stderr


def test_what_is_said_is_listed_filtered_and_found(url: str, world: World) -> None:
    said = ("--bpm", "87", "--key", "Cm", "--category", "snare", "--tag", "dusty crate")
    (answer,) = told(url, "set", "beat.wav", *said)
    assert answer["changed"] == 1
    (row,) = told(url, "list", "--bpm", "87", "--key", "C minor", "--category", "snare")
    assert (row["name"], row["said"]) == ("beat.wav", ["category", "tempo_bpm", "key", "tags"])
    assert eventually(lambda: found(url, "search", "dusty crate") == ["beat.wav"])
    assert "dusty crate" in shown(url, "show", "beat.wav")

    told(url, "set", "beat.wav", "--clear", "tempo_bpm", "--untag", "dusty crate")
    (row,) = told(url, "list", "--category", "snare")
    assert (row["tempo_bpm"], row["said"]) == (62.0, ["category", "key"])


def test_a_folder_is_changed_as_a_whole_once_that_was_confirmed(url: str, world: World) -> None:
    folder = str(world.folder / "drums")
    assert "changes 2 samples" in refused(url, "set", folder, "--favourite")
    assert "2 samples changed" in shown(url, "set", folder, "--favourite", "--yes")
    assert {row["name"] for row in told(url, "list", "--favourite")} == {"kick.wav", "hat.wav"}


def test_what_a_filter_meets_is_changed_once_that_was_confirmed(url: str) -> None:
    where = ("set", "--where", "kind=one-shot", "--where", "category=kick", "--tag", "mine")
    assert "changes 1 sample" in refused(url, *where)
    assert "1 sample changed" in shown(url, *where, "--yes")
    assert [row["name"] for row in told(url, "list", "--tag", "mine")] == ["kick.wav"]
    told(url, "collections", "create", "Best", "hat.wav")
    assert "1 sample changed" in shown(url, "set", "--where", "collection=best", "--favourite", "--yes")
    assert [row["name"] for row in told(url, "list", "--favourite")] == ["hat.wav"]
    for wrong in ("colour=red", "kind=spoon", "kind", "bpm=", "favourite=no"):
        assert CliRunner().invoke(app, ["set", "--where", wrong, "--favourite", "--url", url]).exit_code == 2, wrong


@pytest.mark.parametrize("bpm", ["nan", "inf", "fast"])
def test_what_is_no_tempo_is_told(bpm: str) -> None:
    outcome = CliRunner().invoke(app, ["set", "x", "--bpm", bpm, "--url", "http://127.0.0.1:9"])
    assert outcome.exit_code == 2
    assert f"'{bpm}' is no tempo" in outcome.stderr


def test_samples_that_are_not_there_are_told(url: str) -> None:
    gone = "0" * 24
    assert gone in refused(url, "set", gone, "beat.wav", "--favourite")
    assert [row["name"] for row in told(url, "list", "--favourite")] == ["beat.wav"]


def test_nothing_to_say_and_unknown_words_are_told(url: str) -> None:
    assert "nothing to say" in refused(url, "set", "kick.wav")
    assert "which samples" in refused(url, "set", "--favourite")
    assert "there is no collection 'nope'" in refused(url, "list", "--collection", "nope")
    assert "there is no search 'nope'" in refused(url, "searches", "run", "nope")


def test_a_collection_keeps_samples_in_its_order(url: str) -> None:
    told(url, "collections", "create", "Best", "hat.wav")
    (row,) = told(url, "collections", "add", "best", "kick.wav", "beat.wav")
    assert row["samples"] == 3
    told(url, "collections", "remove", "Best", "hat.wav")
    assert [row["name"] for row in told(url, "list", "--collection", "Best")] == ["kick.wav", "beat.wav"]
    assert found(url, "search", "kick", "--collection", "Best")[0] == "kick.wav"
    told(url, "collections", "rename", "Best", "Better")
    assert "Better" in shown(url, "collections", "list")
    told(url, "collections", "delete", "Better")
    assert "No collections" in shown(url, "collections", "list")


def test_a_search_is_kept_and_asked_again(url: str) -> None:
    first = found(url, "search", "dark kick", "--save", "Dark kicks")
    assert found(url, "searches", "run", "dark kicks") == first != []
    assert "dark kick" in shown(url, "searches", "list")
    told(url, "searches", "delete", "Dark kicks")
    assert "No saved searches" in shown(url, "searches", "list")
