"""Words that were mistyped, and words that were not."""

import pytest

from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.typos import one_slip


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("snair", "snare"),
        ("snrae", "snare"),
        ("kik", "kick"),
        ("kikc", "kick"),
        ("clpa", "clap"),
        ("padd", "pad"),
        ("basss", "bass"),
        ("ambiant", "ambience"),
        ("synt", "synth lead"),
        ("guitarr", "guitar"),
        ("vocls", "vocal"),
        ("paino", "piano"),
        ("tamborine", "tambourine"),
        ("saxaphone", "saxophone"),
        ("glokenspiel", "glockenspiel"),
        ("acordian", "accordion"),
        ("xylaphone", "mallet"),
        ("percusion", "other percussion"),
        ("symbal", "crash"),
        ("hihat", "closed hat"),
        ("hi hat", "closed hat"),
        ("high hat", "closed hat"),
        ("closd hat", "closed hat"),
        ("elctric guitar", "electric guitar"),
        ("down lifter", "sweep"),
        ("up-lifter", "riser"),
    ],
)
def test_slips_are_understood(typed: str, meant: str) -> None:
    read = parse(typed)
    assert meant in [sound.name for sound in read.sounds]
    assert read.rest == []


EVERYDAY = """
table select mother invoice tax window chair banana lawyer monday kitchen carpet spoon mountain doctor school coffee
sandwich marriage theorem delete update hello password newspaper government blanket pencil onion salary husband economy
winter purple tomorrow customer hospital grammar potato shirt users cash corner star start glass cave brake
"""


@pytest.mark.parametrize("word", EVERYDAY.split())
def test_everyday_words_are_no_sounds(word: str) -> None:
    read = parse(word)
    assert (read.sounds, read.descriptors, read.kinds) == ([], [], [])


def test_code_is_no_sound() -> None:
    assert parse("'; DROP TABLE users; --").sounds == []
    assert parse("SELECT * FROM samples WHERE 1=1").sounds == []
    assert parse("<script>alert(1)</script>").sounds == []


def test_one_slip_begins_with_the_same_letter() -> None:
    assert one_slip("thundr", "thunder")
    assert one_slip("tuhnder", "thunder")
    assert not one_slip("clash", "slash")
    assert not one_slip("thund", "thunder")
