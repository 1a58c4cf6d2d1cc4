"""`samplemind measure`: the analysis over files and folders, without any service, in a process of its own.

python -m samplemind_tasks.measure PATH... [--json] [--jobs N]

Each file is measured in a child process: one that crashes the decoder or never ends costs its child, no other file.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes, in_name
from samplemind_tasks.audio.files import open_regular
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.errors import AudioError, FailureCode
from samplemind_tasks.features import Features, note_name
from samplemind_tasks.settings import Settings

AUDIO_SUFFIXES = frozenset(
    [
        ".wav",
        ".wave",
        ".bwf",
        ".rf64",
        ".w64",
        ".aif",
        ".aiff",
        ".aifc",
        ".flac",
        ".mp3",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".m4b",
        ".mp4",
        ".aac",
        ".wma",
        ".wv",
        ".tta",
        ".ape",
        ".caf",
        ".au",
        ".snd",
        ".mka",
        ".mp2",
        ".ac3",
        ".amr",
        ".voc",
    ]
)
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """What became of one file: features, or a code and a sentence."""

    features: Features | None
    code: FailureCode | None = None
    message: str = ""


Work = Callable[[bytes], Outcome]


# -------------------------------------------------------------------------------------------------------- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line names and print one line a file; 0 if anything could be measured."""
    asked = _parser().parse_args(arguments)
    for name in _THREAD_SETTINGS:
        os.environ.setdefault(name, "1")
    settings = Settings()
    named = [os.fsencode(path) for path in asked.paths]
    paths = audio_paths(named)
    show = _print_json if asked.json or not sys.stdout.isatty() else _print_row
    timeout_s = settings.file_timeout_s + settings.analysis_seconds / 10
    measured = 0
    for path, outcome in measure_all(paths, measure_file, jobs=min(asked.jobs, len(paths)), timeout_s=timeout_s):
        if outcome.code is FailureCode.VANISHED and path in named:
            outcome = replace(outcome, message="There is no such file.")
        show(path, outcome)
        measured += outcome.features is not None
    if not paths:
        sys.stderr.write("No audio files found.\n")
    return 0 if measured else 1


