"""CLAP from a folder, with random weights: shapes, batches, both towers, and folders that are not whole."""

import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import ClapModel, PreTrainedTokenizerFast

from samplemind_tasks.ai.embed import Embedder, Heard, load
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.errors import AudioError, BadRequest, FailureCode, ModelUnavailable
from samplemind_tasks.settings import Settings

Windows = NDArray[np.float16]
SIZE = 32
LIMITS = {"max_bytes": 1 << 30, "max_duration_s": 3600.0, "max_seconds": 900.0}


@pytest.fixture(scope="module")
def clap(clap_card: ModelCard, cache_dir: Path) -> Embedder:
    return load(clap_card, cache_dir, "cpu")


def decibels(seed: int, count: int = 1) -> dict[str, Windows]:
    """Windows with something different going on in each."""
    dice = np.random.default_rng(seed)
    shape = dice.normal(-40, 15, (count, 1, 64)) + dice.normal(0, 8, (count, 1001, 64))
    return {"clap": shape.astype(np.float16)}


def from_folder(card: ModelCard, folder: Path) -> ModelCard:
    network = card.networks[0].model_copy(update={"source": f"file:{folder}"})
    return card.model_copy(update={"networks": [network]})


def test_a_file_of_ones_own_names_the_model_and_its_own_collection(models_file: Path) -> None:
    settings = Settings(models_file=models_file, model="tiny-clap")
    assert settings.model_card.collection == "tiny-clap-3"
    assert settings.model_card.joint_text
    assert [front_end.rate_hz for front_end in settings.model_card.front_ends] == [48_000]


def test_a_sound_is_the_mean_of_its_windows(clap: Embedder, clap_folder: Path) -> None:
    """Compared with transformers' own model called by hand."""
    windows = decibels(1, 3)
    heard = clap.embed(windows)
    assert heard.vector.shape == (SIZE,)
    assert heard.leaves is None
    model = ClapModel.from_pretrained(clap_folder, attn_implementation="eager").train(False)
    with torch.inference_mode():
        answers = model.get_audio_features(input_features=torch.from_numpy(windows["clap"]).float()[:, None])
    expected = answers.pooler_output.mean(0)
    np.testing.assert_allclose(heard.vector, expected / expected.norm(), atol=1e-5)


@pytest.mark.parametrize("seconds", [0.3, 21.0])
def test_a_file_is_cut_and_heard(clap: Embedder, tmp_path: Path, seconds: float) -> None:
    """From the file to the vector, as the workers do it; the same sound at another rate is nearly the same vector."""
    vectors = []
    for rate_hz in (44_100, 48_000):
        path = tmp_path / f"{rate_hz}.wav"
        time_s = np.arange(round(seconds * rate_hz)) / rate_hz
        soundfile.write(path, 0.4 * np.sin(2 * np.pi * (300 + 40 * time_s) * time_s), rate_hz, subtype="FLOAT")
        with path.open("rb") as file, open_sound(file, name=path.name, **LIMITS) as sound:
            windows = listen(sound, clap.card.front_ends).windows
        assert windows["clap"].shape == (1 if seconds < 15 else 2, 1001, 64)
        vectors.append(clap.embed(windows).vector)
    assert vectors[0] @ vectors[1] > 0.98


