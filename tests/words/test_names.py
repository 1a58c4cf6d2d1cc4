"""What names tell, and how words are found in them."""

import numpy as np
import pytest

from samplemind_tasks.words.names import FOLDER_WEIGHT, NameIndex
from samplemind_tasks.words.vocabulary import leaves_of

SIZE = 4


def index(*names: str) -> NameIndex:
    found = NameIndex()
    for row, path in enumerate(names):
        folder, _, name = path.rpartition("/")
        found.put(row, name, folder)
    return found


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("BD_01.aiff", "kick"),
        ("EE_Kick_Hard_2.flac", "kick"),
        ("bassdrum03.ogg", "kick"),
        ("drum_bass_hard.flac", "kick"),
        ("HatClosed-Softest.wav", "closed hat"),
        ("hihat_opened01.ogg", "open hat"),
        ("drum_cymbal_pedal.flac", "closed hat"),
        ("RideBell-2.wav", "ride"),
        ("loop_breakbeat.flac", "drum loop"),
        ("guit_e_slide.flac", "guitar"),
        ("ambi_drone.flac", "pad"),
        ("Rim Shot.wav", "rim"),
        ("CowBell.wav", "cowbell"),
        ("mc_cb.flac", "cowbell"),
        ("Djembe3 Bass.wav", "conga"),
        ("bass_hit_c.flac", "bass"),
    ],
)
def test_a_name_tells_a_sound(name: str, sound: str) -> None:
    told, others = index(name).tells(leaves_of(sound), 1)
    assert told[0] >= 0.5
    assert not others[0]


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("bassdrum03.ogg", "bass"),
        ("RideBell-2.wav", "bell"),
        ("CowBell.wav", "bell"),
        ("SN_2.wav", "kick"),
        ("Djembe3 Bass.wav", "bass"),
        ("mc_cb.flac", "vocal"),
    ],
)
def test_a_name_tells_no_other_sound(name: str, sound: str) -> None:
    told, others = index(name).tells(leaves_of(sound), 1)
    assert told[0] == 0
    assert others[0]


def test_a_guess_tells_little_of_what_it_seldom_is() -> None:
    told, _ = index("Head Hit.wav").tells(leaves_of("strings"), 1)
    assert told[0] < 0.2
    told, _ = index("Head Hit.wav").tells(leaves_of("impact"), 1)
    assert told[0] > 0.5


def test_a_folder_tells_where_the_name_does_not() -> None:
    told, _ = index("Drums/Kicks/01.wav", "Drums/Kicks/snare.wav", "Kicks/kick.wav").tells(leaves_of("kick"), 3)
    np.testing.assert_allclose(told, [FOLDER_WEIGHT, 0, 1])


def test_a_folder_that_may_mean_anything_tells_nothing() -> None:
    told, _ = index("Millo-Drums_v.1/cra_a.wav", "Hits/01.wav").tells(leaves_of("kick"), 2)
    assert not told.any()


def test_words_exactly_by_their_beginning_and_with_a_slip() -> None:
    found = index("amen.wav", "amendment.wav", "thunder.wav", "x.wav")
    assert found.has_word("amen", SIZE).argsort()[::-1][:2].tolist() == [0, 1]
    assert found.has_word("thundr", SIZE)[2] > 0
    assert not found.has_word("quux", SIZE).any()
    assert not found.has_word("wav", SIZE).any()


def test_a_row_may_be_renamed_and_dropped() -> None:
    found = index("kick.wav", "kick.wav")
    found.put(0, "snare.wav")
    assert found.has_word("kick", 2).tolist() == [0, 1]
    assert found.tells(leaves_of("snare"), 2)[0].tolist() == [1, 0]
    found.drop(1)
    found.drop(1)
    assert not found.has_word("kick", 2).any()


@pytest.mark.parametrize("name", ["", ".", "....", "🥁.wav", "\udcff.wav", "a" * 5000, "/", "キック.wav", "\x00"])
def test_any_name(name: str) -> None:
    found = NameIndex()
    found.put(0, name, name)
    assert found.has_word("kick", 1).shape == (1,)
