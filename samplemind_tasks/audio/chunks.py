"""What samplers and loop libraries write beside the sound: `acid`, `smpl`, `inst`, Apple Loops.

Sources: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, `smpl`, `inst`), EBU Tech 3306 (RF64),
Sony's Wave64, Apple's AIFF 1.3 (`INST`) and Core Audio Format. `acid`, `basc` and the loop texts of CAF are
undocumented: as libsndfile and other readers have worked them out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from samplemind_tasks.audio.peek import Peek
from samplemind_tasks.features import Evidence
from samplemind_tasks.keynames import key_name, read_key

_CHUNKS = 64
_BODY_BYTES = 65_536
_ACID_ONE_SHOT, _ACID_ROOT, _ACID_DISK = 1, 2, 8
_MOST_BEATS = 4_096
"""A quarter of an hour at 270 bpm; a larger number is no count of beats."""
_SAME_LENGTH = 0.03
_UNSET_NOTE = 60
"""Middle C is what writers put where nobody set a note."""
_SLOWEST_BPM, _FASTEST_BPM = 20.0, 400.0
_MINOR, _MAJOR = 1, 2
_APPLE_LOOP = bytes.fromhex("29819273b5bf4aefb78d62d1ef90bb2c")


@dataclass(frozen=True)
class Layout:
    """How a container lines up its chunks."""

    container: Literal["riff", "w64", "aiff", "caf"]
    first: int
    """Where the first chunk begins."""
    header: struct.Struct
    """Name and size of a chunk."""
    counts_header: bool
    """Whether the size includes the header."""
    alignment: int


_RIFF = Layout("riff", 12, struct.Struct("<4sI"), False, 2)
_W64 = Layout("w64", 40, struct.Struct("<4s12xQ"), True, 8)
_AIFF = Layout("aiff", 12, struct.Struct(">4sI"), False, 2)
_CAF = Layout("caf", 8, struct.Struct(">4sQ"), False, 1)


@dataclass(frozen=True)
class Chunk:
    """A named part of a file, `size` bytes from `start`; both as the file claims."""

    name: bytes
    start: int
    size: int


def layout(head: bytes) -> Layout | None:
    """Tell from the first 28 bytes how a file lines up its chunks; None when it has none that are read here."""
    kind = head[:4]
    if kind in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _RIFF
    if kind == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _AIFF
    if kind == b"caff":
        return _CAF
    if kind == b"riff" and head[24:28] == b"wave":
        return _W64
    return None


def chunks(peek: Peek, form: Layout) -> Iterator[Chunk]:
    """Walk the chunks of a file: at most 64, and none after one that claims to pass the end."""
    position, data_size = form.first, 0
    for _ in range(_CHUNKS):
        header = peek.at(position, form.header.size)
        if len(header) < form.header.size:
            return
        name, size = form.header.unpack(header)
        start = position + form.header.size
        if form.counts_header:
            size = max(0, size - form.header.size)
        if name == b"ds64":
            data_size = int.from_bytes(peek.at(start + 8, 8), "little")
        if name == b"data" and size == 0xFFFFFFFF and data_size:
            size = data_size
        yield Chunk(name, start, size)
        position = start + size + -size % form.alignment


def evidence_in(peek: Peek, parts: list[Chunk], form: Layout) -> Iterator[Evidence]:
    """Read what the chunks of a file say about tempo, key, pitch, beats and kind."""
    seconds = _seconds(peek, parts, form)
    for part in parts:
        body = peek.at(part.start, min(part.size, _BODY_BYTES)) if part.name in _READ else b""
        if part.name == b"acid" and len(body) >= 24:
            yield from _acid(body, seconds)
        elif part.name == b"smpl" and len(body) >= 36:
            yield from _smpl(body)
        elif part.name == b"inst" and len(body) >= 5:
            yield from _instrument(body[0], body[3], body[4], "inst")
        elif part.name == b"INST" and len(body) >= 4:
            yield from _instrument(body[0], body[2], body[3], "INST")
        elif part.name == b"basc" and len(body) >= 16:
            yield from _basc(body, seconds)
        elif body.startswith(_APPLE_LOOP) and len(body) >= 20:
            yield from _apple_texts(body[20:], seconds)


_READ = frozenset([b"acid", b"smpl", b"inst", b"INST", b"basc", b"uuid"])


def _acid(body: bytes, seconds: float) -> Iterator[Evidence]:
    """Read the chunk of ACID and of the many programs that write it.

    A chunk without a tempo was filled by nobody. Where the beats are not as long as the sound, as in a drum rendered
    from a song, the tempo is the song's and the beats are nothing. The root note has a pitch class and no octave.
    """
    flags, root, beats, tempo_bpm = struct.unpack_from("<IH6xI4xf", body)
    if flags & _ACID_ONE_SHOT:
        yield Evidence(source="acid", about="kind", value="one-shot", text="one-shot")
    elif _SLOWEST_BPM < tempo_bpm < _FASTEST_BPM:
        yield Evidence(source="acid", about="tempo_bpm", value=tempo_bpm, text=f"tempo {tempo_bpm:.6g}")
        if 0 < beats <= _MOST_BEATS and abs(beats * 60.0 / tempo_bpm - seconds) < _SAME_LENGTH * seconds:
            yield Evidence(source="acid", about="beats", value=float(beats), text=f"{beats} beats")
            if not flags & _ACID_DISK:
                yield Evidence(source="acid", about="kind", value="loop", text="loop")
    if flags & _ACID_ROOT and 0 < root < 128:
        yield Evidence(source="acid", about="pitch_midi", value=float(root), text=f"root note {root}")


def _smpl(body: bytes) -> Iterator[Evidence]:
    note, fraction = struct.unpack_from("<II", body, 12)
    loops = int.from_bytes(body[28:32], "little")
    if not 0 < note < 128 or (note == _UNSET_NOTE and not fraction and not loops):
        return
    pitch = min(127.0, note + fraction / 2**32)
    yield Evidence(source="smpl", about="pitch_midi", value=pitch, text=f"unity note {pitch:.6g}")


def _instrument(note: int, lowest: int, highest: int, chunk: str) -> Iterator[Evidence]:
    """A sound that plays on one key alone is a drum on its place, whatever its pitch."""
    if 0 < note < 128 and note != _UNSET_NOTE and lowest < highest:
        yield Evidence(source="smpl", about="pitch_midi", value=float(note), text=f"{chunk} note {note}")


def _basc(body: bytes, seconds: float) -> Iterator[Evidence]:
    """Its last field, loop or one-shot, is left: readers disagree about which value is which."""
    beats, root, scale, _, denominator = struct.unpack_from(">4xIHHHH", body)
    yield from _beats(beats, denominator, seconds)
    if 0 < root < 128 and scale in (_MINOR, _MAJOR):
        key = key_name(root % 12, minor=scale == _MINOR)
        yield Evidence(source="basc", about="key", value=key, text=f"root {root}, scale {scale}")


def _apple_texts(body: bytes, seconds: float) -> Iterator[Evidence]:
    """Names and values, each ended by a zero."""
    words = body.decode("utf-8", "replace").split("\0", 64)
    said = dict(zip(words[:-1:2], words[1::2], strict=False))
    _, _, denominator = said.get("time signature", "").partition("/")
    beats = said.get("beat count", "")
    if _small_number(beats):
        yield from _beats(int(beats), int(denominator) if _small_number(denominator) else 4, seconds)
    tonic, mode = said.get("key signature", "")[:8], said.get("key type", "")
    key = read_key(f"{tonic} {mode}") if mode in ("minor", "major") else None
    if key is not None:
        yield Evidence(source="basc", about="key", value=key, text=f"{tonic} {mode}")


def _small_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4


def _beats(beats: int, denominator: int, seconds: float) -> Iterator[Evidence]:
    """An Apple Loop is exactly its beats long: its tempo in quarter notes follows."""
    if not 0 < beats <= _MOST_BEATS:
        return
    yield Evidence(source="basc", about="beats", value=float(beats), text=f"{beats} beats")
    if seconds <= 0 or denominator not in (1, 2, 4, 8, 16):
        return
    tempo_bpm = beats * 4 / denominator * 60.0 / seconds
    if _SLOWEST_BPM < tempo_bpm < _FASTEST_BPM:
        yield Evidence(source="basc", about="tempo_bpm", value=tempo_bpm, text=f"{beats} beats in {seconds:.6g} s")


def _seconds(peek: Peek, parts: list[Chunk], form: Layout) -> float:
    """How long the sound is by its header; 0 when that does not say."""
    place = {part.name: part for part in reversed(parts)}
    nothing = Chunk(b"", peek.size, 0)
    if form.container == "aiff":
        common = peek.at(place.get(b"COMM", nothing).start, 18)
        return _aiff_seconds(common) if len(common) == 18 else 0.0
    sound = place.get(b"data", nothing)
    if form.container == "caf":
        description = peek.at(place.get(b"desc", nothing).start, 32)
        packets = peek.at(place.get(b"pakt", nothing).start, 16)
        return _caf_seconds(description, packets, sound.size) if len(description) == 32 else 0.0
    bytes_per_s = int.from_bytes(peek.at(place.get(b"fmt ", nothing).start + 8, 4), "little")
    return min(sound.size, peek.size) / bytes_per_s if bytes_per_s else 0.0


def _aiff_seconds(common: bytes) -> float:
    """The rate is an 80-bit float."""
    frames, exponent, mantissa = struct.unpack(">2xI2xHQ", common)
    rate_hz = mantissa * 2.0 ** (exponent - 16_383 - 63) if exponent < 16_383 + 64 else 0.0
    return float(frames / rate_hz) if rate_hz >= 1.0 else 0.0


def _caf_seconds(description: bytes, packets: bytes, sound_bytes: int) -> float:
    rate_hz, frame_bytes = struct.unpack_from(">d8xI", description)
    if not 1.0 <= rate_hz < 1e7:
        return 0.0
    if len(packets) == 16:
        return float(int.from_bytes(packets[8:], "big") / rate_hz)
    return float(sound_bytes / frame_bytes / rate_hz) if frame_bytes else 0.0
