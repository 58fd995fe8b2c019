"""What a sound file's own container promises, held against the bytes that are there.

libsndfile reads a recording that was cut short as if it were a shorter one, and steps over damaged
Ogg pages and MP3 frames. These checks read the container itself, so that such a file is named
instead.
"""

import struct
import zlib
from typing import BinaryIO

_BIT_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_UNKNOWN = 0xFFFFFFFF  # written by encoders that cannot seek back: the length is not declared
_TAIL = 1 << 12  # tags may stand behind the last FLAC frame
_MOST_CHUNKS = 1000  # a header with more is no header
# WAV format code -> bytes of a sample, None where the header's bits say: integer, float, A, mu-law
_BYTES_A_SAMPLE = {1: None, 3: None, 6: 1, 7: 1}
_EXTENSIBLE = 0xFFFE  # the code stands further behind
# MPEG layer III bit rates [kbit/s] of version 1, and of versions 2 and 2.5; ISO 11172-3, 13818-3
_MP3_KBITS = (
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_MP3_RATES_HZ = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8000),
}
_TAGS_BEHIND = (b"TAG", b"APE", b"LYR", b"ID3", b"\0\0\0")


def wav_fault(file: BinaryIO, size: int) -> str | None:
    """Why a RIFF, RIFX or RF64 file does not hold the sound that it declares, or None.

    Walks the chunks (name, little or big-endian length, padded to even) to `data` and compares its
    length [bytes] with what is left of the file, what `fmt ` says with itself, and what follows
    the sound with a chunk. RF64 keeps the 64-bit length in `ds64` (EBU Tech 3306, 2009).
    """
    file.seek(0)
    start = file.read(12)
    order = ">" if start[:4] == b"RIFX" else "<"
    end = 8 + struct.unpack(order + "I", start[4:8])[0]
    long_length, contradiction = None, None
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None  # no sound here: libsndfile says so in its own words
        name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        body = file.tell()
        if name == b"data":
            if length == _UNKNOWN and long_length is None:
                return contradiction
            length = length if length != _UNKNOWN else long_length
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
    """Where `fmt ` says the same thing twice, and differently: one of the two is damaged."""
    if len(fmt) < 16:
        return None
    code, channels, rate, per_second, block, bits = struct.unpack(order + "HHIIHH", fmt[:16])
    if code == _EXTENSIBLE and len(fmt) == 26:
        (code,) = struct.unpack(order + "H", fmt[24:])
    if code not in _BYTES_A_SAMPLE:  # compressed: a block is not a frame
        return None
    wanted = channels * (_BYTES_A_SAMPLE[code] or -(-bits // 8))
    if block != wanted:
        return f"its header contradicts itself: frames of {block} and of {wanted} bytes"
    if per_second != rate * block:
        return (
            f"its header contradicts itself: {rate} frames of {block} bytes "
            f"are not {per_second} bytes a second"
        )
    return None


def _shortfall(declared: int, present: int) -> str | None:
    if declared == 0 and present > 0:
        return f"the header was never finished: it declares no sound, {present} bytes follow"
    if declared > present:
        return f"cut short: the header declares {declared} bytes of sound, {present} are there"
    return None


def _leftover(file: BinaryIO, at: int, end: int, order: str) -> str | None:
    """Bytes behind the sound that are no chunk: then its declared length is too small."""
    file.seek(at)
    behind = file.read(min(9, max(0, end - at)))
    if len(behind) < 9 and not any(behind[1:]):  # nothing, or padding
        return None
    # a zero pads what is of odd length, but some writers forget it
    for head in (behind[:8], behind[1:]) if behind[0] == 0 else (behind[:8],):
        if len(head) == 8:
            name, length = struct.unpack(order + "4sI", head)
            if name.isascii() and name.decode().isprintable() and length <= end - at - 8:
                return None
    return f"its header declares less sound than follows: {end - at} bytes are left over"


def ogg_fault(file: BinaryIO) -> str | None:
    """Why an Ogg file is damaged, or None: every page whole, in order, checked, and one the last.

    A page is `OggS`, version, flags, granule (8), serial (4), sequence (4), checksum (4), a count
    of segments, their lengths, their bytes (RFC 3533, 2003). Flag 4 marks the last page.
    """
    file.seek(0)
    expected: dict[int, int] = {}  # stream serial -> its next page number
    open_streams: set[int] = set()
    while head := file.read(27):
        if not head.startswith(b"OggS"):
            break  # bytes after the last page; whether it was the last is asked below
        if len(head) < 27:
            return "cut short: its last Ogg page is not whole"
        flags, serial, number, checksum = head[5], *struct.unpack("<III", head[14:26])
        table = file.read(head[26])
        body = file.read(sum(table))
        if len(table) < head[26] or len(body) < sum(table):
            return "cut short: its last Ogg page is not whole"
        if _ogg_checksum(head[:22] + bytes(4) + head[26:] + table + body) != checksum:
            return f"Ogg page {number} is damaged: its checksum does not match"
        if number != expected.get(serial, number):
            return f"an Ogg page is missing before page {number}"
        expected[serial] = number + 1
        open_streams = open_streams - {serial} if flags & 4 else open_streams | {serial}
    return "cut short: its last Ogg page is missing" if open_streams else None


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 by 0x04c11db7, highest bit first, from 0: zlib's with its bits turned round."""
    turned = zlib.crc32(page.translate(_BIT_REVERSED), _UNKNOWN) ^ _UNKNOWN
    return int(f"{turned:032b}"[::-1], 2)


def flac_fault(file: BinaryIO, size: int) -> str | None:
    """Why a FLAC file holds another number of samples than it declares, or None.

    libsndfile checks each frame, but stops without a word at the declared length: the last frame
    must end there (RFC 9639, 2024: a frame's header counts frames or samples before it).
    """
    file.seek(0)
    start = file.read(26)
    if len(start) < 26 or not start.startswith(b"fLaC\0"):
        return None  # libsndfile says what this is
    block = int.from_bytes(start[10:12], "big")
    longest = int.from_bytes(start[15:18], "big") or 1 << 20  # bytes of a frame
    declared = int.from_bytes(start[18:26], "big") & (1 << 36) - 1
    file.seek(max(0, size - longest - _TAIL))
    tail = file.read()
    ends, at = [], tail.rfind(b"\xff")
    while at >= 0:
        end = _flac_frame_end(tail[at : at + 17], block)
        if end == declared:
            return None
        ends += [] if end is None else [end]
        at = tail.rfind(b"\xff", 0, at)
    if not ends or not declared:
        return None
    return f"its header declares {declared} samples, its last frame ends at {max(ends)}"


def _flac_frame_end(head: bytes, block: int) -> int | None:
    """Samples up to the end of a frame with this header; None where it is none.

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
    if at >= len(head) or _flac_checksum(head[:at]) != head[at]:
        return None
    return (count if head[1] & 1 else count * block) + samples


def _flac_checksum(header: bytes) -> int:
    """CRC-8 by 0x07, highest bit first, from 0."""
    crc = 0
    for byte in header:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 * (crc >> 7)) & 0xFF
    return crc


def mp3_fault(file: BinaryIO, size: int) -> str | None:
    """Why an MPEG layer III file is damaged, or None: whole frames end to end, then at most tags.

    The first frame may be a Xing header, which declares how many follow. Not checked where the bit
    rate is free or the layer another (ISO 11172-3, 1993).
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
        if head.startswith(_TAGS_BEHIND):
            break
        length = _mp3_frame_length(head)
        if length is None:
            return f"no MP3 frame at byte {at}, where one should begin"
        if length == 0:
            return None
        if frames == 0:
            declared = _xing_count(file.read(64))
        at, frames = at + length, frames + 1
    if at > size:
        return "cut short: its last MP3 frame is not whole"
    if declared not in (None, frames - 1, frames):  # some encoders count the header too
        return f"{declared} MP3 frames declared, {frames - 1} are there"
    return None


def _xing_count(start: bytes) -> int | None:
    """Frames behind a Xing header, as it declares; None if this is none or does not say."""
    at = max(start.find(b"Xing"), start.find(b"Info"))
    if at < 0 or len(start) < at + 12:
        return None
    flags, frames = struct.unpack(">II", start[at + 4 : at + 12])
    return frames if flags & 1 else None


def _mp3_frame_length(head: bytes) -> int | None:
    """Bytes of a frame by its first four; 0 where they cannot say, None where they are no frame.

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
    kbits = _MP3_KBITS[version != 3][bit_rate - 1]
    return bytes_per * kbits // _MP3_RATES_HZ[version][rate] + padding
