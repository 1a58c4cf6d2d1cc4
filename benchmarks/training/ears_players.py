"""Strings, bars, pipes and voices that nobody played, with everything drawn anew."""

from collections.abc import Callable

import numpy as np

from benchmarks.training.ears_sound import (
    RATE_HZ,
    Doubles,
    Random,
    bandpass,
    chosen,
    clock,
    driven,
    fading,
    gliding,
    highpass,
    hiss,
    log_uniform,
    lowpass,
    midi_hz,
    mixed,
    peaking_at,
    ringing,
    swelling,
    voice,
)
from benchmarks.training.ears_synths import CHORDS, oscillators, perhaps_echoed, roomy

_VOWELS_HZ = ((750, 1150, 2600), (300, 850, 2250), (280, 2250, 2900), (500, 1800, 2500), (450, 800, 2800))


def bell(random: Random) -> Doubles:
    """FM or a crowd of modes; small, large, glassy."""
    fall_s = log_uniform(random, 0.15, 1.5)
    t, hz = clock(min(4 * fall_s, 4)), log_uniform(random, 200, 2500)
    if random.random() < 0.5:
        ratio = random.choice([1.4, 2.76, 3.5, 1.41, 3.53, 5.1])
        depth = random.uniform(0.5, 5) * fading(t, fall_s * random.uniform(0.3, 1))
        return np.sin(2 * np.pi * hz * t + depth * np.sin(2 * np.pi * hz * ratio * t)) * fading(t, fall_s, 0.001)
    modes = int(random.integers(4, 9))
    ratios = np.array([0.5, 1, 1.2, 1.5, 2, 2.6, 3.1, 4.2, 5.4])[:modes] * random.normal(1, 0.03, modes)
    return ringing(random, t, hz * ratios, random.uniform(0.2, 1, modes), fall_s / ratios**0.5)


def mallet(random: Random) -> Doubles:
    """A bar of wood over a tube."""
    t, hz = clock(random.uniform(0.2, 1)), midi_hz(random.uniform(45, 96))
    ratios = np.array([1.0, random.choice([3.0, 4.0, 3.93]), random.uniform(8, 11)])
    falls_s = log_uniform(random, 0.05, 0.35) / ratios**0.8
    return ringing(random, t, hz * ratios, np.array([1, random.uniform(0.05, 0.5), random.uniform(0, 0.2)]), falls_s)


def kalimba(random: Random) -> Doubles:
    """A plucked tongue of metal."""
    t, hz = clock(random.uniform(0.3, 1.5)), midi_hz(random.uniform(55, 88))
    ratios = np.array([1.0, random.uniform(5.2, 6.3), random.uniform(14, 18)])
    tine = ringing(random, t, hz * ratios, np.array([1, 0.25, 0.1]), log_uniform(random, 0.1, 0.5) / ratios**0.8)
    return tine + bandpass(hiss(random, t), 500, 4000) * fading(t, 0.006) * 0.2


def _string(random: Random, seconds: float, hz: float, bright: float, fall_s: float) -> Doubles:
    """A plucked string: stiff partials by where it is plucked, the higher the sooner gone."""
    t = clock(seconds)
    orders = np.arange(1, max(min(int(16000 / hz), 60), 2))
    plucked_at = random.uniform(0.08, 0.45)
    stiff = orders * np.sqrt(1 + 10 ** random.uniform(-5, -3.7) * orders**2)
    levels = np.abs(np.sin(np.pi * orders * plucked_at)) / orders ** (2.0 - bright)
    falls_s = fall_s / (1 + 0.05 * orders ** random.uniform(1, 1.8))
    return ringing(random, t, hz * stiff, levels, falls_s)


def synth_guitar(random: Random) -> Doubles:
    """A plucked or strummed string with a body."""
    return _strummed(random, random.uniform(40, 70), random.uniform(0.4, 1.2), log_uniform(random, 0.3, 1.5))


def muted_guitar(random: Random) -> Doubles:
    """Under the palm."""
    return driven(
        _strummed(random, random.uniform(40, 60), 0.4, log_uniform(random, 0.03, 0.12)), log_uniform(random, 0.5, 6)
    )


def distorted_guitar(random: Random) -> Doubles:
    """Strings through an amplifier."""
    chord = chosen(random, ("note", "fifth"))
    signal = _strummed(random, random.uniform(40, 64), 0.8, 2.0, (0,) if chord == "note" else (0, 7, 12))
    return lowpass(driven(highpass(signal, 120), log_uniform(random, 8, 60)), log_uniform(random, 2500, 6000), 3)


