"""From a file's bytes to samples: opened once, bounded in time and memory, and every failure told in a sentence.

libsndfile reads what it can, FFmpeg (through PyAV) the rest. The header is a claim: limits are checked against it, but
length is what the bytes gave.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from samplemind_tasks.audio.ffmpeg import read_with_ffmpeg
from samplemind_tasks.audio.stream import Stream, block_frames, check_format, wanted_frames
from samplemind_tasks.errors import AudioError, FailureCode

Floats = NDArray[np.float32]

_HASH_BLOCK_BYTES = 1 << 20
_FLAC_HEADER_BYTES = 21
"""Up to the rate in STREAMINFO: 20 bits from byte 18 (RFC 9639, section 8.2)."""
_LOUDEST_BELIEVED = 1_000.0
"""Samples beyond this (+60 dBFS) are not a loud sound but another scale: integers stored as floats, or garbage."""
_BIT_DEPTHS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64} | {
    f"ALAC_{bits}": bits for bits in (16, 20, 24, 32)
}


@dataclass(frozen=True)
class Audio:
    """A decoded sound.

    Attributes
    ----------
    samples : float32 [frames, channels], C-contiguous, finite; full scale is 1
    rate_hz : frames per second
    container, codec : as the decoder names them
    bit_depth : bits a sample, or None where the codec has no such thing
    duration_s : of the whole file
    measured_s : of `samples`: less than duration_s where the file was longer than the limit
    notes : what a person should know
    """

    samples: Floats
    rate_hz: int
    container: str
    codec: str
    bit_depth: int | None
    duration_s: float
    measured_s: float
    notes: tuple[str, ...]


# ------------------------------------------------------------------------------------------------------ opening a file


def open_regular(path: bytes | str | Path) -> BinaryIO:
    """Open a regular file for reading, once and without ever waiting.

    Parameters
    ----------
    path : bytes for names that are not UTF-8

    Raises
    ------
    AudioError
        NOT_REGULAR for a pipe, socket, device or folder; VANISHED where nothing has that name (any more); UNREADABLE
        for a broken or circular link, missing permission or a failing disk.
    """
    try:
        # O_NONBLOCK: opening a pipe must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _open_error(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AudioError(FailureCode.NOT_REGULAR, "This is a folder, pipe, socket or device, not a file.")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_error(path: bytes | str | Path, error: OSError | ValueError) -> AudioError:
    """What a failed open means to the person whose file it is."""
    if not isinstance(error, OSError):
        return AudioError(FailureCode.UNREADABLE, "The file cannot be opened: its name is not possible.")
    if error.errno == errno.ENXIO:
        return AudioError(FailureCode.NOT_REGULAR, "This is a socket or device, not a file.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if Path(os.fsdecode(path)).is_symlink():
            return AudioError(FailureCode.UNREADABLE, "The file is a link to something that is not there.")
        return AudioError(FailureCode.VANISHED, "The file is not there any more.")
    reason = os.strerror(error.errno) if error.errno else "unknown reason"
    return AudioError(FailureCode.UNREADABLE, f"The file cannot be opened: {reason}.")


def content_hash(file: BinaryIO) -> str:
    """sha256 of the whole file in hexadecimal; reads a megabyte at a time and leaves the file at its start.

    Raises
    ------
    AudioError
        UNREADABLE when the disk fails.
    """
    digest = hashlib.sha256()
    try:
        file.seek(0)
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        file.seek(0)
    except OSError as error:
        raise AudioError(FailureCode.UNREADABLE, f"The file cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------------------ reading samples


def decode(file: BinaryIO, *, name: str, max_bytes: int, max_duration_s: float, max_seconds: float) -> Audio:
    """Decode an open file, at most its first part.

    Parameters
    ----------
    file : open for reading and seekable: a file of `open_regular` or bytes in memory
    name : what people call the file; only used in sentences
    max_bytes : a larger file is refused
    max_duration_s : a longer sound is refused
    max_seconds : at most this much is decoded, less for very many channels or very high rates, so that samples never
        take more than 128 MiB

    Returns
    -------
    Audio with finite samples

    Raises
    ------
    AudioError
        TOO_LARGE, EMPTY, TOO_LONG, TOO_MANY_CHANNELS, BAD_RATE, UNSUPPORTED, NOT_AUDIO, UNREADABLE
    """
    size_bytes = _size_bytes(file)
    if size_bytes == 0:
        raise AudioError(FailureCode.EMPTY, "The file is empty: it holds no bytes.")
    if size_bytes > max_bytes:
        limit = f"{size_bytes / 1e6:.0f} MB, the limit is {max_bytes / 1e6:.0f} MB"
        raise AudioError(FailureCode.TOO_LARGE, f"The file is too large: {limit}.")
    limit_s = min(max_seconds, max_duration_s)
    _check_flac_rate(file)
    stream = _read_with_libsndfile(file, limit_s) or read_with_ffmpeg(file, limit_s)
    return _audio(stream, name, max_duration_s)


def _size_bytes(file: BinaryIO) -> int:
    try:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
    except OSError as error:
        raise AudioError(FailureCode.UNREADABLE, f"The file cannot be read: {error.strerror}.") from error
    return size_bytes


def _check_flac_rate(file: BinaryIO) -> None:
    """Refuse a FLAC file whose header has no rate: FFmpeg would take the rate of some frame instead."""
    header = file.read(_FLAC_HEADER_BYTES)
    file.seek(0)
    if header.startswith(b"fLaC") and len(header) == _FLAC_HEADER_BYTES and int.from_bytes(header[18:21]) >> 4 == 0:
        raise AudioError(FailureCode.BAD_RATE, "The header names no sample rate.")


def _read_with_libsndfile(file: BinaryIO, max_seconds: float) -> Stream | None:
    """Read the stream, or answer None where libsndfile finds nothing in it."""
    try:
        with _readable(file) as source, soundfile.SoundFile(source, closefd=False) as sound:
            check_format(sound.channels, sound.samplerate)
            stream = _read_blocks(sound, max_seconds)
    except soundfile.SoundFileError:
        return None
    return stream if len(stream.samples) else None


@contextmanager
def _readable(file: BinaryIO) -> Iterator[int | BinaryIO]:
    """The file's descriptor, which libsndfile reads without asking Python, or the object itself; rewound afterwards."""
    try:
        descriptor = file.fileno()
    except OSError:
        descriptor = None
    if descriptor is None:
        try:
            yield file
        finally:
            file.seek(0)
        return
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        yield descriptor
    finally:
        # A buffered file believes that its descriptor stands where it left it.
        os.lseek(descriptor, position, os.SEEK_SET)
        file.seek(0)


