"""What a sound is heard as."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samplemind_tasks.ai.embed import Embedder, Heard, load
from samplemind_tasks.ai.network import Windows
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.errors import AudioError, FailureCode, ModelUnavailable
from samplemind_tasks.model_table import model_cards

FRAMES, MELS = 187, 96


SoundWindows = dict[str, Windows]


def some_windows(seed: int, count: int = 1) -> SoundWindows:
    return as_cut(np.random.default_rng(seed).uniform(0, 4, (count, FRAMES, MELS)))


def as_cut(windows: np.ndarray) -> SoundWindows:
    with np.errstate(over="ignore"):
        return {"musicnn": windows.astype(np.float16)}


def test_a_sound_becomes_a_unit_vector_and_all_tags_best_first(embedder: Embedder, card: ModelCard) -> None:
    heard = embedder.embed(some_windows(1, 2))
    assert heard.vector.shape == (card.vector_size,)
    assert heard.vector.dtype == np.float32
    assert np.linalg.norm(heard.vector) == pytest.approx(1, abs=1e-5)
    scores = [tag.score for tag in heard.tags]
    assert scores == sorted(scores, reverse=True)
    assert {tag.name for tag in heard.tags} == set(card.tags)


def test_the_same_sound_is_the_same_to_the_bit(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed(some_windows(1)).vector, embedder.embed(some_windows(1)).vector)


def test_many_sounds_are_heard_as_each_alone(embedder: Embedder) -> None:
    sounds = [some_windows(seed, count) for seed, count in ((1, 1), (2, 3), (3, 2))]
    together = embedder.embed_many(sounds)
    for windows, heard in zip(sounds, together, strict=True):
        assert isinstance(heard, Heard)
        alone = embedder.embed(windows)
        np.testing.assert_allclose(heard.vector, alone.vector, atol=1e-6)
        assert heard.tags == alone.tags


def test_full_batches_give_the_same_vectors(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where batches cross the borders between sounds."""
    sounds = [some_windows(seed, count) for seed, count in ((1, 2), (2, 3))]
    one_by_one = embedder.embed_many(sounds)
    (network,) = embedder.networks
    monkeypatch.setattr(network, "batch_sizes", dict.fromkeys(network.batch_sizes, 4))
    for heard, expected in zip(embedder.embed_many(sounds), one_by_one, strict=True):
        assert isinstance(heard, Heard)
        assert isinstance(expected, Heard)
        np.testing.assert_allclose(heard.vector, expected.vector, atol=1e-5)


def test_the_vector_is_the_mean_of_the_windows(embedder: Embedder) -> None:
    """Every window counts: upstream's extractor repeats the first one's features for all."""
    first, second = some_windows(1)["musicnn"], np.full((1, FRAMES, MELS), 0.01, np.float16)
    both = embedder.embed({"musicnn": np.concatenate([first, second])}).vector
    turned = embedder.embed({"musicnn": np.concatenate([second, first])}).vector
    np.testing.assert_allclose(both, turned, atol=1e-6)
    assert both @ embedder.embed({"musicnn": first}).vector < 0.99
    assert both @ embedder.embed({"musicnn": second}).vector < 0.99


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_window_is_a_code_and_its_neighbours_are_heard(embedder: Embedder, bad: float) -> None:
    broken = some_windows(2, 2)
    broken["musicnn"][1, 5, 5] = bad
    before, failed, after = embedder.embed_many([some_windows(1), broken, some_windows(3)])
    assert isinstance(failed, AudioError)
    assert failed.failure is FailureCode.BAD_VECTOR
    assert isinstance(before, Heard)
    assert isinstance(after, Heard)
    with pytest.raises(AudioError, match="not finite"):
        embedder.embed(broken)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), log_size=st.floats(-6, 4.8), offset=st.floats(-65_000, 65_000))
