"""Decode a text file: UTF-8, UTF-16, UTF-32 or Windows-1252, with or without byte-order mark."""

import re
from pathlib import Path

from zoo.tables.formats import refuse_other_formats

MAX_BYTES = 64_000_000  # of a file: reading it takes 3 to 12 bytes of memory a byte
_MARKS = (  # byte-order marks; the longer ones first
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def read_text(path: Path) -> tuple[str, list[str]]:
    """Text of a file, and notes on its encoding if that is not UTF-8.

    Raises:
        ValueError: no file, or no text; one line.
    """
    expected = "Expected a CSV file with a header line."
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: not a file. {expected}")
        _check_size(path.stat().st_size, str(path))
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file. {expected}") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read, {error.strerror}. {expected}") from None
    return decode(raw, str(path))


def decode(raw: bytes, name: str) -> tuple[str, list[str]]:
    """Text of bytes in UTF-8, UTF-16, UTF-32 or Windows-1252 (Latin-1), and a note on which.

    Args:
        raw: content of a file.
        name: of the file, for messages.

    Raises:
        ValueError: bytes that are no text; one line.
    """
    _check_size(len(raw), name)
    refuse_other_formats(raw, name)
    encoding = next((each for mark, each in _MARKS if raw.startswith(mark)), None)
    if encoding is None:
        head = raw[:4000]
        high, low = head[1::2].count(0), head[::2].count(0)
        if high > 0.4 * len(head) / 2 and low < high / 10:
            encoding = "utf-16-le"
        elif low > 0.4 * len(head) / 2 and high < low / 10:
            encoding = "utf-16-be"
    notes = []
    text = ""
    broken = -1
    try:
        text = raw.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        broken = error.start
        if encoding is None:
            text, broken = raw.decode("cp1252", errors="replace"), -1
            notes.append("not UTF-8, taken for Windows-1252 (Latin-1)")
    if encoding and encoding.startswith("utf-") and encoding not in ("utf-8-sig",):
        notes.append(f"text in {encoding[:6].upper()}")
    zero = text.find("\0")
    if broken < 0 and zero >= 0:
        broken = len(text[:zero].encode(errors="replace"))
    if broken >= 0:
        line = len(re.findall(rb"\r\n|\r|\n", raw[:broken])) + 1
        raise ValueError(f"{name}, line {line}: not text. Save the table as CSV in UTF-8.")
    return text.removeprefix("\ufeff"), notes


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise ValueError(
            f"{name}: {size / 1e6:.0f} MB, expected at most {MAX_BYTES / 1e6:.0f}, since reading "
            "takes up to 12 times as much memory. Keep every n-th row, or a file a specimen."
        )
