"""`samplemind models [list|pull|verify]`: what models there are, whether they are here, and whether they work.

A process of its own, because it loads PyTorch. The launcher runs `verify` once, so that no worker has to convert
weights while people wait. `pull` alone ever asks a network.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from samplemind_tasks.ai.embed import load
from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.ai.sources import checked, located, pull, state
from samplemind_tasks.ai.weights import CONVERSIONS, load_state
from samplemind_tasks.cards import ModelCard, NetworkCard
from samplemind_tasks.errors import BadRequest, SampleMindError
from samplemind_tasks.model_table import model_cards, network_cards
from samplemind_tasks.settings import Settings

SENTENCES = "sentences"
"""Reads the words of a search, whichever model hears."""

Line = tuple[dict[str, object], str]
"""What is told of one thing: to a program, and to a person."""


@dataclass(frozen=True)
class Catalogue:
    """Every network and model, and the one in use."""

    networks: dict[str, NetworkCard]
    models: dict[str, ModelCard]
    in_use: str
    words: tuple[str, ...]
    cache_dir: Path

    @classmethod
    def of(cls, settings: Settings) -> "Catalogue":
        """What the settings name."""
        models = model_cards(settings.models_file)
        if settings.model not in models:
            raise BadRequest(f"SAMPLEMIND_MODEL is {settings.model!r}; it may be {', '.join(models)}.")
        return cls(
            network_cards(settings.models_file),
            models,
            settings.model,
            settings.words,
            settings.data_dir / "models",
        )

    def is_here(self, model: ModelCard) -> bool:
        """Whether every network of a model is on this machine."""
        return all(state(network, self.cache_dir) != "missing" for network in model.networks)

    def named(self, name: str | None) -> list[NetworkCard]:
        """The networks of a model, or one network; without a name those in use."""
        if name is None:
            return [*self.models[self.in_use].networks, *self.always]
        if name in self.models:
            return self.models[name].networks
        if name in self.networks:
            return [self.networks[name]]
        known = ", ".join(dict.fromkeys([*self.models, *self.networks]))
        raise BadRequest(f"There is no model or network {name!r}: there are {known}.")

    @property
    def always(self) -> list[NetworkCard]:
        """Needed beside any model."""
        return [self.networks[SENTENCES]]


def listed(catalogue: Catalogue) -> Iterator[Line]:
    """Every network, then every model."""
    for network in catalogue.networks.values():
        yield _network_line(network, state(network, catalogue.cache_dir))
    for model in catalogue.models.values():
        yield _model_line(model, is_here=catalogue.is_here(model), in_use=model.name == catalogue.in_use)


def _network_line(network: NetworkCard, where: str) -> Line:
    told: dict[str, object] = {
        "network": network.name,
        "architecture": network.architecture,
        "state": where,
        "source": network.source,
        "sha256": network.sha256 or None,
        "licence": network.licence,
        "credit": network.credit,
        "vector_size": network.size,
        "tags": len(network.tags),
    }
    tags = f" and {len(network.tags)} tags" if network.tags else ""
    return told, (
        f"network {network.name}: {where}\n"
        f"  source    {network.source}\n"
        f"  licence   {network.licence}\n"
        f"  credit    {network.credit}\n"
        f"  answers   {network.size} numbers{tags}\n"
    )


def _model_line(model: ModelCard, *, is_here: bool, in_use: bool) -> Line:
    told: dict[str, object] = {
        "model": model.name,
        "revision": model.revision,
        "networks": [network.name for network in model.networks],
        "vector_size": model.vector_size,
        "joint_text": model.joint_text,
        "is_here": is_here,
        "in_use": in_use,
    }
    text = ", and reads text" if model.joint_text else ""
    return told, (
        f"model {model.name} revision {model.revision}: {'in use' if in_use else 'here' if is_here else 'missing'}\n"
        f"  networks  {', '.join(network.name for network in model.networks)}\n"
        f"  answers   {model.vector_size} numbers{text}\n"
    )


def pulled(catalogue: Catalogue, name: str | None) -> Iterator[Line]:
    """Fetch what is missing, check it and convert it."""
    for network in catalogue.named(name):
        path = pull(network, catalogue.cache_dir)
        if network.architecture in CONVERSIONS:
            load_state(network, catalogue.cache_dir)
        yield {"network": network.name, "path": str(path)}, f"{network.name} is here: {path}"


def verified(catalogue: Catalogue, name: str | None, *, every: bool) -> Iterator[Line]:
    """Check hashes, convert weights, and let models test themselves on the CPU. Never asks a network."""
    models = _to_verify(catalogue, name, every=every)
    networks = {network.name: network for model in models for network in model.networks}
    alone = catalogue.always if name is None else [] if models else catalogue.named(name)
    for network in [*networks.values(), *alone]:
        checked(network, located(network, catalogue.cache_dir))
        if network.architecture in CONVERSIONS:
            load_state(network, catalogue.cache_dir)
        if network.architecture == "sentences":
            Sentences.load(network, catalogue.cache_dir)
        yield {"network": network.name, "ok": True}, f"The weights of {network.name} are the right ones."
    for model in models:
        load(model, catalogue.cache_dir, "cpu", words=catalogue.words if model.joint_text else ()).self_test()
        yield {"model": model.name, "ok": True}, f"{model.name} is ready."


def _to_verify(catalogue: Catalogue, name: str | None, *, every: bool) -> list[ModelCard]:
    if every:
        return [
            model for model in catalogue.models.values() if catalogue.is_here(model) or model.name == catalogue.in_use
        ]
    if name is None:
        return [catalogue.models[catalogue.in_use]]
    return [catalogue.models[name]] if name in catalogue.models else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 1 when a model is not usable."""
    chosen = _parser().parse_args(arguments)
    try:
        for told, sentence in _lines(chosen, Catalogue.of(Settings())):
            sys.stdout.write(f"{json.dumps(told) if chosen.json else sentence}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SampleMindError, OSError, ValueError, KeyError) as error:
        code = error.code if isinstance(error, SampleMindError) else "bad_setting"
        sys.stderr.write(f"{code}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="samplemind models", description="List, download or verify the models.")
    parser.add_argument("action", nargs="?", default="list", choices=["list", "pull", "verify"])
    parser.add_argument("name", nargs="?", help="a model or a network; without it what is in use")
    parser.add_argument("--all", action="store_true", help="verify every model that is here")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _lines(chosen: argparse.Namespace, catalogue: Catalogue) -> Iterator[Line]:
    if chosen.action == "pull":
        return pulled(catalogue, chosen.name)
    if chosen.action == "verify":
        return verified(catalogue, chosen.name, every=chosen.all)
    return listed(catalogue)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
