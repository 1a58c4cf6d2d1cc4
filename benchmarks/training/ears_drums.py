"""Drum kits that nobody recorded: machines, membranes, plates and hands, with everything drawn anew."""

from collections.abc import Callable

import numpy as np

from benchmarks.training.ears_sound import (
    Doubles,
    Random,
    bandpass,
    chosen,
    clock,
    drawn_band,
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
    square_cluster,
)


def electronic_kick(random: Random) -> Doubles:
    """A sine that falls."""
    fall_s = log_uniform(random, 0.025, 0.35)
    t = clock(min(7 * fall_s, 1.6))
    end_hz, octaves, glide_s = log_uniform(random, 38, 85), random.uniform(0.6, 5), log_uniform(random, 0.006, 0.06)
    body = gliding(end_hz * 2 ** (octaves * np.exp(-t / glide_s)), t) * _body_shape(random, t, fall_s)
    if random.random() < 0.2:
        body += 0.3 * gliding(end_hz * 2.02 * 2 ** (octaves * np.exp(-t / glide_s)), t) * fading(t, fall_s / 2)
    click = bandpass(hiss(random, t), *drawn_band(random, 1000, 9000)) * fading(t, log_uniform(random, 0.001, 0.008))
    signal = body + random.choice([0, 1]) * log_uniform(random, 0.03, 0.6) * click
    return driven(signal, log_uniform(random, 0.5, 8 if random.random() < 0.3 else 2))


def kick_808(random: Random) -> Doubles:
    """Long and round."""
    fall_s = log_uniform(random, 0.2, 0.6)
    t = clock(min(6 * fall_s, 2.2))
    hz = random.uniform(42, 66) * (1 + random.uniform(0.3, 2) * np.exp(-t / log_uniform(random, 0.005, 0.04)))
    click = lowpass(hiss(random, t), log_uniform(random, 800, 6000)) * fading(t, 0.002) * random.uniform(0, 0.4)
    return driven(gliding(hz, t) * fading(t, fall_s) + click, log_uniform(random, 0.3, 3))


def _body_shape(random: Random, t: Doubles, fall_s: float) -> Doubles:
    """Exponential, or held and then let go."""
    if random.random() < 0.6:
        return fading(t, fall_s, 0.0008)
    held_s = random.uniform(0.3, 1.5) * fall_s
    return np.asarray(np.minimum(t / 0.001, 1) / (1 + np.exp((t - held_s) / (0.25 * fall_s))))


def acoustic_kick(random: Random) -> Doubles:
    """A skin, a beater and the air in the shell."""
    fall_s = log_uniform(random, 0.015, 0.2)
    t = clock(min(7 * fall_s, 1.2))
    head = peaking_at(membrane(random, t, log_uniform(random, 42, 95), fall_s, int(random.integers(2, 7)), 1.5))
    air = peaking_at(lowpass(hiss(random, t), log_uniform(random, 120, 500))) * fading(t, fall_s * 0.7)
    beater = knock(random, t, 1200, 7000) * log_uniform(random, 0.05, 0.8)
    return driven(head + random.uniform(0, 0.5) * air + beater, log_uniform(random, 0.3, 2))


def electronic_snare(random: Random) -> Doubles:
    """Two sines and noise."""
    wires_s, body_s = log_uniform(random, 0.016, 0.22), log_uniform(random, 0.01, 0.12)
    t = clock(min(7 * max(wires_s, body_s), 1.4))
    hz, drop = log_uniform(random, 140, 330), random.uniform(0, 1.5) * np.exp(-t / log_uniform(random, 0.005, 0.04))
    body = gliding(hz * (1 + drop), t) + random.uniform(0, 0.8) * gliding(hz * random.uniform(1.4, 2.1) * (1 + drop), t)
    noise = hiss(random, t)
    noise = highpass(noise, log_uniform(random, 400, 5000)) if random.random() < 0.6 else bandpass(noise, 700, 9000)
    signal = body * fading(t, body_s) * log_uniform(random, 0.15, 1) + peaking_at(noise) * _body_shape(
        random, t, wires_s
    ) * log_uniform(random, 0.3, 1.2)
    return driven(signal, log_uniform(random, 0.3, 4))


