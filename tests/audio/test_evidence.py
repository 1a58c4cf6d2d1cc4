"""What the bytes of a file say: chunks and tags, honest and hostile."""

import io
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samplemind_tasks.audio.evidence import in_bytes

Said = list[tuple[str, str, float | str]]

SECOND_BYTES = 88_200


def said(content: bytes) -> Said:
    file = io.BytesIO(content)
    file.seek(3)
    found = in_bytes(file)
    assert file.tell() == 0
    return [(evidence.source, evidence.about, evidence.value) for evidence in found]


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(*chunks: bytes, seconds: float = 1.0) -> bytes:
    """Mono, 44.1 kHz, 16 bits."""
    sound = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 44_100, SECOND_BYTES, 2, 16))
    sound += chunk(b"data", bytes(round(seconds * SECOND_BYTES)))
    body = b"WAVE" + sound + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(*chunks: bytes, seconds: float = 1.0) -> bytes:
    common = struct.pack(">hIhHQ", 1, round(44_100 * seconds), 16, 16_383 + 15, 44_100 << 48)
    body = b"AIFF" + chunk(b"COMM", common, ">") + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body)) + body


def caf(*chunks: tuple[bytes, bytes], seconds: float = 1.0) -> bytes:
    description = struct.pack(">d4sIIIII", 44_100.0, b"lpcm", 0, 2, 1, 1, 16)
    parts = [(b"desc", description), *chunks, (b"data", bytes(round(seconds * SECOND_BYTES)))]
    return b"caff\0\1\0\0" + b"".join(name + struct.pack(">q", len(body)) + body for name, body in parts)


def acid(flags: int, root: int, beats: int, tempo_bpm: float) -> bytes:
    return chunk(b"acid", struct.pack("<IHHfIHHf", flags, root, 0x8000, 0.0, beats, 4, 4, tempo_bpm))


def smpl(note: int, fraction: int = 0, loops: int = 0) -> bytes:
    return chunk(b"smpl", struct.pack("<9I", 0, 0, 22_675, note, fraction, 0, 0, loops, 0) + bytes(24 * loops))


def basc(beats: int, root: int, scale: int, numerator: int = 4, denominator: int = 4) -> bytes:
    return chunk(b"basc", struct.pack(">IIHHHHH", 1, beats, root, scale, numerator, denominator, 0) + bytes(66), ">")


def id3(*frames: tuple[str, bytes], version: int = 3) -> bytes:
    def size(count: int) -> bytes:
        return bytes(count >> shift & 0x7F for shift in (21, 14, 7, 0))

    packed = b"".join(
        name.encode() + (size(len(body)) if version == 4 else struct.pack(">I", len(body))) + b"\0\0" + body
        for name, body in frames
    )
    return b"ID3" + bytes([version, 0, 0]) + size(len(packed)) + packed


def vorbis(*comments: str) -> bytes:
    packed = [struct.pack("<I", len(text.encode())) + text.encode() for text in comments]
    return struct.pack("<I", 4) + b"test" + struct.pack("<I", len(packed)) + b"".join(packed)


def flac(*comments: str) -> bytes:
    block = vorbis(*comments)
    return b"fLaC\0" + (34).to_bytes(3, "big") + bytes(34) + b"\x84" + len(block).to_bytes(3, "big") + block


def ogg(*packets: bytes) -> bytes:
    """Every packet on its own page, or several when it is long."""
    pages = b""
    for packet in packets:
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        for start in range(0, len(lacing), 255):
            sizes = bytes(lacing[start : start + 255])
            body = packet[start * 255 : start * 255 + sum(sizes)]
            pages += b"OggS" + bytes(22) + bytes([len(sizes)]) + sizes + body
    return pages


