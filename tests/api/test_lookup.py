"""Which sample is meant: what lists show of one leads back to it."""

from typing import Any

import httpx
import pytest

from .world import World, eventually


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    """Kicks of two packs, one of which has a copy of another name."""
    found = {
        name: world.sample(name, vector=[1.0])
        for name in ("Pack A/Kick 01.wav", "Pack B/Kick 01.wav", "Pack B/808.flac", "Pack B/snare[1] ü.wav")
    }
    world.copy(found["Pack B/808.flac"], "Favourites/Boom.wav")
    return found


def look_up(client: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    answer = client.get("/v1/lookup", params={"text": text, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def meant(client: httpx.Client, text: str) -> list[str]:
    return [sample["id"] for sample in look_up(client, text)["samples"]]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("808.flac", "name"),
        ("808.FLAC", "name"),
        ("808", "name"),
        ("boom", "name"),
        ("Pack B/808.flac", "path"),
        ("Favourites/Boom.wav", "path"),
        ("Pac…/808.flac", "path"),
        ("80…", "name"),
    ],
)
def test_a_name_or_path_as_lists_show_it_is_found(
    client: httpx.Client, ids: dict[str, str], text: str, how: str
) -> None:
    answer = look_up(client, text)
    assert ([sample["id"] for sample in answer["samples"]], answer["how"]) == ([ids["Pack B/808.flac"]], how)


def test_whole_paths_ids_and_their_beginnings(client: httpx.Client, world: World, ids: dict[str, str]) -> None:
    for name, sample in ids.items():
        assert meant(client, str(world.folder / name)) == [sample]
        assert meant(client, sample) == meant(client, sample[:10]) == [sample]


def test_several_are_all_told_and_none_is_told(client: httpx.Client, ids: dict[str, str]) -> None:
    both = look_up(client, "Kick 01.wav")
    assert {sample["id"] for sample in both["samples"]} == {ids["Pack A/Kick 01.wav"], ids["Pack B/Kick 01.wav"]}
    one = look_up(client, "kick 01", limit=1)
    assert (len(one["samples"]), one["total"]) == (1, 2)
    assert look_up(client, "kick") == {"how": None, "samples": [], "total": 0}
    assert meant(client, "snare[1] ü.wav") == [ids["Pack B/snare[1] ü.wav"]]


def test_a_sample_that_was_deleted_is_not_meant(client: httpx.Client, ids: dict[str, str]) -> None:
    assert meant(client, "808") == [ids["Pack B/808.flac"]]
    assert client.delete(f"/v1/samples/{ids['Pack B/808.flac']}").status_code == 204
    assert look_up(client, "808") == {"how": None, "samples": [], "total": 0}


def test_others_libraries_are_not_looked_at(client: httpx.Client, world: World) -> None:
    hers = world.sample("hers.wav", user="ada", vector=[1.0])
    assert meant(client, "hers.wav") == meant(client, hers) == []


def test_samples_say_where_they_are_and_copies_are_found_by_folder_and_name(
    client: httpx.Client, world: World, ids: dict[str, str]
) -> None:
    boom = str(world.folder / "Favourites/Boom.wav")
    sample = client.get(f"/v1/samples/{ids['Pack B/808.flac']}").json()["sample"]
    assert sample["paths"] == [boom, str(world.folder / "Pack B/808.flac")]

    def hits(**query: Any) -> list[str]:
        return [hit["sample"]["id"] for hit in client.post("/v1/search", json=query).json()["hits"]]

    below = {"folder": str(world.folder / "Favourites")}
    assert hits(filters=below) == hits(text="boom") == hits(text="favourites") == [ids["Pack B/808.flac"]]
    world.leave(ids["Pack B/808.flac"], "Favourites")
    assert eventually(lambda: hits(filters=below) == [])
    assert eventually(lambda: meant(client, "boom") == [])