class _Parser(argparse.ArgumentParser):
    """Usage errors end with 1: every other number means something else to the caller."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="samplemind measure", description="Measure sounds without any service.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, and folders with everything below them")
    parser.add_argument("--json", action="store_true", help="JSON lines, also on a terminal")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="child processes (one per core)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def audio_paths(given: Sequence[bytes]) -> list[bytes]:
    """The files named, and the audio files below the folders named, in that order, each folder sorted by name."""
    found: dict[bytes, None] = {}
    for path in given:
        if os.path.isdir(path):  # noqa: PTH112 - names are bytes: they need not be UTF-8
            found |= dict.fromkeys(_below(path))
        else:
            found[path] = None
    return list(found)


def _below(folder: bytes) -> list[bytes]:
    files = [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]  # noqa: PTH118
    return sorted(path for path in files if os.path.splitext(os.fsdecode(path))[1].lower() in AUDIO_SUFFIXES)  # noqa: PTH122


def _print_json(path: bytes, outcome: Outcome) -> None:
    error = {"code": outcome.code.value, "message": outcome.message} if outcome.code else None
    features = outcome.features.model_dump(mode="json") if outcome.features else {}
    line = json.dumps({"path": _shown(path), "ok": error is None, "error": error, **features}, ensure_ascii=False)
    _print(line)


def _print_row(path: bytes, outcome: Outcome) -> None:
    found = outcome.features
    if found is None:
        _print(f"{outcome.code:>9}  {_shown(path)}: {outcome.message}")
        return
    tempo = f"{found.tempo_bpm:.1f} bpm" if found.tempo_bpm else "-"
    pitch = found.key if found.pitch_midi is None else note_name(found.pitch_midi)
    level = f"{found.loudness_lufs:.1f} LUFS" if found.loudness_lufs is not None else "-"
    _print(f"{found.kind:>9}  {found.duration_s:8.2f} s  {tempo:>9}  {pitch or '-':>8}  {level:>10}  {_shown(path)}")


def _print(line: str) -> None:
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def measure_file(path: bytes) -> Outcome:
    """Decode and analyse one file; a bad file is an outcome, not an exception."""
    settings = Settings()
    try:
        with open_regular(path) as file:
            with open_sound(
                file,
                name=Path(_shown(path)).name,
                max_bytes=settings.max_file_bytes,
                max_duration_s=settings.max_duration_s,
                max_seconds=settings.analysis_seconds,
            ) as sound:
                heard = listen(sound)
            evidence = (*in_bytes(file), *in_name(_shown(path)))
        return Outcome(analyze(heard, evidence, settings.tempo_range_bpm).features)
    except AudioError as error:
        return Outcome(None, error.failure, error.message)
    except MemoryError:
        return Outcome(None, FailureCode.OUT_OF_MEMORY, "Analysis needs more memory than a worker may take.")


# -------------------------------------------------------------------------------------------------------- many files


@dataclass
class _Child:
    """A child process, and which file it is at until when."""

    process: BaseProcess
    pipe: Connection
    index: int = -1
    deadline_s: float = 0.0

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def measure_all(paths: Sequence[bytes], work: Work, *, jobs: int, timeout_s: float) -> Iterator[tuple[bytes, Outcome]]:
    """Measure files in child processes and yield them in their order, each as soon as those before it are there.

    Parameters
    ----------
    work : what a child does with one path
    jobs : how many children at a time
    timeout_s : a file that takes longer is given up, and its child killed
    """
    finished: dict[int, Outcome] = {}
    shown = 0
    for index, outcome in _as_finished(paths, work, jobs, timeout_s):
        finished[index] = outcome
        while shown in finished:
            yield paths[shown], finished.pop(shown)
            shown += 1


def _as_finished(paths: Sequence[bytes], work: Work, jobs: int, timeout_s: float) -> Iterator[tuple[int, Outcome]]:
    waiting = iter(range(len(paths)))
    idle: list[_Child] = []
    busy: list[_Child] = []
    try:
        while True:
            while len(busy) < jobs and (index := next(waiting, None)) is not None:
                child = idle.pop() if idle else _start(work)
                child.index, child.deadline_s = index, time.monotonic() + timeout_s
                child.pipe.send_bytes(paths[index])
                busy.append(child)
            if not busy:
                return
            wait([child.pipe for child in busy], max(min(child.deadline_s for child in busy) - time.monotonic(), 0.0))
            for child in list(busy):
                outcome = _collect(child)
                if outcome is None:
                    continue
                busy.remove(child)
                if child.pipe.closed:
                    child.process.join()
                else:
                    idle.append(child)
                yield child.index, outcome
    finally:
        for child in idle + busy:
            child.stop()


def _collect(child: _Child) -> Outcome | None:
    """The child's answer; None while it is still at work. A child that is dead or late is stopped."""
    try:
        if child.pipe.poll():
            outcome: Outcome = child.pipe.recv()
            return outcome
    except (EOFError, OSError):
        child.stop()
        return Outcome(None, FailureCode.CRASHED, "The decoder crashed on this file.")
    if time.monotonic() < child.deadline_s:
        return None
    child.stop()
    return Outcome(None, FailureCode.TIMEOUT, "Analysis took longer than the limit for one file.")


def _start(work: Work) -> _Child:
    context = multiprocessing.get_context("forkserver")
    # The libraries are loaded once, by the server every child is forked from.
    context.set_forkserver_preload(["samplemind_tasks.audio.analyze"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    ours.recv()  # ready: the time a child needs to start is no file's
    return _Child(process, ours)


def _serve(pipe: Connection, work: Work) -> None:
    """A child's life: measure what comes down the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _limit_memory(Settings().child_memory_bytes)
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent has gone
        pipe.send(None)
        while True:
            pipe.send(work(pipe.recv_bytes()))


def _limit_memory(extra_bytes: int) -> None:
    """Let this process grow by so much and no more; Linux only, elsewhere the system's limits hold."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return
    held_bytes = int(statistics.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held_bytes + extra_bytes, resource.RLIM_INFINITY))


def program() -> int:
    """The command as a process: Ctrl-C and a reader that has seen enough (`| head`) end it without a traceback."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # everything is loaded: see cli/quiet_start.py
    try:
        return main()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(program())
