"""Which paths may be read: judged by where they lead, at the moment they are opened."""

import os
from pathlib import Path

import pytest

from samplemind_tasks.errors import AudioError, FailureCode
from samplemind_tasks.roots import Roots


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    (tmp_path / "inside" / "drums").mkdir(parents=True)
    (tmp_path / "inside" / "drums" / "kick.wav").write_bytes(b"kick")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kick.wav").write_bytes(b"secret")
    return tmp_path / "inside"


def test_what_lies_below_an_allowed_folder_is_opened_also_by_a_link(inside: Path) -> None:
    (inside / "link.wav").symlink_to(inside / "drums" / "kick.wav")
    for name in ("drums/kick.wav", "link.wav"):
        with Roots([inside]).open(os.fsencode(inside / name)) as file:
            assert file.read() == b"kick"


def test_a_folder_that_was_changed_for_a_link_leads_nowhere(inside: Path) -> None:
    roots, path = Roots([inside]), os.fsencode(inside / "drums" / "kick.wav")
    assert roots.hold(path)
    (inside / "drums").rename(inside / "away")
    (inside / "drums").symlink_to(inside.parent / "outside")
    assert not roots.hold(path)
    with pytest.raises(AudioError) as caught:
        roots.open(path)
    assert caught.value.failure is FailureCode.UNREADABLE


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(inside: Path) -> None:
    link = inside.parent / "link"
    link.symlink_to(inside)
    roots = Roots([link])
    assert roots.around(inside / "drums") == inside
    link.unlink()
    link.symlink_to(inside.parent / "outside")
    assert roots.around(inside.parent / "outside") is None
    assert roots.around(inside / "drums") == inside


def test_the_innermost_root_counts(inside: Path) -> None:
    assert Roots([inside.parent, inside]).around(inside / "drums") == inside
    assert Roots([inside]).around(inside.parent / "inside-2") is None


@pytest.mark.parametrize("path", ["/proc", "/proc/self/environ", "/sys/kernel", "/dev/zero"])
def test_what_the_system_shows_of_itself_is_below_no_root(path: str) -> None:
    assert Roots([Path("/")]).around(Path(path)) is None
    assert Roots([Path("/")]).around(Path("/dev/shm/samples")) == Path("/")  # noqa: S108