def _strummed(
    random: Random, root: float, bright: float, fall_s: float, steps: tuple[int, ...] | None = None
) -> Doubles:
    chord = steps or CHORDS[int(random.integers(len(CHORDS)))]
    apart_s, seconds = random.choice([0.0, 0.008, 0.025]), random.uniform(0.4, 2.5)
    parts = [
        np.concatenate(
            [np.zeros(int(place * apart_s * RATE_HZ)), _string(random, seconds, midi_hz(root + step), bright, fall_s)]
        )
        for place, step in enumerate(chord)
    ]
    pick = bandpass(hiss(random, clock(0.05)), 800, 6000) * fading(clock(0.05), 0.004) * random.uniform(0, 0.5)
    total = mixed(*(peaking_at(part) for part in parts), pick)
    return total + 0.3 * bandpass(total, 90, 260)


def synth_strings(random: Random) -> Doubles:
    """An ensemble out of a box."""
    seconds = random.uniform(0.6, 4)
    t, root = clock(seconds), random.uniform(45, 80)
    parts = [
        oscillators(random, t, midi_hz(root + step), log_uniform(random, 2500, 9000), 5000, 1.0, 5)
        for step in CHORDS[int(random.integers(len(CHORDS)))]
    ]
    bowed = bandpass(mixed(*parts), 180, random.uniform(4000, 9000))
    return perhaps_echoed(random, bowed * swelling(t, random.uniform(0.03, 0.5), random.uniform(0.1, 0.5)), likely=0.5)


def synth_brass(random: Random) -> Doubles:
    """Saws whose filter opens with the breath."""
    t, root = clock(random.uniform(0.25, 2)), random.uniform(45, 74)
    dark_hz = log_uniform(random, 1500, 6000)
    parts = [
        oscillators(random, t, midi_hz(root + step), 300, dark_hz, random.uniform(0.02, 0.12), 2)
        for step in CHORDS[int(random.integers(len(CHORDS)))]
    ]
    return mixed(*parts) * swelling(t, random.uniform(0.01, 0.1), 0.08)


def flute(random: Random) -> Doubles:
    """Breath and a near sine."""
    t, hz = clock(random.uniform(0.3, 2)), midi_hz(random.uniform(60, 94))
    vibrato = random.uniform(0, 0.006) * np.sin(2 * np.pi * random.uniform(4, 6) * t) * np.minimum(t / 0.4, 1)
    tone = sum(
        (gliding(hz * n * (1 + vibrato), t) * random.uniform(0.2, 1) / n**2 for n in range(1, 5)), np.zeros(len(t))
    )
    breath = bandpass(hiss(random, t), hz, hz * 4) * random.uniform(0.02, 0.35)
    return (peaking_at(tone) + peaking_at(breath) * random.uniform(0.02, 0.3)) * swelling(
        t, random.uniform(0.02, 0.12), 0.08
    )


def speech(random: Random) -> Doubles:
    """Syllables: a buzz through moving formants, with consonants and pauses; or one long vowel, sung."""
    sung = random.random() < 0.4
    parts = []
    for _ in range(int(random.integers(1, 3 if sung else 7))):
        seconds = random.uniform(0.5, 2) if sung else random.uniform(0.07, 0.32)
        parts.append(_vowel(random, seconds, sung))
        if random.random() < 0.6:
            burst = clock(random.uniform(0.02, 0.12))
            low_hz = log_uniform(random, 1500, 6000)
            parts.append(
                peaking_at(bandpass(hiss(random, burst), low_hz, low_hz * 2.5))
                * np.hanning(len(burst))
                * random.uniform(0.05, 0.4)
            )
        if not sung and random.random() < 0.5:
            parts.append(np.zeros(int(random.exponential(0.06) * RATE_HZ)))
    return perhaps_echoed(random, np.concatenate(parts))


def _vowel(random: Random, seconds: float, sung: bool) -> Doubles:
    t = clock(seconds)
    glide = np.linspace(0, random.normal(0, 0.03 if sung else 0.25), len(t))
    vibrato = random.uniform(0, 0.02) * np.sin(2 * np.pi * random.uniform(4.5, 6.5) * t) if sung else 0.0
    hz = log_uniform(random, 85, 500 if sung else 320) * 2**glide * (1 + vibrato + random.normal(0, 0.002, len(t)))
    buzz = voice(random, t, hz, np.arange(1.0, 200.0) ** -1.3, 8000, 8000, 1.0) + 0.02 * hiss(random, t)
    begin, end = (
        np.array(_VOWELS_HZ[int(random.integers(len(_VOWELS_HZ)))]) * random.uniform(0.85, 1.25) for _ in range(2)
    )
    first, second = (
        sum(
            (
                peaking_at(bandpass(buzz, 0.92 * f, 1.08 * f)) * level
                for f, level in zip(formants, (1, 0.5, 0.25), strict=True)
            ),
            np.zeros(len(t)),
        )
        for formants in (begin, end)
    )
    morph = np.linspace(0, 1, len(t)) ** random.uniform(0.5, 2) if random.random() < 0.7 else np.zeros(len(t))
    return (first * (1 - morph) + second * morph) * swelling(t, random.uniform(0.01, 0.08), random.uniform(0.03, 0.2))


