"""Duplicates over HTTP: exact ones by their sound, near ones by their picture, each once, and nothing is changed."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from audio.sounds import RATE_HZ, kick, noise
from audio.whole import features as measured

from samplemind_tasks.library import duplicates

from .world import World, eventually


def groups(client: httpx.Client, limit: int = 50) -> list[dict[str, Any]]:
    """All groups, page by page."""
    found, cursor = [], None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/duplicates", params=params).json()
        found += page["groups"]
        cursor = page["next"]
        if cursor is None:
            return found


def names(group: dict[str, Any]) -> list[str]:
    return [member["sample"]["name"] for member in group["members"]]


def print_of(sound: np.ndarray) -> str:
    print_ = measured(sound).fingerprint
    assert print_ is not None
    return print_


@pytest.fixture
def copies(world: World) -> World:
    """Two exact copies, a quieter one with silence before it, and another sound with a vector as near."""
    padded = np.concatenate([np.zeros(RATE_HZ // 10, np.float32), kick() * np.float32(0.5)])
    world.sample("kick.wav", vector=[1.0], pcm_hash="a" * 32, fingerprint=print_of(kick()))
    world.sample("kick.flac", vector=[1.0], pcm_hash="a" * 32, fingerprint=print_of(kick()))
    world.sample("other.wav", vector=[1.0, 0.01], pcm_hash="b" * 32, fingerprint=print_of(noise(0.3)))
    world.sample("kick quiet.wav", vector=[0.99, 0.02], pcm_hash="c" * 32, fingerprint=print_of(padded))
    world.sample("far.wav", vector=[0.0, 1.0], pcm_hash="d" * 32, fingerprint=print_of(kick()))
    world.sample("hers.wav", user="ada", vector=[1.0], pcm_hash="a" * 32, fingerprint=print_of(kick()))
    return world


def test_exact_ones_first_then_near_ones_with_scores(client: httpx.Client, copies: World) -> None:
    exact, near = groups(client)
    assert (exact["how"], names(exact)) == ("exact", ["kick.wav", "kick.flac"])
    assert [member["similarity"] for member in exact["members"]] == [1.0, 1.0]
    assert (near["how"], names(near)) == ("near", ["kick.wav", "kick quiet.wav"])
    assert 0.66 <= near["members"][1]["similarity"] < 1.0
    assert len(client.get("/v1/samples").json()["samples"]) == 5


def test_copies_of_one_file_are_exact_duplicates_with_every_path(client: httpx.Client, world: World) -> None:
    kick = world.sample("kick.wav", vector=[1.0], pcm_hash="a" * 32)
    world.sample("kick.flac", vector=[1.0], pcm_hash="a" * 32)
    snare = world.sample("snare.wav", vector=[0.0, 1.0], pcm_hash="b" * 32)
    world.sample("alone.wav", vector=[0.0, 0.0, 1.0], pcm_hash="c" * 32)
    world.copy(kick, "Favourites/boom.wav")
    for number in range(10):
        world.copy(snare, f"Snares/{number}.wav")
    kicks, snares = groups(client)
    assert (kicks["how"], names(kicks)) == ("exact", ["kick.wav", "kick.flac"])
    assert [[Path(path).name for path in member["paths"]] for member in kicks["members"]] == [
        ["boom.wav", "kick.wav"],
        ["kick.flac"],
    ]
    (member,) = snares["members"]
    assert (snares["how"], len(member["paths"])) == ("exact", 11)
    assert all(Path(path).exists() for path in member["paths"])
    world.leave(snare, "Snares")
    (left,) = groups(client)
    assert names(left) == ["kick.wav", "kick.flac"]


def test_pages_lead_through_all_and_name_each_group_once(
    client: httpx.Client, copies: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        sound = kick() * np.float32(0.5 + number / 50)
        for part in "ab":
            copies.sample(
                f"{number}{part}.wav", vector=[0.0, 0.0, float(number), 20.0], pcm_hash=f"{number + 1:016x}" * 2,
                fingerprint=print_of(sound),
            )  # fmt: skip
    monkeypatch.setattr(duplicates, "STRETCH", 3)
    monkeypatch.setattr(duplicates, "LOOK_S", 0.0)
    is_known = {"filters": {"kind": ["loop"]}}
    assert eventually(lambda: client.post("/v1/search", json=is_known).json()["searched"] == 29)
    whole = groups(client)
    assert groups(client, limit=1) == whole
    firsts = [(group["how"], group["members"][0]["sample"]["id"]) for group in whole]
    assert len(firsts) == len(set(firsts))
    assert sum(group["how"] == "exact" for group in whole) == 13


def test_an_empty_library_and_a_wrong_cursor(client: httpx.Client) -> None:
    assert groups(client) == []
    assert client.get("/v1/duplicates", params={"cursor": "x"}).status_code == 422
