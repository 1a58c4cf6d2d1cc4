"""How hits and duplicates look: on a narrow and a wide terminal a person sees where a sound is, and can name it."""

from collections.abc import Sequence
from io import StringIO

import pytest
import typer
from rich.cells import cell_len
from rich.console import Console, RenderableType

from cli.examples import a_sample
from samplemind_tasks.categories import Category
from samplemind_tasks.cli import found
from samplemind_tasks.cli.category_names import categories_called, category_called
from samplemind_tasks.queries import DuplicateGroup, DuplicateMember
from samplemind_tasks.schemas import Hit

KITS = "/home/ada/Samples/Drum Kits"


def printed(parts: Sequence[RenderableType], columns: int) -> list[str]:
    written = StringIO()
    console = Console(file=written, width=columns, markup=False, highlight=False, emoji=False)
    for part in parts:
        console.print(part)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def a_hit(path: str | None, **changes: object) -> Hit:
    name = path.rpartition("/")[2] if path else "upload.wav"
    sample = a_sample(name, paths=[path] if path else [], category=Category.OTHER_PERCUSSION, category_confidence=0.9)
    hit = Hit(sample=sample, score=0.987, mode=["name", "category"], matched=["closed hat"], parts={"text": 0.987})
    return hit.model_copy(update=changes)


# ------------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("path", "columns", "shown"),
    [
        ("Kits/808/kick.wav", 40, "Kits/808/kick.wav"),
        ("Drum Kits/Vintage/Roland/TR-808/kick.wav", 30, "Drum Kits/…/TR-808/kick.wav"),
        ("Drum Kits/Vintage/Roland/TR-808/kick.wav", 20, "…/TR-808/kick.wav"),
        ("Drum Kits/Vintage/Roland/TR-808/kick.wav", 16, "TR-808/kick.wav"),
        ("Drum Kits/kick.wav", 14, "Drum…/kick.wav"),
        ("Kits/a very long name of a kick 01.wav", 20, "a very long n…01.wav"),
    ],
)
def test_the_middle_of_a_path_goes_first(path: str, columns: int, shown: str) -> None:
    assert found.shortened(path, columns) == shown
    assert cell_len(found.shortened(path, columns)) <= columns


@pytest.mark.parametrize("columns", range(8, 60))
def test_whatever_a_file_is_called_it_keeps_to_its_column(columns: int) -> None:
    for path in (
        "a/b/c/d/e/f/g.wav",
        "キック/ドラム/大太鼓の音源集/音.wav",
        "x" * 300,
        "/" + "y" * 80 + "/z.wav",
        "n.wav",
    ):
        assert cell_len(found.shortened(path, columns)) <= columns


@pytest.mark.parametrize(
    ("paths", "shared"),
    [
        ([f"{KITS}/808/kick.wav", f"{KITS}/909/kick.wav"], f"{KITS}/"),
        ([f"{KITS}/808/kick.wav", f"{KITS}/808/snare.wav"], f"{KITS}/"),
        ([f"{KITS}/808/kick.wav", None], f"{KITS}/"),
        ([f"{KITS}/kick.wav", "/mnt/other/kick.wav"], ""),
        (["/music/kick.wav", "/music/snare.wav"], ""),
        ([None], ""),
    ],
)
def test_a_shared_folder_is_told_once(paths: list[str | None], shared: str) -> None:
    assert found.shared_folder(paths) == shared


# -------------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_a_hit_shows_its_folder_its_name_and_an_id_on_one_line(columns: int) -> None:
    hits = [a_hit(f"{KITS}/TR-808 Kit/HatClosed-{number:02}.wav") for number in range(3)]
    hits.append(a_hit(f"{KITS}/Vintage/" + "very " * 30 + "long/HatClosed-99.wav", mode=["sound"], matched=[]))
    lines = printed(found.hit_table(hits, columns), columns)
    assert lines[0] == f"below {KITS}/"
    assert len(lines) == 2 + len(hits)
    assert all(cell_len(line) <= columns for line in lines)
    assert all("808 Kit/HatClosed-0" in line for line in lines[2:5])
    assert "HatClosed-99.wav" in lines[5]
    assert all("0f1e2d3c4b" in line for line in lines[2:])


