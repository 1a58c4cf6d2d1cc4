"""Loaded by every Python process whose PYTHONPATH leads here: files of some names are poison to the decoder.

No decoder that we use crashes on demand. What a crash, a hang and a hunger do to a worker is the same wherever in the
process they come from. The poison works as long as the file that CHAOS_POISON names is there.
"""

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

DECODER = "samplemind_tasks.audio.decode"


def segfault() -> None:
    """Read where there is nothing: SIGSEGV."""
    ctypes.string_at(0)


def abort() -> None:
    """As a C library does that finds its memory in disorder: SIGABRT."""
    os.abort()


def hang() -> None:
    """Never return, and never let go of the interpreter."""
    while True:
        ctypes.PyDLL(None).sleep(1000)


def eat() -> None:
    """Take memory until there is none."""
    held = []
    while True:
        held.append(bytes(64 << 20))


POISONS: dict[str, Callable[[], None]] = {"segfault": segfault, "abort": abort, "hang": hang, "eat": eat}


class Poisoner(MetaPathFinder):
    """Lets the decoder's module be imported as always, and then wraps what opens a sound."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, whose loader poisons."""
        if fullname != DECODER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec
        loader: Any = spec.loader
        run = loader.exec_module

        def run_and_poison(module: Any) -> None:
            run(module)
            module.open_sound = _poisoned(module.open_sound)

        loader.exec_module = run_and_poison
        return spec


def _poisoned(open_sound: Callable[..., Any]) -> Callable[..., Any]:
    def opened(file: Any, *, name: str, **more: Any) -> Any:
        poison = POISONS.get(name.split("-")[0])
        if poison and os.path.exists(os.environ["CHAOS_POISON"]):  # noqa: PTH110 - as little as can be is imported here
            poison()
        return open_sound(file, name=name, **more)

    return opened


if "CHAOS_POISON" in os.environ:
    sys.meta_path.insert(0, Poisoner())
