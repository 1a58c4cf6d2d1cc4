"""Windows of many sounds through one network: batches, their sizes, and memory that runs out."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from samplemind_tasks.ai.embed import Embedder
from samplemind_tasks.ai.network import BATCH_SIZES, LENGTHS, Network, Windows
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

FRAMES, MELS = 187, 96
SIZE = 3
CPU = torch.device("cpu")


class Ear:
    """Answers with the sum, the first number and the last heard frame's mean of each window."""

    skips_silence: ClassVar[bool] = True

    def __init__(self, most_windows: int = 1000) -> None:
        self.most_windows = most_windows
        self.batches: list[tuple[int, int]] = []
        """Windows and frames of each."""

    def hear(self, windows: Tensor) -> tuple[Tensor, None]:
        if len(windows) > self.most_windows:
            raise torch.OutOfMemoryError("no room")
        self.batches.append((windows.shape[0], windows.shape[1]))
        return torch.stack([windows.sum((1, 2)), windows[:, 0, 0], windows.amax((1, 2))], 1), None


class Deaf(Ear):
    skips_silence: ClassVar[bool] = False


@pytest.fixture
def own_card(network_card: NetworkCard) -> NetworkCard:
    return network_card.model_copy(update={"size": SIZE, "tags": []})


def some_windows(*heard: int) -> Windows:
    """One window for each number of frames that are not silent."""
    windows = np.zeros((len(heard), FRAMES, MELS), np.float16)
    for number, frames in enumerate(heard):
        windows[number, :frames] = np.random.default_rng(number).uniform(0.5, 4, (frames, MELS))
    return windows


def expected(windows: Windows) -> np.ndarray:
    exact = windows.astype(np.float32)
    return np.stack([exact.sum((1, 2)), exact[:, 0, 0], exact.max((1, 2))], 1)


def in_batches_of(network: Network, size: int) -> Network:
    network.batch_sizes = dict.fromkeys(network.batch_sizes, size)
    return network


LENGTHS_HEARD = (187, 3, 90, 0, 187, 12, 60, 187, 1, 100, 3)


@pytest.mark.parametrize("size", [1, 2, 8])
def test_answers_come_in_the_order_of_the_windows(own_card: NetworkCard, size: int) -> None:
    windows = some_windows(*LENGTHS_HEARD)
    answers = in_batches_of(Network(own_card, Ear(), CPU), size).answer(windows)
    np.testing.assert_allclose(answers.vectors, expected(windows), rtol=1e-4)
    assert answers.probabilities.shape == (len(windows), 0)


def test_a_batch_is_no_longer_than_its_windows_need(own_card: NetworkCard) -> None:
    ear = Ear()
    in_batches_of(Network(own_card, ear, CPU), 4).answer(some_windows(*LENGTHS_HEARD))
    assert ear.batches[0][1] == FRAMES, "the longest come first"
    assert sum(count for count, _ in ear.batches) == len(LENGTHS_HEARD)
    sixteenth = -(-FRAMES // LENGTHS)
    assert sum(count * frames for count, frames in ear.batches) <= sum(LENGTHS_HEARD) + sixteenth * len(LENGTHS_HEARD)


def test_a_network_that_wants_silence_gets_whole_windows(own_card: NetworkCard) -> None:
    deaf = Deaf()
    in_batches_of(Network(own_card, deaf, CPU), 8).answer(some_windows(*LENGTHS_HEARD))
    assert deaf.batches == [(8, FRAMES), (3, FRAMES)]


@pytest.mark.parametrize("most_windows", [1, 3, 5])
def test_out_of_memory_halves_the_batch_and_goes_on(own_card: NetworkCard, most_windows: int) -> None:
    ear = Ear(most_windows)
    network = in_batches_of(Network(own_card, ear, CPU), 16)
    windows = some_windows(*[FRAMES] * 20)
    np.testing.assert_allclose(network.answer(windows).vectors, expected(windows), rtol=1e-4)
    left = network.batch_sizes[LENGTHS]
    assert most_windows / 2 < left <= most_windows
    before = len(ear.batches)
    network.answer(windows)
    assert len(ear.batches) - before == -(-20 // left), "it is not tried again"


def test_not_even_one_window_fits(own_card: NetworkCard) -> None:
    with pytest.raises(ModelUnavailable, match="does not fit into the device's memory"):
        in_batches_of(Network(own_card, Ear(0), CPU), 4).answer(some_windows(5, 187))


def test_batch_sizes_are_measured_and_bounded_by_memory(own_card: NetworkCard) -> None:
    network = Network(own_card, Ear(2), CPU)
    network.measure()
    assert set(network.batch_sizes.values()) <= {1, 2}
    roomy = Network(own_card, Ear(), CPU)
    roomy.measure()
    assert set(roomy.batch_sizes.values()) <= set(BATCH_SIZES["cpu"])


def test_measured_batches_hear_what_each_window_is_alone(embedder: Embedder) -> None:
    (network,) = embedder.networks
    windows = some_windows(187, 20, 187, 60, 5, 90)
    alone = np.concatenate([network.answer(window[None]).vectors for window in windows])
    network.measure()
    np.testing.assert_allclose(network.answer(windows).vectors, alone, atol=2e-3, rtol=1e-3)


def test_what_is_not_a_number_stays_so_and_spoils_nothing_else(own_card: NetworkCard) -> None:
    windows = some_windows(187, 20, 60)
    windows[1, 3, 3] = np.nan
    vectors = in_batches_of(Network(own_card, Ear(), CPU), 8).answer(windows).vectors
    assert np.isnan(vectors[1]).any()
    np.testing.assert_allclose(vectors[[0, 2]], expected(windows)[[0, 2]], rtol=1e-4)


def test_windows_are_only_read(own_card: NetworkCard) -> None:
    windows = some_windows(187, 20)
    windows[0, 0, 0] = np.inf
    kept = windows.copy()
    windows.setflags(write=False)
    Network(own_card, Ear(), CPU).answer(windows)
    np.testing.assert_array_equal(windows, kept)
