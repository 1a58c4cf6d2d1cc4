"""How right and how fast the analysis is, with librosa beside it.

OMP_NUM_THREADS=1 SAMPLEMIND_CORPUS=/path/to/corpus python benchmarks/bench_audio.py [--one-shots FOLDER] [--librosa]

The corpus holds tempo/ and key/, each with a truth.csv. Its files are analysed as copies with neutral names: the truth
must come from the sound. Prints one JSON object: scores in per cent, CPU milliseconds per minute of sound and per
one-shot (median, after a warm-up).
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import Audio, decode, open_regular
from samplemind_tasks.audio.mono import mono
from samplemind_tasks.audio.spectrum import RATE_HZ
from samplemind_tasks.audio.warm import warm
from samplemind_tasks.audio.windows import windows
from samplemind_tasks.schemas import Features
from samplemind_tasks.settings import model_cards

PITCH = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ONE_SHOT_FOLDER = Path("/usr/share/hydrogen/data/drumkits")
MOST_ONE_SHOTS = 100
Answer = TypeVar("Answer")
FRONT_END = model_cards()["musicnn-mtt"].front_end


def tempo_score(truth_bpm: float, answer_bpm: float | None) -> tuple[float, float]:
    """Acc1: within 4 %. Acc2: also at twice, thrice, half or a third of it (Gouyon et al., 2006)."""
    if not answer_bpm:
        return 0.0, 0.0
    ratio = answer_bpm / truth_bpm
    close = [abs(ratio / factor - 1) <= 0.04 for factor in (1, 2, 3, 1 / 2, 1 / 3)]
    return float(close[0]), float(any(close))


def key_score(truth: str, answer: str | None) -> tuple[float, float]:
    """Exact, and the MIREX weight: 0.5 a fifth away, 0.3 for the relative key, 0.2 for the parallel one."""
    if not answer:
        return 0.0, 0.0
    (tonic, mode), (answered_tonic, answered_mode) = _parsed(truth), _parsed(answer)
    step = (answered_tonic - tonic) % 12
    if mode == answered_mode:
        weight = {0: 1.0, 5: 0.5, 7: 0.5}.get(step, 0.0)
    else:
        weight = {0: 0.2, (9 if mode == "major" else 3): 0.3}.get(step, 0.0)
    return float(weight == 1.0), weight


def _parsed(key: str) -> tuple[int, str]:
    tonic, mode = key.split()
    return (PITCH[tonic[0]] + tonic.count("#") - tonic[1:].count("b") - tonic.count("-")) % 12, mode


def score(
    corpus: Path, task: str, judge: Callable[[dict[str, str], Features], tuple[float, float]]
) -> dict[str, float]:
    """Analyse neutral copies of one half of the corpus and take the mean of what the judge gives."""
    rows = list(csv.DictReader((corpus / task / "truth.csv").open(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        verdicts, cpu_ms_per_minute = [], []
        for number, row in enumerate(rows):
            copy = Path(folder) / f"{number:04d}"
            shutil.copyfile(corpus / task / row["file"], copy)
            audio = decoded(copy)
            cpu_s, measured = timed(lambda audio=audio: analyze(audio))
            verdicts.append(judge(row, measured.features))
            cpu_ms_per_minute.append(1000 * cpu_s * 60 / audio.measured_s)
    first, second = (100 * statistics.fmean(verdict[place] for verdict in verdicts) for place in (0, 1))
    cpu_ms = statistics.median(cpu_ms_per_minute)
    return {
        "items": len(rows),
        "first": round(first, 1),
        "second": round(second, 1),
        "cpu_ms_per_minute": round(cpu_ms, 1),
    }


def speed(paths: list[Path], with_librosa: bool) -> dict[str, float]:
    """Median CPU milliseconds a file for each step; a minute's worth where the file is longer than 10 s."""
    steps: dict[str, list[float]] = {}
    for path in paths:
        for name, cpu_s, audio in _steps(path, with_librosa):
            per_minute = 60 / audio.measured_s if audio.measured_s > 10 else 1.0
            steps.setdefault(name, []).append(1000 * cpu_s * per_minute)
    return {name: round(statistics.median(values), 2) for name, values in steps.items()}


def _steps(path: Path, with_librosa: bool) -> Iterator[tuple[str, float, Audio]]:
    cpu_s, audio = timed(lambda: decoded(path))
    yield "decode", cpu_s, audio
    yield "analyze", timed(lambda: analyze(audio))[0], audio
    yield "windows", timed(lambda: windows(audio, FRONT_END))[0], audio
    if with_librosa:
        yield "librosa", timed(lambda: librosa_features(mono(audio.samples, audio.rate_hz, RATE_HZ)))[0], audio


def librosa_features(signal: NDArray[np.float32]) -> None:
    """The same features from one shared librosa spectrum, loudness left out."""
    import librosa

    magnitude = np.abs(librosa.stft(signal))
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=magnitude**2, sr=RATE_HZ))
    librosa.feature.spectral_centroid(S=magnitude, sr=RATE_HZ)
    librosa.feature.spectral_bandwidth(S=magnitude, sr=RATE_HZ)
    librosa.feature.spectral_rolloff(S=magnitude, sr=RATE_HZ)
    librosa.feature.spectral_flatness(S=magnitude)
    librosa.feature.zero_crossing_rate(signal)
    librosa.feature.mfcc(S=mel_db)
    librosa.feature.chroma_stft(S=magnitude**2, sr=RATE_HZ)
    strength = librosa.onset.onset_strength(S=mel_db, sr=RATE_HZ)
    librosa.onset.onset_detect(onset_envelope=strength, sr=RATE_HZ)
    librosa.beat.beat_track(onset_envelope=strength, sr=RATE_HZ)


def decoded(path: Path) -> Audio:
    with open_regular(path) as file:
        return decode(file, name=path.name, max_bytes=1 << 32, max_duration_s=43_200, max_seconds=300)


def timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    before = time.process_time()
    answer = work()
    return time.process_time() - before, answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-shots", type=Path, default=ONE_SHOT_FOLDER)
    parser.add_argument("--librosa", action="store_true", help="time librosa beside it")
    asked = parser.parse_args()
    corpus = Path(os.environ.get("SAMPLEMIND_CORPUS", ""))
    if not (corpus / "tempo" / "truth.csv").is_file():
        sys.stderr.write("SAMPLEMIND_CORPUS does not name a folder with tempo/truth.csv and key/truth.csv.\n")
        return 1
    warm(FRONT_END)
    one_shots = sorted(asked.one_shots.rglob("*.wav")) + sorted(asked.one_shots.rglob("*.flac"))
    if asked.librosa:
        librosa_features(np.zeros(RATE_HZ, dtype=np.float32))
    report = {
        "tempo Acc1/Acc2": score(corpus, "tempo", lambda row, found: tempo_score(float(row["bpm"]), found.tempo_bpm)),
        "key exact/MIREX": score(corpus, "key", lambda row, found: key_score(row["key"], found.key)),
        "cpu_ms per minute": speed(sorted((corpus / "tempo").glob("*.ogg"))[:30], asked.librosa),
        "cpu_ms per one-shot": speed(one_shots[:: max(len(one_shots) // MOST_ONE_SHOTS, 1)], asked.librosa),
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
