"""Search over HTTP by filters and by text, and how each hit says why it was found."""

from typing import Any

import httpx
import pytest

from samplemind_tasks.features import Kind, Spread, Word

from .test_search import found, search, work_once
from .world import World, eventually

# ----------------------------------------------------------------------------------------------------------- by filter


@pytest.fixture
def shelf(world: World) -> World:
    """A few samples that differ in what filters look at."""
    centroid = Spread(mean=5000, deviation=1, p10=1, p50=1, p90=1)
    world.sample("drums/kick.wav", vector=[1.0], kind=Kind.ONE_SHOT, tempo_bpm=None, key=None, key_camelot=None,
                 duration_s=0.4, heard_as={"acoustic kick": 0.5, "808 kick": 0.4}, loudness_lufs=-20.0)  # fmt: skip
    world.sample("drums/hat.wav", vector=[0.9, 0.1], kind=Kind.ONE_SHOT, tempo_bpm=None, key=None, key_camelot=None,
                 duration_s=0.1, heard_as={"closed hat": 0.9}, centroid_hz=centroid,
                 words=[Word(name="bright", score=0.9)])  # fmt: skip
    world.sample(
        "loops/slow.wav", vector=[0.8, 0.2], tempo_bpm=62.0, key="A minor", key_camelot="8A", tags={"drums": 0.9}
    )
    world.sample("loops/fast.wav", vector=[0.7, 0.3], tempo_bpm=124.0, key="C major", key_camelot="8B")
    world.sample("loops/other.wav", vector=[0.6, 0.4], tempo_bpm=100.0, key="F# major", key_camelot="2B")
    return world


FILTERED: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": ["one-shot"]}, {"kick.wav", "hat.wav"}),
    ({"category": ["kick", "snare"]}, {"kick.wav"}),
    ({"tempo_bpm": {"least": 120, "most": 126}}, {"fast.wav"}),
    ({"tempo_bpm": {"least": 120, "most": 126}, "tempo_octaves": True}, {"fast.wav", "slow.wav"}),
    ({"key": "A minor"}, {"slow.wav"}),
    ({"key": "8A", "key_compatible": True}, {"slow.wav", "fast.wav"}),
    ({"key": "Gb major"}, {"other.wav"}),
    ({"key": "Am"}, {"slow.wav"}),
    ({"key": "a-Moll"}, {"slow.wav"}),
    ({"key": "Fis-Dur"}, {"other.wav"}),
    ({"duration_s": {"most": 0.4}}, {"kick.wav", "hat.wav"}),
    ({"brightness_hz": {"least": 3000}}, {"hat.wav"}),
    ({"loudness_lufs": {"most": -15}}, {"kick.wav"}),
    ({"tags": ["drums"]}, {"slow.wav"}),
    ({"words": ["bright"]}, {"hat.wav"}),
    ({"name": "ST"}, {"fast.wav"}),
    ({"favourite": True}, set()),
    ({"kind": ["loop"], "tempo_bpm": {"least": 90}}, {"fast.wav", "other.wav"}),
]


def test_filters_alone_and_with_a_sound(client: httpx.Client, shelf: World) -> None:
    like = client.get("/v1/samples", params={"name": "kick"}).json()["samples"][0]["id"]
    for filters, names in FILTERED:
        assert set(found(client, filters=filters)) == names, filters
        told = found(client, filters=filters, like=[like])
        assert set(told) == names - {"kick.wav"}, filters
        order = ["hat.wav", "slow.wav", "fast.wav", "other.wav"]
        assert told == [name for name in order if name in told], filters


def test_what_is_no_key_is_told_how_keys_are_written(client: httpx.Client) -> None:
    answer = client.post("/v1/search", json={"filters": {"key": "H minor"}})
    told = {"field": "filters.key", "message": 'write "A minor", Am, "F# major" or 8A'}
    assert (answer.status_code, answer.json()["detail"]["fields"]) == (422, [told])


