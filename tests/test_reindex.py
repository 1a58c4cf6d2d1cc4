"""What samples show of a hearing, and of what their user taught."""

from dataclasses import replace

import numpy as np

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.model_table import model_cards
from samplemind_tasks.reindex import ready_facets
from samplemind_tasks.store.documents import Hearing, nothing_heard
from samplemind_tasks.store.taught import Head, sound_number

CARD = model_cards()["ears"]
SIZE = CARD.vector_size


def heard(axis: int, leaf: str, probability: float) -> Hearing:
    """A sound whose vector is an axis, heard as a leaf."""
    leaves = np.zeros(len(LEAVES), np.float32)
    leaves[list(LEAVES).index(leaf)] = probability
    return Hearing("0" * 64, np.eye(SIZE, dtype=np.float32)[axis], (), leaves)


def head_of(**labels: str | None) -> Head:
    """A head whose labels are the first axes, each with the category it names; the model calls all of them rims."""
    axes = np.eye(len(labels), SIZE, dtype=np.float32)
    rims: tuple[frozenset[str | None], ...] = (frozenset({"rim"}),) * len(labels)
    zeros = np.zeros(len(labels), np.float32)
    return Head(tuple(labels), 20 * axes, zeros, axes, 0.1, rims, tuple(labels.values()), {sound_number("5" * 64): 0})


def near(axis: int, distance: float, leaf: str, probability: float = 0.9) -> Hearing:
    """A sound so far from an axis: its vector leans to the last one."""
    vector = np.zeros(SIZE, np.float32)
    vector[axis], vector[-1] = 1 - distance, np.sqrt(1 - (1 - distance) ** 2)
    return replace(heard(axis, leaf, probability), vector=vector)


def test_a_lesson_wins_where_a_sound_is_near_and_strangers_keep_what_the_model_calls_them() -> None:
    hearings = {
        "very near, and called something else": near(0, 0.04, "closed hat"),
        "near, and called as the taught ones": near(0, 0.12, "rim"),
        "as near, and something else": near(0, 0.12, "synth bass"),
        "far": near(0, 0.2, "rim"),
        "far, and one of those that were sorted": replace(near(0, 0.2, "rim"), file_hash="5" * 64),
        "silent": nothing_heard("1" * 64),
    }
    _, facets = ready_facets(CARD, hearings, head_of(Kicks="kick", Hats="closed hat"))
    told = {name: (facet.category, facet.category_source) for name, facet in facets.items()}
    assert told == {
        "very near, and called something else": (Category.KICK, "taught"),
        "near, and called as the taught ones": (Category.KICK, "taught"),
        "as near, and something else": (Category.BASS, "model"),
        "far": (Category.RIM, "model"),
        "far, and one of those that were sorted": (Category.KICK, "taught"),
        "silent": (None, "model"),
    }


def test_a_label_that_names_no_category_is_a_tag() -> None:
    tags, facets = ready_facets(CARD, {"one": heard(1, "rim", 0.9)}, head_of(Kicks="kick", dusty=None))
    assert tags["one"] == ["dusty"]
    assert (facets["one"].category, facets["one"].category_source) == (Category.RIM, "model")