def acoustic_snare(random: Random) -> Doubles:
    """A skin over wires; sometimes it rings, sometimes it is all wires."""
    wires_s, skin_s = log_uniform(random, 0.015, 0.15), log_uniform(random, 0.012, 0.2)
    t = clock(min(6 * max(wires_s, skin_s), 1.4))
    head = peaking_at(membrane(random, t, log_uniform(random, 150, 340), skin_s, int(random.integers(3, 10)), 0.8))
    low_hz = log_uniform(random, 300, 3000)
    wires = peaking_at(bandpass(hiss(random, t), low_hz, random.uniform(4500, 18000)))
    wires *= fading(t, wires_s, log_uniform(random, 0.0005, 0.006))
    crack = knock(random, t, 1500, 9000) * random.uniform(0, 0.8)
    return driven(log_uniform(random, 0.2, 1) * head + log_uniform(random, 0.25, 1) * wires + crack, 1.0)


def brush_snare(random: Random) -> Doubles:
    """A sweep or tap of brushes."""
    t = clock(random.uniform(0.15, 0.7))
    swish = bandpass(hiss(random, t), *drawn_band(random, 1500, 14000)) * fading(
        t, t[-1] / random.uniform(2, 6), random.uniform(0.002, 0.4) * t[-1]
    )
    head = membrane(random, t, random.uniform(150, 280), 0.05, 4, 1.0) * random.uniform(0, 0.15)
    return peaking_at(swish) + head


def rim(random: Random) -> Doubles:
    """A stick across the rim, or the click that stands for it."""
    t = clock(random.uniform(0.06, 0.35))
    if random.random() < 0.45:
        hz = np.array([log_uniform(random, 350, 900), log_uniform(random, 1200, 2800)])
        falls_s = np.array([log_uniform(random, 0.004, 0.025), log_uniform(random, 0.003, 0.02)])
        signal = ringing(random, t, hz, random.uniform(0.3, 1, 2), falls_s)
        return driven(signal + 0.4 * knock(random, t, 1500, 8000) * random.uniform(0, 1), log_uniform(random, 1, 8))
    if random.random() < 0.4:
        low_hz = log_uniform(random, 600, 3500)
        crack = bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.5, 10)) * fading(
            t, log_uniform(random, 0.004, 0.035)
        )
        body = membrane(random, t, log_uniform(random, 200, 700), log_uniform(random, 0.01, 0.05), 4, 0.8)
        return peaking_at(crack) + random.uniform(0, 0.8) * peaking_at(body)
    modes = int(random.integers(3, 9))
    hz = log_uniform(random, 250, 700) * np.sort(random.uniform(1, 9, modes))
    wood = ringing(random, t, hz, random.uniform(0.2, 1, modes), random.uniform(0.004, 0.035, modes))
    shell = membrane(random, t, random.uniform(160, 300), random.uniform(0.02, 0.08), 3, 1.0) * random.uniform(0, 0.35)
    wires = highpass(hiss(random, t), 2500) * fading(t, 0.05) * random.uniform(0, 0.06)
    return wood + shell + wires + knock(random, t, 2000, 12000) * random.uniform(0.2, 1)


def clap(random: Random) -> Doubles:
    """Several hands, then the room."""
    tail_s = log_uniform(random, 0.012, 0.2)
    t = clock(min(0.05 + 6 * tail_s, 1.2))
    hands, apart_s = int(random.integers(2, 6)), random.uniform(0.006, 0.018)
    starts_s = np.arange(hands) * apart_s + random.normal(0, 0.001, hands)
    shape = sum((fading(np.maximum(t - at, 0), 0.004) * (t >= at) for at in np.maximum(starts_s, 0)), np.zeros(len(t)))
    last_s = float(starts_s.max())
    shape = shape + random.uniform(0.3, 1.0) * fading(np.maximum(t - last_s, 0), tail_s) * (t >= last_s)
    centre_hz = log_uniform(random, 700, 2400)
    noise = bandpass(hiss(random, t), centre_hz * random.uniform(0.4, 0.85), centre_hz * random.uniform(1.3, 6))
    return driven(noise * shape, log_uniform(random, 0.3, 3))


def snap(random: Random) -> Doubles:
    """Two fingers: a resonant click."""
    t = clock(random.uniform(0.08, 0.4))
    low_hz = log_uniform(random, 900, 2500)
    burst = bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.3, 2.5), 2)
    before = bandpass(hiss(random, t), 2000, 8000) * fading(t, 0.002) * random.uniform(0, 0.4)
    return mixed(
        before,
        np.concatenate([np.zeros(int(random.uniform(0, 900))), burst * fading(t, log_uniform(random, 0.006, 0.03))]),
    )


