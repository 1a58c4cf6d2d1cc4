"""Makes material for the ears and keeps what the networks hear in it.

    python -m benchmarks.training.ears_extract CACHE SAMPLES --rounds 0 1 2

A round is some 2,500 sounds, all drawn anew, in files of a few hundred; rounds that are there already are left alone.
Odd rounds are of drums alone, which are short and many in every library.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.ears_drums import KIT
from benchmarks.training.ears_effects import EFFECTS
from benchmarks.training.ears_fonts import font_sounds
from benchmarks.training.ears_loops import loop_sound
from benchmarks.training.ears_machines import BUTTONS, pressed
from benchmarks.training.ears_percussion import PERCUSSION
from benchmarks.training.ears_players import PLAYERS
from benchmarks.training.ears_samples import sample_sounds
from benchmarks.training.ears_sound import RATE_HZ, Random, Sound, mixed, peaking_at
from benchmarks.training.ears_synths import SYNTHS
from benchmarks.training.ears_treatment import layered, treated
from samplemind_tasks.ai import embed
from samplemind_tasks.ai.embed import Embedder
from samplemind_tasks.audio.excerpts import Excerpts
from samplemind_tasks.audio.windows import Windows, plan, windows
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.settings import Settings

FONTS = (Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3"))
DRUMS = {**KIT, **PERCUSSION}
LOOPS = ("drum loop", "percussion loop", "melodic loop", "bass loop", "full track")
NOTHING = ""
"""The leaf of what is several things at once."""
_FONT_DRUMS, _FONT_NOTES, _SYNTHS, _LOOPS, _MEDLEYS, _DRUMS = 8, 7, 10, 16, 90, 80
_MAIN_DRUMS = frozenset(LEAVES) & {
    leaf
    for leaf, category in LEAVES.items()
    if category in tuple(Category)[: tuple(Category).index(Category.CONGA) + 1]
}
_SOUNDS_IN_A_FILE = 300


@dataclass(frozen=True)
class Heard:
    """What both networks and the windows say of one sound.

    Attributes
    ----------
    sound : without its signal
    windows : by front-end, float16 [n, frames, mels]
    answers : by network, float32 [n, size]
    """

    sound: Sound
    windows: dict[str, Windows]
    answers: dict[str, NDArray[np.float32]]


class Listener:
    """Cuts windows as the product does and lets the default model's networks hear them."""

    def __init__(self) -> None:
        settings = Settings()
        card = settings.model_card
        of_networks = card.model_copy(update={"joined": "mean", "vector_size": card.networks[0].size})
        self._embedder: Embedder = embed.load(of_networks, settings.data_dir / "models", "cpu")
        self._front_ends = card.front_ends

    def hear(self, sound: Sound) -> Heard:
        """Hear a sound that was never written to a file."""
        signal = sound.signal.astype(np.float32)
        cut = {front_end.name: cut_windows(signal, RATE_HZ, front_end) for front_end in self._front_ends}
        return Heard(replace(sound, signal=np.empty(0)), cut, self.answers(cut))

    def answers(self, cut: dict[str, Windows]) -> dict[str, NDArray[np.float32]]:
        """What each network makes of its windows."""
        found = {}
        for network in self._embedder.networks:
            assert network.card.front_end is not None
            found[network.card.name] = network.answer(cut[network.card.front_end.name]).vectors
        return found


def cut_windows(signal: NDArray[np.float32], rate_hz: int, front_end: FrontEnd) -> Windows:
    """As audio/listen.py cuts them."""
    excerpts = Excerpts(cut.needed for cut in plan(len(signal), rate_hz, front_end))
    excerpts.take(signal)
    return windows(excerpts, len(signal), rate_hz, front_end)


def round_of_sounds(number: int, samples: Path) -> Iterator[Sound]:
    """One round: fonts, synthesis, named samples, loops, and medleys that are nothing in particular; or drums."""
    random = np.random.default_rng([20, number])
    if number % 2:
        yield from _drum_sounds(random, number, samples)
        return
    pool: dict[str, list[Sound]] = {}
    for sound in _single_sounds(random, number, samples):
        if len(pool.setdefault(sound.leaf, [])) < 24:
            pool[sound.leaf].append(sound)
        yield sound
    signals = {leaf: [sound.signal for sound in sounds] for leaf, sounds in pool.items()}
    for leaf in LOOPS:
        for count in range(_LOOPS):
            made = loop_sound(random, signals, leaf, count + number * _LOOPS)
            yield treated(random, made, 0.1) if random.random() < 0.5 else made
    everything = [sound for sounds in pool.values() for sound in sounds]
    for count in range(_MEDLEYS):
        yield _medley(random, everything, f"{number} {count}")


