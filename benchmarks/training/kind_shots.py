"""One-shots for the kind model: hits, notes, stabs, rolls, claps, cymbals, effects, words, pads that die away."""

import numpy as np
import scipy.signal

from benchmarks.training import pitch_synth
from benchmarks.training.kind_bank import (
    KITS,
    RATE_HZ,
    Bank,
    Doubles,
    Random,
    drawn,
    held_chord,
    in_a_room,
    mastered,
    noise_band,
    put,
)

SHOTS = {
    "hit": 0.21, "note": 0.14, "stab": 0.08, "several": 0.12, "ringing": 0.12, "effect": 0.11, "voice": 0.05,
    "pad": 0.05, "echo": 0.03, "kick": 0.03, "synthetic": 0.03, "held": 0.03,
}  # fmt: skip
_ROOMY = ("hit", "note", "stab", "several")
_REPEATED_KEYS = (36, 37, 38, 39, 40, 42, 45, 54, 60, 62, 70, 76)
_INTERVALS = (0, 3, 4, 7, 10, 12)


def shot(random: Random, bank: Bank) -> tuple[Doubles, str]:
    """One one-shot float64 [samples] and its family."""
    family = str(random.choice(list(SHOTS), p=list(SHOTS.values())))
    signal = _made(random, bank, family)
    if family in _ROOMY and random.random() < 0.25:
        signal = in_a_room(random, signal)
    if random.random() < 0.12:
        signal = signal[: max(int(len(signal) * random.uniform(0.3, 0.9)), 400)]
    if random.random() < 0.2:
        signal = np.concatenate([signal, np.zeros(int(random.exponential(0.5) * RATE_HZ))])
    if random.random() < 0.1:
        signal = np.concatenate([np.zeros(int(random.exponential(0.08) * RATE_HZ)), signal])
    return mastered(random, signal), family


def _made(random: Random, bank: Bank, family: str) -> Doubles:
    if family == "hit":
        return bank.hit(drawn(random, KITS), int(random.integers(27, 88)))
    if family == "note":
        seconds = None if random.random() < 0.6 else random.uniform(0.1, 1.2)
        return bank.note(int(random.integers(0, 112)), int(random.integers(30, 94)), seconds)
    if family == "stab":
        return _stab(random, bank)
    if family == "several":
        return _several(random, bank)
    if family == "echo":
        return _echo(random, bank)
    if family == "kick":
        return pitch_synth.kick(random)[0]
    if family == "synthetic":
        return pitch_synth.note(random)[0]
    makers = {"ringing": _ringing, "effect": _effect, "voice": _voice, "pad": _pad, "held": _held}
    return makers[family](random)


def _stab(random: Random, bank: Bank) -> Doubles:
    """A chord, struck or strummed."""
    program, base, apart_s = int(random.integers(0, 112)), random.integers(40, 72), random.choice([0, 0, 0.01, 0.03])
    mix = np.zeros(2 * RATE_HZ)
    for place, step in enumerate(random.choice(_INTERVALS, random.integers(2, 5), replace=False)):
        put(mix, bank.note(program, base + step), place * apart_s)
    return mix[: int(random.uniform(0.15, 2) * RATE_HZ)]


def _several(random: Random, bank: Bank) -> Doubles:
    """A flam, drag, clap, ruff, triplet or roll of one drum."""
    gesture = str(random.choice(["flam", "drag", "clap", "ruff", "triplet", "roll"]))
    if gesture == "flam":
        hits = [(0.0, random.uniform(0.2, 0.8)), (random.uniform(0.012, 0.06), 1.0)]
    elif gesture == "roll":
        apart_s, count, grows = random.uniform(0.03, 0.075), int(random.integers(8, 40)), random.random() < 0.6
        hits = [(n * apart_s, 0.3 + 0.7 * n / count if grows else 1 - 0.6 * n / count) for n in range(count)]
        hits += [(count * apart_s, 1.3)] * (random.random() < 0.5)
    else:
        apart_s = random.uniform(*{"clap": (0.007, 0.018), "triplet": (0.05, 0.1)}.get(gesture, (0.03, 0.08)))
        gains = {"drag": (0.4, 0.5, 1), "clap": (0.7, 0.8, 0.6, 1), "ruff": (0.4, 0.55, 0.7, 0.85)}
        hits = [(place * apart_s, gain) for place, gain in enumerate(gains.get(gesture, (1, 0.8, 0.6)))]
    drum = bank.hit(drawn(random, KITS), drawn(random, _REPEATED_KEYS))
    mix = np.zeros(int(hits[-1][0] * RATE_HZ) + len(drum) + 100)
    for start_s, gain in hits:
        put(mix, drum, max(start_s + random.normal(0, 0.001), 0.0), gain * random.uniform(0.9, 1.1))
    return mix


