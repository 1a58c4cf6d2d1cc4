"""Read a TensorFlow 1 checkpoint (a "tensor bundle") with numpy alone.

A bundle is two files. `.data-00000-of-00001` holds the bytes of every variable, one after the other. `.index` is a
table in LevelDB's format that maps a variable's name to where its bytes lie:

- the last 48 bytes are the footer: two block handles (offset, size; as varints), then padding and a magic number;
- the second handle points to the index block, whose values are the handles of the blocks that hold the entries;
- a block is a run of entries, then the offsets of its restart points (uint32 each) and their count (uint32), then one
  byte that names the compression (0: none);
- an entry is (bytes shared with the key before, new key bytes, value bytes), as varints, then those bytes;
- a value is a protobuf `BundleEntryProto`: dtype = 1, shape = 2, shard = 3, offset = 4, size = 5.

Sources: tensorflow/core/util/tensor_bundle and tensorflow/core/protobuf/tensor_bundle.proto;
leveldb/doc/table_format.md.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from samplemind_tasks.errors import ModelUnavailable

DATA_SUFFIX = ".data-00000-of-00001"
INDEX_SUFFIX = ".index"

FOOTER_BYTES = 48
TABLE_MAGIC = 0xDB4775248B80FB57
UNCOMPRESSED = 0
MAX_VARINT_BYTES = 10

DTYPES: dict[int, DTypeLike] = {1: np.float32, 3: np.int32, 9: np.int64}
"""DataType numbers of tensorflow/core/framework/types.proto that such checkpoints use."""

Variables = dict[str, NDArray[np.generic]]
Fields = dict[int, list[int | bytes]]


def read_bundle(folder: Path) -> Variables:
    """Read every variable of the bundle `folder/.index` and `folder/.data-00000-of-00001`.

    Returns
    -------
    Variable name to a read-only array in the shape and dtype it was saved with.

    Raises
    ------
    ModelUnavailable when a file is missing, cut short or not a bundle.
    """
    try:
        index = (folder / INDEX_SUFFIX).read_bytes()
        values = (folder / DATA_SUFFIX).read_bytes()
        return dict(_variables(index, values))
    except OSError as error:
        raise ModelUnavailable(f"Cannot read the checkpoint {folder}: {error.strerror}.") from error
    except (ValueError, IndexError, TypeError, OverflowError, struct.error) as error:
        raise ModelUnavailable(f"The checkpoint {folder} is damaged: {error}.") from error


def _variables(index: bytes, values: bytes) -> Iterator[tuple[str, NDArray[np.generic]]]:
    for _, handle in _entries(index, *_index_block(index)):
        offset, at = _varint(handle, 0)
        size, _ = _varint(handle, at)
        for name, entry in _entries(index, offset, size):
            if name:  # the empty name is the bundle's own header
                yield name.decode(), _variable(_fields(entry), values)


def _index_block(index: bytes) -> tuple[int, int]:
    """Offset and size, in bytes, of the block that lists the others."""
    footer = index[-FOOTER_BYTES:]
    if len(footer) < FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != TABLE_MAGIC:
        raise ValueError("the index does not end in the table's magic number")
    at = 0
    for _ in range(2):  # the meta-index handle, which nobody needs
        _, at = _varint(footer, at)
    offset, at = _varint(footer, at)
    size, _ = _varint(footer, at)
    return offset, size


def _entries(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every entry of one block."""
    block = index[offset : offset + size]
    if len(block) < size or index[offset + size] != UNCOMPRESSED:
        raise ValueError("a block of the index is cut short or compressed")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _variable(entry: Fields, values: bytes) -> NDArray[np.generic]:
    """Cut one variable out of the data file. Protobuf leaves out fields that are zero."""
    number = _integer(entry, 1)
    if number not in DTYPES:
        raise ValueError(f"data type {number} is not one we read")
    shape = [_integer(_fields(axis), 1) for axis in _messages(_fields(_messages(entry, 2)[0]), 2)] if 2 in entry else []
    offset, size = _integer(entry, 4), _integer(entry, 5)
    if offset + size > len(values):
        raise ValueError("the data file is cut short")
    return np.frombuffer(values[offset : offset + size], DTYPES[number]).reshape(shape)


def _integer(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[0]
    if not isinstance(value, int):
        raise TypeError(f"field {number} is not a number")
    return value


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [value for value in fields.get(number, []) if isinstance(value, bytes)]


def _fields(message: bytes) -> Fields:
    """Protobuf wire format: field number to its values, in order; a fixed 4 or 8 byte value stays bytes."""
    at, fields = 0, Fields()
    while at < len(message):
        head, at = _varint(message, at)
        number, wire = head >> 3, head & 7
        value: int | bytes
        if wire == 0:
            value, at = _varint(message, at)
        elif wire in (1, 2, 5):
            length, at = _varint(message, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = message[at : at + length], at + length
        else:
            raise ValueError(f"wire type {wire} is not protobuf")
        fields.setdefault(number, []).append(value)
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Read a base-128 number, least significant group first; returns it and the place after it."""
    number = 0
    for group in range(MAX_VARINT_BYTES):
        byte = message[at + group]
        number |= (byte & 0x7F) << (7 * group)
        if byte < 0x80:
            return number, at + group + 1
    raise ValueError("a number does not end")