def test_one_reason_for_all_is_told_once_and_a_pipe_gets_paths_whole() -> None:
    path = f"{KITS}/" + "deep/" * 30 + "hat.wav"
    lines = printed(found.hit_table([a_hit(path), a_hit(f"{KITS}/hat.wav")], 1000), 1000)
    assert lines[:2] == ["found by name, category: closed hat", f"below {KITS}/"]
    assert "deep/" * 30 + "hat.wav" in "\n".join(lines)


def test_nothing_found_is_no_table() -> None:
    assert found.hit_table([], 80) == []


def test_a_sample_without_a_file_is_told() -> None:
    assert printed(found.hit_table([a_hit(None)], 80), 80)[-1] == "1 without a file: uploaded, or the file is gone"


def test_of_several_places_the_one_below_the_folder_is_shown() -> None:
    sample = a_sample("kick.wav", paths=["/a/kick.wav", "/b/kick.wav"])
    assert (found.place(sample), found.place(sample, "/b")) == ("/a/kick.wav", "/b/kick.wav")
    assert found.place(sample.model_copy(update={"paths": ["/a/1.wav", "/a/My Kicks/1.wav"]}), "/a", ["kick"]) == (
        "/a/My Kicks/1.wav"
    )


@pytest.mark.parametrize("columns", [80, 160])
def test_duplicates_show_every_file_and_what_is_the_same_of_it(columns: int) -> None:
    kick = a_sample("kick.wav", size_bytes=1_000_000, paths=[f"{KITS}/808/kick.wav", f"{KITS}/Copies/kick copy.wav"])
    flac = a_sample("kick.flac", size_bytes=400_000, paths=[f"{KITS}/Flac/kick.flac"])
    members = [DuplicateMember(sample=each, paths=each.paths, similarity=1.0) for each in (kick, flac)]
    group = DuplicateGroup(how="exact", members=members)
    lines = printed(found.duplicate_table(group), columns)
    assert ["808/kick.wav" in lines[2], "Copies/kick copy.wav" in lines[3], "Flac/kick.flac" in lines[4]] == [True] * 3
    assert [line.split("  ")[0] for line in lines[2:]] == ["", "same bytes", "same sound"]
    assert found.spare([group]) == (2, 1_400_000)
    near = DuplicateGroup(how="near", members=[members[1], members[0].model_copy(update={"similarity": 0.93})])
    lines = printed(found.duplicate_table(near), columns)
    assert [line.split("  ")[0] for line in lines[2:]] == ["", "0.93", "same bytes"]
    assert found.spare([near]) == (0, 0)


def test_paths_of_duplicates_are_folded_and_never_cut() -> None:
    paths = [f"/{disk}/samples/" + "deep folder/" * 8 + "kick.wav" for disk in ("home", "mnt")]
    kick = a_sample("kick.wav", paths=paths)
    group = DuplicateGroup(how="exact", members=[DuplicateMember(sample=kick, paths=paths, similarity=1.0)])
    text = "".join(line[-40:].strip() for line in printed(found.duplicate_table(group), 80))
    assert all(path.replace(" ", "") in text.replace(" ", "") for path in paths)


# ---------------------------------------------------------------------------------------------------------- categories


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("Closed Hats", ["closed hat"]),
        ("closed-hat", ["closed hat"]),
        ("closedhat", ["closed hat"]),
        ("BD", ["kick"]),
        ("hi-hats", ["closed hat", "open hat"]),
        ("Strings", ["strings"]),
        ("Drum Loops", ["drum loop"]),
        ("FX", ["fx"]),
    ],
)
def test_a_category_is_taken_however_it_is_spelled(text: str, categories: list[str]) -> None:
    assert categories_called(text) == categories


def test_every_category_is_called_by_its_name() -> None:
    assert [categories_called(category) for category in Category] == [[category] for category in Category]


def test_what_is_no_category_is_told_with_what_was_meant() -> None:
    with pytest.raises(typer.BadParameter, match="Did you mean closed hat"):
        categories_called("closd hat")
    with pytest.raises(typer.BadParameter, match=r"no category\. There are kick"):
        categories_called("spoon")
    with pytest.raises(typer.BadParameter, match="may be closed hat, open hat"):
        category_called("hats")
