"""A library of a few sounds, ranked against what people type."""

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Kind
from samplemind_tasks.words.meaning import Meaning, Related
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.ranked import Ranked
from samplemind_tasks.words.ranking import rank
from samplemind_tasks.words.understood import Sound

TAGS = ["techno", "female vocal", "slow"]
LEAF = list(LEAVES)
A_MINOR, E_MINOR, C_MAJOR = 14, 16, 15

# name, leaf and its probability, descriptors, tags, tempo, key, kind, seconds, brightness, note
LIBRARY = [
    ("kicks/kick_deep.wav", {"acoustic kick": 0.9}, {"deep": 0.9}, {}, None, -1, 0, 0.4, 200, 31),
    ("kicks/kick_click.wav", {"electronic kick": 0.85}, {"bright": 0.9}, {}, None, -1, 0, 0.2, 3000, 43),
    ("misc/a01.wav", {"acoustic kick": 0.9}, {}, {}, None, -1, 0, 0.4, 300, 33),
    ("misc/kick_or_not.wav", {"tabla": 0.6}, {}, {}, None, -1, 0, 0.4, 600, 50),
    ("snares/sn_1.wav", {"acoustic snare": 0.7, "rim": 0.2}, {"crisp": 0.7}, {}, None, -1, 0, 0.3, 3000, None),
    ("hats/HatClosed-2.wav", {"closed hat": 0.5, "open hat": 0.4}, {"bright": 1}, {}, None, -1, 0, 0.1, 9000, None),
    ("hats/HatOpen-2.wav", {"closed hat": 0.4, "open hat": 0.5}, {"bright": 1}, {}, None, -1, 0, 1.1, 9000, None),
    ("loops/loop_amen.flac", {"drum loop": 0.8}, {}, {"techno": 0.1}, 137.0, -1, 1, 3.5, 3000, None),
    ("loops/loop_club.flac", {"drum loop": 0.9}, {}, {"techno": 0.4}, 124.0, A_MINOR, 1, 4, 2500, None),
    ("pads/wide.wav", {"pad": 0.8}, {"dark": 0.9, "sustained": 1}, {}, None, A_MINOR, 0, 8, 400, 57),
    ("pads/glassy.wav", {"pad": 0.85}, {"bright": 0.9}, {}, None, C_MAJOR, 0, 6, 4000, 60),
    ("vox/marta.wav", {"voice": 0.7}, {}, {"female vocal": 0.5}, None, E_MINOR, 1, 5, 2000, None),
]  # fmt: skip
NAMES = [row[0].rpartition("/")[2] for row in LIBRARY]


def bytes_of(names: list[str], scores: list[dict[str, float]]) -> NDArray[np.uint8]:
    return np.array([[round(255 * row.get(name, 0)) for name in names] for row in scores], np.uint8)


def numbers(values: list[float | None]) -> NDArray[np.float32]:
    return np.array([math.nan if value is None else value for value in values], np.float32)


def library() -> dict[str, NDArray[np.generic]]:
    _, leaves, words, tags, tempo, key, kind, seconds, bright, note = (
        list(column) for column in zip(*LIBRARY, strict=True)
    )
    count = len(LIBRARY)
    return {
        "leaf_scores": bytes_of(LEAF, leaves),
        "word_scores": bytes_of(list(DESCRIPTORS), words),
        "tag_scores": bytes_of(TAGS, tags),
        "tempo_bpm": numbers(tempo),
        "key": np.array(key, np.int8),
        "kind": np.array(kind, np.int8),
        "duration_s": numbers(seconds),
        "brightness_hz": numbers(bright),
        "pitch_midi": numbers(note),
        "loudness_lufs": np.full(count, -14, np.float32),
        "category": np.full(count, -1, np.int8),
        "by_person": np.zeros(count, np.bool_),
    }


@pytest.fixture(scope="module")
def names() -> NameIndex:
    index = NameIndex()
    for row, (path, *_) in enumerate(LIBRARY):
        folder, _, name = path.rpartition("/")
        index.put(row, name, folder)
    return index


def ranked(text: str, names: NameIndex | None = None, related: Related | None = None) -> Ranked:
    return rank(parse(text), library(), np.arange(len(LIBRARY)), tags=TAGS, names=names, related=related)


def best(text: str, names: NameIndex | None = None, related: Related | None = None) -> list[str]:
    found = ranked(text, names, related)
    order = np.argsort(-found.scores, kind="stable")
    return [NAMES[row] for row in order if found.scores[row] >= found.floor]


def test_by_sound_alone() -> None:
    assert set(best("kick")) == {"kick_deep.wav", "a01.wav", "kick_click.wav"}
    assert best("closed hat")[0] == "HatClosed-2.wav"
    assert best("open hat")[0] == "HatOpen-2.wav"


