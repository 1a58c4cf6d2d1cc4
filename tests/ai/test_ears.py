"""What the ears make of what two networks heard."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from samplemind_tasks.ai import ears as ears_module
from samplemind_tasks.ai.ears import WEIGHTS, Ears, Heard, Part, read
from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.audio.excerpts import Excerpts
from samplemind_tasks.audio.windows import plan, windows
from samplemind_tasks.categories import LEAVES, UNSURE_BELOW, Category
from samplemind_tasks.demo import instruments
from samplemind_tasks.errors import AudioError, FailureCode, ModelUnavailable
from samplemind_tasks.model_table import model_cards

Sound = NDArray[np.float64]


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears.load()


@pytest.fixture(scope="module")
def default_model(cache_dir: Path) -> Embedder:
    return load(model_cards()["ears"], cache_dir, "cpu")


@pytest.fixture(scope="module")
def hear(default_model: Embedder, ears: Ears) -> Callable[[Sound], Heard]:
    """Hear a sound at 44.1 kHz as the whole trip would."""

    def heard(sound: Sound) -> Heard:
        mono = (sound if sound.ndim == 1 else sound.mean(axis=1)).astype(np.float32)
        parts = {}
        for network in default_model.networks:
            front_end = network.card.front_end
            assert front_end is not None
            excerpts = Excerpts(cut.needed for cut in plan(len(mono), instruments.RATE_HZ, front_end))
            excerpts.take(mono)
            cut = windows(excerpts, len(mono), instruments.RATE_HZ, front_end)
            parts[network.card.name] = Part(cut, network.answer(cut).vectors)
        return ears.hear(parts)

    return heard


def some_parts(seed: int, count: int = 1) -> dict[str, Part]:
    dice = np.random.default_rng(seed)
    log_mel = dice.uniform(0, 0.5, (count, 100, 96)) * np.linspace(1, 0, 100)[:, None]
    return {
        "aisfx": Part(log_mel.astype(np.float16), dice.uniform(0, 1, (count, 512)).astype(np.float32)),
        "musicnn-mtt": Part(
            np.zeros((count, 187, 96), np.float16), dice.standard_normal((count, 753)).astype(np.float32)
        ),
    }


def changed(parts: dict[str, Part], name: str, **fields: NDArray[np.generic]) -> dict[str, Part]:
    return {**parts, name: Part(**{**vars(parts[name]), **fields})}


@pytest.mark.parametrize("count", [1, 6])
def test_a_sound_becomes_a_unit_vector_and_probabilities(ears: Ears, count: int) -> None:
    heard = ears.hear(some_parts(1, count))
    assert heard.vector.shape == (ears.vector_size,)
    assert ears.vector_size <= 256
    assert np.linalg.norm(heard.vector) == pytest.approx(1, abs=1e-5)
    assert heard.leaves.shape == (len(ears.leaves),)
    assert heard.leaves.min() >= 0
    assert heard.leaves.sum() <= 1 + 1e-5
    assert np.isfinite(heard.evidence).all()
    assert {array.dtype for array in vars(heard).values()} == {np.dtype(np.float32)}


def test_the_same_sound_is_the_same_to_the_bit(ears: Ears) -> None:
    first, again = ears.hear(some_parts(1)), Ears.load().hear(some_parts(1))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in vars(first))


def test_the_order_of_the_windows_of_a_texture_hardly_matters(ears: Ears) -> None:
    parts = some_parts(3, 4)
    turned = {name: Part(part.windows, part.answers[::-1]) for name, part in parts.items()}
    np.testing.assert_allclose(ears.hear(parts).vector, ears.hear(turned).vector, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("aisfx", {"windows": np.zeros((1, 100, 96), np.float16)}),
        ("aisfx", {"windows": np.zeros((0, 100, 96), np.float16)}),
        ("aisfx", {"windows": np.full((1, 100, 96), np.nan, np.float16)}),
        ("aisfx", {"windows": np.full((1, 100, 96), np.inf, np.float16)}),
        ("aisfx", {"answers": np.full((1, 512), np.nan, np.float32)}),
        ("musicnn-mtt", {"answers": np.full((1, 753), np.inf, np.float32)}),
    ],
)
def test_silence_and_what_is_not_finite_is_refused(
    ears: Ears, name: str, fields: dict[str, NDArray[np.generic]]
) -> None:
    with pytest.raises(AudioError) as refused:
        ears.hear(changed(some_parts(1), name, **fields))
    assert refused.value.failure is FailureCode.BAD_VECTOR


def test_the_weights_know_the_leaves_of_this_version(ears: Ears) -> None:
    assert set(ears.leaves) == set(LEAVES)


def test_a_category_gets_the_probability_of_all_its_leaves(ears: Ears) -> None:
    leaves = np.zeros(len(ears.leaves), np.float32)
    leaves[ears.leaves.index("acoustic kick")] = 0.3
    leaves[ears.leaves.index("808 kick")] = 0.3
    leaves[ears.leaves.index("rim")] = 0.4
    category, chance = ears.category(leaves)
    assert category is Category.KICK
    assert chance == pytest.approx(0.6)


def test_nothing_in_particular_is_unsure(ears: Ears) -> None:
    assert ears.category(np.full(len(ears.leaves), 0.3 / len(ears.leaves), np.float32))[0] is None


def dice() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("category", "sound"),
    [
        (Category.KICK, instruments.kick(dice(), 48, 0.15, 5, 0.3)),
        (Category.SNARE, instruments.snare(dice(), 200, 0.08, 1.0)),
        (Category.CLAP, instruments.clap(dice(), 1_400, 0.07)),
        (Category.CLOSED_HAT, instruments.hat(dice(), 7_000, 0.03, 0.5)),
        (Category.KEYS, instruments.keys(dice(), [57, 60, 64], 2.4, 1.0)),
        (Category.PAD, instruments.pad(dice(), [50, 57, 62], 5.0, 1_500)),
    ],
    ids=lambda value: value.value if isinstance(value, Category) else "",
)
def test_a_plain_sound_gets_its_category(
    ears: Ears, hear: Callable[[Sound], Heard], category: Category, sound: Sound
) -> None:
    assert ears.category(hear(sound).leaves)[0] is category


def test_two_kicks_are_closer_than_a_kick_and_a_hat_or_a_pad(hear: Callable[[Sound], Heard]) -> None:
    low, high = (instruments.kick(dice(), hz, fall_s, 5, 0.3) for hz, fall_s in ((45, 0.2), (60, 0.1)))
    others = instruments.hat(dice(), 7_000, 0.03, 0.5), instruments.pad(dice(), [50, 57, 62], 5.0, 1_500)
    first, second, *rest = (hear(sound).vector for sound in (low, high, *others))
    assert first @ second > max(first @ other for other in rest) + 0.2


def test_loudness_changes_next_to_nothing(hear: Callable[[Sound], Heard]) -> None:
    snare = instruments.snare(dice(), 200, 0.08, 1.0)
    assert hear(snare).vector @ hear(0.1 * snare).vector > 0.85


def test_a_closed_hat_is_told_from_the_same_hat_open(ears: Ears, hear: Callable[[Sound], Heard]) -> None:
    closed, opened = (hear(instruments.hat(dice(), 7_000, fall_s, 0.5)) for fall_s in (0.02, 0.3))
    place = ears.leaves.index("open hat")
    assert opened.leaves[place] > 3 * closed.leaves[place]


@pytest.mark.parametrize("damage", ["missing", "cut", "key", "nan", "leaves"])
def test_damaged_weights_are_refused_with_what_mends_them(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ears.npz"
    with np.load(ears_module.WEIGHTS) as file:
        arrays = {name: file[name] for name in file.files}
    if damage == "key":
        del arrays["rotation"]
    if damage == "nan":
        arrays["head"][0, 0, 0] = np.nan
    if damage == "leaves":
        arrays["leaves"][0] = "something else"
    if damage != "missing":
        np.savez(path, **arrays)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelUnavailable, match="git restore"):
        Ears.load(path)


def test_the_table_of_categories_and_the_weights_are_of_one_training() -> None:
    """The gateway, which has no weights, knows leaves by their place, and when to be unsure."""
    weights = read(WEIGHTS)
    assert weights.leaves == tuple(LEAVES)
    assert weights.unsure_below == pytest.approx(UNSURE_BELOW)
