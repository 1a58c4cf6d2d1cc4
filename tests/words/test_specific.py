"""Kits, machines and instruments that share a category: what names tell apart, and what is heard does not."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.categories import LEAVES
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.ranked import Ranked
from samplemind_tasks.words.ranking import rank

LEAF = list(LEAVES)
HEARD = (
    ("TR808EmulationKit/808_Hat_Closed.wav", "closed hat", 0.5, 7000.0),
    ("TR808EmulationKit/808_Kick.wav", "electronic kick", 0.9, 200.0),
    ("GMRockKit/HatClosed-Soft.wav", "closed hat", 0.95, 9000.0),
    ("GMRockKit/HatClosed-Hard.wav", "closed hat", 0.95, 8000.0),
    ("GMRockKit/Kick-Hard.wav", "acoustic kick", 0.95, 300.0),
    ("GMRockKit/Snare-Hard.wav", "acoustic snare", 0.95, 3000.0),
    ("VariBreaks2/a1.wav", "acoustic snare", 0.6, 3000.0),
    ("Latin/BongoLo-Med.wav", "conga", 0.95, 900.0),
    ("Latin/CajonThump-1.wav", "conga", 0.5, 500.0),
    ("FX/yFX_3.wav", "soundscape", 0.6, 4000.0),
    ("FX/HatLike.wav", "closed hat", 0.9, 3000.0),
)


def found(text: str, heard: Sequence[tuple[str, str, float, float]] = HEARD) -> tuple[list[str], Ranked]:
    count, names = len(heard), NameIndex()
    leaves = np.zeros((count, len(LEAF)), np.uint8)
    for row, (path, leaf, score, _) in enumerate(heard):
        folder, _, name = path.rpartition("/")
        names.put(row, name, folder)
        leaves[row, LEAF.index(leaf)] = round(255 * score)
    nothing = np.full(count, math.nan, np.float32)
    columns = {
        "leaf_scores": leaves, "word_scores": np.zeros((count, len(DESCRIPTORS)), np.uint8),
        "tag_scores": np.zeros((count, 0), np.uint8), "tempo_bpm": nothing, "pitch_midi": nothing,
        "loudness_lufs": nothing, "duration_s": np.full(count, 0.3, np.float32), "key": np.full(count, -1, np.int8),
        "brightness_hz": np.array([row[3] for row in heard], np.float32), "kind": np.zeros(count, np.int8),
        "category": np.full(count, -1, np.int8), "by_person": np.zeros(count, np.bool_),
    }  # fmt: skip
    ranked = rank(parse(text), columns, np.arange(count), names=names)
    order = np.argsort(-ranked.scores, kind="stable")
    return [heard[row][0].rpartition("/")[2] for row in order if ranked.scores[row] >= ranked.floor], ranked


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("808 hat", "808_Hat_Closed.wav"),
        ("hat 808", "808_Hat_Closed.wav"),
        ("808 kick", "808_Kick.wav"),
        ("gmrockkit kick", "Kick-Hard.wav"),
        ("gm rock kit kick", "Kick-Hard.wav"),
        ("varibreaks snare", "a1.wav"),
        ("varibreaks2 snare", "a1.wav"),
        ("cajon", "CajonThump-1.wav"),
        ("bongo", "BongoLo-Med.wav"),
    ],
)
def test_what_a_name_or_its_folder_says_comes_first(text: str, first: str) -> None:
    order, _ = found(text)
    assert order[0] == first


def test_others_of_the_sort_follow() -> None:
    order, _ = found("808 hat")
    assert {"HatClosed-Soft.wav", "HatClosed-Hard.wav"} <= set(order)


@pytest.mark.parametrize("text", ["GMRockKit", "VariBreaks"])
def test_a_kit_alone_is_its_sounds(text: str) -> None:
    order, _ = found(text)
    assert set(order) == {path.rpartition("/")[2] for path, *_ in HEARD if path.startswith(text)}


def test_a_machine_alone_is_all_of_its_sounds() -> None:
    order, _ = found("808")
    assert set(order[:2]) == {"808_Hat_Closed.wav", "808_Kick.wav"}


def test_a_machine_that_no_name_knows_is_told_and_changes_nothing() -> None:
    order, ranked = found("909 hat")
    assert order[0].startswith("HatClosed")
    assert ranked.understood.rest_text == "909"
    assert order == found("hat")[0]


def test_a_machine_that_is_not_wanted_is_left_out() -> None:
    order, _ = found("kick not 808")
    assert "Kick-Hard.wav" in order
    assert "808_Kick.wav" not in order
    nameless = [("a1.wav", "808 kick", 0.9, 200.0), ("a2.wav", "acoustic kick", 0.9, 200.0)]
    assert found("kick not 808", nameless)[0] == ["a2.wav"]


def test_a_name_that_tells_any_effect_has_not_met_the_rain() -> None:
    order, ranked = found("rain")
    assert order[0] == "yFX_3.wav"
    modes, words = ranked.why(9)
    assert "name" in modes
    met = [part.words for part in ranked.parts if part.mode.value == "name" and part.met[9] > 0]
    assert met == [""]
    assert words == ["rain"]  # as what it was heard, not as what it is called


def test_a_dark_one_is_darker_than_others_of_its_sort() -> None:
    order, ranked = found("dark closed hat")
    assert order[0] == "HatLike.wav"  # brighter than every kick
    assert "dark" in ranked.why(10)[1]
    assert "dark" not in ranked.why(2)[1]
    assert found("bright closed hat")[0][0] == "HatClosed-Soft.wav"
