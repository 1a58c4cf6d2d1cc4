"""The first decoder: WAV, AIFF, FLAC, MP3 and the like through libsndfile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import BinaryIO

import numpy as np
import soundfile

from samplemind_tasks.audio.stream import Damaged, Floats, Format, check_format

_BIT_DEPTHS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64} | {
    f"ALAC_{bits}": bits for bits in (16, 20, 24, 32)
}


class Libsndfile:
    """A file that libsndfile reads; see `Decoder`."""

    def __init__(self, sound: soundfile.SoundFile) -> None:
        check_format(sound.channels, sound.samplerate)
        self._sound = sound
        self.format = Format(
            rate_hz=sound.samplerate,
            channels=sound.channels,
            container=sound.format,
            codec=sound.subtype,
            bit_depth=_BIT_DEPTHS.get(sound.subtype),
            claimed_frames=sound.frames,
        )

        self._begun: Iterator[Floats] | None = None

    def holds_sound(self) -> bool:
        """Whether the first samples can be decoded: a header alone is no sound. They are kept for `blocks`."""
        reading = self._read()
        try:
            first = next(reading, None)
        except Damaged:
            return False
        if first is not None:
            self._begun = chain([first], reading)
        return first is not None

    def blocks(self) -> Iterator[Floats]:
        """See `Decoder.blocks`."""
        begun, self._begun = self._begun, None
        if begun is not None:
            return begun
        try:
            self._sound.seek(0)
        except soundfile.SoundFileError as error:
            raise Damaged from error
        return self._read()

    def _read(self) -> Iterator[Floats]:
        sound = self._sound
        # never more than the header promises: what follows in the file is not sound
        done, frames = 0, sound.frames
        buffer = np.empty((max(min(self.format.block_frames, frames), 1), sound.channels), dtype=np.float32)
        while done < frames:
            try:
                got = len(sound.read(out=buffer[: frames - done]))
            except soundfile.SoundFileError as error:
                # what was decoded before the damage is in the buffer
                if (got := min(self._position() - done, len(buffer))) > 0:
                    yield buffer[:got]
                raise Damaged from error
            if got == 0:
                return
            done += got
            yield buffer[:got]

    def _position(self) -> int:
        """The frame where reading stopped; 0 in a file that cannot tell."""
        try:
            return int(self._sound.tell())
        except soundfile.SoundFileError:
            return 0


@contextmanager
def opened(file: BinaryIO) -> Iterator[Libsndfile | None]:
    """Open a file with libsndfile, or answer None where it finds no sound in it.

    Raises
    ------
    AudioError
        as `check_format`
    """
    with _readable(file) as source:
        try:
            sound = soundfile.SoundFile(source, closefd=False)
        except soundfile.SoundFileError:
            yield None
            return
        with sound:
            decoder = Libsndfile(sound)
            yield decoder if decoder.holds_sound() else None


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