def test_descriptors_decide_among_equals() -> None:
    assert best("deep kick")[0] == "kick_deep.wav"
    assert best("bright kick")[0] == "kick_click.wav"
    assert best("kick, not bright")[-1] == "kick_click.wav"
    assert best("dark pad")[0] == "wide.wav"
    assert best("short kick")[0] == "kick_click.wav"


def test_descriptors_alone() -> None:
    assert set(best("bright")[:2]) == {"HatClosed-2.wav", "HatOpen-2.wav"}


def test_a_name_and_the_sound_together_are_best(names: NameIndex) -> None:
    order = best("kick", names)
    assert set(order[:2]) == {"kick_deep.wav", "kick_click.wav"}
    assert order.index("a01.wav") < order.index("kick_or_not.wav")


def test_the_very_word_in_a_name(names: NameIndex) -> None:
    assert best("amen", names)[0] == "loop_amen.flac"
    assert best("marta", names)[0] == "marta.wav"
    assert best("marrta", names) == ["marta.wav"]  # a slip
    assert best("marta") == []


def test_what_a_name_says_of_the_sound_counts_as_heard(names: NameIndex) -> None:
    glassy, renamed = NAMES.index("glassy.wav"), NameIndex()
    for row, (path, *_) in enumerate(LIBRARY):
        folder, _, name = path.rpartition("/")
        renamed.put(row, "dark glass.wav" if row == glassy else name, folder)
    for text in ("dark pad", "dunkle Fläche"):
        assert ranked(text, renamed).scores[glassy] > ranked(text, names).scores[glassy] + 0.2
    assert ranked("pad, not dark", renamed).scores[glassy] <= ranked("pad, not dark", names).scores[glassy]


def test_a_name_that_tells_another_sound_counts_against(names: NameIndex) -> None:
    index = NameIndex()
    index.put(0, "snare_7.wav")
    columns = {name: column[:1] for name, column in library().items()}
    alone = rank(parse("kick"), columns, np.arange(1)).scores[0]
    assert rank(parse("kick"), columns, np.arange(1), names=index).scores[0] < 0.7 * alone


def test_facts_leave_out_what_does_not_meet_them(names: NameIndex) -> None:
    assert best("drum loop 124 bpm") == ["loop_club.flac"]
    assert best("pad in A minor") == ["wide.wav"]
    assert best("8A pad") == ["wide.wav"]
    assert best("kick G1", names) == ["kick_deep.wav"]
    assert best("kick near 49 hz") == ["kick_deep.wav"]
    assert best("kick under 0.3 s") == ["kick_click.wav"]
    assert set(best("loops")) == {"loop_amen.flac", "loop_club.flac", "marta.wav"}


def test_a_key_alone_finds_music_before_drums_tuned_to_it() -> None:
    found = best("A minor")
    assert set(found[:2]) == {"loop_club.flac", "wide.wav"}
    assert found[-1] == "a01.wav"


def test_among_equals_those_that_are_called_so_come_first(names: NameIndex) -> None:
    assert best("loops", names)[-1] == "marta.wav"


def test_a_name_may_say_a_descriptor_by_another_word() -> None:
    index = NameIndex()
    for row, name in enumerate(["tom_hi.wav", "tom_mid.wav", "tom_lo.wav"]):
        index.put(row, name)
    columns = {name: column[[3, 3, 3]] for name, column in library().items()}
    for text in ("low tom", "floor tom"):
        scores = rank(parse(text), columns, np.arange(3), names=index).scores
        assert scores.argmax() == 2


def test_facts_that_nothing_meets_leave_nothing_out() -> None:
    assert best("drum loop 90 bpm")[0] == "loop_club.flac"
    assert best("90 bpm") == []


def test_tags(names: NameIndex) -> None:
    assert best("techno loop")[0] == "loop_club.flac"
    assert ranked("techno").why(NAMES.index("loop_club.flac")) == (["tags"], ["techno"])


def test_a_persons_category_wins() -> None:
    columns = library()
    row = NAMES.index("kick_or_not.wav")
    columns["by_person"][row] = True
    columns["category"][row] = tuple(Category).index(Category.KICK)
    assert rank(parse("kick"), columns, np.arange(len(LIBRARY))).scores[row] == pytest.approx(1)
    assert rank(parse("tabla"), columns, np.arange(len(LIBRARY))).scores[row] < 0.2


def test_why(names: NameIndex) -> None:
    modes, words = ranked("dark kick 124 bpm", names).why(NAMES.index("kick_deep.wav"))
    assert {"category", "name"} <= set(modes)
    assert "facts" not in modes
    assert "kick" in words


