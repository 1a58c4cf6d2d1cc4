"""Hand drums, shakers, bars, bells and scrapers that nobody recorded, with everything drawn anew."""

from collections.abc import Callable

import numpy as np

from benchmarks.training.ears_sound import (
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
    knock,
    log_uniform,
    lowpass,
    membrane,
    mixed,
    peaking_at,
    plate,
    ringing,
)


def conga(random: Random) -> Doubles:
    """Open, muted or slapped."""
    return _hand_drum(random, log_uniform(random, 130, 450), log_uniform(random, 0.02, 0.2))


def bongo(random: Random) -> Doubles:
    """A small, high pair."""
    return _hand_drum(random, log_uniform(random, 280, 1100), log_uniform(random, 0.008, 0.08))


def _hand_drum(random: Random, hz: float, fall_s: float) -> Doubles:
    t = clock(min(7 * fall_s + 0.05, 1.5))
    if random.random() < 0.3:  # as drum machines do it
        return driven(
            gliding(hz * (1 + 0.1 * np.exp(-t / 0.02)), t) * fading(t, fall_s) + 0.2 * knock(random, t, 800, 4000), 1
        )
    head = peaking_at(membrane(random, t, hz, fall_s, int(random.integers(2, 8)), random.uniform(0.8, 2)))
    slap = knock(random, t, 900, 6000) * log_uniform(random, 0.03, 1)
    return head + slap


def tabla(random: Random) -> Doubles:
    """The right hand rings in harmony, the left one glides."""
    t = clock(random.uniform(0.15, 1.5))
    stroke = chosen(random, ("na", "ge", "ke", "both"))
    ring_s = log_uniform(random, 0.05, 0.5)
    orders = np.arange(1.0, 6.0)
    right_hz = log_uniform(random, 220, 460)
    levels = random.uniform(0.05, 1, 5) * np.array([random.uniform(0, 1), 1, 0.7, 0.4, 0.25])
    right = ringing(random, t, right_hz * orders * random.normal(1, 0.004, 5), levels, ring_s / orders**0.5)
    glide = random.uniform(-0.15, 0.6) * np.minimum(t / random.uniform(0.05, 0.3), 1)
    left_hz = log_uniform(random, 65, 130)
    left = gliding(left_hz * (1 + glide), t) * fading(t, ring_s * 1.3, 0.002) + 0.3 * gliding(
        2 * left_hz * (1 + glide), t
    ) * fading(t, ring_s / 2)
    slap = knock(random, t, 500, 5000) * random.uniform(0.1, 0.8)
    dull = bandpass(hiss(random, t), 150, 1500) * fading(t, 0.02)
    parts = {"na": right, "ge": left, "ke": peaking_at(dull), "both": mixed(peaking_at(right), peaking_at(left))}
    return peaking_at(parts[stroke]) + slap


def timbale(random: Random) -> Doubles:
    """A skin over a metal shell."""
    fall_s = log_uniform(random, 0.06, 0.4)
    t = clock(6 * fall_s)
    head = peaking_at(membrane(random, t, log_uniform(random, 220, 520), fall_s, 10, 0.4))
    return head + 0.3 * peaking_at(plate(random, t, 900, 7000, 25, fall_s)) + knock(random, t, 2000, 10000) * 0.5


def timpani(random: Random) -> Doubles:
    """A kettle: nearly harmonic, long."""
    fall_s = log_uniform(random, 0.4, 1.5)
    t = clock(min(4 * fall_s, 4))
    ratios = np.array([0.85, 1, 1.5, 1.99, 2.44, 2.89])
    tone = ringing(random, t, log_uniform(random, 65, 180) * ratios, random.uniform(0.2, 1, 6), fall_s / ratios**0.7)
    return peaking_at(tone) + 0.2 * knock(random, t, 150, 900)


def taiko(random: Random) -> Doubles:
    """A very large skin in a room."""
    fall_s = log_uniform(random, 0.2, 0.7)
    t = clock(5 * fall_s)
    head = peaking_at(membrane(random, t, log_uniform(random, 48, 110), fall_s, 7, 1.0))
    return driven(
        head + 0.5 * knock(random, t, 200, 3000) + 0.2 * lowpass(hiss(random, t), 400) * fading(t, fall_s), 1.5
    )


def triangle(random: Random) -> Doubles:
    """A bent steel rod, open or held."""
    fall_s = log_uniform(random, 0.08, 1.8)
    t = clock(min(4 * fall_s, 5))
    modes = int(random.integers(5, 14))
    hz = np.sort(np.exp(random.uniform(np.log(1100), np.log(14000), modes)))
    return ringing(random, t, hz, random.uniform(0.2, 1, modes), fall_s * random.uniform(0.3, 1.2, modes))