def _metal(random: Random, t: Doubles) -> Doubles:
    """What hats are made of: squares, noise or a plate."""
    kind = chosen(random, ("squares", "noise", "plate", "both"), (0.3, 0.25, 0.3, 0.15))
    parts = []
    if kind in ("squares", "both"):
        parts.append(peaking_at(square_cluster(random, t, log_uniform(random, 180, 900))))
    if kind in ("noise", "both") or random.random() < 0.3:
        parts.append(peaking_at(hiss(random, t)) * random.uniform(0.2, 1))
    if kind == "plate":
        parts.append(
            peaking_at(
                plate(random, t, log_uniform(random, 300, 3000), 17000, int(random.integers(80, 260)), 3 * t[-1])
            )
        )
    lowest_hz = log_uniform(random, 250, 2500) if random.random() < 0.4 else log_uniform(random, 2500, 9000)
    return highpass(mixed(*parts), lowest_hz, int(random.integers(1, 4)))


def closed_hat(random: Random) -> Doubles:
    """Short."""
    fall_s = log_uniform(random, 0.008, 0.06)
    t = clock(min(9 * fall_s, 0.4))
    return peaking_at(_metal(random, t)) * fading(t, fall_s, random.choice([0, 0.0005, 0.002])) + knock(
        random, t, 3000, 14000
    ) * random.uniform(0, 0.4)


def pedal_hat(random: Random) -> Doubles:
    """The foot closes it: softer, a chick with a slower start."""
    fall_s = log_uniform(random, 0.02, 0.07)
    t = clock(9 * fall_s)
    soft = lowpass(_metal(random, t), random.uniform(7000, 16000), 1)
    thump = lowpass(hiss(random, t), 500) * fading(t, 0.02) * random.uniform(0, 0.1)
    return peaking_at(soft) * fading(t, fall_s, random.uniform(0.001, 0.012)) + thump


def open_hat(random: Random) -> Doubles:
    """It goes on, sometimes until it is choked."""
    fall_s = log_uniform(random, 0.06, 0.6)
    t = clock(min(random.uniform(3, 6) * fall_s, 3.0))
    signal = peaking_at(_metal(random, t)) * fading(t, fall_s) + knock(random, t, 3000, 14000) * random.uniform(0, 0.4)
    if random.random() < 0.25:
        signal = signal * (1 / (1 + np.exp((t - random.uniform(0.4, 0.9) * t[-1]) / 0.01)))
    return signal


def crash(random: Random) -> Doubles:
    """A wide wash that starts at once and takes its time."""
    signal = _cymbal(random, log_uniform(random, 0.12, 1.6), random.uniform(0.3, 1.0), random.uniform(0, 0.15))
    return highpass(signal, log_uniform(random, 500, 7000)) if random.random() < 0.5 else signal


def splash(random: Random) -> Doubles:
    """A small crash."""
    return highpass(_cymbal(random, log_uniform(random, 0.12, 0.4), random.uniform(0.3, 1), 0.1), 900)


def china(random: Random) -> Doubles:
    """Trashy: rough, lower, soon gone."""
    signal = _cymbal(random, log_uniform(random, 0.15, 0.7), random.uniform(0.5, 1), 0.1)
    return driven(bandpass(signal, random.uniform(250, 600), random.uniform(7000, 13000)), log_uniform(random, 2, 8))


def _cymbal(random: Random, fall_s: float, noise_level: float, ping_level: float) -> Doubles:
    t = clock(min(random.uniform(2.5, 5) * fall_s, 6.0))
    if random.random() < 0.3:
        metal = highpass(square_cluster(random, t, log_uniform(random, 200, 700)), log_uniform(random, 800, 5000))
    else:
        metal = plate(random, t, log_uniform(random, 250, 900), 16000, int(random.integers(120, 320)), 1.5 * fall_s)
    wash = highpass(hiss(random, t), log_uniform(random, 800, 4500), int(random.integers(1, 3)))
    attack_s = log_uniform(random, 0.0005, 0.025)
    ping = knock(random, t, 2000, 9000) * ping_level
    two_falls = 0.6 * fading(t, fall_s, attack_s) + 0.4 * fading(t, fall_s * random.uniform(0.1, 0.4), attack_s)
    return peaking_at(metal) * fading(t, fall_s, attack_s) + noise_level * peaking_at(wash) * two_falls + ping


