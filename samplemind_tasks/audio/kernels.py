"""How a loop becomes machine code: compiled when its module is imported, once per machine, by one process at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(*signatures: str, fastmath: bool | set[str] = True) -> Callable[[Function], Function]:
    """Compile a function of arrays and numbers for these signatures, or load what an earlier process compiled.

    Signatures are given so that the work is done at import, where a worker pool's parent does it for all its children,
    and never inside the first file's time.

    Parameters
    ----------
    signatures : as numba writes them: "float32(float32[:, ::1], int64)"
    fastmath : allow sums to be reordered, or only what is named; inputs must be finite
    """

    def compiled(function: Function) -> Function:
        compile_for = numba.njit(list(signatures), cache=True, nogil=True, fastmath=fastmath, error_model="numpy")
        with _alone():
            return cast(Function, compile_for(function))

    return compiled


def _cache_folder() -> Path:
    """Where numba keeps what it compiled, or beside it: a folder that no other user of this machine can write to."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(named)
    beside_the_source = Path(__file__).parent / "__pycache__"
    return beside_the_source if os.access(beside_the_source.parent, os.W_OK) else Path.home() / ".cache" / "numba"


@contextmanager
def _alone() -> Iterator[None]:
    """Two processes that fill numba's cache together can leave a file that crashes every later one (numba #10128)."""
    folder = _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "samplemind-kernels.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
