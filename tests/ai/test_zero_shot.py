"""Somebody's own words as tags."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from samplemind_tasks.ai.embed import load
from samplemind_tasks.ai.zero_shot import MOST_TAGS, NONE_OF_THESE, ZeroShot
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.launch.check import BadSetting, check_settings
from samplemind_tasks.model_table import LONGEST_WORD, MOST_WORDS, read_words
from samplemind_tasks.settings import Settings

SIZE = 64
SCALE = 20.0
AXES = {"the sound of rain": 0, "the sound of a door": 1}


def read(texts: Sequence[str]) -> NDArray[np.float32]:
    """A space in which rain and doors have an axis each, and every other text one of its own."""
    others = iter(range(2, SIZE))
    return np.stack([np.eye(SIZE, dtype=np.float32)[AXES.get(text, next(others))] for text in texts])


def sound(**parts: float) -> NDArray[np.float32]:
    vector = np.zeros(SIZE, np.float32)
    vector[0], vector[1] = parts.get("rain", 0), parts.get("door", 0)
    vector[-1] = np.sqrt(1 - vector @ vector)
    return vector


def test_what_fits_is_first_and_what_fits_nothing_gets_nothing() -> None:
    own = ZeroShot(["rain", "a door"], read, SCALE)
    best, other = own.tags(sound(rain=0.8, door=0.1))
    assert (best.name, other.name) == ("rain", "a door")
    assert best.score > 0.9
    assert other.score < 0.01
    assert all(tag.score <= 1 / len(NONE_OF_THESE) for tag in own.tags(sound()))


def test_one_word_alone_is_not_certain() -> None:
    """Without the sentences that say nothing, a list of one word would tag every sound with it."""
    (only,) = ZeroShot(["rain"], read, SCALE).tags(sound())
    assert only.score < 0.2
    assert ZeroShot(["rain"], read, SCALE).tags(sound(rain=0.9))[0].score > 0.9


def test_a_long_list_gives_its_best() -> None:
    own = ZeroShot([f"word {number}" for number in range(40)], read, SCALE)
    tags = own.tags(sound())
    assert len(tags) == MOST_TAGS
    assert [tag.score for tag in tags] == sorted((tag.score for tag in tags), reverse=True)


def test_a_sound_is_tagged_with_the_words_of_the_file(clap_card: ModelCard, cache_dir: Path) -> None:
    words = ("kick", "choir", "rain on a tin roof")
    windows = {"clap": np.random.default_rng(0).normal(-40, 10, (2, 1001, 64)).astype(np.float16)}
    with_words = load(clap_card, cache_dir, "cpu", words=words)
    heard = with_words.embed(windows)
    assert {tag.name for tag in heard.tags} == set(words)
    assert 0 < sum(tag.score for tag in heard.tags) < 1
    nearest = words[int((with_words.embed_texts([f"the sound of {word}" for word in words]) @ heard.vector).argmax())]
    assert heard.tags[0].name == nearest
    without = load(clap_card, cache_dir, "cpu").embed(windows)
    assert without.tags == []
    np.testing.assert_array_equal(without.vector, heard.vector)


def listed(folder: Path, text: str) -> Path:
    path = folder / "words.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_are_lines_without_comments(tmp_path: Path) -> None:
    path = listed(tmp_path, "\ufeff# mine\nkick\n\n  dusty   vinyl # from the attic\r\nтарелка\n")
    assert read_words(path) == ("kick", "dusty vinyl", "тарелка")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 words"),
        ("# only this\n", "0 words"),
        ("kick\nsnare\nkick\n", "line 3 says 'kick', as line 1 does"),
        ("x" * (LONGEST_WORD + 1), f"line 1 has {LONGEST_WORD + 1} characters"),
        ("\n".join(f"word {number}" for number in range(MOST_WORDS + 1)), f"{MOST_WORDS + 1} words"),
        ("ki\x1bck", "cannot be shown"),
    ],
)
def test_mistakes_in_the_list_are_told_before_anything_starts(
    tmp_path: Path, models_file: Path, text: str, reason: str
) -> None:
    settings = Settings(
        data_dir=tmp_path, models_file=models_file, model="tiny-clap", words_file=listed(tmp_path, text)
    )
    with pytest.raises(BadSetting, match=reason):
        check_settings(settings)


def test_a_list_that_nobody_would_read_is_told(tmp_path: Path, models_file: Path) -> None:
    path = listed(tmp_path, "kick\n")
    with pytest.raises(BadSetting, match=r"knows no text.*tiny-clap"):
        check_settings(Settings(data_dir=tmp_path, models_file=models_file, words_file=path))
    with pytest.raises(BadSetting, match="nowhere"):
        check_settings(
            Settings(data_dir=tmp_path, models_file=models_file, model="tiny-clap", words_file=tmp_path / "nowhere")
        )
    path.with_name("latin").write_bytes(b"caf\xe9\n")
    with pytest.raises(BadSetting, match=r"utf-8|codec"):
        check_settings(
            Settings(data_dir=tmp_path, models_file=models_file, model="tiny-clap", words_file=tmp_path / "latin")
        )


def test_another_list_is_another_hearing_in_the_same_collection(tmp_path: Path, models_file: Path) -> None:
    plain = Settings(models_file=models_file, model="tiny-clap")
    (tmp_path / "a").write_text("kick\nsnare\n")
    (tmp_path / "b").write_text("kick\n")
    (tmp_path / "c").write_text("kick   # the same\nsnare")
    of = {name: plain.model_copy(update={"words_file": tmp_path / name}) for name in "abc"}
    assert plain.hearing_version == plain.model_card.collection
    assert len({plain.hearing_version, of["a"].hearing_version, of["b"].hearing_version}) == 3
    assert of["a"].hearing_version == of["c"].hearing_version
    assert {settings.model_card.collection for settings in of.values()} == {"tiny-clap-3"}