def _single_sounds(random: Random, number: int, samples: Path) -> Iterator[Sound]:
    for font in FONTS:
        for sound in font_sounds(font, random, _FONT_DRUMS, _FONT_NOTES):
            yield treated(random, sound) if random.random() < 0.75 else sound
    makers = {**DRUMS, **SYNTHS, **PLAYERS, **EFFECTS}
    for leaf, make in makers.items():
        for count in range(_SYNTHS * (2 if leaf in _MAIN_DRUMS else 1)):
            sound = Sound(make(random), leaf, "synthesis", f"{leaf} {number} {count}")
            if leaf in DRUMS and random.random() < 0.15:
                sound = layered(random, sound, Sound(make(random), leaf, "synthesis", ""))
            yield treated(random, sound) if random.random() < 0.6 else sound
    for sound in sample_sounds(samples):
        if number == 0:
            yield sound
        yield treated(random, sound, 0.25)


def _drum_sounds(random: Random, number: int, samples: Path) -> Iterator[Sound]:
    """Hits of kits and machines that nobody has heard before, and of those that we have."""
    for font in FONTS:
        for sound in font_sounds(font, random, _DRUMS // 4, 0):
            yield treated(random, sound) if random.random() < 0.75 else sound
    for sound in sample_sounds(samples):
        if sound.leaf in DRUMS:
            yield treated(random, sound, 0.25)
            yield treated(random, sound, 0.25)
    for leaf in DRUMS:
        for count in range(_DRUMS if leaf in _MAIN_DRUMS else _DRUMS // 3):
            is_button = leaf in BUTTONS and random.random() < 0.4
            sound = _hit(random, leaf, is_button, f"{leaf} {number} {count}")
            if random.random() < 0.15:
                sound = layered(random, sound, _hit(random, leaf, not is_button and leaf in BUTTONS, ""))
            yield treated(random, sound) if random.random() < 0.7 else sound


def _hit(random: Random, leaf: str, is_button: bool, origin: str) -> Sound:
    return Sound(
        pressed(random, leaf) if is_button else DRUMS[leaf](random),
        leaf,
        "machines" if is_button else "synthesis",
        origin,
    )


def _medley(random: Random, sounds: list[Sound], origin: str) -> Sound:
    """Two or three sounds of different categories at once or one after another."""
    chosen = [sounds[int(random.integers(len(sounds)))] for _ in range(int(random.integers(2, 4)))]
    apart = random.choice([0.0, 0.0, 0.3]) * RATE_HZ
    parts = [np.concatenate([np.zeros(int(place * apart)), peaking_at(one.signal)]) for place, one in enumerate(chosen)]
    is_one = len({LEAVES[one.leaf] for one in chosen}) == 1
    return Sound(mixed(*parts), chosen[0].leaf if is_one else NOTHING, "medleys", origin)


def save(path: Path, heard: list[Heard]) -> None:
    """Write a file of sounds that `load` reads: what varies in length is joined, with the number of windows beside."""
    names = {f"windows {name}": name for name in heard[0].windows}
    beside = path.with_suffix(".part.npz")
    np.savez(
        beside,
        leaf=np.array([one.sound.leaf for one in heard]),
        pack=np.array([one.sound.pack for one in heard]),
        origin=np.array([one.sound.origin for one in heard]),
        **{key: np.concatenate([one.windows[name] for one in heard]) for key, name in names.items()},
        **{f"count {name}": np.array([len(one.windows[name]) for one in heard]) for name in heard[0].windows},
        **{f"answers {name}": np.concatenate([one.answers[name] for one in heard]) for name in heard[0].answers},
    )
    beside.replace(path)


def main() -> None:
    """Make the rounds that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("samples", type=Path, help="the folder of Sonic Pi's samples")
    parser.add_argument("--rounds", type=int, nargs="+", default=list(range(6)))
    arguments = parser.parse_args()
    listener = Listener()
    for number in arguments.rounds:
        if (arguments.cache / f"round-{number}-done").exists():
            continue
        heard: list[Heard] = []
        file = 0
        for sound in round_of_sounds(number, arguments.samples):
            heard.append(listener.hear(sound))
            if len(heard) == _SOUNDS_IN_A_FILE:
                save(arguments.cache / f"round-{number}-{file:02d}.npz", heard)
                heard, file = [], file + 1
        save(arguments.cache / f"round-{number}-{file:02d}.npz", heard)
        (arguments.cache / f"round-{number}-done").touch()
        print("round", number, file * _SOUNDS_IN_A_FILE + len(heard), "sounds", flush=True)


if __name__ == "__main__":
    main()
