"""Sounds for notes: sound fonts, a small synthesiser of our own, drums, and what recording does to it all."""

import io
from pathlib import Path

import fluidsynth
import numpy as np
import scipy.signal
import soundfile

from benchmarks.training.key_theory import Note, Piece, Random

Floats = np.ndarray

RATE_HZ = 22_050
SOUND_FONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf3/MuseScore_General.sf3"),
)
MELODIC_PROGRAMS = tuple(range(111))
_DRUM_CHANNEL = 9
_TABLE = 2048


class SoundFont:
    """One sound font held in memory."""

    def __init__(self, path: Path) -> None:
        self._synth = fluidsynth.Synth(gain=0.4, samplerate=float(RATE_HZ))
        self._font = self._synth.sfload(str(path))
        self._synth.setting("synth.polyphony", 128)

    def play(self, piece: Piece, programs: list[int], cents: float, tail_s: float, *, room: bool) -> Floats:
        """Render with one program a part; -1 is the drum kit. float32 [samples]."""
        self._synth.system_reset()
        self._synth.setting("synth.reverb.active", int(room))
        self._synth.setting("synth.chorus.active", int(room))
        channels = [_DRUM_CHANNEL if program < 0 else part for part, program in enumerate(programs)]
        for channel, program in zip(channels, programs, strict=True):
            self._synth.program_select(channel, self._font, 128 if program < 0 else 0, max(program, 0))
            self._synth.pitch_bend(channel, 0 if program < 0 else int(cents / 200 * 8192))
        beat_s = 60.0 / piece.bpm
        events = []
        for note in piece.notes:
            channel = channels[min(note.part, len(channels) - 1)]
            events.append((note.start * beat_s, 1, channel, note.pitch, note.strength))
            events.append(((note.start + note.length) * beat_s, 0, channel, note.pitch, 0.0))
        return self._run(sorted(events), piece.beats * beat_s + tail_s)

    def _run(self, events: list[tuple], seconds: float) -> Floats:
        blocks, done, total = [], 0, int(seconds * RATE_HZ)
        for at_s, on, channel, pitch, strength in events:
            until = min(int(at_s * RATE_HZ), total)
            if until - done > 64:
                blocks.append(self._synth.get_samples(until - done))
                done = until
            if not 0 <= pitch <= 127:
                continue
            if on:
                self._synth.noteon(channel, pitch, int(40 + 87 * strength))
            else:
                self._synth.noteoff(channel, pitch)
        blocks.append(self._synth.get_samples(max(total - done, 1)))
        stereo = np.concatenate(blocks).reshape(-1, 2)
        return (stereo.astype(np.float32).sum(axis=1) / 65_536.0)[:total]


# -------------------------------------------------------------------------------------------------- our own synthesiser


def synthesise(random: Random, piece: Piece, cents: float, tail_s: float) -> Floats:
    """Render every part with a patch drawn at random: waveform, unison, envelope, filter, drive."""
    beat_s = 60.0 / piece.bpm
    total = int((piece.beats * beat_s + tail_s) * RATE_HZ)
    mix = np.zeros(total, np.float32)
    for part in sorted({note.part for note in piece.notes}):
        voice = np.zeros(total, np.float32)
        patch = _patch(random, part)
        for note in (n for n in piece.notes if n.part == part):
            start = int(note.start * beat_s * RATE_HZ)
            if start < total:
                sound = _tone(random, patch, note, note.length * beat_s, cents)[: total - start]
                voice[start : start + len(sound)] += sound
        mix += random.uniform(0.5, 1.0) * _colour(random, voice / (np.abs(voice).max() + 1e-9))
    return mix


