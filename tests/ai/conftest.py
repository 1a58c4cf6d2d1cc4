"""The model in use and a cache of converted weights that the tests of this process share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.schemas import ModelCard
from samplemind_tasks.settings import model_cards


@pytest.fixture(scope="session")
def card() -> ModelCard:
    return model_cards()["musicnn-mtt"]


@pytest.fixture(scope="session")
def embedder(card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return load(card, tmp_path_factory.mktemp("models"), "cpu")


@pytest.fixture(scope="session")
def reference() -> dict[str, NDArray[np.floating]]:
    """What the original TensorFlow graph answered: see make_reference.py."""
    with np.load(Path(__file__).parent / "reference.npz") as arrays:
        return dict(arrays)
