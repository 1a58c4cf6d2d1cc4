"""A head fitted to what a person sorted into folders."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from samplemind_tasks.ai.taught import Taught
from samplemind_tasks.ai.teach import LEAST_SOUNDS, teach
from samplemind_tasks.errors import BadRequest

SIZE = 32


def around(direction: int, count: int, spread: float, seed: int) -> NDArray[np.float32]:
    """Unit vectors scattered around an axis."""
    vectors = np.eye(SIZE)[direction] + spread * np.random.default_rng(seed).standard_normal((count, SIZE))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """As in a worker; more threads on a busy machine only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def taught() -> Taught:
    vectors = np.concatenate([around(0, 30, 0.1, 1), around(1, 8, 0.1, 2), around(2, 60, 0.1, 3)])
    lesson = teach(vectors, ["dusty"] * 30 + ["shiny"] * 8 + ["mine"] * 60)
    assert lesson.accuracy > 0.9
    assert lesson.sounds == {"dusty": 30, "shiny": 8, "mine": 60}
    return lesson.taught


def test_sounds_like_those_of_a_folder_get_its_label(taught: Taught) -> None:
    for direction, label in enumerate(("dusty", "shiny", "mine")):
        told = taught.label(around(direction, 20, 0.1, 10 + direction), [None] * 20)
        assert [name for name, _ in told].count(label) >= 18
        assert all(0 <= score <= 1 for _, score in told)


def test_a_sound_between_two_folders_is_unsure_and_a_stranger_has_no_label(taught: Taught) -> None:
    stranger = around(20, 1, 0.01, 5)
    assert taught.label(stranger, [None])[0][0] is None
    between = (around(0, 1, 0.01, 6) + around(1, 1, 0.01, 7)) / np.sqrt(2)
    assert taught.probabilities(np.asarray(between, np.float32)).max() < 0.95


def test_what_the_model_calls_the_taught_ones_says_how_far_a_lesson_reaches() -> None:
    vectors = np.concatenate([around(0, 40, 0.1, 1), around(1, 40, 0.1, 2)])
    heard: list[str | None] = [*["snare"] * 30, *["clap"] * 9, "tom", *[None] * 40]
    taught = teach(vectors, ["mine"] * 40 + ["Hats"] * 40, heard, {"Hats": "closed hat"}).taught
    assert dict(zip(taught.labels, taught.heard_as, strict=True)) == {
        "mine": {"snare", "clap"},  # one in forty is the model's slip
        "Hats": {None, "closed hat"},
    }
    new = around(0, 60, 0.1, 9)
    labelled = {name: sum(label == "mine" for label, _ in taught.label(new, [name] * 60)) for name in ("snare", "bass")}
    assert labelled["snare"] >= 54
    assert labelled["bass"] < 30
    very_near = around(0, 60, 0.01, 9)
    assert [label for label, _ in taught.label(very_near, ["bass"] * 60)] == ["mine"] * 60


def test_noise_is_not_learned_and_said_so() -> None:
    vectors = np.concatenate([around(0, 40, 0.3, 1), around(0, 40, 0.3, 2)])
    assert teach(vectors, ["one", "other"] * 40).accuracy < 0.65


def test_teaching_twice_gives_the_same() -> None:
    vectors = np.concatenate([around(0, 10, 0.2, 1), around(1, 10, 0.2, 2)])
    labels = ["a"] * 10 + ["b"] * 10
    assert np.array_equal(teach(vectors, labels).taught.weights, teach(vectors, labels).taught.weights)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["only"] * 20, "1 labels"),
        (["many"] * 20 + ["few"] * (LEAST_SOUNDS - 1), "1 labels.*too few sounds of few"),
        ([f"label {number}" for number in range(65) for _ in range(LEAST_SOUNDS)], "65 labels"),
    ],
)
def test_what_cannot_be_learned_is_told(labels: list[str], reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        teach(around(0, len(labels), 0.2, 1), labels)


def test_a_label_with_few_sounds_is_left_out_and_the_others_are_learned() -> None:
    vectors = np.concatenate([around(0, 10, 0.1, 1), around(1, 10, 0.1, 2), around(2, 2, 0.1, 3)])
    lesson = teach(vectors, ["a"] * 10 + ["b"] * 10 + ["c"] * 2)
    assert (lesson.sounds, lesson.left_out) == ({"a": 10, "b": 10}, {"c": 2})
    assert lesson.taught.labels == ("a", "b")
