"""What a range of tempos and a key mean that a person typed."""

import pytest
import typer

from samplemind_tasks.cli import list_filters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120-130", (120, 130)),
        ("87.5–90", (87.5, 90)),
        ("120-", (120, None)),
        ("-130", (None, 130)),
        (" 124 ", (123.5, 124.5)),
    ],
)
def test_bpm_range(text: str, expected: tuple[float | None, float | None]) -> None:
    assert list_filters.bpm_range(text) == expected


@pytest.mark.parametrize("text", ["", "-", "fast", "130-120", "1-2-3"])
def test_what_is_no_bpm_range_is_said_to_be_none(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        list_filters.bpm_range(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", "A minor"),
        ("a minor", "A minor"),
        ("A", "A major"),
        ("F#maj", "F# major"),
        ("B♭ min", "Bb minor"),
        ("bb", "Bb major"),
        ("12b", "E major"),
        ("h-moll", "B minor"),
    ],
)
def test_key_name(text: str, key: str) -> None:
    assert list_filters.key_name(text) == key


@pytest.mark.parametrize("text", ["H minor", "13A", "A dorian", ""])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        list_filters.key_name(text)