def _read_blocks(sound: soundfile.SoundFile, max_seconds: float) -> Stream:
    """Read up to the limit, or to where the bytes end or break."""
    wanted = min(wanted_frames(max_seconds, sound.samplerate, sound.channels), sound.frames)
    samples = np.empty((wanted, sound.channels), dtype=np.float32)
    step = block_frames(sound.channels)
    filled, broken = 0, False
    while filled < wanted:
        try:
            got = len(sound.read(out=samples[filled : filled + step]))
        except soundfile.SoundFileError:
            filled, broken = max(filled, min(sound.tell(), filled + step)), True
            break
        if got == 0:
            break
        filled += got
    return Stream(
        samples=samples[:filled],
        rate_hz=sound.samplerate,
        container=sound.format,
        codec=sound.subtype,
        bit_depth=_BIT_DEPTHS.get(sound.subtype),
        claimed_s=sound.frames / sound.samplerate,
        ended=filled < wanted or wanted == sound.frames,
        broken=broken,
    )


# ---------------------------------------------------------------------------------------------- making it measurable


def _audio(stream: Stream, name: str, max_duration_s: float) -> Audio:
    """Check what was read and put it right, with a note for everything that was touched."""
    frames = len(stream.samples)
    if frames == 0:
        failure = FailureCode.NOT_AUDIO if stream.broken or stream.claimed_s else FailureCode.EMPTY
        raise AudioError(failure, f"{name} holds no audio that can be decoded.")
    measured_s = frames / stream.rate_hz
    duration_s = measured_s if stream.ended else max(stream.claimed_s or measured_s, measured_s)
    if duration_s > max_duration_s:
        limit = f"{duration_s:.0f} s, the limit is {max_duration_s:.0f} s"
        raise AudioError(FailureCode.TOO_LONG, f"The sound is too long: {limit}.")
    samples, repairs = _finite(stream.samples)
    return Audio(
        samples=samples,
        rate_hz=stream.rate_hz,
        container=stream.container,
        codec=stream.codec,
        bit_depth=stream.bit_depth,
        duration_s=duration_s,
        measured_s=measured_s,
        notes=(*_length_notes(stream, measured_s, duration_s), *repairs),
    )


def _length_notes(stream: Stream, measured_s: float, duration_s: float) -> list[str]:
    notes = []
    if measured_s < duration_s:
        notes.append(f"only the first {measured_s:.0f} s of {duration_s:.0f} s were measured")
    if stream.broken:
        notes.append(f"the file is damaged after {measured_s:.1f} s; what comes before was measured")
    elif stream.ended and stream.claimed_s is not None and stream.claimed_s > measured_s * 1.01 + 0.2:
        notes.append(f"the header promises {stream.claimed_s:.1f} s, the file holds {measured_s:.1f} s")
    return notes


def _finite(samples: Floats) -> tuple[Floats, list[str]]:
    """Set what is not a number to zero and bring absurd scales down to full scale, in place."""
    notes = []
    # The extremes of an array with a NaN are NaN: one pass finds NaN, infinity and absurd scale alike.
    peak = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(peak):
        unreal = ~np.isfinite(samples)
        samples[unreal] = 0.0
        count = int(unreal.sum())
        were = "sample was" if count == 1 else "samples were"
        notes.append(f"{count} {were} not finite and {were.split()[1]} set to zero")
        peak = max(float(samples.max()), -float(samples.min()))
    if peak > _LOUDEST_BELIEVED:
        samples /= np.float32(peak)
        notes.append(f"samples reached {peak:.3g} times full scale and were scaled down to it")
    return samples, notes