def _patch(random: Random, part: int) -> dict:
    kind = str(random.choice(["saw", "square", "triangle", "sine", "organ", "fm", "formant", "pluck", "bell"]))
    sustained = random.random() < 0.6 and kind not in ("pluck", "bell")
    return {
        "table": _table(random, kind),
        "voices": int(random.choice([1, 1, 2, 3, 5])) if kind not in ("sine", "fm") else 1,
        "spread_cents": random.uniform(2, 30),
        "attack_s": random.choice([0.003, 0.02, 0.15, 0.6]) if sustained else 0.004,
        "decay_s": random.uniform(0.15, 1.5),
        "sustain": random.uniform(0.4, 1.0) if sustained else 0.0,
        "release_s": random.uniform(0.02, 0.8),
        "vibrato_cents": random.choice([0, 0, 0, 8, 20]),
        "glide": 0.06 if part == 1 and random.random() < 0.2 else 0.0,
        "fm": (float(random.choice([1, 2, 3, 0.5])), random.uniform(0.5, 5)) if kind == "fm" else None,
        "sub": random.random() < 0.2,
    }


def _table(random: Random, kind: str) -> np.ndarray:
    """Amplitude of up to 40 harmonics."""
    h = np.arange(1, 41, dtype=np.float64)
    if kind == "saw":
        return 1 / h
    if kind == "square":
        return (
            np.where(h % 2 == 1, 1 / h, 0)
            if random.random() < 0.6
            else np.abs(np.sin(np.pi * h * random.uniform(0.1, 0.5))) / h
        )
    if kind == "triangle":
        return np.where(h % 2 == 1, 1 / h**2, 0)
    if kind == "organ":
        return np.isin(h, [1, 2, 3, 4, 6, 8]) * random.uniform(0, 1, 40)
    if kind == "formant":
        return np.exp(-(((h - random.uniform(2, 8)) / random.uniform(1, 4)) ** 2)) + 0.5 / h
    if kind == "pluck":
        return random.uniform(0.2, 1, 40) / h ** random.uniform(0.7, 2)
    if kind == "bell":
        return np.isin(h, [1, 4, 10]) * np.array([1, *random.uniform(0.1, 0.6, 39)])
    return (h == 1).astype(float)


def _tone(random: Random, patch: dict, note: Note, length_s: float, cents: float) -> Floats:
    count = int((length_s + patch["release_s"]) * RATE_HZ) + 1
    time_s = np.arange(count, dtype=np.float64) / RATE_HZ
    base_hz = 440.0 * 2 ** ((note.pitch - 69 + cents / 100) / 12)
    harmonics = min(40, max(1, int(0.45 * RATE_HZ / base_hz)))
    table = np.zeros(_TABLE)
    phase = 2 * np.pi * np.arange(_TABLE) / _TABLE
    for h in range(harmonics):
        if patch["table"][h] > 1e-3:
            table += patch["table"][h] * np.sin((h + 1) * phase)
    table = (table / (np.abs(table).max() + 1e-9)).astype(np.float32)
    bend = 1.0
    if patch["vibrato_cents"]:
        bend = 2 ** (patch["vibrato_cents"] / 1200 * np.sin(2 * np.pi * 5 * time_s))
    if patch["glide"]:
        bend = bend * 2 ** (np.exp(-time_s / patch["glide"]) * 0.4)
    cycles = np.cumsum(np.broadcast_to(base_hz * bend / RATE_HZ, count))
    sound = np.zeros(count, np.float32)
    for voice in range(patch["voices"]):
        detune = (
            2 ** (patch["spread_cents"] * (2 * voice / max(patch["voices"] - 1, 1) - 1) / 1200)
            if patch["voices"] > 1
            else 1.0
        )
        place = cycles * detune + random.random()
        if patch["fm"]:
            ratio, depth = patch["fm"]
            place = place + depth / (2 * np.pi) * np.sin(2 * np.pi * ratio * cycles) * np.exp(-time_s * 2)
        sound += table[(place * _TABLE).astype(np.int64) % _TABLE]
    if patch["sub"]:
        sound += patch["voices"] * np.sin(np.pi * cycles).astype(np.float32)
    return sound * (_envelope(patch, time_s, length_s) * note.strength / patch["voices"]).astype(np.float32)


