"""Words that are in no list meet what lies near them, through the sentence model that is installed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.model_table import network_cards
from samplemind_tasks.words.meaning import Related, asked_texts, nearest_meanings, phrase_texts, relate
from samplemind_tasks.words.parse import parse

TAGS = ["techno", "opera", "indian"]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Sentences:
    return Sentences.load(network_cards()["sentences"], Path(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def phrases(sentences: Sentences) -> NDArray[np.float32]:
    return sentences.embed(phrase_texts())


def related(text: str, sentences: Sentences, phrases: NDArray[np.float32]) -> Related:
    texts = asked_texts(parse(text))
    assert texts, "a text that the vocabulary knows already"
    return relate(texts, sentences.embed(texts), phrases, TAGS, sentences.embed(TAGS))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("thunderstorm", {Category.IMPACT, Category.FX}),
        ("jet engine", {Category.FX}),
        ("thunderclap", {Category.IMPACT}),
        ("temple", {Category.OTHER_PERCUSSION, Category.BELL}),
        ("rifle", {Category.IMPACT}),
        ("submarine", {Category.FX}),
    ],
)
def test_unknown_words_go_to_sensible_categories(
    text: str, meant: set[Category], sentences: Sentences, phrases: NDArray[np.float32]
) -> None:
    sounds = related(text, sentences, phrases).sounds
    assert all(0 < sound.weight < 1 for sound in sounds)
    best = max(sounds, key=lambda sound: sound.weight)
    assert (LEAVES.get(best.name) or Category(best.name)) in meant


def test_tags(sentences: Sentences, phrases: NDArray[np.float32]) -> None:
    assert related("operatic", sentences, phrases).tags[0].name == "opera"


EVERYDAY = """
table drop select mother invoice tax window chair banana lawyer monday politics carpet spoon mountain doctor school
coffee sandwich marriage theorem delete update hello password newspaper government blanket pencil onion salary husband
economy winter purple seven tomorrow customer hospital grammar potato shirt users
"""


@pytest.mark.parametrize("text", [*EVERYDAY.split(), "xyzzy", "tax return", "drop table", "bread and butter"])
def test_everyday_words_are_near_to_nothing(text: str, sentences: Sentences, phrases: NDArray[np.float32]) -> None:
    assert related(text, sentences, phrases) == Related()


def test_words_of_names(sentences: Sentences, phrases: NDArray[np.float32]) -> None:
    words = ["tempest", "invoice", "marble"]
    found = relate(
        ["thunderstorm"], sentences.embed(["thunderstorm"]), phrases, (), None, words, sentences.embed(words)
    )
    assert [word.name for word in found.name_words] in ([], ["tempest"])


def test_what_is_understood_needs_no_model() -> None:
    assert asked_texts(parse("short dark kick 124 bpm")) == []
    assert asked_texts(parse("")) == []


def test_nothing_to_compare_with() -> None:
    none = np.zeros((0, 384), np.float32)
    assert nearest_meanings(none, none, [], []) == []