def test_many_sounds_are_heard_as_each_alone(clap: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = [decibels(seed, count) for seed, count in ((1, 1), (2, 3), (3, 2))]
    alone = [clap.embed(windows).vector for windows in sounds]
    monkeypatch.setattr(clap.networks[0], "batch_sizes", dict.fromkeys(clap.networks[0].batch_sizes, 4))
    for heard, expected in zip(clap.embed_many(sounds), alone, strict=True):
        assert isinstance(heard, Heard)
        np.testing.assert_allclose(heard.vector, expected, atol=1e-5)


def test_a_text_is_read_the_same_alone_and_among_longer_ones(clap: Embedder) -> None:
    texts = ["kick", "a very long and winding pad with a lot of reverb on it", "sub bass"]
    together = clap.embed_texts(texts)
    assert together.shape == (3, SIZE)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(together, np.concatenate([clap.embed_texts([text]) for text in texts]), atol=1e-5)


@pytest.mark.parametrize("text", ["", "  ", "x" * 100_000, "ドラム 🥁", "\x00"])
def test_any_text_is_a_unit_vector(clap: Embedder, text: str) -> None:
    (vector,) = clap.embed_texts([text])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_many_texts_and_none(clap: Embedder) -> None:
    texts = [f"word {number}" for number in range(70)]
    assert clap.embed_texts(texts).shape == (70, SIZE)
    np.testing.assert_allclose(clap.embed_texts(texts)[69], clap.embed_texts(["word 69"])[0], atol=1e-5)
    assert clap.embed_texts([]).shape == (0, SIZE)


def test_a_model_without_text_says_so(embedder: Embedder) -> None:
    with pytest.raises(BadRequest, match="knows sounds only"):
        embedder.embed_texts(["kick"])


def test_silence_in_decibels_is_silence(clap: Embedder) -> None:
    silent = {"clap": np.full((1, 1001, 64), -100, np.float16)}
    (failed,) = clap.embed_many([silent])
    assert isinstance(failed, AudioError)
    assert failed.failure is FailureCode.SILENT
    assert clap.embed({"clap": np.zeros((1, 1001, 64), np.float16)}).vector.any()  # 0 dB is loud


def test_it_passes_its_own_test(clap: Embedder) -> None:
    clap.self_test()


@pytest.mark.parametrize("tower", ["text", "audio"])
def test_a_dead_tower_is_refused(clap_card: ModelCard, clap_folder: Path, tmp_path: Path, tower: str) -> None:
    """As laion/larger_clap_music, where every text has the same vector."""
    folder = shutil.copytree(clap_folder, tmp_path / "dead")
    weights = load_file(folder / "model.safetensors")
    weights[f"{tower}_projection.linear2.weight"].zero_()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="failed its self-test"):
        load(from_folder(clap_card, folder), tmp_path, "cpu").self_test()


def damage(folder: Path, how: str) -> None:
    weights, config = folder / "model.safetensors", folder / "config.json"
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif how == "no weights":
        weights.unlink()
    elif how == "only a pickle":
        torch.save(load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()
    elif how == "a tensor short":
        tensors = load_file(weights)
        del tensors["text_projection.linear1.weight"]
        save_file(tensors, weights, {"format": "pt"})
    elif how == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif how == "other tokenizer":
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        tokenizer.add_tokens([f"word{number}" for number in range(9)])
        tokenizer.save_pretrained(folder)
    elif how == "no config":
        config.unlink()
    else:
        told = json.loads(config.read_text())
        told["audio_config"].update({"fused": {"enable_fusion": True}, "other mels": {"num_mel_bins": 128}}[how])
        config.write_text(json.dumps(told))


@pytest.mark.parametrize(
    "how",
    [
        "cut",
        "no weights",
        "only a pickle",
        "a tensor short",
        "no tokenizer",
        "other tokenizer",
        "no config",
        "fused",
        "other mels",
    ],
)
def test_a_folder_that_is_not_whole_is_a_sentence(
    clap_card: ModelCard, clap_folder: Path, tmp_path: Path, how: str
) -> None:
    folder = shutil.copytree(clap_folder, tmp_path / "copy")
    damage(folder, how)
    with pytest.raises(ModelUnavailable, match=r"tiny-clap in .* cannot be loaded: .*models\.toml names .*copy"):
        load(from_folder(clap_card, folder), tmp_path, "cpu")


def test_weights_of_another_size_than_the_configuration_says_are_one_sentence(
    clap_card: ModelCard, clap_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """transformers wrote a report of forty lines, and an error that says to read it."""
    folder = shutil.copytree(clap_folder, tmp_path / "copy")
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"projection_dim": SIZE // 2}))
    network = from_folder(clap_card, folder).networks[0].model_copy(update={"size": SIZE // 2})
    says = r"audio_projection\.linear1\.bias is \[32\] in its weights, but \[16\] by its config\.json\. Put"
    with pytest.raises(ModelUnavailable, match=says):
        load(clap_card.model_copy(update={"networks": [network], "vector_size": SIZE // 2}), tmp_path, "cpu")
    assert caplog.records == []


def test_nothing_of_it_is_run(clap_card: ModelCard, clap_folder: Path, tmp_path: Path) -> None:
    """A folder may come from anywhere: a config that names code of its own must not be followed."""
    folder = shutil.copytree(clap_folder, tmp_path / "copy")
    for name in ("config.json", "tokenizer_config.json"):
        told = json.loads((folder / name).read_text())
        told["auto_map"] = {"AutoTokenizer": ["trap.Trap", "trap.Trap"], "AutoModel": "trap.Trap"}
        (folder / name).write_text(json.dumps(told))
    (folder / "trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\nclass Trap: pass\n")
    load(from_folder(clap_card, folder), tmp_path, "cpu").self_test()
    assert not (tmp_path / "sprung").exists()


def test_loading_asks_no_network(
    clap_card: ModelCard, card: ModelCard, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for model in (clap_card, card):
        load(model, cache_dir, "cpu").self_test()
