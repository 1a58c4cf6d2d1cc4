"""What file and folder names say: a table of names as sample packs have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplemind_tasks.audio.evidence import in_name
from samplemind_tasks.keynames import read_key

Said = dict[str, float | str]

SAID: dict[str, Said] = {
    # tempo, said in full
    "Drum Loop 128bpm.wav": {"tempo_bpm": 128, "kind": "loop"},
    "HipHop_Drums_90 BPM.aif": {"tempo_bpm": 90},
    "BPM_128_Kick_Pattern.wav": {"tempo_bpm": 128},
    "top loop bpm-124 03.wav": {"tempo_bpm": 124, "kind": "loop"},
    "174bpm_Amen_Chop.wav": {"tempo_bpm": 174},
    "Guitar 92.5 bpm.wav": {"tempo_bpm": 92.5},
    "[120 bpm] Disco Strings.flac": {"tempo_bpm": 120},
    "SynthLine(140BPM).mp3": {"tempo_bpm": 140},
    "Tempo 85 - dusty keys.wav": {"tempo_bpm": 85},
    "70bpm.wav": {"tempo_bpm": 70},
    "Vocal_Chop_01_128Bpm_Fmin.wav": {"tempo_bpm": 128, "key": "F minor"},
    # tempo beside a key
    "SO_PF_128_piano_Am.wav": {"tempo_bpm": 128, "key": "A minor"},
    "KSHMR_Full_Drop_128_Fm.wav": {"tempo_bpm": 128, "key": "F minor"},
    "BB_125_Am_Bass.wav": {"tempo_bpm": 125, "key": "A minor"},
    "Synth 120 C#m 02.wav": {"tempo_bpm": 120, "key": "C# minor"},
    "Am_90_RhodesChords.wav": {"tempo_bpm": 90, "key": "A minor"},
    "SL_100_Cmin_Strings.wav": {"tempo_bpm": 100, "key": "C minor"},
    "Melody_140_Gmaj.wav": {"tempo_bpm": 140, "key": "G major"},
    "8A - 128 - Somebody - Something.mp3": {"tempo_bpm": 128, "key": "A minor"},
    "Bass_F#_126.wav": {"tempo_bpm": 126, "key": "F#"},
    # a bare tempo in the name of a loop or break
    "loop_drone_g_97.flac": {"tempo_bpm": 97, "kind": "loop"},
    "Break 90.wav": {"tempo_bpm": 90},
    "Funky Break 3 - 112.wav": {"tempo_bpm": 112},
    "120_Drum_Loop_04.wav": {"tempo_bpm": 120, "kind": "loop"},
    "PercLoop120.wav": {"tempo_bpm": 120, "kind": "loop"},
    "Bass_Loop_A_128.wav": {"tempo_bpm": 128, "kind": "loop"},
    "Juno 106 Loop 118.wav": {"tempo_bpm": 118, "kind": "loop"},
    "DnB_Groove_172_dry.wav": {"tempo_bpm": 172},
    # numbers that are no tempo
    "Break 01.wav": {},
    "Kick 128.wav": {},
    "Loop_064.wav": {"kind": "loop"},
    "TR808 Kick 01.wav": {},
    "Tr-909 Snare 12.wav": {},
    "TR_606_Hat_O.wav": {},
    "Tr77_cym.wav": {},
    "SP1200 Snare 24.wav": {},
    "MPC60 Break Kick.wav": {},
    "MPC 60 Groove Kit.wav": {},
    "Juno106 Pad.wav": {},
    "Juno 106 Bassline.wav": {},
    "DX7 EP 100.wav": {},
    "DX 100 Riff.wav": {},
    "LM1 Clap.wav": {},
    "CR-78 Beat.wav": {},
    "Room Loop 44100.wav": {"kind": "loop"},
    "Loop 48k 24bit.wav": {"kind": "loop"},
    "Shaker loop 24-96.wav": {"kind": "loop"},
    "Loop 96 khz.wav": {"kind": "loop"},
    "Funk Breaks Vol 80.wav": {},
    "Breaks of 1973.wav": {},
    "Beat (80s).wav": {},
    "Loop 100 120.wav": {"kind": "loop"},
    "Breaks 120-130 BPM.wav": {},
    "Loop 5000bpm.wav": {"kind": "loop"},
    "Beat 90 bars.wav": {},
    "velocity 127 groove vel 100.wav": {},
    # keys
    "Pad_Cmin.wav": {"key": "C minor"},
    "Pad C minor.wav": {"key": "C minor"},
    "chords_A#maj_dry.wav": {"key": "Bb major"},
    "Gmaj.wav": {"key": "G major"},
    "Strings Gb Major.wav": {"key": "F# major"},
    "Keys_Bbm.wav": {"key": "Bb minor"},
    "vox_Am_.wav": {"key": "A minor"},
    "Rhodes Em.wav": {"key": "E minor"},
    "Lead F sharp minor.wav": {"key": "F# minor"},
    "c_maj_chord.wav": {"key": "C major"},
    "Choir Eb.wav": {"key": "Eb"},
    # letters that are no key
    "Here I Am.mp3": {},
    "Who_I_Am.mp3": {},
    "a minor problem.wav": {},
    "Vitamin C.wav": {},
    "FM Bass.wav": {},
    "bass_hard_c.flac": {},
    "Guitar Em9.wav": {},
    "Stab Cmin7.wav": {},
    "Part 8A.wav": {},
    "Plan B.wav": {},
    "B.wav": {},
    "Cmin to Gmaj.wav": {},
    # notes
    "Piano C#3.wav": {"pitch_midi": 49},
    "Cello_A2_sus.wav": {"pitch_midi": 45},
    "Rhodes-Bb4.wav": {"pitch_midi": 70},
    "C4 Grand Piano v5.wav": {"pitch_midi": 60},
    "Kick A1.wav": {},
    "A1.wav": {},
    "Hammond B3.wav": {},
    "Zone C2-E3.wav": {},
    "Strings_C3_loop.wav": {},
    # kinds
    "Kick One-Shot.wav": {"kind": "one-shot"},
    "snare_oneshot_12.wav": {"kind": "one-shot"},
    "VocalOneShot.wav": {"kind": "one-shot"},
    "drumloop.wav": {"kind": "loop"},
    "piano loop.wav": {"kind": "loop"},
    "Loopmasters Demo.wav": {},
    "pad (no loop).wav": {},
    "one shot loop.wav": {},
}


@pytest.mark.parametrize("name", SAID)
def test_a_name_says_this_and_nothing_else(name: str) -> None:
    said = in_name(name)
    assert {evidence.about: evidence.value for evidence in said} == SAID[name]
    assert all(evidence.source == "name" and evidence.text in name for evidence in said)


def test_the_two_nearest_folders_are_read_for_what_they_say_in_full() -> None:
    said = in_name("/home/me/174bpm/Loops 120 BPM/Funk 90/Am/Kick 3.wav")
    assert said == ()
    said = in_name("Techno 130 BPM/One Shots/Kick_01.wav")
    assert [(found.source, found.about, found.value) for found in said] == [
        ("folder", "kind", "one-shot"),
        ("folder", "tempo_bpm", 130.0),
    ]


def test_the_nearer_folder_wins_and_the_name_stands_beside_it() -> None:
    said = in_name("90bpm/100 BPM\\Loop_110bpm.wav")
    tempos = [(found.source, found.value) for found in said if found.about == "tempo_bpm"]
    assert tempos == [("name", 110.0), ("folder", 100.0)]


def test_evidence_quotes_the_matched_words_alone() -> None:
    (tempo, key) = in_name("My Secret Client - 128 bpm - F#m.wav")
    assert (tempo.text, key.text) == ("128 bpm", "F#m")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", "A minor"), ("A min", "A minor"), ("Amin", "A minor"), ("A minor", "A minor"), ("a moll", "A minor"),
        ("F#m", "F# minor"), ("Gb maj", "F# major"), ("G♭ Major", "F# major"), ("C", "C major"), ("Bb", "Bb major"),
        ("Dbm", "C# minor"), ("8A", "A minor"), ("08B", "C major"), ("12A", "C# minor"), ("1m", "A minor"),
        ("1d", "C major"), ("c#maj", "C# major"), ("CM", "C major"), ("o", None), ("", None), ("Dm7", None),
        ("13A", None), ("H", None), ("a", None), ("A minor blues in the rain", None),
    ],
)  # fmt: skip
def test_every_usual_spelling_of_a_key_in_a_tag_is_one(text: str, key: str | None) -> None:
    assert read_key(text) == key


@given(st.text(max_size=300))
def test_any_text_is_read_without_complaint(path: str) -> None:
    for found in in_name(path):
        assert found.text in path
        assert found.about != "tempo_bpm" or 40 <= float(found.value) <= 300


def test_names_that_are_not_unicode_are_read() -> None:
    assert [found.value for found in in_name("Bass\udcff_128bpm.wav")] == [128.0]
