"""The walk: its order, its resumption, and what stands in its way."""

import os
import socket
from pathlib import Path

import pytest

from samplemind_tasks.roots import Roots
from samplemind_tasks.walk import Sight, walk


def listed(root: Path, after: str = "", folder: str = "", may_follow: object = None) -> list[tuple[str, Sight]]:
    return [row for row in everything(root, after, folder, may_follow) if row[1] is not Sight.FOLDER]


def everything(root: Path, after: str = "", folder: str = "", may_follow: object = None) -> list[tuple[str, Sight]]:
    follow = may_follow or (lambda _: True)
    return [(row.key, row.sight) for row in walk(os.fsencode(root), folder, after, follow)]  # type: ignore[arg-type]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "a/x.wav",
        "a-b.wav",
        "a/deep/er/y.flac",
        "b.wav",
        "z/1.mp3",
        "a.wav",
        "readme.txt",
        "._b.wav",
        ".git/c.wav",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return tmp_path


def test_the_order_is_that_of_the_bytes_of_the_whole_path(tree: Path) -> None:
    keys = [key for key, _ in listed(tree)]
    assert keys == sorted(keys, key=lambda key: key.encode("latin-1"))
    assert keys == ["a-b.wav", "a.wav", "a/deep/er/y.flac", "a/x.wav", "b.wav", "z/1.mp3"]


def test_a_walk_goes_on_behind_any_file_and_any_folder(tree: Path) -> None:
    whole = everything(tree)
    for stop in range(len(whole)):
        assert everything(tree, after=whole[stop][0]) == whole[stop + 1 :]


def test_a_walk_that_finds_no_sounds_says_where_it_is(tree: Path) -> None:
    (tree / "empty" / "deep").mkdir(parents=True)
    folders = [key for key, sight in everything(tree) if sight is Sight.FOLDER]
    assert folders == ["a/", "a/deep/", "a/deep/er/", "empty/", "empty/deep/", "z/"]


def test_one_folder_or_one_file_can_be_walked(tree: Path) -> None:
    assert [key for key, _ in listed(tree, folder="a")] == ["a/deep/er/y.flac", "a/x.wav"]
    assert [key for key, _ in listed(tree, folder="a/x.wav")] == ["a/x.wav"]


def test_names_that_are_not_utf8_come_back_byte_for_byte(tmp_path: Path) -> None:
    name = b"latin1_\xe9.wav"
    (tmp_path / os.fsdecode(name)).write_bytes(b"sound")
    assert [key.encode("latin-1") for key, _ in listed(tmp_path)] == [name]


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.wav"))
    (tmp_path / "dangling.wav").symlink_to("nowhere")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "old.wma").write_bytes(b"x")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "folder.wav" / "inside.wav").write_bytes(b"x")
    assert dict(listed(tmp_path)) == {
        "pipe.wav": Sight.NOT_REGULAR,
        "s.wav": Sight.NOT_REGULAR,
        "dangling.wav": Sight.UNREADABLE,
        "loop.wav": Sight.UNREADABLE,
        "old.wma": Sight.UNSUPPORTED,
        "folder.wav/inside.wav": Sight.AUDIO,
    }


def test_linked_folders_are_entered_but_never_in_a_circle(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "far.wav").write_bytes(b"x")
    (tree / "a" / "up").symlink_to(tree)
    (tree / "linked").symlink_to(other)
    keys = [key for key, _ in listed(tree)]
    assert "linked/far.wav" in keys
    assert not any(key.startswith("a/up/a/up") for key in keys)


def test_folders_that_link_to_one_another_are_not_walked_in_every_order(tmp_path: Path) -> None:
    names = [f"folder-{number}" for number in range(8)]
    for name in names:
        sound = tmp_path / name / "x.wav"
        sound.parent.mkdir()
        sound.write_bytes(b"x")
        for other in names:
            (tmp_path / name / other).symlink_to(tmp_path / other)
    keys = [key for key, _ in listed(tmp_path)]
    assert {f"{name}/x.wav" for name in names} < set(keys)
    assert len(keys) <= 8 * 8 * 8


def test_a_link_out_of_the_allowed_folders_is_refused(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "s.wav"
    secret.write_bytes(b"x")
    (tree / "steal.wav").symlink_to(secret)
    (tree / "steal").symlink_to(secret.parent)
    found = dict(listed(tree, may_follow=Roots([tree]).hold))
    assert found["steal.wav"] is Sight.UNREADABLE
    assert "steal/s.wav" not in found
