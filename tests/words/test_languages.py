"""What producers type in German, French and Spanish."""

import tomllib
from importlib.resources import files

import pytest

from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.vocabulary import vocabulary


@pytest.mark.parametrize(
    ("text", "sound", "quality"),
    [
        ("dunkle Fläche", "pad", "dark"),
        ("dunkle Flaeche", "pad", "dark"),
        ("Fläche, dunkel", "pad", "dark"),
        ("düsteres Pad", "pad", "dark"),
        ("Basstrommel", "kick", None),
        ("große Trommel", "kick", None),
        ("Fußtrommel", "kick", None),
        ("kleine Trommel", "snare", None),
        ("geschlossene Hi-Hat", "closed hat", None),
        ("geschlossenes HiHat", "closed hat", None),
        ("offene Hihat", "open hat", None),
        ("kurze trockene Snare", "snare", "short"),
        ("tiefer Bass", "bass", "deep"),
        ("helle Glocken", "bell", "bright"),
        ("akustische Gitarre", "acoustic guitar", None),
        ("weibliche Stimme", "voice", None),
        ("Schlagzeug", "drum loop", None),
        ("weiches Klavier", "piano", "soft"),
        ("caisse claire sèche", "snare", "short"),
        ("grosse caisse", "kick", None),
        ("charley fermé", "closed hat", None),
        ("nappe sombre", "pad", "dark"),
        ("basse profonde", "bass", "deep"),
        ("guitare électrique", "electric guitar", None),
        ("bombo oscuro", "kick", "dark"),
        ("caja seca", "snare", "short"),
        ("charles abierto", "open hat", None),
        ("guitarra acústica", "acoustic guitar", None),
        ("voces suaves", "voice", "soft"),
        ("platillos brillantes", "crash", "bright"),
    ],
)
def test_words_of_other_languages(text: str, sound: str, quality: str | None) -> None:
    read = parse(text)
    assert read.rest == []
    assert sound == read.sounds[0].name
    assert quality is None or quality in [one.name for one in read.descriptors]


@pytest.mark.parametrize(
    ("text", "quality"), [("brighter snare", "bright"), ("the punchiest kick", "punchy"), ("fatter bass", "warm")]
)
def test_degrees(text: str, quality: str) -> None:
    assert quality in [one.name for one in parse(text).descriptors]


@pytest.mark.parametrize("text", ["snare acoustic", "kick 909", "hat closed", "guitar electric", "loop drum"])
def test_the_noun_may_come_first(text: str) -> None:
    first, second = text.split()
    assert parse(text).sounds[0].name == parse(f"{second} {first}").sounds[0].name


def test_every_translation_is_a_word_that_is_known() -> None:
    known = vocabulary()
    table = tomllib.loads(files("samplemind_tasks.words").joinpath("languages.toml").read_text(encoding="utf-8"))
    words = {word for phrase in known.phrases for word in phrase.words}
    for language, spellings in table.items():
        for english in spellings:
            assert known.at([english], 0) or english in words, (language, english)


def test_a_translation_gives_way_to_the_vocabulary() -> None:
    assert parse("claire").descriptors[0].name == "bright"
    assert parse("caisse claire").descriptors == []