def test_folder_is_a_filter(client: httpx.Client, shelf: World) -> None:
    assert set(found(client, filters={"folder": str(shelf.folder / "drums")})) == {"kick.wav", "hat.wav"}
    assert found(client, filters={"folder": str(shelf.folder / "dru")}) == []
    (shelf.folder / "link").symlink_to(shelf.folder / "drums")
    for way in ("link", "drums/../drums", "link/"):
        assert set(found(client, filters={"folder": f"{shelf.folder}/{way}"})) == {"kick.wav", "hat.wav"}, way
    assert found(client, filters={"folder": str(shelf.folder / "link" / "kick.wav")}) == ["kick.wav"]
    wrong = client.post("/v1/search", json={"filters": {"folder": "drums"}})
    assert (wrong.status_code, wrong.json()["detail"]["fields"][0]["field"]) == (422, "filters.folder")


def test_what_is_written_after_the_first_search_is_found(client: httpx.Client, world: World) -> None:
    assert found(client, filters={"kind": ["loop"]}) == []
    sample = world.sample("late.wav", vector=[1.0])
    assert eventually(lambda: found(client, filters={"kind": ["loop"]}) == ["late.wav"])
    client.patch(f"/v1/samples/{sample}", json={"favourite": True})
    assert eventually(lambda: found(client, filters={"favourite": True}) == ["late.wav"])
    assert client.delete(f"/v1/samples/{sample}").status_code == 204
    assert found(client, filters={"kind": ["loop"]}) == []


def test_samples_of_an_older_version_do_not_break_a_search(client: httpx.Client, world: World) -> None:
    world.crowd(3, state="ready")
    world.sample("new.wav", vector=[1.0], heard_as={"rim": 0.9})
    assert len(found(client, filters={"kind": ["loop"]})) == 4
    assert found(client, text="rim") == ["new.wav"]
    asked = client.get("/v1/samples", params={"name": "new"}).json()["samples"][0]["id"]
    assert client.post("/v1/search", json={"like": [asked]}).status_code == 200


# ------------------------------------------------------------------------------------------------------------- by text


def test_text_says_how_and_by_what_words_it_was_met(client: httpx.Client, shelf: World) -> None:
    answer = search(client, text="bright hat")
    (best, *_) = answer["hits"]
    assert best["sample"]["name"] == "hat.wav"
    assert "bright" in best["matched"]
    assert best["mode"]
    assert answer["understood"]
    assert found(client, text="kick")[0] == "kick.wav"


def test_nothing_matches_is_said(client: httpx.Client, shelf: World) -> None:
    answer = search(client, text="cowbell")
    assert (answer["hits"], answer["nothing_matches"]) == ([], True)
    assert search(client, filters={"favourite": True})["nothing_matches"] is False


def test_words_nobody_knows_are_asked_of_the_live_worker_once(client: httpx.Client, shelf: World) -> None:
    asked: list[object] = []
    sound = {"name": "kick", "weight": 0.6, "wanted": True, "words": "thumpification"}
    worker = work_once(shelf, {"sounds": [sound], "tags": [], "name_words": []}, asked)
    first = search(client, text="thumpification")
    worker.join()
    assert [hit["sample"]["name"] for hit in first["hits"]] == ["kick.wav"]
    assert (first["rest"], first["understood"][0]["value"]) == ("", "kick")
    assert asked == [["thumpification"]]
    assert search(client, text="thumpification")["hits"] == first["hits"]
    assert shelf.queued("live") == []


def test_text_and_sound_together_and_text_with_filters(client: httpx.Client, shelf: World) -> None:
    like = client.get("/v1/samples", params={"name": "other"}).json()["samples"][0]["id"]
    (best, *_) = search(client, text="kick", like=[like])["hits"]
    assert best["sample"]["name"] == "kick.wav"
    assert set(best["parts"]) == {"timbre", "spectrum", "text"}
    assert best["mode"][0] == "sound"
    assert found(client, text="kick", like=[like], text_weight=0)[0] == "fast.wav"
    assert found(client, text="kick", filters={"kind": ["loop"]}) == []


def test_text_in_any_script_is_a_text(client: httpx.Client, shelf: World) -> None:
    for text in ("тарелка", "キック", "🥁", "kick\u0000", "%_\\", "'; drop"):
        assert client.post("/v1/search", json={"text": text}).status_code == 200, text