def _envelope(patch: dict, time_s: np.ndarray, length_s: float) -> np.ndarray:
    rise = np.minimum(time_s / patch["attack_s"], 1)
    fall = patch["sustain"] + (1 - patch["sustain"]) * np.exp(-time_s / patch["decay_s"])
    release = np.exp(-np.maximum(time_s - length_s, 0) / (patch["release_s"] / 4))
    return rise * fall * release


def _colour(random: Random, voice: Floats) -> Floats:
    """Filter, drive and echo of one part."""
    if random.random() < 0.6:
        cutoff_hz = 10 ** random.uniform(2.5, 3.8)
        closed = low_pass(voice, cutoff_hz)
        sweep = random.random()
        if sweep < 0.3:
            mix = np.linspace(0, 1, len(voice), dtype=np.float32)
            voice = closed * (1 - mix) + voice * mix
        else:
            voice = closed
    if random.random() < 0.2:
        voice = np.tanh(voice * random.uniform(1, 8)).astype(np.float32)
    if random.random() < 0.2:
        lag = int(random.uniform(0.1, 0.5) * RATE_HZ)
        if lag < len(voice):
            echo = voice.copy()
            echo[lag:] += 0.5 * voice[:-lag]
            voice = echo
    return voice


# ---------------------------------------------------------------------------------------------------------------- drums


def drum_sound(random: Random) -> Floats:
    """One stroke or effect without a key: kick, snare, hat, clap, tom, metal, noise, riser, cymbal, crackle."""
    kind = int(random.integers(11))
    length_s = random.uniform(0.05, 0.7) if kind < 7 else random.uniform(0.3, 4)
    time_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    noise = random.standard_normal(len(time_s))
    decay = np.exp(-time_s / random.uniform(0.02, 0.3))
    if kind in (0, 1):  # kick, tom: the pitch falls
        low, extra, speed = (
            random.uniform(40, 70) if kind == 0 else random.uniform(70, 220),
            random.uniform(30, 400),
            random.uniform(15, 80),
        )
        phase = low * time_s + extra / speed * (1 - np.exp(-time_s * speed))
        sound = np.sin(2 * np.pi * phase) * decay + random.uniform(0, 0.3) * noise * np.exp(-time_s * 80)
    elif kind == 2:  # snare
        tone = np.sin(2 * np.pi * random.uniform(150, 250) * time_s) * np.exp(-time_s * 25)
        sound = noise * decay + random.uniform(0, 1) * tone
    elif kind == 3:  # hat, cymbal: many inharmonic squares or filtered noise
        sound = (
            sum(np.sign(np.sin(2 * np.pi * random.uniform(300, 9000) * time_s)) for _ in range(6)) * decay
            + noise * decay
        )
        sound = sound - low_pass(sound, 4000)
    elif kind == 4:  # clap
        sound = noise * sum(np.exp(-np.maximum(time_s - s, 0) * 60) * (time_s >= s) for s in (0, 0.012, 0.025))
    elif kind == 5:  # struck metal or wood: inharmonic partials
        partials = random.uniform(200, 6000, int(random.integers(3, 12)))
        sound = (
            sum(np.sin(2 * np.pi * f * time_s) * np.exp(-time_s * random.uniform(4, 40)) for f in partials)
            + 0.05 * noise * decay
        )
    elif kind == 6:  # click, rim
        sound = noise * np.exp(-time_s * random.uniform(80, 400))
    elif kind == 7:  # noise of some colour
        sound = low_pass(noise, 10 ** random.uniform(2, 4)) + random.uniform(0, 0.1) * noise
    elif kind == 8:  # riser, fall, sweep
        sweep_hz = np.geomspace(random.uniform(40, 400), random.uniform(400, 8000), len(time_s))
        sound = (
            np.sin(2 * np.pi * np.cumsum(sweep_hz[:: random.choice([-1, 1])]) / RATE_HZ) + random.uniform(0, 1) * noise
        )
    elif kind == 9:  # cymbal, gong: very many partials that ring
        partials = 10 ** random.uniform(2.2, 4, int(random.integers(20, 120)))
        rings = random.uniform(0.2, 1) * np.exp(-time_s * random.uniform(0.7, 8))
        sound = (
            sum(random.random() * np.sin(2 * np.pi * (f * time_s + random.random())) for f in partials) * rings
            + random.uniform(0, 2) * noise * decay
        )
    else:  # vinyl crackle, rain of clicks
        sound = noise * (random.random(len(time_s)) < 10 ** random.uniform(-3.5, -1)) + 0.01 * noise
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def drum_notes(random: Random, beats: float, part: int) -> list[Note]:
    """A beat for a General MIDI kit."""
    kick, snare, hat = random.choice([35, 36]), random.choice([38, 39, 40, 37]), random.choice([42, 44, 46, 51])
    notes = []
    for start in np.arange(0, beats, 0.5):
        within = start % 4
        if within in (0, 2) or random.random() < 0.15:
            notes.append(Note(float(start), 0.3, int(kick), random.uniform(0.7, 1), part))
        if within in (1, 3):
            notes.append(Note(float(start), 0.3, int(snare), random.uniform(0.6, 1), part))
        if random.random() < 0.8:
            notes.append(Note(float(start), 0.3, int(hat), random.uniform(0.3, 0.7), part))
        if random.random() < 0.06:
            notes.append(Note(float(start), 0.3, int(random.integers(35, 82)), random.uniform(0.3, 0.9), part))
    return notes