@pytest.mark.parametrize("text", ["banjo", "quuxland", "", "🎹", "the", "Eb minor"])
def test_nothing_matches(text: str, names: NameIndex) -> None:
    found = ranked(text, names)
    assert found.nothing_matches
    assert not (found.scores >= found.floor).any()


def test_meanings_found_by_the_sentence_model_stand_in() -> None:
    related = Related(
        sounds=(Sound(name="voice", weight=0.6, words="quuxland"),), tags=(Meaning("techno", 0.4, "quuxland"),)
    )
    assert best("quuxland", related=related)[0] == "marta.wav"
    assert ranked("quuxland", related=related).why(NAMES.index("marta.wav"))[0] == ["meaning"]
    assert best("quuxland kick", related=related)[0].startswith(("kick", "a01"))


def test_a_list_finds_each_of_its_sounds() -> None:
    found = best("snare, closed hat or pad")
    assert {"sn_1.wav", "HatClosed-2.wav", "wide.wav", "glassy.wav"} <= set(found)
    assert "kick_deep.wav" not in found


KICKS = {"kick_deep.wav", "kick_click.wav", "a01.wav"}


@pytest.mark.parametrize("text", ["not a kick", "anything but kicks", "kein Kick", "no kicks", "-kick"])
def test_what_is_only_not_wanted_finds_everything_else(text: str, names: NameIndex) -> None:
    assert set(best(text)) == set(NAMES) - KICKS
    assert set(best(text, names)) == set(NAMES) - KICKS - {"kick_or_not.wav"}
    assert ranked(text).why(NAMES.index("wide.wav")) == (
        ["category"],
        [f"not {text.split()[-1].strip('-').lower().rstrip('s')}"],
    )


def test_what_is_not_wanted_with_a_fact_or_a_quality() -> None:
    assert set(best("loop, not drums")) == {"marta.wav"}
    assert best("bright, not a hat")[:2] == ["kick_click.wav", "glassy.wav"]
    assert set(best("no loops")) == set(NAMES) - {"loop_amen.flac", "loop_club.flac", "marta.wav"}
    assert set(best("pad, not bright")) == {"wide.wav", "glassy.wav"}
    assert best("kick, not a kick") == []


def test_a_leaf_that_is_not_wanted_leaves_its_siblings(names: NameIndex) -> None:
    assert best("kick without electronic kick")[:2] == ["kick_deep.wav", "a01.wav"]
    assert "kick_deep.wav" in best("not an 808 kick", names)


def test_a_person_knows_better_what_it_is_not() -> None:
    columns = library()
    row, other = NAMES.index("wide.wav"), NAMES.index("a01.wav")
    columns["by_person"][[row, other]] = True
    columns["category"][row] = tuple(Category).index(Category.KICK)
    columns["category"][other] = tuple(Category).index(Category.PAD)
    scores = rank(parse("not a kick"), columns, np.arange(len(LIBRARY))).scores
    assert scores[row] == 0
    assert scores[other] == 1


def test_the_rest_is_what_had_no_part(names: NameIndex) -> None:
    def rest(text: str, related: Related | None = None) -> list[str]:
        return ranked(text, names, related).understood.rest

    assert rest("techno kick from quuxland") == ["quuxland"]
    assert rest("marta kick") == []
    near = Related(sounds=(Sound(name="voice", weight=0.6, words="quux"),), tags=(Meaning("techno", 0.4, "blorp"),))
    assert rest("quux", near) == []
    assert rest("quux kick", near) == ["quux"]  # a sound is known: no guess counts
    assert rest("blorp kick", near) == []
    told = ranked("marta techno blorp", names, near).understood.read_as()
    assert {("name", "marta", "marta"), ("tag", "techno", "techno")} <= set(told)


def test_only_the_rows_asked_about() -> None:
    rows = np.array([8, 0, 3])
    scores = rank(parse("kick"), library(), rows).scores
    assert scores.argmax() == 1
    assert len(scores) == 3


def test_a_large_library_is_ranked_in_a_moment() -> None:
    count = 100_000
    copies = np.arange(count) % len(LIBRARY)
    columns = {name: column[copies] for name, column in library().items()}
    index = NameIndex()
    for row in range(0, count, 5):
        index.put(row, f"{row}_{NAMES[copies[row]]}", "packs")
    rows, text = np.arange(count), parse("short dark kick not bright")
    rank(text, columns, rows, names=index)
    began = time.process_time()
    rank(text, columns, rows, names=index)
    assert time.process_time() - began < 0.15  # a tenth of it here


def test_kinds_are_those_of_the_columns() -> None:
    assert [kind.value for kind in Kind] == ["one-shot", "loop", "track"]
