"""Tempo and key in the tags of a file: ID3v2, Vorbis comments, MP4, APEv2 and RIFF INFO.

Sources: id3.org (ID3v2.2 to 2.4), xiph.org (Vorbis comment, FLAC, Ogg RFC 3533), Apple's QuickTime File Format (ilst),
the APEv2 specification, Microsoft's RIFF INFO. Only what names a tempo or a key is kept; pictures are stepped over.
"""

import io
import re
from collections.abc import Iterator

from samplemind_tasks.audio.chunks import Chunk
from samplemind_tasks.audio.peek import Peek
from samplemind_tasks.features import Evidence
from samplemind_tasks.keynames import read_key

Tags = Iterator[tuple[str, str]]
"""Names and values as the container has them."""

_PARTS = 256
"""Frames, comments, atoms or items of a file that are looked at."""
_VALUE_BYTES = 256
"""A tempo or a key is shorter."""
_OGG_PAGES = 32
_SLOWEST_BPM, _FASTEST_BPM = 20.0, 400.0
_TEMPO_NAMES = frozenset(["tbpm", "tbp", "bpm", "tempo", "tmpo", "ibpm"])
_KEY_NAMES = frozenset(["tkey", "tke", "key", "initialkey", "initial key", "initial_key"])
_TEMPO = re.compile(r"\s*([0-9]{2,3}(?:[.,][0-9]{1,6})?)\s*(?:bpm)?\s*", re.IGNORECASE)
_APE_FOOTER_BYTES, _ID3V1_BYTES = 32, 128


def evidence_in(peek: Peek, head: bytes, parts: list[Chunk]) -> Iterator[Evidence]:
    """Read what the tags of a file say about tempo and key.

    Parameters
    ----------
    peek : the file
    head : its first bytes, 12 or more where it has them
    parts : its chunks, when it is made of chunks
    """
    for name, value in _tags(peek, head, parts):
        if name.lower() in _TEMPO_NAMES and (tempo := _TEMPO.fullmatch(value)):
            tempo_bpm = float(tempo[1].replace(",", "."))
            if _SLOWEST_BPM < tempo_bpm < _FASTEST_BPM:
                yield Evidence(source="tag", about="tempo_bpm", value=tempo_bpm, text=f"{name} {tempo[1]}"[:64])
        elif name.lower() in _KEY_NAMES and (key := read_key(value)):
            yield Evidence(source="tag", about="key", value=key, text=f"{name} {value.strip()}"[:64])


def _tags(peek: Peek, head: bytes, parts: list[Chunk]) -> Tags:
    for part in parts:
        if part.name == b"LIST":
            yield from _info(peek, part)
        elif part.name in (b"id3 ", b"ID3 "):
            yield from _id3(peek, part.start)
    if parts:
        return
    start = 0
    if head.startswith(b"ID3"):
        yield from _id3(peek, 0)
        start = 10 + _synchsafe(head[6:10])
    if head.startswith(b"OggS"):
        yield from _ogg(peek)
    elif head[4:8] == b"ftyp":
        yield from _mp4(peek, 0, peek.size, (b"moov", b"udta", b"meta", b"ilst"))
    elif peek.at(start, 4) == b"fLaC":
        yield from _flac(peek, start + 4)
    else:
        yield from _ape(peek)


def _synchsafe(number: bytes) -> int:
    """Seven bits a byte, so that no tag looks like the start of sound."""
    total = 0
    for byte in number:
        total = total << 7 | byte & 0x7F
    return total


def _id3(peek: Peek, start: int) -> Tags:
    head = peek.at(start, 14)
    if len(head) < 14 or not head.startswith(b"ID3"):
        return
    version, flags, end = head[3], head[5], start + 10 + _synchsafe(head[6:10])
    position = start + 10
    if flags & 0x40:
        position += _synchsafe(head[10:14]) if version == 4 else 4 + int.from_bytes(head[10:14], "big")
    name_bytes, header_bytes = (3, 6) if version == 2 else (4, 10)
    for _ in range(_PARTS):
        header = peek.at(position, header_bytes)
        if len(header) < header_bytes or position >= end or not header[0]:
            return
        name, size = header[:name_bytes].decode("latin-1"), header[name_bytes : 2 * name_bytes]
        body, position = position + header_bytes, position + header_bytes
        position += _synchsafe(size) if version == 4 else int.from_bytes(size, "big")
        if name.lower() in _TEMPO_NAMES | _KEY_NAMES or name in ("TXXX", "TXX"):
            texts = _id3_texts(peek.at(body, min(position - body, _VALUE_BYTES)))
            yield (name, texts[0]) if name[:3] != "TXX" else (texts[0], texts[1])