def atom(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I", 8 + len(body)) + name + body


def m4a(*items: bytes) -> bytes:
    meta = atom(b"meta", bytes(4), atom(b"hdlr", bytes(25)), atom(b"ilst", *items))
    return atom(b"ftyp", b"M4A \0\0\0\0") + atom(b"moov", atom(b"mvhd", bytes(100)), atom(b"udta", meta))


def ape(**items: str) -> bytes:
    packed = b"".join(
        struct.pack("<II", len(value), 0) + name.encode() + b"\0" + value.encode() for name, value in items.items()
    )
    return packed + b"APETAGEX" + struct.pack("<IIII8x", 2_000, len(packed) + 32, len(items), 0)


TEXT = b"\0"
LOOP = [("acid", "tempo_bpm", 120.0), ("acid", "beats", 4.0), ("acid", "kind", "loop")]
TAGGED: Said = [("tag", "tempo_bpm", 128.0), ("tag", "key", "F# minor")]
MP3 = b"\xff\xfb\x90\x64" + bytes(413)
DATA = bytes(8)
FREEFORM = atom(b"mean", bytes(4), b"com.apple.iTunes"), atom(b"name", bytes(4), b"initialkey")

HONEST: dict[str, tuple[bytes, Said]] = {
    "nothing in a wav": (wav(), []),
    "acid loop": (wav(acid(0, 0, 4, 120.0), seconds=2.0), LOOP),
    "acid loop with a root": (wav(acid(2, 57, 4, 120.0), seconds=2.0), [*LOOP, ("acid", "pitch_midi", 57.0)]),
    "acid one-shot": (wav(acid(1, 0, 0, 120.0)), [("acid", "kind", "one-shot")]),
    "acid nobody filled": (wav(acid(0, 0, 4, 0.0)), []),
    "acid of the song a drum was rendered from": (wav(acid(0, 60, 4, 120.0), seconds=0.3), LOOP[:1]),
    "acid track": (wav(acid(8, 0, 4, 120.0), seconds=2.0), LOOP[:2]),
    "smpl": (wav(smpl(45)), [("smpl", "pitch_midi", 45.0)]),
    "smpl a quarter tone up": (wav(smpl(45, 1 << 31)), [("smpl", "pitch_midi", 45.5)]),
    "smpl nobody set": (wav(smpl(60)), []),
    "smpl middle C with a loop": (wav(smpl(60, loops=1)), [("smpl", "pitch_midi", 60.0)]),
    "inst": (wav(chunk(b"inst", bytes([48, 0, 0, 0, 127, 1, 127]))), [("smpl", "pitch_midi", 48.0)]),
    "inst of a drum on its key": (wav(chunk(b"inst", bytes([36, 0, 0, 36, 36, 1, 127]))), []),
    "INST": (aiff(chunk(b"INST", bytes([50, 0, 0, 127, 1, 127]) + bytes(14), ">")), [("smpl", "pitch_midi", 50.0)]),
    "Apple Loop": (
        aiff(basc(8, 57, 1), seconds=4.0),
        [("basc", "beats", 8.0), ("basc", "tempo_bpm", 120.0), ("basc", "key", "A minor")],
    ),
    "Apple Loop in 6/8": (
        aiff(basc(6, 0, 3, 6, 8), seconds=2.0),
        [("basc", "beats", 6.0), ("basc", "tempo_bpm", 90.0)],
    ),
    "Apple Loop in CAF": (
        caf(
            (
                b"uuid",
                bytes.fromhex("29819273b5bf4aefb78d62d1ef90bb2c")
                + struct.pack(">I", 4)
                + b"beat count\x008\0key signature\0F#\0key type\0minor\0time signature\x004/4\0",
            ),
            seconds=4.0,
        ),
        [("basc", "beats", 8.0), ("basc", "tempo_bpm", 120.0), ("basc", "key", "F# minor")],
    ),
    "id3 in front of mp3": (
        id3(("APIC", bytes(50_000)), ("TBPM", TEXT + b"128"), ("TKEY", TEXT + b"F#m")) + MP3,
        TAGGED,
    ),
    "id3 of 2.4 in utf-16": (
        id3(("APIC", bytes(50_000)), ("TBPM", b"\1" + "128".encode("utf-16")), ("TKEY", b"\3F#m"), version=4) + MP3,
        TAGGED,
    ),
    "id3 in names of its own": (
        id3(("TXXX", TEXT + b"BPM\x00128"), ("TXXX", TEXT + b"initialkey\0F#m")) + MP3,
        TAGGED,
    ),
    "id3 in wav": (wav(chunk(b"id3 ", id3(("TBPM", TEXT + b"128"), ("TKEY", TEXT + b"F#m")))), TAGGED),
    "id3 in aiff": (aiff(chunk(b"ID3 ", id3(("TBPM", TEXT + b"128"), ("TKEY", TEXT + b"F#m")), ">")), TAGGED),
    "info": (wav(chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"tool") + chunk(b"IBPM", b"128\0"))), TAGGED[:1]),
    "flac": (flac("artist=someone", "BPM=128", "InitialKey=11A"), TAGGED),
    "vorbis over many pages": (
        ogg(b"\1vorbis" + bytes(23), b"\3vorbis" + vorbis("picture=" + "x" * 100_000, "bpm=128", "key=Gb min")),
        TAGGED,
    ),
    "opus": (ogg(b"OpusHead" + bytes(11), b"OpusTags" + vorbis("TEMPO=128", "key=F#m")), TAGGED),
    "m4a": (
        m4a(
            atom(b"covr", bytes(50_000)),
            atom(b"tmpo", atom(b"data", DATA, b"\x00\x80")),
            atom(b"----", *FREEFORM, atom(b"data", DATA, b"F#m")),
        ),
        TAGGED,
    ),
    "ape": (MP3 + ape(Artist="someone", BPM="128", INITIALKEY="F#m"), TAGGED),
    "ape before id3v1": (MP3 + ape(BPM="128") + b"TAG" + bytes(125), TAGGED[:1]),
    "tempo with a decimal comma": (flac("BPM=127,95"), [("tag", "tempo_bpm", 127.95)]),
    "no tempo at all": (flac("BPM=0", "BPM=12800", "BPM=fast", "key=?", "BPM=-128", "BPM=nan"), []),
}


