"""The models of this repository, a cache of converted weights that the tests of this process share, and a tiny CLAP."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import ClapConfig, ClapModel, PreTrainedTokenizerFast

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.cards import ModelCard, NetworkCard
from samplemind_tasks.model_table import model_cards, network_cards

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789'-"
TINY_SIZE = 32


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As in a worker; more threads on a busy machine only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def card() -> ModelCard:
    return model_cards()["musicnn-mtt"]


@pytest.fixture(scope="session")
def network_card() -> NetworkCard:
    return network_cards()["musicnn-mtt"]


@pytest.fixture(scope="session")
def embedder(card: ModelCard, cache_dir: Path) -> Embedder:
    return load(card, cache_dir, "cpu")


@pytest.fixture(scope="session")
def reference() -> dict[str, NDArray[np.floating]]:
    """What the original TensorFlow graph answered: see make_reference.py."""
    with np.load(Path(__file__).parent / "reference.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def clap_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole CLAP of a hundred thousand random weights, saved as a hub would hold it."""
    folder = tmp_path_factory.mktemp("tiny-clap")
    _tiny_clap().save_pretrained(folder, safe_serialization=True)
    _letters().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def models_file(clap_folder: Path) -> Path:
    """A file of one's own that names the tiny CLAP."""
    path = clap_folder.parent / "own-models.toml"
    path.write_text(
        f"""
        [networks.tiny-clap]
        architecture = "clap"
        source = "file:{clap_folder}"
        licence = "none needed"
        credit = "random numbers"
        front_end = "clap"
        size = {TINY_SIZE}

        [models.tiny-clap]
        revision = "3"
        networks = ["tiny-clap"]
        joined = "mean"
        vector_size = {TINY_SIZE}
        joint_text = true
        """
    )
    return path


@pytest.fixture(scope="session")
def clap_card(models_file: Path) -> ModelCard:
    return model_cards(models_file)["tiny-clap"]


def _tiny_clap() -> ClapModel:
    """Both towers, with their answers centred: an untrained tower says nearly the same of everything."""
    torch.manual_seed(1)
    config = ClapConfig(
        projection_dim=TINY_SIZE,
        text_config={
            "vocab_size": len(ALPHABET) + 5,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 90,
            "initializer_factor": 20.0,
        },
        audio_config={
            "patch_embeds_hidden_size": 8,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 2, 2],
            "hidden_size": 64,
            "initializer_factor": 20.0,
        },
    )
    model = ClapModel(config).train(False)
    with torch.inference_mode():
        sounds = torch.rand(4, 1, 1, 64) * torch.linspace(-100, 20, 1001).view(1001, 1)
        heard = model.audio_model(input_features=torch.cat([sounds, sounds * torch.rand(4, 1, 1001, 64)])).pooler_output
        read = model.text_model(input_ids=torch.randint(5, len(ALPHABET) + 5, (32, 12))).pooler_output
    for projection, answers in ((model.audio_projection, heard), (model.text_projection, read)):
        with torch.no_grad():
            projection.linear2.bias.sub_(projection(answers).mean(0))
    return model


def _letters() -> PreTrainedTokenizerFast:
    """Every letter is a token, between those that RoBERTa puts around a text."""
    special = ["<s>", "<pad>", "</s>", "<unk>", " "]
    vocabulary = {token: number for number, token in enumerate([*special, *ALPHABET])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_max_length=512,
    )  # fmt: skip