def _id3_texts(body: bytes) -> tuple[str, str]:
    """The first two texts of a frame, either may be empty."""
    encoding = {1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(body[0], "latin-1") if body else "latin-1"
    first, _, rest = body[1:].decode(encoding, "replace").partition("\0")
    return first, rest.partition("\0")[0].lstrip("\ufeff")


def _comments(peek: Peek, position: int) -> Tags:
    """Vorbis comment: a vendor, a count, then lengths and "NAME=value"."""
    position += 4 + int.from_bytes(peek.at(position, 4), "little")
    count = int.from_bytes(peek.at(position, 4), "little")
    position += 4
    for _ in range(min(count, _PARTS)):
        header = peek.at(position, 4 + _VALUE_BYTES)
        size = int.from_bytes(header[:4], "little")
        name, _, value = header[4 : 4 + size].decode("utf-8", "replace").partition("=")
        yield name, value
        position += 4 + size


def _flac(peek: Peek, position: int) -> Tags:
    for _ in range(_PARTS):
        header = peek.at(position, 4)
        if len(header) < 4:
            return
        if header[0] & 0x7F == 4:
            yield from _comments(peek, position + 4)
        if header[0] & 0x80:
            return
        position += 4 + int.from_bytes(header[1:], "big")


def _ogg(peek: Peek) -> Tags:
    """The second packet holds the comments, behind a few bytes that depend on the codec."""
    first, second = _ogg_packets(peek)
    if second.startswith(b"\x03vorbis"):
        skipped = 7
    elif second.startswith(b"OpusTags"):
        skipped = 8
    else:
        skipped = 4 if first.startswith(b"\x7fFLAC") else 0
    yield from _comments(Peek(io.BytesIO(second)), skipped)


def _ogg_packets(peek: Peek) -> tuple[bytes, bytes]:
    packets, position = [bytearray()], 0
    for _ in range(_OGG_PAGES):
        header = peek.at(position, 27)
        if len(header) < 27 or not header.startswith(b"OggS"):
            break
        lacing = peek.at(position + 27, header[26])
        payload, position = position + 27 + len(lacing), position + 27 + len(lacing) + sum(lacing)
        body, taken = peek.at(payload, sum(lacing)), 0
        for size in lacing:
            packets[-1] += body[taken : taken + size]
            taken += size
            if size < 255:
                packets.append(bytearray())
            if len(packets) > 2:
                return bytes(packets[0]), bytes(packets[1])
    return bytes(packets[0]), bytes(packets[1]) if len(packets) > 1 else b""


def _atoms(peek: Peek, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the body of each."""
    for _ in range(_PARTS):
        header = peek.at(start, 16)
        if len(header) < 8 or start >= end:
            return
        size, body = int.from_bytes(header[:4], "big"), 8
        if size == 1:
            size, body = int.from_bytes(header[8:16], "big"), 16
        if size < body:
            return
        yield header[4:8], start + body, min(end, start + size)
        start += size


def _mp4(peek: Peek, start: int, end: int, path: tuple[bytes, ...]) -> Tags:
    if not path:
        yield from _ilst(peek, start, end)
        return
    for name, body, body_end in _atoms(peek, start, end):
        if name == path[0]:
            # `meta` begins with a version, except in files of QuickTime's own.
            body += 4 if name == b"meta" and peek.at(body + 4, 4) != b"hdlr" else 0
            yield from _mp4(peek, body, body_end, path[1:])


def _ilst(peek: Peek, start: int, end: int) -> Tags:
    for name, body, body_end in _atoms(peek, start, end):
        if name not in (b"tmpo", b"----"):
            continue
        inside = {
            inner: peek.at(inner_start, min(inner_end - inner_start, _VALUE_BYTES))
            for inner, inner_start, inner_end in _atoms(peek, body, body_end)
        }
        data = inside.get(b"data", b"")[8:]
        if name == b"tmpo":
            yield "tmpo", str(int.from_bytes(data[:8], "big"))
        else:
            yield inside.get(b"name", b"")[4:].decode("utf-8", "replace"), data.decode("utf-8", "replace")


def _ape(peek: Peek) -> Tags:
    """APEv2 stands at the end, before an ID3v1 tag if there is one."""
    end = peek.size
    tail = peek.at(max(0, end - _ID3V1_BYTES - _APE_FOOTER_BYTES), _ID3V1_BYTES + _APE_FOOTER_BYTES)
    if tail[-_ID3V1_BYTES:].startswith(b"TAG"):
        tail, end = tail[:-_ID3V1_BYTES], end - _ID3V1_BYTES
    footer = tail[-_APE_FOOTER_BYTES:]
    if len(footer) < _APE_FOOTER_BYTES or not footer.startswith(b"APETAGEX"):
        return
    position, count = end - int.from_bytes(footer[12:16], "little"), int.from_bytes(footer[16:20], "little")
    for _ in range(min(count, _PARTS)):
        item = peek.at(position, 8 + _VALUE_BYTES)
        size = int.from_bytes(item[:4], "little")
        name, found, value = item[8:].partition(b"\0")
        if not found:
            return
        yield name.decode("latin-1"), value[:size].decode("utf-8", "replace")
        position += 8 + len(name) + 1 + size


def _info(peek: Peek, part: Chunk) -> Tags:
    if peek.at(part.start, 4) != b"INFO":
        return
    position = part.start + 4
    for _ in range(_PARTS):
        header = peek.at(position, 8 + _VALUE_BYTES)
        if len(header) < 8 or position >= part.start + part.size:
            return
        size = int.from_bytes(header[4:8], "little")
        yield header[:4].decode("latin-1"), header[8 : 8 + size].split(b"\0", 1)[0].decode("utf-8", "replace")
        position += 8 + size + size % 2
