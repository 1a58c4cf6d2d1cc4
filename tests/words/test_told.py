"""What a file's name and folders say it is."""

import pytest

from samplemind_tasks.words.told import category_told


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/packs/Drums/Kick_04.wav", [("name", "kick")]),
        ("/packs/Closed Hats/CH 12.wav", [("name", "closed hat"), ("folder", "closed hat")]),
        ("/packs/Claps/0007.wav", [("folder", "clap")]),
        ("/packs/Drum Loops/take 2.wav", [("folder", "drum loop")]),
        ("/packs/TR 808/one.wav", []),
        ("/packs/DrumKit/one.wav", []),
        ("/home/ada/IMG_2031.wav", []),
        ("snare_vs_kick.wav", []),
        ("", []),
        ("\\server\\Snares\\x.wav", [("folder", "snare")]),
    ],
)
def test_a_name_tells_a_category_or_nothing(path: str, said: list[tuple[str, str]]) -> None:
    told = category_told(path)
    assert [(evidence.source, evidence.value) for evidence in told] == said
    assert all(evidence.about == "category" and evidence.score and 0.5 <= evidence.score <= 1 for evidence in told)


def test_a_folder_is_trusted_less_than_a_name() -> None:
    name, folder = category_told("/packs/Snares/snare 3.wav")
    assert name.score is not None
    assert folder.score is not None
    assert name.score > folder.score
