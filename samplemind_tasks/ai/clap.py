"""CLAP: sounds and texts in one space, through transformers.

Wu et al., "Large-scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption Augmentation",
ICASSP 2023. The weights are LAION's clap-htsat-unfused, or any other unfused ClapModel in a folder: config.json,
model.safetensors and the tokenizer's files. No code and no pickle of the folder is ever run.

Attention is the eager one, because CLAP's sound tower knows no other. torch.compile is left out until somebody measures
on a GPU that it pays: it needs a compiler on the machine and minutes at every start.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from transformers import ClapAudioConfig, ClapConfig, ClapModel, ClapTextConfig, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from samplemind_tasks.ai.network import Hearing
from samplemind_tasks.ai.sources import checked, located, mend
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

TOKENIZER_FILE = "tokenizer.json"
MAX_TOKENS = 77
"""CLAP was trained on texts of at most this many tokens; what follows is not read."""
TEXTS_AT_ONCE = 32
MOST_CHARS = 2_000
"""More is never looked at: 77 tokens are hardly longer."""
DTYPES = {"cpu": torch.float32, "cuda": torch.float16}
"""Half precision keeps three digits; float16 has eight times the steps of bfloat16, and no value here is large."""


class Clap(Hearing):
    """A loaded CLAP in place on its device. Safe to share between threads."""

    skips_silence: ClassVar[bool] = False

    def __init__(self, model: ClapModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self.logit_scale = float(model.logit_scale_a.detach().exp())
        """What a cosine is multiplied with before the softmax over texts, as in training."""

    @property
    def dtype(self) -> torch.dtype:
        """What the windows must be."""
        return self._model.dtype

    def hear(self, windows: Tensor) -> tuple[Tensor, None]:
        """Unit vectors [n, 512] of windows [n, frames, mels]; this network knows no words of its own."""
        heard = self._model.get_audio_features(input_features=windows.unsqueeze(1))
        return _pooled(heard), None

    @torch.inference_mode()
    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Read texts.

        Returns
        -------
        float32 [n, 512], of length 1, in the space of the sounds
        """
        parts = [self._read(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, self._model.config.projection_dim), np.float32)

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            [text[:MOST_CHARS] for text in texts],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        ).to(self._model.device)
        heard = self._model.get_text_features(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        vectors = _pooled(heard).float().cpu().numpy()
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def load_clap(card: NetworkCard, cache_dir: Path, device: torch.device) -> Clap:
    """Load both towers and the tokenizer from the folder that the card's source names, without a network connection.

    Raises
    ------
    ModelUnavailable with the command that mends it, when files are missing, damaged, or of another network
    """
    folder = located(card, cache_dir)
    if card.sha256:
        checked(card, folder)
    try:
        _check(card, folder)
        model = _model(folder, DTYPES[device.type])
        tokenizer = _tokenizer(folder, model.config.text_config)
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0].removesuffix(".")
        raise ModelUnavailable(f"{card.name} in {folder} cannot be loaded: {reason}. {mend(card)}") from error
    return Clap(model.train(False).to(device), tokenizer)


def _check(card: NetworkCard, folder: Path) -> None:
    """Whether the folder holds what the row of models.toml says.

    Raises
    ------
    ValueError with the difference
    """
    config = ClapConfig.from_pretrained(folder, local_files_only=True)
    audio = config.audio_config
    assert isinstance(audio, ClapAudioConfig) and card.front_end is not None  # noqa: S101, PT018 - both always there
    if audio.enable_fusion:
        raise ValueError("it is a fused CLAP, which hears four windows at once; an unfused one is needed")
    if (audio.num_mel_bins, config.projection_dim) != (card.front_end.mels, card.size):
        raise ValueError(
            f"it takes {audio.num_mel_bins} mels and gives {config.projection_dim} numbers; "
            f"models.toml says {card.front_end.mels} and {card.size}"
        )


def _model(folder: Path, dtype: torch.dtype) -> ClapModel:
    disable_progress_bar()  # type: ignore[no-untyped-call]
    set_verbosity_error()  # type: ignore[no-untyped-call]  # its report of what does not fit is a page long
    loaded: Any = ClapModel.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        attn_implementation="eager",
        dtype=dtype,
        ignore_mismatched_sizes=True,  # its own refusal names no tensor: they are refused below
        output_loading_info=True,
    )
    model, told = loaded
    _fits(told)
    assert isinstance(model, ClapModel)  # noqa: S101
    return model


def _fits(told: dict[str, Any]) -> None:
    """Whether every tensor came from the file: transformers would go on with random numbers.

    Raises
    ------
    ValueError with the first that did not
    """
    if told["mismatched_keys"]:
        name, there, asked = min(told["mismatched_keys"])
        raise ValueError(f"{name} is {list(there)} in its weights, but {list(asked)} by its config.json")
    if told["missing_keys"]:
        raise ValueError(f"{min(told['missing_keys'])} is missing")


def _tokenizer(folder: Path, text: object) -> PreTrainedTokenizerFast:
    assert isinstance(text, ClapTextConfig) and text.pad_token_id is not None  # noqa: S101, PT018 - both always there
    if not (folder / TOKENIZER_FILE).is_file():  # transformers would go on with an empty vocabulary
        raise FileNotFoundError(f"there is no {TOKENIZER_FILE}")
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    if len(tokenizer) > text.vocab_size:
        raise ValueError(f"{TOKENIZER_FILE} has {len(tokenizer)} tokens, the text tower knows {text.vocab_size}")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(text.pad_token_id)  # the tower tells places in a text by it
    return tokenizer


def _pooled(answer: object) -> Tensor:
    pooled = getattr(answer, "pooler_output", None)
    assert isinstance(pooled, Tensor)  # noqa: S101 - transformers 5 answers so
    return pooled
