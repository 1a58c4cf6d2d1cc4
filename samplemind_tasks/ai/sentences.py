"""A sentence model: texts as vectors that lie close where the texts mean about the same.

all-MiniLM-L6-v2 (Reimers and Gurevych, Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks, EMNLP 2019):
six layers of BERT, the mean over the tokens of a text, length 1. The weights lie in an installed package that is never
imported; the tokenizer is read from its file. Nothing asks a network.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from samplemind_tasks.ai.sources import WEIGHTS_FILE, checked, located, mend
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

Floats = NDArray[np.float32]

MOST_TOKENS = 128
"""What the model was trained with; a longer text is cut."""
MOST_CHARS = 2_000
"""More is never tokenised: 128 tokens are hardly longer."""
BATCH_TEXTS = 64
_PADDING = "[PAD]"
OTHER_TEXT_COSINE = 0.9
_ALIKE = ("a kick drum", "bass drum sample", "the history of French law")
"""The first two mean about the same; the third does not."""


class Sentences:
    """The loaded model, on the CPU: a short text takes a few milliseconds. Safe to share between threads."""

    def __init__(self, model: BertModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self.size = int(model.config.hidden_size)

    @classmethod
    def load(cls, card: NetworkCard, cache_dir: Path) -> "Sentences":
        """Load the model and see that it tells texts apart.

        Parameters
        ----------
        card : of architecture `sentences`; its file is a folder with config.json, tokenizer.json and the weights
        cache_dir : where a hub's downloads lie; a package's files stay where they are

        Raises
        ------
        ModelUnavailable with the command that mends it, when it is missing, damaged, of another sort or dead
        """
        folder = located(card, cache_dir)
        checked(card, folder / WEIGHTS_FILE)
        try:
            config = BertConfig.from_json_file(str(folder / "config.json"))
            model = BertModel(config, add_pooling_layer=False)
            _fill(model, folder / WEIGHTS_FILE)
            tokenizer = _tokenizer(folder / "tokenizer.json")
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).partition("\n")[0]
            raise ModelUnavailable(f"{card.name} in {folder} cannot be read: {reason} {mend(card)}") from error
        sentences = cls(model.train(False), tokenizer)
        if sentences.size != card.size:
            raise ModelUnavailable(f"{card.name} makes {sentences.size} numbers; models.toml says {card.size}.")
        sentences.check(card)
        return sentences

    def embed(self, texts: Sequence[str]) -> Floats:
        """Turn texts into vectors.

        Parameters
        ----------
        texts : any; what lies beyond `MOST_TOKENS` is not read

        Returns
        -------
        float32 [n, 384], length 1; zeros for a text without a word
        """
        vectors = np.zeros((len(texts), self.size), np.float32)
        said = [(place, text[:MOST_CHARS].strip()) for place, text in enumerate(texts) if text.strip()]
        said.sort(key=lambda one: len(one[1]))  # texts of about one length share a batch
        for start in range(0, len(said), BATCH_TEXTS):
            batch = said[start : start + BATCH_TEXTS]
            vectors[[place for place, _ in batch]] = self._run([text for _, text in batch])
        return vectors

    def check(self, card: NetworkCard) -> None:
        """Refuse a model that takes unrelated texts for the same.

        Raises
        ------
        ModelUnavailable
        """
        one, alike, other = self.embed(_ALIKE)
        is_sane = np.isfinite([one, alike, other]).all() and float(one @ other) < OTHER_TEXT_COSINE
        if not is_sane or one @ alike <= one @ other:
            raise ModelUnavailable(f"{card.name} does not tell texts apart. {mend(card)}")

    def _run(self, texts: list[str]) -> Floats:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = self._model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])[0]
            heard = tokens["attention_mask"].unsqueeze(-1).float()
            mean = (states * heard).sum(dim=1) / heard.sum(dim=1)
            return np.asarray(torch.nn.functional.normalize(mean, dim=1).numpy(), np.float32)


def _fill(model: BertModel, path: Path) -> None:
    """Read the weights; those of the pooling layer, which we do not use, are left out.

    Raises
    ------
    RuntimeError when one is missing or has another shape
    """
    state = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("pooler.")}
    state.pop("embeddings.position_ids", None)  # a counter that older files carry
    model.load_state_dict(state, strict=True)


def _tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """Read the tokenizer.

    Raises
    ------
    OSError, ValueError, KeyError when it is none
    """
    json.loads(path.read_bytes())["model"]  # the library itself would raise a bare Exception
    return PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token=_PADDING)  # type: ignore[no-untyped-call]