def test_any_window_is_a_unit_vector_or_a_code(embedder: Embedder, seed: int, log_size: float, offset: float) -> None:
    noise = np.random.default_rng(seed).standard_normal((1, FRAMES, MELS))
    (heard,) = embedder.embed_many([as_cut(noise * 10**log_size + offset)])
    if isinstance(heard, Heard):
        assert np.isfinite(heard.vector).all()
        assert np.linalg.norm(heard.vector) == pytest.approx(1, abs=1e-4)
    else:
        assert heard.failure is FailureCode.BAD_VECTOR


def test_nothing_to_hear(embedder: Embedder) -> None:
    assert embedder.embed_many([]) == []
    with pytest.raises(AudioError, match="no window"):
        embedder.embed(as_cut(np.empty((0, FRAMES, MELS))))


def test_silence_is_a_code_of_its_own(embedder: Embedder) -> None:
    silent, heard = embedder.embed_many([as_cut(np.zeros((2, FRAMES, MELS))), some_windows(1)])
    assert isinstance(silent, AudioError)
    assert silent.failure is FailureCode.SILENT
    assert isinstance(heard, Heard)


@pytest.mark.parametrize("shape", [(1, 186, MELS), (1, FRAMES, 64), (FRAMES, MELS)])
def test_windows_of_another_front_end_are_refused(embedder: Embedder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="windows are"):
        embedder.embed(as_cut(np.zeros(shape)))


def test_the_model_passes_its_own_test_and_a_dead_one_does_not(
    embedder: Embedder, card: ModelCard, tmp_path: Path
) -> None:
    embedder.self_test()
    dead = load(card, tmp_path, "cpu")
    with torch.no_grad():
        dead.networks[0]._module.front.normalise.scale.zero_()  # hears nothing: every sound is the same
    with pytest.raises(ModelUnavailable, match="failed its self-test"):
        dead.self_test()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_refuses_to_start(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="PyTorch sees no GPU"):
        load(card, tmp_path, "cuda")
    assert load(card, tmp_path, "auto").device.type == "cpu"


def test_a_device_nobody_knows_is_refused(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="auto, cpu or cuda"):
        load(card, tmp_path, "quantum")


def test_a_model_that_does_not_fit_its_weights_is_refused(card: ModelCard, tmp_path: Path) -> None:
    (network,) = card.networks
    for wrong in (
        card.model_copy(update={"vector_size": 512}),
        card.model_copy(update={"networks": [network.model_copy(update={"tags": ["one", "two"]})]}),
        card.model_copy(update={"joint_text": True}),
    ):
        with pytest.raises(ModelUnavailable, match=r"models\.toml"):
            load(wrong, tmp_path, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_hears_what_a_cpu_hears(embedder: Embedder, card: ModelCard, tmp_path: Path) -> None:
    windows = some_windows(1, 40)
    on_gpu = load(card, tmp_path, "cuda")
    np.testing.assert_allclose(on_gpu.embed(windows).vector, embedder.embed(windows).vector, atol=1e-4)


def test_a_cpu_worker_keeps_to_one_thread(embedder: Embedder) -> None:
    assert embedder.device.type == "cpu"
    assert torch.get_num_threads() == 1


def test_the_default_model_hears_with_both_networks(cache_dir: Path) -> None:
    card = model_cards()["ears"]
    ears = load(card, cache_dir, "cpu")
    ears.self_test()
    dice = np.random.default_rng(4)
    sound = {
        row.name: dice.uniform(0, row.full_scale, (2, row.frames, row.mels)).astype(np.float16)
        for row in card.front_ends
    }
    heard = ears.embed(sound)
    assert heard.vector.shape == (card.vector_size,)
    assert np.linalg.norm(heard.vector) == pytest.approx(1, abs=1e-5)
    assert {tag.name for tag in heard.tags} == set(card.tags)
    assert heard.leaves is not None
    assert 0 < heard.leaves.sum() <= 1 + 1e-5
