"""Trained weights as tensors: checked and converted once, then read from a cached file."""

import os
import pickle
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from samplemind_tasks.ai import aisfx, musicnn, tf_checkpoint
from samplemind_tasks.ai.sources import checked, located
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

CONVERSION_VERSION = 1
"""Raise it when a conversion gives other tensors, so that old cache files are left aside."""

State = dict[str, Tensor]
_ALLOWING = Lock()
"""What torch allows in a pickle it allows in every thread, and takes back from all."""


def load_state(card: NetworkCard, cache_dir: Path) -> State:
    """Give the network's tensors from the cache, converting them first where the cache has none or a damaged one.

    Raises
    ------
    ModelUnavailable when the package is missing, its weights are not the pinned ones, or the cache cannot be written.
    """
    cached = cache_file(card, cache_dir)
    state = _read(cached)
    if state is None:
        state = _convert(card, located(card, cache_dir))
        _write(state, cached)
    return state


def cache_file(card: NetworkCard, cache_dir: Path) -> Path:
    """Where the converted weights lie. The name holds all they depend on, so a file there is never out of date."""
    return cache_dir / f"{card.name}-{card.sha256[:16]}-v{CONVERSION_VERSION}.safetensors"


def _convert(card: NetworkCard, path: Path) -> State:
    read = CONVERSIONS[card.architecture]
    try:
        return read(card, path)
    except (KeyError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelUnavailable(f"{path} does not hold a network of the kind {card.architecture}: {error}.") from error


def _musicnn(card: NetworkCard, path: Path) -> State:
    checked(card, path)
    return musicnn.convert(tf_checkpoint.read_bundle(path))


def _aisfx(card: NetworkCard, path: Path) -> State:
    checked(card, path)
    # the counts kept beside the weights are numpy scalars, under the name their class had in numpy 1
    scalar = np.int64(0).__reduce__()[0]
    counts: list[Any] = [(scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Int64DType]
    with _ALLOWING, torch.serialization.safe_globals(counts):  # a pickle, but nothing in it is run: weights_only
        weights, _ = torch.load(path, map_location="cpu", weights_only=True)
    return aisfx.convert(weights)


CONVERSIONS: dict[str, Callable[[NetworkCard, Path], State]] = {"musicnn": _musicnn, "aisfx": _aisfx}


def _digest(state: State) -> str:
    """sha256 over every tensor's name and bytes: safetensors itself notices a short file, not a changed one."""
    digest = sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].numpy().tobytes())
    return digest.hexdigest()


def _read(path: Path) -> State | None:
    """Read converted weights; None when there are none or they are damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            recorded = (file.metadata() or {}).get("digest")
    except (OSError, SafetensorError):
        return None
    return state if _digest(state) == recorded else None


def _write(state: State, path: Path) -> None:
    """Write beside, then rename: a reader sees a whole file or none, and of two writers the later one wins."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(save(state, metadata={"digest": _digest(state)}))
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ModelUnavailable(f"Cannot keep the converted weights in {path.parent}: {error.strerror}.") from error
