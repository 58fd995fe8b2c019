"""Check Ogg files: numbered pages, each with its own checksum."""

import struct
import zlib
from typing import BinaryIO

_BIT_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ONES = 0xFFFFFFFF


def fault(file: BinaryIO, size: int) -> str | None:
    """Reason why such a file is damaged, or None: pages complete, in order, with an end.

    A page is `OggS`, version, flags, granule (8), serial (4), sequence (4), checksum (4), a count
    of segments, their lengths, their bytes (RFC 3533, 2003). Flag 4 marks the last page.
    """
    file.seek(0)
    expected: dict[int, int] = {}  # stream serial -> its next page number
    open_streams: set[int] = set()
    while head := file.read(27):
        if not head.startswith(b"OggS"):
            break  # bytes after the last page; whether it was the last is checked below
        if len(head) < 27:
            return "cut short: its last Ogg page is not complete"
        flags, serial, number, checksum = head[5], *struct.unpack("<III", head[14:26])
        table = file.read(head[26])
        body = file.read(sum(table))
        if len(table) < head[26] or len(body) < sum(table):
            return "cut short: its last Ogg page is not complete"
        if _checksum(head[:22] + bytes(4) + head[26:] + table + body) != checksum:
            return f"Ogg page {number} is damaged: its checksum does not match"
        if number != expected.get(serial, number):
            return f"an Ogg page is missing before page {number}"
        expected[serial] = number + 1
        open_streams = open_streams - {serial} if flags & 4 else open_streams | {serial}
    return "cut short: its last Ogg page is missing" if open_streams else None


def _checksum(page: bytes) -> int:
    """CRC-32 by 0x04c11db7, highest bit first, from 0: zlib's with reversed bits."""
    reversed_crc = zlib.crc32(page.translate(_BIT_REVERSED), _ONES) ^ _ONES
    return int(f"{reversed_crc:032b}"[::-1], 2)