def _echo(random: Random, bank: Bank) -> Doubles:
    """A hit or a note that comes back softer and softer."""
    if random.random() < 0.6:
        sound = bank.hit(drawn(random, KITS), drawn(random, _REPEATED_KEYS))
    else:
        sound = bank.note(int(random.integers(0, 112)), int(random.integers(40, 80)), 0.3)
    apart_s, softer = random.uniform(0.08, 0.45), random.uniform(0.25, 0.62)
    repeats = min(int(np.log(0.01) / np.log(softer)), 12)
    mix = np.zeros(len(sound) + int(repeats * apart_s * RATE_HZ) + 1)
    for repeat in range(repeats + 1):
        put(mix, sound, repeat * apart_s, softer**repeat)
    return mix


def _ringing(random: Random) -> Doubles:
    """A cymbal, gong or bell: many partials and noise that die away over up to 20 s, often faded out."""
    seconds = np.exp(random.uniform(np.log(0.5), np.log(20)))
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    fall_s, partials = seconds * random.uniform(0.1, 0.5), int(random.integers(3, 25))
    signal = np.zeros(len(time_s))
    for hz in np.exp(random.uniform(np.log(150), np.log(9000), partials)):
        fall = np.exp(-time_s / (fall_s * random.uniform(0.3, 1)))
        signal += random.uniform(0.2, 1) * np.sin(2 * np.pi * hz * time_s) * fall / partials
    hiss = random.standard_normal(len(time_s)) * np.exp(-time_s / (fall_s * random.uniform(0.2, 1)))
    signal += random.uniform(0, 0.5) * hiss
    if random.random() < 0.5:
        signal *= 1 + random.uniform(0, 0.6) * np.sin(2 * np.pi * random.uniform(0.5, 9) * time_s)
    rise = min(int(random.choice([1, 20, 400, 3000])), len(signal))
    signal[:rise] *= np.linspace(0, 1, rise)
    if random.random() < 0.5:
        # who cuts samples lets a cymbal ring for a while, and then fades it out
        signal = signal[: int(len(signal) * random.uniform(0.3, 0.9))]
        fade = int(len(signal) * random.uniform(0.02, 0.4))
        signal[len(signal) - fade :] *= np.linspace(1, 0, fade)
    return signal


