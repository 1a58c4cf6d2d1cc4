"""What a person's words are read as."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Kind
from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.understood import Understood
from samplemind_tasks.words.vocabulary import vocabulary


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("bd", "kick"),
        ("Bass Drum", "kick"),
        ("hand claps", "clap"),
        ("cow-bell", "cowbell"),
        ("closed hi-hats", "closed hat"),
        ("closed hihat", "closed hat"),
        ("openhat", "open hat"),
        ("side stick", "rim"),
        ("egg shaker", "shaker"),
        ("indian hand drum", "tabla"),
        ("bass", "bass"),
        ("double bass", "upright bass"),
        ("bass clarinet", "reed"),
        ("rhodes", "electric piano"),
        ("piano chord", "piano"),
        ("nylon guitar", "acoustic guitar"),
        ("uplifter", "riser"),
        ("vinyl crackle", "crackle"),
        ("breakbeats", "drum loop"),
        ("bass loop", "bass loop"),
        ("tambourines", "tambourine"),
        ("snair", "snare"),
        ("tamborine", "tambourine"),
        ("гитара", "guitar"),
        ("キック", "kick"),
        ("Querflöte", "flute"),
        ("caisse claire", "snare"),
        ("909 kick", "electronic kick"),
        ("808s", "808 bass"),
        ("amen", "drum loop"),
        ("reese", "growl bass"),
        ("sub-bass", "sub"),
        ("d&b break", "drum loop"),
        ("Drum & Bass", "drum loop"),
        ("4 on the floor", "drum loop"),
        ("boom bap", "drum loop"),
        ("riser up", "riser"),
        ("white noise riser", "riser"),
        ("dog barking", "soundscape"),
        ("baby crying", "voice"),
    ],
)
def test_names_of_sounds(text: str, sound: str) -> None:
    assert sound in [found.name for found in parse(text).sounds]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("bass drum", "bass"),
        ("white noise riser", "noise"),
        ("drum & bass loop", "kick"),
        ("ride bell", "bell"),
        ("cow bell", "bell"),
        ("drum loop", "kick"),
        ("kick drum", "snare"),
    ],
)
def test_the_longer_phrase_wins(text: str, other: str) -> None:
    assert other not in [found.name for found in parse(text).sounds]


def test_a_guess_fades_beside_a_sure_word() -> None:
    weight = {sound.name: sound.weight for sound in parse("808 cowbell").sounds}
    assert weight["cowbell"] == 1
    assert weight.get("808 kick", 0) < 0.3
    assert {sound.name for sound in parse("808").sounds} == {"808 kick", "808 bass"}


def test_every_category_and_leaf_is_found_by_its_own_name() -> None:
    for name in {*LEAVES, *(category.value for category in Category)}:
        sounds = [sound for sound in parse(name).sounds if sound.weight >= 0.5]
        meant = {LEAVES.get(sound.name) or Category(sound.name) for sound in sounds}
        assert (LEAVES.get(name) or Category(name)) in meant, name


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("a bright snare", "bright", True),
        ("snare, not bright", "bright", False),
        ("not too bright snare", "bright", False),
        ("muffled kick", "dark", True),
        ("long pad", "long", True),
        ("snappy snare", "punchy", True),
        ("low tom", "low", True),
        ("fast loop", "fast", True),
    ],
)
def test_descriptors_and_their_negation(text: str, name: str, wanted: bool) -> None:
    assert (name, wanted) in [(found.name, found.wanted) for found in parse(text).descriptors]


def test_words_are_told_as_denied_only_where_they_were() -> None:
    dry = {told.name: (told.wanted, told.words) for told in parse("dry kick").descriptors}
    assert dry["sustained"] == (False, "dry")
    assert parse("kick, not bright").descriptors[0].words == "not bright"


def test_a_floor_tom_is_a_low_one() -> None:
    asked = parse("floor tom")
    assert [sound.name for sound in asked.sounds] == ["tom"]
    assert [descriptor.name for descriptor in asked.descriptors] == ["low"]


def test_a_guess_that_has_faded_away_is_not_told() -> None:
    assert [sound.name for sound in parse("kik drum").sounds] == ["kick"]


def test_a_sound_that_is_not_wanted() -> None:
    sounds = {sound.name: sound.wanted for sound in parse("warm pad without noise").sounds}
    assert sounds == {"pad": True, "noise": False}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("pad in A minor", "A minor"),
        ("a min pad", "A minor"),
        ("Am pad", "A minor"),
        ("F#m pad", "F# minor"),
        ("pad Bb Major", "Bb major"),
        ("8A pad", "A minor"),
        ("8B pad", "C major"),
        ("12b pad", "E major"),
        ("H-Moll", "B minor"),
        ("b-moll", "Bb minor"),
        ("Fläche in Es-Dur", "Eb major"),
        ("fis moll", "F# minor"),
        ("As-Dur pad", "Ab major"),
        ("a pad", None),
        ("I am a pad", None),
        ("big pad", None),
    ],
)
def test_keys(text: str, key: str | None) -> None:
    assert parse(text).key == key


@pytest.mark.parametrize(
    ("text", "mode"), [("minor pad", "minor"), ("pad in major", "major"), ("Moll", "minor"), ("minor key", "minor")]
)
def test_a_mode_without_its_tonic(text: str, mode: str) -> None:
    understood = parse(text)
    assert (understood.mode, understood.key, understood.rest) == (mode, None, [])
    assert ("key", mode) in [told[:2] for told in understood.read_as()]


def test_a_tonic_without_its_mode() -> None:
    assert parse("kick in F#").tonic == 6
    assert parse("bass in G").tonic == 7
    assert parse("loop in a").tonic is None


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("loop 124 bpm", 124),
        ("124bpm loop", 124),
        ("around 124", 124),
        ("loop at 90", 90),
        ("loop 120-130 bpm", 125),
        ("between 120 and 130 bpm", 125),
    ],
)
def test_tempos(text: str, bpm: float) -> None:
    tempo = parse(text).tempo_bpm
    assert tempo is not None
    assert (tempo.least + tempo.most) / 2 == pytest.approx(bpm)


@pytest.mark.parametrize("text", ["808 kick", "909", "kick near 50 Hz", "tom 3", "mpc 60"])
def test_numbers_that_are_no_tempo(text: str) -> None:
    assert parse(text).tempo_bpm is None


@pytest.mark.parametrize(
    "text",
    ["-1 bpm", "0 bpm", "99999 bpm", "under 0 bpm", "over 5000 bpm", "0 s", "-5 s", "0 Hz", "90000 Hz", "-50 Hz"],
)
def test_numbers_no_sound_can_have_are_not_understood(text: str) -> None:
    read = parse(f"kick {text}")
    assert [what for what, *_ in read.read_as()] == ["category"]
    assert read.rest_text == text
    assert parse(text).rest_text == text
    assert parse(text).rest == []  # nothing to ask the sentence model


def test_a_number_beside_a_loop_is_its_tempo() -> None:
    tempo = parse("dnb loop 174").tempo_bpm
    assert tempo is not None
    assert tempo.least < 174 < tempo.most
    assert parse("drum loop 3").tempo_bpm is None
    assert parse("kick 120").tempo_bpm is None
    assert parse("808s").duration_s is None


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("pad between 1 and 2 seconds", 1.0, 2.0),
        ("1-2 s pad", 1.0, 2.0),
        ("pad from 500 ms to 900 ms", 0.5, 0.9),
        ("between 4s and 2s", 2.0, 4.0),
    ],
)
def test_a_length_between_two(text: str, least: float, most: float) -> None:
    understood = parse(text)
    assert understood.duration_s is not None
    assert (understood.duration_s.least, understood.duration_s.most) == (least, most)
    assert understood.rest == []


@pytest.mark.parametrize("text", ["kick and snare loop", "kick, snare and hat loop", "kick + snare loop"])
def test_a_loop_of_several_hits_is_one_loop(text: str) -> None:
    assert [sound.name for sound in parse(text).sounds] == ["drum loop"]


def test_notes_frequencies_and_lengths() -> None:
    bass = parse("bass C2 under 1 second")
    assert bass.pitch_midi is not None
    assert bass.pitch_midi.least == 36
    assert bass.duration_s is not None
    assert (bass.duration_s.least, bass.duration_s.most) == (0, 1)
    kick = parse("kick near 50 Hz")
    assert kick.pitch_hz is not None
    assert kick.pitch_hz.least < 50 < kick.pitch_hz.most
    long = parse("pad longer than 500 ms").duration_s
    assert long is not None
    assert long.least == 0.5
    sharp = parse("F#1 bass").pitch_midi
    assert sharp is not None
    assert sharp.least == 30


@pytest.mark.parametrize(
    ("text", "kind"),
    [("one shots", Kind.ONE_SHOT), ("oneshot", Kind.ONE_SHOT), ("loops", Kind.LOOP), ("songs", Kind.TRACK)],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert parse(text).kinds == [kind]


def test_what_is_not_understood_is_said() -> None:
    read = parse("garage snare from quuxland")
    assert read.rest == ["garage", "quuxland"]
    assert ("category", "snare", "snare") in read.read_as()


@pytest.mark.parametrize("text", ["", "   ", "🎹🥁", "?!…", "the", "\x00\ud800"])
def test_nothing_in_it(text: str) -> None:
    assert parse(text).says_nothing


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_and_can_be_sent(text: str) -> None:
    read = parse(text)
    assert Understood.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    "word", ["kick ", "124 ", "snair", "quuxland ", "not ", "a-", "ボ", "C# ", "no kick, ", "saxaphony "]
)
def test_a_very_long_text_is_read_at_once(word: str) -> None:
    parse("warm up")
    began = time.process_time()
    parse(word * (10_000 // len(word)))
    assert time.process_time() - began < 0.05


def test_every_phrase_can_be_reached() -> None:
    known = vocabulary()
    for number, phrase in enumerate(known.phrases):
        assert phrase.words
        found = known.at(phrase.words, 0)
        assert found == (number, len(phrase.words)), phrase.text


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("loop over 150 bpm", 150.0, 1000.0), ("under 90bpm", 0.0, 90.0), ("faster than 120.5 bpm", 120.5, 1000.0)],
)
def test_a_bound_of_a_tempo_is_a_bound(text: str, least: float, most: float) -> None:
    tempo = parse(text).tempo_bpm
    assert tempo is not None
    assert (tempo.least, tempo.most) == (least, most)
