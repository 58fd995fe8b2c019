"""Check MP3 files (MPEG layer III): frames must follow each other without gaps."""

import struct
from typing import BinaryIO

# bit rates [kbit/s] of version 1, and of versions 2 and 2.5; ISO 11172-3, 13818-3
_KBITS = (
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES_HZ = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8000),
}
_END_TAGS = (b"TAG", b"APE", b"LYR", b"ID3", b"\0\0\0")


def fault(file: BinaryIO, size: int) -> str | None:
    """Reason why such a file is damaged, or None: complete frames end to end, then at most tags.

    The first frame may be a Xing header, which declares the number of frames that follow. Files
    with free bit rate or another layer are not checked (ISO 11172-3, 1993).
    """
    at, frames, declared = 0, 0, None
    file.seek(0)
    while (tag := file.read(10)).startswith(b"ID3") and len(tag) == 10:
        # ID3v2: length in four times seven bits
        at += 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9])
        file.seek(at)
    while at < size:
        file.seek(at)
        head = file.read(4)
        if head.startswith(_END_TAGS):
            break
        length = _frame_length(head)
        if length is None:
            return f"no MP3 frame at byte {at}, where one should begin"
        if length == 0:
            return None
        if frames == 0:
            declared = _xing_count(file.read(64))
        at, frames = at + length, frames + 1
    if at > size:
        return "cut short: its last MP3 frame is not complete"
    if declared not in (None, frames - 1, frames):  # some encoders count the header too
        return f"{declared} MP3 frames declared, {frames - 1} are there"
    return None


def _xing_count(start: bytes) -> int | None:
    """Number of frames that a Xing header declares; None: no such header, or no number in it."""
    at = max(start.find(b"Xing"), start.find(b"Info"))
    if at < 0 or len(start) < at + 12:
        return None
    flags, frames = struct.unpack(">II", start[at + 4 : at + 12])
    return frames if flags & 1 else None


def _frame_length(head: bytes) -> int | None:
    """Bytes of a frame by its first four; 0: not determined by them, None: not a frame header.

    11 set bits, version (2), layer (2), protection, bit rate (4), rate (2), padding, ...
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 0 or bit_rate == 15 or rate == 3:
        return None
    if layer != 1 or bit_rate == 0:
        return 0
    bytes_per = 144_000 if version == 3 else 72_000  # (samples of a frame) / 8, for kbit/s
    kbits = _KBITS[version != 3][bit_rate - 1]
    return bytes_per * kbits // _RATES_HZ[version][rate] + padding
