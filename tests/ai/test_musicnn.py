"""The port against the original network."""

import ast
import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from samplemind_tasks.ai.embed import Embedder
from samplemind_tasks.ai.musicnn import FRAMES, MELS, MusicnnModel, convert
from samplemind_tasks.ai.sources import located
from samplemind_tasks.ai.tf_checkpoint import read_bundle
from samplemind_tasks.cards import NetworkCard

Reference = dict[str, NDArray[np.floating]]


@pytest.fixture(scope="module")
def musicnn(embedder: Embedder) -> MusicnnModel:
    return embedder.networks[0]._module


@pytest.fixture(scope="module")
def answers(musicnn: MusicnnModel, reference: Reference) -> Reference:
    with torch.inference_mode():
        heard = musicnn(torch.from_numpy(reference["windows"]).float())
    return {
        "probabilities": heard.probabilities.numpy(),
        "max_pool": heard.max_pool.numpy(),
        "vector": heard.vector.numpy(),
    }


def test_tags_are_those_of_the_original(answers: Reference, reference: Reference) -> None:
    assert np.abs(answers["probabilities"] - reference["probabilities"]).max() < 5e-5


def test_pooled_features_are_those_of_the_original(answers: Reference, reference: Reference) -> None:
    """Within 1e-4 of each channel's largest value, which runs from 0.01 to 57."""
    channel_size = np.maximum(np.abs(reference["max_pool"]).max(0), 1)
    assert (np.abs(answers["max_pool"] - reference["max_pool"]) / channel_size).max() < 1e-4


def test_the_vector_is_the_pool_in_standard_deviations_of_the_training_music(
    answers: Reference, reference: Reference, network_card: NetworkCard
) -> None:
    """Upstream's batch norm before its dense layer saw every second value as a maximum."""
    variables = read_bundle(located(network_card, Path()))
    mean = variables["batch_normalization_9/moving_mean"][::2]
    variance = variables["batch_normalization_9/moving_variance"][::2]
    expected = (reference["max_pool"] - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(answers["vector"], expected, atol=1e-3)


def test_the_card_lists_the_tags_in_the_order_of_the_package(network_card: NetworkCard) -> None:
    """Read without importing: the package asks for TensorFlow."""
    source = Path(str(importlib.metadata.distribution("musicnn").locate_file("musicnn/configuration.py"))).read_text()
    listed = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert network_card.tags == listed["MTT_LABELS"]
    assert (network_card.front_end.rate_hz, network_card.front_end.fft_samples) == (listed["SR"], listed["FFT_SIZE"])
    assert (network_card.front_end.hop_samples, network_card.front_end.mels) == (listed["FFT_HOP"], listed["N_MELS"])


def test_it_saves_and_loads_as_any_transformers_model(
    musicnn: MusicnnModel, tmp_path: Path, reference: Reference
) -> None:
    musicnn.save_pretrained(tmp_path)
    again = MusicnnModel.from_pretrained(tmp_path, local_files_only=True)
    assert again.config.id2label[0] == "guitar"
    again.train(False).hear_silence()
    windows = torch.from_numpy(reference["windows"][:1]).float()
    with torch.inference_mode():
        torch.testing.assert_close(again(windows).vector, musicnn(windows).vector)


def test_windows_of_a_batch_do_not_hear_each_other(musicnn: MusicnnModel, reference: Reference) -> None:
    windows = torch.from_numpy(reference["windows"]).float()
    with torch.inference_mode():
        together = musicnn(windows).vector
        alone = torch.cat([musicnn(window[None]).vector for window in windows])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-4)


def test_a_checkpoint_of_another_network_is_refused(network_card: NetworkCard) -> None:
    variables = read_bundle(located(network_card, Path()))
    del variables["dense_1/kernel"]
    with pytest.raises(KeyError):
        convert(variables)


def test_a_window_cut_short_equals_the_whole_one(musicnn: MusicnnModel) -> None:
    """What is silent behind a sound is never computed, and changes nothing."""
    dice = np.random.default_rng(5)
    for heard in range(1, FRAMES + 1):
        window = torch.zeros(1, FRAMES, MELS)
        window[:, :heard] = torch.from_numpy(dice.uniform(0, 4, (1, heard, MELS)))
        with torch.inference_mode():
            short, whole = musicnn(window[:, :heard]), musicnn(window)
        torch.testing.assert_close(short.vector, whole.vector, atol=2e-3, rtol=1e-3, msg=f"{heard} frames")
        torch.testing.assert_close(short.probabilities, whole.probabilities, atol=1e-4, rtol=1e-3)