def woodblock(random: Random) -> Doubles:
    """A hollow knock."""
    t = clock(random.uniform(0.08, 0.35))
    hz = log_uniform(random, 450, 1700)
    ratios = np.array([1.0, random.uniform(1.4, 2.8), random.uniform(2.8, 5)])
    block = ringing(random, t, hz * ratios, np.array([1.0, 0.5, 0.25]), log_uniform(random, 0.008, 0.04) / ratios**0.5)
    return block + 0.2 * knock(random, t, 1000, 6000)


def clave(random: Random) -> Doubles:
    """One pure, high, short tone."""
    t = clock(random.uniform(0.05, 0.3))
    hz = log_uniform(random, 1700, 3200)
    return ringing(
        random,
        t,
        hz * np.array([1.0, 2.8]),
        np.array([1.0, random.uniform(0, 0.3)]),
        np.array([log_uniform(random, 0.01, 0.05), 0.008]),
    )


def castanets(random: Random) -> Doubles:
    """One to four dry clicks."""
    t = clock(0.05)
    click = ringing(
        random,
        t,
        np.exp(random.uniform(np.log(1200), np.log(5000), 4)),
        random.uniform(0.3, 1, 4),
        random.uniform(0.003, 0.012, 4),
    )
    return _train(random, click, int(random.integers(1, 5)), random.uniform(0.03, 0.09))


def _train(random: Random, click: Doubles, count: int, apart_s: float) -> Doubles:
    total = np.zeros(int(count * apart_s * 44_100) + len(click) + 50)
    for place in range(count):
        start = max(int((place * apart_s + random.normal(0, 0.04 * apart_s)) * 44_100), 0)
        total[start : start + len(click)] += click[: len(total) - start] * random.uniform(0.5, 1)
    return total


def guiro(random: Random) -> Doubles:
    """A scraped gourd: a train of clicks."""
    t = clock(0.02)
    low_hz = log_uniform(random, 1200, 3500)
    click = bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.5, 3)) * fading(
        t, log_uniform(random, 0.001, 0.004)
    )
    return _train(random, click, int(random.integers(6, 45)), random.uniform(0.006, 0.02))


def agogo(random: Random) -> Doubles:
    """A small pitched bell of iron."""
    t = clock(random.uniform(0.2, 0.9))
    hz, modes = log_uniform(random, 600, 1600), int(random.integers(3, 6))
    ratios = np.sort(np.append(1.0, random.uniform(1.5, 6, modes - 1)))
    return ringing(random, t, hz * ratios, random.uniform(0.2, 1, modes), log_uniform(random, 0.06, 0.3) / ratios**0.5)


def vibraslap(random: Random) -> Doubles:
    """Teeth that rattle ever softer."""
    t = clock(0.015)
    click = ringing(random, t, np.exp(random.uniform(np.log(1800), np.log(5000), 3)), np.ones(3), np.full(3, 0.003))
    train = _train(random, click, int(random.integers(20, 45)), random.uniform(0.02, 0.04))
    return train * fading(np.arange(len(train)) / 44_100, random.uniform(0.2, 0.6))


def cowbell(random: Random) -> Doubles:
    """Two squares, or a clanging box."""
    t = clock(random.uniform(0.15, 0.8))
    if random.random() < 0.55:
        hz = log_uniform(random, 400, 680)
        pair = np.sign(np.sin(2 * np.pi * hz * t)) + np.sign(np.sin(2 * np.pi * hz * random.uniform(1.4, 1.56) * t))
        shape = 0.6 * fading(t, log_uniform(random, 0.005, 0.02)) + 0.4 * fading(t, log_uniform(random, 0.02, 0.25))
        return bandpass(pair, hz * random.uniform(0.6, 1.2), hz * random.uniform(2, 6)) * shape
    modes = int(random.integers(4, 9))
    hz = log_uniform(random, 380, 1100) * np.sort(np.append(1.0, random.uniform(1.3, 7, modes - 1)))
    box = ringing(
        random, t, hz, random.uniform(0.3, 1, modes), log_uniform(random, 0.012, 0.15) * random.uniform(0.4, 1.4, modes)
    )
    return peaking_at(box) + knock(random, t, 1500, 9000) * 0.3


