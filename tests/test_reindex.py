"""What samples show of a hearing, and of what their user taught."""

import numpy as np

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.reindex import ready_facets
from samplemind_tasks.settings import model_cards
from samplemind_tasks.store.documents import Hearing, nothing_heard
from samplemind_tasks.store.taught import Head

CARD = model_cards()["ears"]
SIZE = CARD.vector_size


def heard(axis: int, leaf: str, probability: float) -> Hearing:
    """A sound whose vector is an axis, heard as a leaf."""
    leaves = np.zeros(len(LEAVES), np.float32)
    leaves[list(LEAVES).index(leaf)] = probability
    return Hearing("0" * 64, np.eye(SIZE, dtype=np.float32)[axis], (), leaves)


def head_of(*labels: str) -> Head:
    """A head whose labels are the first axes, and to which everything is near."""
    axes = np.eye(len(labels), SIZE, dtype=np.float32)
    return Head(labels, 20 * axes, np.zeros(len(labels), np.float32), axes, -1.0)


def test_a_taught_label_goes_before_a_guess_and_a_sure_stranger_keeps_its_category() -> None:
    hearings = {
        "guess": heard(0, "rim", 0.3),
        "sure of what was taught": heard(0, "closed hat", 0.9),
        "stranger": heard(0, "synth bass", 0.9),
        "silent": nothing_heard("1" * 64),
    }
    _, facets = ready_facets(CARD, hearings, head_of("Kicks", "Closed Hats"))
    told = {name: (facet.category, facet.category_source) for name, facet in facets.items()}
    assert told == {
        "guess": (Category.KICK, "taught"),
        "sure of what was taught": (Category.KICK, "taught"),
        "stranger": (Category.BASS, "model"),
        "silent": (None, "model"),
    }


def test_a_label_that_names_no_category_is_a_tag() -> None:
    tags, facets = ready_facets(CARD, {"one": heard(1, "rim", 0.9)}, head_of("Kicks", "my dusty ones"))
    assert tags["one"] == ["my dusty ones"]
    assert (facets["one"].category, facets["one"].category_source) == (Category.RIM, "model")