def ride(random: Random) -> Doubles:
    """A ping over a quiet, long wash."""
    fall_s = log_uniform(random, 0.15, 2.0)
    t = clock(min(random.uniform(2, 4) * fall_s, 6.0))
    if random.random() < 0.25:
        wash = highpass(square_cluster(random, t, log_uniform(random, 300, 900)), log_uniform(random, 2500, 6000))
    else:
        wash = plate(random, t, log_uniform(random, 300, 900), 15000, int(random.integers(120, 300)), 1.5 * fall_s)
    modes = int(random.integers(5, 16))
    hz = np.exp(random.uniform(np.log(700), np.log(9000), modes))
    ping = ringing(random, t, hz, random.uniform(0.2, 1, modes), random.uniform(0.03, 0.5, modes))
    air = highpass(hiss(random, t), 4000) * fading(t, fall_s / 2) * random.uniform(0, 0.08)
    stick = knock(random, t, 2500, 12000) * random.uniform(0.2, 1)
    signal = random.uniform(0.2, 0.7) * peaking_at(wash) * fading(t, fall_s) + 0.6 * peaking_at(ping) + stick + air
    return highpass(signal, log_uniform(random, 800, 8000)) if random.random() < 0.5 else signal


def ride_bell(random: Random) -> Doubles:
    """The dome: a bell with a wash."""
    t = clock(random.uniform(0.8, 4))
    modes = int(random.integers(5, 12))
    hz = log_uniform(random, 450, 1100) * np.sort(np.append(1.0, random.uniform(1.1, 8, modes - 1)))
    dome = ringing(random, t, hz, random.uniform(0.3, 1, modes), t[-1] * random.uniform(0.1, 0.5, modes))
    wash = plate(random, t, 600, 14000, 120, t[-1] / 2) * random.uniform(0.05, 0.3)
    return peaking_at(dome) + wash + knock(random, t, 2500, 10000) * 0.4


def acoustic_tom(random: Random) -> Doubles:
    """A skin with a pitch."""
    fall_s = log_uniform(random, 0.03, 0.5)
    t = clock(min(6 * fall_s, 2.4))
    head = peaking_at(
        membrane(random, t, log_uniform(random, 58, 300), fall_s, int(random.integers(2, 10)), random.uniform(0.6, 1.8))
    )
    snares = highpass(hiss(random, t), 1500) * fading(t, 0.15) * random.uniform(0, 0.04)
    return driven(head + knock(random, t, 800, 7000) * log_uniform(random, 0.03, 0.5) + snares, 1.0)


def electronic_tom(random: Random) -> Doubles:
    """A sine that falls slowly, from 808 to Simmons."""
    fall_s = log_uniform(random, 0.025, 0.4)
    t = clock(min(6 * fall_s, 2.0))
    octaves, glide_s = random.uniform(0.1, 2), log_uniform(random, 0.01, 0.3)
    tone = gliding(log_uniform(random, 65, 320) * 2 ** (octaves * np.exp(-t / glide_s)), t) * fading(t, fall_s)
    noise = bandpass(hiss(random, t), 200, random.uniform(1500, 9000)) * fading(t, fall_s * random.uniform(0.1, 0.8))
    noise = peaking_at(noise) * log_uniform(random, 0.02, 0.5)
    return driven(tone + noise, log_uniform(random, 0.3, 3))


KIT: dict[str, Callable[[Random], Doubles]] = {
    "electronic kick": electronic_kick,
    "808 kick": kick_808,
    "acoustic kick": acoustic_kick,
    "electronic snare": electronic_snare,
    "acoustic snare": acoustic_snare,
    "brush snare": brush_snare,
    "rim": rim,
    "clap": clap,
    "snap": snap,
    "closed hat": closed_hat,
    "pedal hat": pedal_hat,
    "open hat": open_hat,
    "crash": crash,
    "splash": splash,
    "china": china,
    "ride": ride,
    "ride bell": ride_bell,
    "acoustic tom": acoustic_tom,
    "electronic tom": electronic_tom,
}