def _grains(random: Random, t: Doubles, density: Doubles, ring: Callable[[int], Doubles], rate_hz: float) -> Doubles:
    """Many small collisions, as likely at each moment as the density (0 to 1) says."""
    signal = np.zeros(len(t))
    starts = np.flatnonzero(random.random(len(t)) < density * rate_hz / 44_100)
    for start in starts[:700]:
        grain = ring(int(start))
        fits = min(len(grain), len(t) - start)
        signal[start : start + fits] += grain[:fits] * random.uniform(0.2, 1)
    return signal


def shaker(random: Random) -> Doubles:
    """Beads thrown there, and perhaps back."""
    t = clock(log_uniform(random, 0.05, 0.35))
    peak_s = t[-1] * random.uniform(0.1, 0.6)
    shape = np.exp(-(((t - peak_s) / (t[-1] * random.uniform(0.08, 0.25))) ** 2))
    if random.random() < 0.35:
        shape = shape + random.uniform(0.3, 1) * np.exp(-(((t - t[-1] * 0.8) / (t[-1] * 0.08)) ** 2))
    low_hz = log_uniform(random, 2000, 9000)
    if random.random() < 0.5:
        return bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.5, 4)) * shape
    bead = bandpass(hiss(random, clock(0.006)), low_hz, low_hz * 2.5) * fading(clock(0.006), 0.001)
    return _grains(random, t, shape, lambda _: bead, log_uniform(random, 800, 6000))


def maracas(random: Random) -> Doubles:
    """One short throw."""
    t = clock(random.uniform(0.03, 0.14))
    shape = np.exp(-(((t - t[-1] * random.uniform(0.1, 0.4)) / (t[-1] * random.uniform(0.1, 0.2))) ** 2))
    low_hz = log_uniform(random, 3000, 9000)
    return bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.4, 3)) * shape


def cabasa(random: Random) -> Doubles:
    """Beads turned around a cylinder."""
    t = clock(log_uniform(random, 0.04, 0.3))
    shape = swell = np.clip(t / (t[-1] * random.uniform(0.3, 0.8)), 0, 1) * (t < t[-1] * 0.9)
    bead = highpass(hiss(random, clock(0.004)), 4000) * fading(clock(0.004), 0.0008)
    return _grains(random, t, shape, lambda _: bead, log_uniform(random, 300, 2500)) + 0.05 * swell * highpass(
        hiss(random, t), 5000
    )


def tambourine(random: Random) -> Doubles:
    """Jingles, with or without a skin behind them."""
    return _jingles(random, log_uniform(random, 0.02, 0.2), random.uniform(0, 0.2))


def sleigh_bells(random: Random) -> Doubles:
    """Smaller, rounder jingles that take longer."""
    return _jingles(random, log_uniform(random, 0.15, 0.5), 0.0, 2000, 7000)


def _jingles(random: Random, fall_s: float, skin: float, low_hz: float = 4000, high_hz: float = 15000) -> Doubles:
    t = clock(min(7 * fall_s + 0.08, 1.8))
    modes = np.exp(random.uniform(np.log(low_hz), np.log(high_hz), int(random.integers(8, 30))))
    short = clock(min(6 * fall_s, 0.5))

    def ring(_: int) -> Doubles:
        some = random.choice(modes, 4)
        return ringing(
            random,
            short,
            some * random.normal(1, 0.004, 4),
            random.uniform(0.3, 1, 4),
            fall_s * random.uniform(0.1, 1, 4),
        )

    spread_s = log_uniform(random, 0.01, 0.08)
    density = np.minimum(1.0, fading(t, spread_s) + 0.15 * fading(t, fall_s) * random.uniform(0, 1))
    jingles = _grains(random, t[: int(0.6 * len(t))], density[: int(0.6 * len(t))], ring, log_uniform(random, 150, 700))
    noise = highpass(hiss(random, t), low_hz) * fading(t, fall_s / 2) * random.uniform(0, 0.3)
    head = membrane(random, t, random.uniform(200, 400), 0.05, 5, 1.0) * skin
    return mixed(peaking_at(jingles), noise, head)


PERCUSSION: dict[str, Callable[[Random], Doubles]] = {
    "cowbell": cowbell,
    "shaker": shaker,
    "maracas": maracas,
    "cabasa": cabasa,
    "tambourine": tambourine,
    "sleigh bells": sleigh_bells,
    "conga": conga,
    "bongo": bongo,
    "tabla": tabla,
    "timbale": timbale,
    "timpani": timpani,
    "taiko": taiko,
    "triangle": triangle,
    "woodblock": woodblock,
    "clave": clave,
    "castanets": castanets,
    "guiro": guiro,
    "agogo": agogo,
    "vibraslap": vibraslap,
}