@pytest.mark.parametrize("case", HONEST)
def test_a_file_says_this_and_nothing_else(case: str) -> None:
    content, expected = HONEST[case]
    assert said(content) == expected


@pytest.mark.parametrize("case", HONEST)
def test_a_file_cut_anywhere_is_read_without_complaint(case: str) -> None:
    content, _ = HONEST[case]
    for length in range(0, len(content), max(1, len(content) // 40)):
        said(content[:length])


def test_w64_and_rf64_are_walked_like_wav() -> None:
    body = acid(1, 0, 0, 120.0)[8:]
    part = b"acid\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a" + struct.pack("<Q", 24 + len(body)) + body
    head = b"riff" + bytes(12) + struct.pack("<Q", 0) + b"wave" + bytes(12)
    assert said(head + part) == [("acid", "kind", "one-shot")]
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 1_000, 500, 0))
    rf64 = b"RF64\xff\xff\xff\xffWAVE" + ds64 + b"data\xff\xff\xff\xff" + bytes(1_000) + acid(1, 0, 0, 120.0)
    assert said(rf64) == [("acid", "kind", "one-shot")]


def test_evidence_quotes_what_it_was_read_from() -> None:
    found = in_bytes(io.BytesIO(wav(acid(2, 57, 4, 120.0), seconds=2.0)))
    assert [evidence.text for evidence in found] == ["tempo 120", "4 beats", "loop", "root note 57"]


class Counting(io.BytesIO):
    """A file that knows how much of it was read."""

    read_bytes = 0

    def read(self, count: int | None = -1, /) -> bytes:
        found = super().read(count)
        self.read_bytes += len(found)
        return found


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a million chunks": lambda: wav(chunk(b"junk", b"") * 200_000),
    "a million comments": lambda: flac(*(f"a={number}" for number in range(300_000))),
    "a million id3 frames": lambda: id3(*[("TBPM", b"\0x")] * 150_000) + MP3,
    "atoms in atoms": lambda: m4a(*[atom(b"----", *[atom(b"free")] * 200)] * 1_000),
    "ogg pages without end": lambda: ogg(b"\1vorbis" + bytes(23), b"\3vorbis" + bytes(4_000_000)),
    "a chunk that claims four gigabytes": lambda: wav() + b"acid\xff\xff\xff\xff" + bytes(100),
    "a size of nothing": lambda: b"RIFF\0\0\0\0WAVE" + b"data\0\0\0\0" * 100_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_costs_little(case: str) -> None:
    file = Counting(HOSTILE[case]())
    started = time.process_time()
    found = in_bytes(file)
    assert time.process_time() - started < 0.2
    assert file.read_bytes <= 1 << 20
    assert found == ()


@given(st.binary(max_size=400))
@example(b"RIFF\0\0\0\0WAVE")
def test_any_bytes_are_read_without_complaint(content: bytes) -> None:
    said(content)


@given(st.sampled_from(sorted(HONEST)), st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_a_damaged_file_says_nothing_out_of_range(case: str, damage: list[tuple[int, int]]) -> None:
    content = bytearray(HONEST[case][0][:4_000])
    for place, value in damage:
        content[place % min(len(content), 300)] = value
    for _, about, value in said(bytes(content)):
        lowest, highest = {"tempo_bpm": (20, 400), "pitch_midi": (0, 127), "beats": (1, 4_096)}.get(about, (0, 0))
        assert isinstance(value, str) or lowest <= value <= highest