def _effect(random: Random) -> Doubles:
    """A riser, downer, impact, whoosh, zap, glitch, tape stop or wobble."""
    effect = str(random.choice(["riser", "downer", "impact", "whoosh", "zap", "glitch", "stop", "wobble"]))
    longest_s = {"zap": 0.6, "glitch": 0.9, "wobble": 3.0}.get(effect, 8.0)
    seconds = min(np.exp(random.uniform(np.log(0.3), np.log(8))), longest_s * random.uniform(0.3, 1))
    samples = int(seconds * RATE_HZ)
    time_s, part = np.arange(samples) / RATE_HZ, np.arange(samples) / samples
    if effect in ("riser", "downer"):
        octaves = random.uniform(1, 4) * (part if effect == "riser" else 1 - part) + random.uniform(0, 3)
        sweep = random.uniform(0, 1) * np.sin(2 * np.pi * np.cumsum(60 * 2**octaves) / RATE_HZ)
        loudness = (part if effect == "riser" else 1 - part) ** random.uniform(0.7, 3)
        signal = (sweep + random.uniform(0.1, 1) * random.standard_normal(samples)) * loudness
        return in_a_room(random, signal) if random.random() < 0.5 else np.asarray(signal)
    if effect == "impact":
        boom = np.sin(2 * np.pi * np.cumsum(random.uniform(30, 70) * (1 + 4 * np.exp(-time_s / 0.05))) / RATE_HZ)
        crash = 0.5 * random.standard_normal(samples) * np.exp(-time_s / (seconds * random.uniform(0.03, 0.2)))
        return in_a_room(random, boom * np.exp(-time_s / (0.2 * seconds)) + crash)
    if effect == "whoosh":
        bump = np.exp(-(((part - random.uniform(0.3, 0.7)) / random.uniform(0.1, 0.25)) ** 2))
        return noise_band(random, samples) * bump
    if effect == "zap":
        hz = random.uniform(50, 300) + 4000 * np.exp(-time_s / random.uniform(0.01, 0.1))
        return np.asarray(np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.exp(-part / random.uniform(0.2, 1)))
    if effect == "glitch":
        mix = np.zeros(samples)
        for _ in range(random.integers(2, 9)):
            burst = noise_band(random, int(random.uniform(0.01, 0.08) * RATE_HZ))
            put(mix, burst, random.uniform(0, seconds), random.uniform(0.2, 1))
        return mix
    if effect == "stop":
        return np.asarray(
            np.sign(np.sin(2 * np.pi * np.cumsum(200 * (1 - part) ** 1.5 + 1) / RATE_HZ)) * (1 - part / 2)
        )
    tone = pitch_synth.tone(random, "saw", random.uniform(28, 48), samples)
    wobble = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(2, 9) * time_s)
    return np.asarray(tone * wobble * np.exp(-part / random.uniform(0.3, 2)))


def _voice(random: Random) -> Doubles:
    """One to six syllables: a buzz through formants, with consonants and pauses of any length."""
    parts = []
    for _ in range(random.integers(1, 7)):
        samples = int(random.uniform(0.08, 0.35) * RATE_HZ)
        hz = random.uniform(90, 300) * 2 ** np.linspace(0, random.normal(0, 0.2), samples)
        buzz = 2 * (np.cumsum(hz) / RATE_HZ % 1) - 1
        vowel = np.zeros(samples)
        for formant_hz in (random.uniform(300, 800), random.uniform(900, 2300), 2700.0):
            band_hz = [0.9 * formant_hz, 1.1 * formant_hz]
            vowel += scipy.signal.sosfilt(scipy.signal.butter(1, band_hz, "band", fs=RATE_HZ, output="sos"), buzz)
        parts.append(vowel * np.hanning(samples) ** random.uniform(0.3, 1) * random.uniform(0.5, 1))
        if random.random() < 0.5:
            parts.append(0.05 * noise_band(random, int(random.uniform(0.03, 0.12) * RATE_HZ)))
        if random.random() < 0.6:
            parts.append(np.zeros(int(random.exponential(0.06) * RATE_HZ)))
    phrase = np.concatenate(parts)
    return in_a_room(random, phrase) if random.random() < 0.4 else phrase


def _pad(random: Random) -> Doubles:
    """A chord that swells and dies away before the file ends."""
    seconds = float(np.exp(random.uniform(np.log(1.5), np.log(12))))
    root = random.uniform(35, 70)
    signal = held_chord(random, [root, root + drawn(random, _INTERVALS)], seconds)
    part = np.arange(len(signal)) / len(signal)
    rise = random.uniform(0.02, 0.4)
    fall = np.clip((1 - part) / random.uniform(0.3, 1 - rise), 0, 1) ** random.uniform(1, 2.5)
    return np.asarray(signal * np.minimum(part / rise, 1) * fall)


def _held(random: Random) -> Doubles:
    """One note of a synthesiser or a voice, held for up to 6 s and let go."""
    seconds = float(np.exp(random.uniform(np.log(0.8), np.log(6))))
    signal = pitch_synth.tone(
        random, str(random.choice(["saw", "drawn", "square"])), random.uniform(28, 72), int(seconds * RATE_HZ)
    )
    release = min(int(random.choice([100, 1000, 6000])), len(signal))
    signal[-release:] *= np.linspace(1, 0, release)
    return signal
