"""The bundle reader, on the real checkpoint and on damaged copies of it."""

import importlib.metadata
import shutil
from pathlib import Path

import numpy as np
import pytest

from samplemind_tasks.ai.tf_checkpoint import DATA_SUFFIX, INDEX_SUFFIX, read_bundle
from samplemind_tasks.errors import ModelUnavailable


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the real checkpoint that a test may damage."""
    source = Path(str(importlib.metadata.distribution("musicnn").locate_file("musicnn/MTT_musicnn")))
    for suffix in (INDEX_SUFFIX, DATA_SUFFIX):
        shutil.copy(source / suffix, tmp_path / suffix)
    return tmp_path


def test_reads_every_variable_in_its_shape(bundle: Path) -> None:
    variables = read_bundle(bundle)
    assert variables["conv2d/kernel"].shape == (7, 38, 1, 204)
    assert variables["dense/kernel"].shape == (1506, 200)
    assert variables["beta1_power"].shape == ()
    assert all(np.isfinite(value).all() for value in variables.values())
    assert np.all(variables["batch_normalization_9/moving_variance"] >= 0)


@pytest.mark.parametrize("suffix", [INDEX_SUFFIX, DATA_SUFFIX])
@pytest.mark.parametrize("kept_bytes", [0, 10, 60, 4000])
def test_a_short_file_is_a_sentence(bundle: Path, suffix: str, kept_bytes: int) -> None:
    path = bundle / suffix
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(ModelUnavailable, match="is damaged"):
        read_bundle(bundle)


def test_a_missing_file_is_a_sentence(bundle: Path) -> None:
    (bundle / INDEX_SUFFIX).unlink()
    with pytest.raises(ModelUnavailable, match="Cannot read the checkpoint"):
        read_bundle(bundle)


def test_any_changed_byte_of_the_index_is_read_or_refused(bundle: Path) -> None:
    """No changed byte may hang the reader or escape as another error."""
    index = (bundle / INDEX_SUFFIX).read_bytes()
    dice = np.random.default_rng(3)
    for place in dice.integers(0, len(index), 150):
        (bundle / INDEX_SUFFIX).write_bytes(index[:place] + bytes([dice.integers(256)]) + index[place + 1 :])
        try:
            read_bundle(bundle)
        except ModelUnavailable as refused:
            assert str(bundle) in refused.message  # noqa: PT017 (reading it is as good)