def choir(random: Random) -> Doubles:
    """Many singers on one vowel."""
    seconds, root = random.uniform(1, 4), random.uniform(45, 72)
    t = clock(seconds)
    vowel_hz = np.array(_VOWELS_HZ[int(random.integers(len(_VOWELS_HZ)))]) * random.uniform(0.9, 1.2)
    total = np.zeros(len(t))
    for step in CHORDS[int(random.integers(len(CHORDS)))]:
        for _ in range(4):
            drift = random.uniform(0.002, 0.008) * np.sin(
                2 * np.pi * random.uniform(3.5, 6.5) * t + random.uniform(0, 6)
            )
            hz = midi_hz(root + step) * random.normal(1, 0.005) * (1 + drift)
            total += voice(random, t, hz, np.arange(1.0, 200.0) ** -1.4, 6000, 6000, 1.0)
    sung = sum(
        (peaking_at(bandpass(total, 0.9 * hz, 1.1 * hz)) / (n + 1) for n, hz in enumerate(vowel_hz)), np.zeros(len(t))
    )
    return roomy(
        random, (sung + 0.03 * hiss(random, t)) * swelling(t, random.uniform(0.1, 0.5), random.uniform(0.2, 0.8))
    )


def electric_piano(random: Random) -> Doubles:
    """Tines: FM with a little bell."""
    seconds, root = random.uniform(0.5, 3), random.uniform(40, 80)
    t = clock(seconds)
    total = np.zeros(len(t))
    for step in CHORDS[int(random.integers(len(CHORDS)))]:
        hz = midi_hz(root + step)
        index = random.uniform(0.2, 2) * fading(t, random.uniform(0.1, 0.6))
        tine = random.uniform(0.02, 0.3) * fading(t, 0.06) * np.sin(2 * np.pi * hz * random.choice([7, 14, 4]) * t)
        total += np.sin(2 * np.pi * hz * t + index * np.sin(2 * np.pi * hz * t)) * fading(t, seconds / 2) + tine
    tremolo = 1 + random.uniform(0, 0.4) * np.sin(2 * np.pi * random.uniform(3, 7) * t)
    return total * tremolo * swelling(t, 0.002, 0.08)


def organ(random: Random) -> Doubles:
    """Drawbars, a click and perhaps a rotor."""
    t, root = clock(random.uniform(0.4, 3)), random.uniform(40, 76)
    bars = np.array([0.5, 1.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
    drawn = random.uniform(0, 1, 9) * (random.random(9) < 0.6)
    drawn[2] = random.uniform(0.4, 1)
    rotor = 1 + random.uniform(0, 0.006) * np.sin(2 * np.pi * random.choice([0.8, 6.5]) * t)
    total = np.zeros(len(t))
    for step in CHORDS[int(random.integers(len(CHORDS)))]:
        for bar, level in zip(bars, drawn, strict=True):
            if level:
                total += level * gliding(midi_hz(root + step) * bar * rotor, t, random.uniform(0, 6))
    click = bandpass(hiss(random, t), 1000, 6000) * fading(t, 0.004) * random.uniform(0, 1)
    return driven(total * swelling(t, 0.004, 0.03) + click, log_uniform(random, 0.3, 3))


def whistle(random: Random) -> Doubles:
    """A pea in it, or not."""
    t = clock(random.uniform(0.1, 0.8))
    trill = random.uniform(0, 0.04) * np.sign(np.sin(2 * np.pi * random.uniform(18, 40) * t))
    tone = gliding(log_uniform(random, 1800, 3600) * (1 + trill), t) + 0.1 * bandpass(hiss(random, t), 1500, 6000)
    return tone * np.clip(np.minimum(t / 0.01, (t[-1] - t) / 0.02), 0, 1)


def cuica(random: Random) -> Doubles:
    """A rubbed skin that cries."""
    t = clock(random.uniform(0.08, 0.45))
    hz = log_uniform(random, 250, 700) * 2 ** (random.uniform(-0.8, 0.8) * t / t[-1])
    buzz = sum((gliding(hz * order, t) / order for order in range(1, 7)), np.zeros(len(t)))
    return buzz * np.clip(np.minimum(t / 0.02, (t[-1] - t) / 0.03), 0, 1)


PLAYERS: dict[str, Callable[[Random], Doubles]] = {
    "electric piano": electric_piano,
    "organ": organ,
    "bell": bell,
    "mallet": mallet,
    "kalimba": kalimba,
    "acoustic guitar": synth_guitar,
    "muted guitar": muted_guitar,
    "distorted guitar": distorted_guitar,
    "strings": synth_strings,
    "synth brass": synth_brass,
    "flute": flute,
    "voice": speech,
    "choir": choir,
    "whistle": whistle,
    "cuica": cuica,
}
