"""The port against the original network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from samplemind_tasks.ai.aisfx import FRAMES, MELS, AisfxConfig, AisfxModel, convert
from samplemind_tasks.ai.weights import load_state
from samplemind_tasks.model_table import network_cards

SIZE = 512


@pytest.fixture(scope="module")
def aisfx(cache_dir: Path) -> AisfxModel:
    model = AisfxModel(AisfxConfig())
    model.load_state_dict(load_state(network_cards()["aisfx"], cache_dir))
    model.train(False).to(memory_format=torch.channels_last)
    model.hear_silence()
    return model


@pytest.fixture(scope="module")
def original() -> dict[str, NDArray[np.floating]]:
    """What the authors' network answered: see make_aisfx_reference.py."""
    with np.load(Path(__file__).parent / "aisfx_reference.npz") as arrays:
        return dict(arrays)


def hear(model: AisfxModel, windows: torch.Tensor) -> NDArray[np.float32]:
    with torch.inference_mode():
        return model.hear(windows)[0].numpy()


def test_vectors_are_those_of_the_original(aisfx: AisfxModel, original: dict[str, NDArray[np.floating]]) -> None:
    heard = hear(aisfx, torch.from_numpy(original["windows"]).float())
    assert heard.shape == (3, SIZE)
    np.testing.assert_allclose(heard, original["vectors"], atol=1e-4 * np.abs(original["vectors"]).max())
    assert np.abs(original["vectors"]).max() > 0.1


def test_a_window_cut_short_equals_the_whole_one(aisfx: AisfxModel) -> None:
    """What is silent behind a sound is never computed, and changes nothing: for every length there is."""
    dice = np.random.default_rng(6)
    for heard in range(1, FRAMES + 1):
        window = torch.zeros(1, FRAMES, MELS)
        window[:, :heard] = torch.from_numpy(dice.uniform(0, 0.5, (1, heard, MELS)))
        short, whole = hear(aisfx, window[:, :heard]), hear(aisfx, window)
        np.testing.assert_allclose(short, whole, atol=1e-4, err_msg=f"{heard} frames")


def test_windows_of_a_batch_do_not_hear_each_other(
    aisfx: AisfxModel, original: dict[str, NDArray[np.floating]]
) -> None:
    windows = torch.from_numpy(original["windows"]).float()
    alone = np.concatenate([hear(aisfx, window[None]) for window in windows])
    np.testing.assert_allclose(hear(aisfx, windows), alone, atol=1e-4)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(KeyError):
        convert({"embedding_net.conv_block1.conv1.weight": torch.zeros(1)})
