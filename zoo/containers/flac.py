"""Check FLAC files: the last frame must end at the length that the header declares."""

import re
from typing import BinaryIO

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_MAX_TAIL = 1 << 22  # bytes read from the end: more than the largest frame, 8 channels of 32 bits
_MAX_CANDIDATES = 20_000  # of frame headers in it: two random bytes look like one in 32,768 places
_TAIL = 1 << 12  # bytes of tags that may follow the last frame


def fault(file: BinaryIO, size: int) -> str | None:
    """Reason why such a file holds another number of samples than it declares, or None.

    libsndfile checks each frame, but ends without an error at the declared length. So the last
    frame must end there (RFC 9639, 2024: a frame's header counts frames or samples before it).
    """
    file.seek(0)
    start = file.read(26)
    if len(start) < 26 or not start.startswith(b"fLaC\0"):
        return None  # libsndfile reports what this is
    block = int.from_bytes(start[10:12], "big")
    max_frame = int.from_bytes(start[15:18], "big") or 1 << 20  # bytes of a frame
    declared = int.from_bytes(start[18:26], "big") & (1 << 36) - 1
    length = min(size, max_frame + _TAIL, _MAX_TAIL)
    file.seek(size - length)
    tail = file.read(length)
    places = [match.start() for match in _SYNC.finditer(tail)]
    ends = []
    for at in reversed(places[-_MAX_CANDIDATES:]):
        end = _frame_end(tail[at : at + 17], block)
        if end == declared:
            return None
        ends += [] if end is None else [end]
    if not ends or not declared:
        return None
    return f"its header declares {declared} samples, its last frame ends at {max(ends)}"


def _frame_end(head: bytes, block: int) -> int | None:
    """Samples up to the end of a frame with this header; None: not a frame header.

    Sync (15), samples are counted (1), block size (4), rate (4), channels (4), bits (3), 0, count
    in as many bytes as UTF-8 would take, block size (0 to 16), rate (0 to 16), checksum (8).
    """
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    ones = f"{head[4]:08b}".find("0") if head[4] < 255 else 8
    if ones in (1, 8) or size_code == 0:
        return None
    at = 5 + max(0, ones - 1)
    count = head[4] & (0x7F >> ones)
    for byte in head[5:at]:
        count = count << 6 | byte & 0x3F
    extra = {6: 1, 7: 2}.get(size_code, 0)
    if size_code == 1:
        samples = 192
    elif extra:
        samples = int.from_bytes(head[at : at + extra], "big") + 1
    else:
        samples = 576 << size_code - 2 if size_code < 6 else 256 << size_code - 8
    at += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(head) or _checksum(head[:at]) != head[at]:
        return None
    return (count if head[1] & 1 else count * block) + samples


def _checksum(header: bytes) -> int:
    """CRC-8 by 0x07, highest bit first, from 0."""
    crc = 0
    for byte in header:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 * (crc >> 7)) & 0xFF
    return crc
