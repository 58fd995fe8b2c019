"""WAV headers without a length, as programs leave them that write into a pipe.

Such a program cannot go back to write how many bytes of sound follow. It leaves 0, or a length that
no file has: 0x7FFFF000 (sox), 0x7FFFFFFF or 0x80000000 (arecord), 0xFFFFFFFF (ffmpeg). The sound
then ends with the file.
"""

import io
import struct
from typing import BinaryIO

_UNFINISHED = ((0x7FFF_F000, 0x8000_0000), (0xFFFF_F000, 0xFFFF_FFFF))  # from, to
_MAX_HEADER = 1 << 20  # bytes before the sound
_EXTENSIBLE = b"\xfe\xff"  # format code: the code itself follows in the extension
_GUID = bytes.fromhex("000000001000800000aa00389b71")  # behind that code
_EVEN = 0xFFFF_FFFE  # bytes, what a header says from then on


def is_unfinished(declared: int) -> bool:
    """Whether a declared length of sound [bytes] is one that a pipe leaves; 0 is one as well."""
    return declared == 0 or any(low <= declared <= high for low, high in _UNFINISHED)


class WithHeader(io.RawIOBase):
    """A file whose first bytes are replaced by as many others.

    Args:
        head: the new first bytes.
        file: placed behind the bytes that they replace; it may be a pipe.
        start: bytes of the file before those, which are left out.
    """

    def __init__(self, head: bytes, file: BinaryIO, start: int = 0) -> None:
        super().__init__()
        self._head, self._file, self._place, self._start = head, file, 0, start

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """Whether the file is."""
        return self._file.seekable()

    def tell(self) -> int:
        """Place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place, which a pipe cannot.

        Raises:
            OSError: the file cannot be moved in.
        """
        if whence == io.SEEK_CUR:
            offset, whence = self._place + offset, io.SEEK_SET
        if whence == io.SEEK_SET:
            offset += self._start
        place = self._file.seek(offset, whence) - self._start
        if place < len(self._head):
            self._file.seek(self._start + len(self._head))
        self._place = place
        return place

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, fewer at the end of the header; -1: all."""
        start = self._place
        if start >= len(self._head):
            data = self._file.read(size)
        elif size < 0:
            data = self._head[start:] + self._file.read()
        else:
            data = self._head[start : start + size]
            data += self._file.read(size - len(data)) if len(data) < size else b""
        self._place += len(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer; the number of bytes read."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def finish_header(file: BinaryIO) -> tuple[BinaryIO, bool]:
    """A WAV file with a length of its sound, and whether its header had none.

    Args:
        file: at its first byte; it may be a pipe, of which only the header is read.

    Returns:
        The file, at its first byte again; if its header had no length, one that says "until the
        end". WAVE_FORMAT_EXTENSIBLE becomes the format that it extends, and of a file whose sound
        begins with a second header the second one counts. A file that is no WAV is returned as it
        is.
    """
    head, start, is_changed = file.read(12), 0, False
    if not _is_wave(head):
        return _again(head, file), False
    while len(head) < _MAX_HEADER:
        chunk = file.read(8)
        head += chunk
        if len(chunk) < 8:
            break
        name, length = struct.unpack("<4sI", chunk)
        if name == b"data":
            if file.seekable():
                first = file.read(12)
                file.seek(-len(first), io.SEEK_CUR)
            else:
                first = file.peek(12)[:12] if isinstance(file, io.BufferedReader) else b""
            if _is_wave(first):  # the sound is a file of its own
                start, head = start + len(head), file.read(12)
                is_changed = True
                continue
            is_unfinished = ends_with_file(file, length)
            if is_unfinished:
                head = head[:4] + struct.pack("<I", _EVEN) + head[8:-4] + struct.pack("<I", _EVEN)
            is_changed |= is_unfinished
            return _again(head, file, start, is_changed=is_changed), is_unfinished
        content = file.read(min(length + length % 2, _MAX_HEADER))
        if name == b"fmt " and content[:2] == _EXTENSIBLE and content[26:40] == _GUID:
            content = content[24:26] + content[2:]  # the format that the extension names
            is_changed = True
        head += content
    return _again(head, file, start, is_changed=is_changed), False


def _is_wave(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def ends_with_file(file: BinaryIO, declared: int) -> bool:
    """Whether a length of sound is what a pipe leaves: the sound ends with the file.

    Args:
        file: placed at the sound.
        declared: length of the sound [bytes].
    """
    if not is_unfinished(declared) or not file.seekable():
        return is_unfinished(declared)
    place = file.tell()
    present = file.seek(0, io.SEEK_END) - place
    file.seek(place)
    if declared:
        return declared > present
    first = file.read(min(present, _MAX_HEADER))
    file.seek(place)
    return present > 0 and not _is_chain(first, present)


def _is_chain(content: bytes, size: int) -> bool:
    """Whether bytes are chunks: name, length and content of each, up to the end.

    Args:
        content: the first of the bytes.
        size: number of all of them.
    """
    place = 0
    while place + 8 <= size:
        name = content[place : place + 4]
        if len(name) < 4 or not (name.isascii() and name.decode().isprintable()):
            return place >= len(content) > 0
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        place += 8 + length + length % 2
    return place in (size, size + 1)


def _again(head: bytes, file: BinaryIO, start: int = 0, *, is_changed: bool = False) -> BinaryIO:
    """The file at its first byte, or with another head and without the bytes before `start`."""
    if file.seekable() and not is_changed:
        file.seek(0)
        return file
    return WithHeader(head, file, start)  # type: ignore[return-value]
