"""Check WAV files (RIFF, RIFX, RF64): chunks with lengths, one of which holds the sound."""

import struct
from typing import BinaryIO

from zoo.containers.unfinished import ends_with_file

_UNKNOWN = 0xFFFFFFFF  # the length stands in `ds64`; without that, none is declared
_MAX_CHUNKS = 1000  # of a valid header
# format code -> bytes of a sample, None: given by the header; integer, float, A-law, mu-law
_BYTES_A_SAMPLE = {1: None, 3: None, 6: 1, 7: 1}
_EXTENSIBLE = 0xFFFE  # the format code follows later


def fault(file: BinaryIO, size: int) -> str | None:
    """Reason why such a file does not hold the sound that it declares, or None.

    Reads the chunks (name, little or big-endian length, padded to even) up to `data` and compares
    its length [bytes] with the rest of the file. It also checks that the fields of `fmt ` agree
    with each other, and that a chunk follows the sound. RF64 keeps the 64-bit length in `ds64`
    (EBU Tech 3306, 2009).
    """
    file.seek(0)
    start = file.read(12)
    if len(start) < 12:
        return None  # libsndfile reports that
    order = ">" if start[:4] == b"RIFX" else "<"
    end = 8 + struct.unpack(order + "I", start[4:8])[0]
    long_length: int | None = None
    contradiction = None
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None  # no sound here: libsndfile reports that
        name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        body = file.tell()
        if name == b"data":
            if length == _UNKNOWN:
                if long_length is None:
                    return contradiction
                length = long_length
            elif ends_with_file(file, length):
                return contradiction
            return (
                contradiction
                or _shortfall(length, size - body)
                or _leftover(file, body + length, min(end, size), order)
            )
        if name == b"fmt ":
            contradiction = _contradiction(file.read(min(length, 26)), order)
        if name == b"ds64":
            sizes = file.read(16)
            long_length = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
        file.seek(body + length + length % 2)
    return None


def _contradiction(fmt: bytes, order: str) -> str | None:
    """Difference between two fields of `fmt ` with the same meaning: one of them is damaged."""
    if len(fmt) < 16:
        return None
    code, channels, rate, per_second, block, bits = struct.unpack(order + "HHIIHH", fmt[:16])
    if code == _EXTENSIBLE and len(fmt) == 26:
        (code,) = struct.unpack(order + "H", fmt[24:])
    if code not in _BYTES_A_SAMPLE:  # compressed: a block is not a frame
        return None
    expected = channels * (_BYTES_A_SAMPLE[code] or -(-bits // 8))
    if block != expected:
        return f"its header contradicts itself: frames of {block} and of {expected} bytes"
    if per_second != rate * block:
        return (
            f"its header contradicts itself: {rate} frames of {block} bytes "
            f"are not {per_second} bytes a second"
        )
    return None


def _shortfall(declared: int, present: int) -> str | None:
    if declared > present:
        return f"cut short: the header declares {declared} bytes of sound, {present} are there"
    return None


def _leftover(file: BinaryIO, at: int, end: int, order: str) -> str | None:
    """Bytes behind the sound that are no chunk: its declared length is too small."""
    file.seek(at)
    behind = file.read(min(9, max(0, end - at)))
    if len(behind) < 9 and not any(behind[1:]):  # nothing, or padding
        return None
    # a zero pads what is of odd length, but some writers leave it out
    for head in (behind[:8], behind[1:]) if behind[0] == 0 else (behind[:8],):
        if len(head) == 8:
            name, length = struct.unpack(order + "4sI", head)
            if name.isascii() and name.decode().isprintable() and length <= end - at - 8:
                return None
    return f"its header declares less sound than follows: {end - at} bytes are left over"
