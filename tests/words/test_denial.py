"""What a "not" reaches, and what lists mean."""

import pytest

from samplemind_tasks.features import Kind
from samplemind_tasks.words.parse import parse


def sounds(text: str) -> dict[str, bool]:
    """The sure sounds of a text and whether they are wanted."""
    return {sound.name: sound.wanted for sound in parse(text).sounds if sound.weight >= 0.8}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("snare, rim or clap", ["snare", "rim", "clap"]),
        ("snare,rim,clap", ["snare", "rim", "clap"]),
        ("kick and snare", ["kick", "snare"]),
        ("kick/snare", ["kick", "snare"]),
        ("kick + snare", ["kick", "snare"]),
        ("kick - snare", ["kick", "snare"]),
        ("kick & snare", ["kick", "snare"]),
        ("rim; shot glass, clap", ["rim", "clap"]),
        ("drums, loop", ["drum loop"]),
        ("bass, drum loop", ["bass", "drum loop"]),
        ("Snare oder Kick", ["snare", "kick"]),
        ("kick et caisse claire", ["kick", "snare"]),
        ("bombo y caja", ["kick", "snare"]),
        ("drum and bass loop", ["drum loop"]),
    ],
)
def test_a_list_keeps_all_its_sounds(text: str, names: list[str]) -> None:
    assert sounds(text) == dict.fromkeys(names, True)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("not a kick", [], ["kick"]),
        ("something that is not like a kick", [], ["kick"]),
        ("anything but a kick", [], ["kick"]),
        ("everything except kicks", [], ["kick"]),
        ("no kick, no snare", [], ["kick", "snare"]),
        ("no kick, snare or clap", [], ["kick", "snare", "clap"]),
        ("not a kick or a snare", [], ["kick", "snare"]),
        ("no kicks and snares", [], ["kick", "snare"]),
        ("snare, no kick, clap", ["snare", "clap"], ["kick"]),
        ("not a kick but a snare", ["snare"], ["kick"]),
        ("snare -rim", ["snare"], ["rim"]),
        ("hi-hat", ["closed hat"], []),
        ("pad without harsh vocals", ["pad"], ["vocal"]),
        ("pad w/o noise", ["pad"], ["noise"]),
        ("Snare ohne Becken", ["snare"], ["crash", "ride"]),
        ("nappe sans bruit", ["pad"], ["noise"]),
        ("guitarra sin ruido", ["guitar"], ["noise"]),
        ("hats but not open", ["closed hat"], ["open hat"]),
        ("kick without 808", ["kick"], ["808 kick", "808 bass"]),
    ],
)
def test_what_is_not_wanted(text: str, wanted: list[str], unwanted: list[str]) -> None:
    told = sounds(text)
    assert {name for name, is_wanted in told.items() if is_wanted} >= set(wanted)
    assert {name for name, is_wanted in told.items() if not is_wanted} >= set(unwanted)
    assert not set(unwanted).intersection(name for name, is_wanted in told.items() if is_wanted)


@pytest.mark.parametrize(
    ("text", "qualities"),
    [
        ("not too bright snare", {"bright": False}),
        ("not bright or harsh snare", {"bright": False, "harsh": False}),
        ("snare, not bright, short", {"bright": False, "short": True}),
        ("pad without noise, dark", {"dark": True}),
        ("clean bass", {"harsh": False, "noisy": False}),
        ("not a bright snare", {"bright": False}),
        ("dark but not boomy kick", {"dark": True, "boomy": False}),
    ],
)
def test_qualities(text: str, qualities: dict[str, bool]) -> None:
    assert {one.name: one.wanted for one in parse(text).descriptors} == qualities


def test_no_drums_leaves_out_every_drum() -> None:
    read = parse("no drums")
    assert {"kick", "open hat", "cowbell", "drum loop"} <= {sound.name for sound in read.sounds if not sound.wanted}
    assert len(read.read_as()) == 1


def test_kinds_that_are_not_wanted() -> None:
    assert parse("no loops").kinds == [Kind.ONE_SHOT, Kind.TRACK]
    assert parse("one shots, no loops").kinds == [Kind.ONE_SHOT]


def test_small_words_are_no_riddles() -> None:
    assert parse("weird but warm pad").rest == ["weird"]
    assert parse("I'm looking for something that could be a really fat kick").rest == []
    assert parse("kick without quuxland").rest_text == "quuxland"
    assert parse("kick without quuxland").rest == []