def drum_loop(random: Random, seconds: float) -> Floats:
    """Strokes of a few sounds on a grid."""
    loop = np.zeros(int(seconds * RATE_HZ), np.float32)
    step_s = 15.0 / random.uniform(70, 175)
    for _ in range(int(random.integers(1, 5))):
        sound, gain = drum_sound(random), random.uniform(0.3, 1)
        pattern = random.random(16) < random.uniform(0.1, 0.6)
        for index, start_s in enumerate(np.arange(0, seconds, step_s)):
            if pattern[index % 16]:
                start = int(start_s * RATE_HZ)
                stroke = sound[: len(loop) - start]
                loop[start : start + len(stroke)] += gain * stroke
    return loop


# ------------------------------------------------------------------------------------------------------------ recording


def low_pass(signal: Floats, cutoff_hz: float) -> Floats:
    """Second-order Butterworth."""
    sections = scipy.signal.butter(2, min(cutoff_hz, 0.45 * RATE_HZ), fs=RATE_HZ, output="sos")
    return scipy.signal.sosfilt(sections, signal).astype(np.float32)


def recorded(random: Random, signal: Floats) -> Floats:
    """What rooms, tape, codecs and mixing do: filter, reverb, drive, noise, compression of bits, gain."""
    signal = signal / (np.abs(signal).max() + 1e-9)
    if random.random() < 0.25:
        signal = low_pass(signal, 10 ** random.uniform(2.8, 3.9))
    if random.random() < 0.15:
        signal = (signal - low_pass(signal, 10 ** random.uniform(1.6, 2.6))).astype(np.float32)
    if random.random() < 0.25:
        length = int(random.uniform(0.2, 2.5) * RATE_HZ)
        room = random.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        wet = scipy.signal.fftconvolve(signal, low_pass(room, random.uniform(1500, 8000)))[: len(signal)]
        signal = signal + random.uniform(0.1, 1) * wet / (np.abs(wet).max() + 1e-9)
    if random.random() < 0.12:
        signal = np.tanh(signal * random.uniform(1, 5))
    if random.random() < 0.3:
        signal = signal + 10 ** random.uniform(-4, -1.3) * random.standard_normal(len(signal))
    signal = (signal / (np.abs(signal).max() + 1e-9)).astype(np.float32)
    if random.random() < 0.1:
        signal = _through_codec(signal, str(random.choice(["MP3", "OGG"])))
    if random.random() < 0.15:
        silence = np.zeros(int(random.uniform(0, 0.6) * RATE_HZ), np.float32)
        signal = np.concatenate([silence, signal] if random.random() < 0.5 else [signal, silence])
    return signal


def _through_codec(signal: Floats, name: str) -> Floats:
    file = io.BytesIO()
    soundfile.write(file, signal, RATE_HZ, format=name)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])
