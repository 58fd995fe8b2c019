"""Progress on standard error: one line, or how far a long loop is."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Item = TypeVar("Item")


def printable(text: str) -> str:
    """Text for a terminal: control characters, which could move its cursor, as escapes.

    Names in files of others reach messages. Line ends are kept.

    Args:
        text: from anywhere.
    """
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Text for a terminal on one line, as `printable`; white space becomes single blanks."""
    return printable(" ".join(text.split()))


def say(text: str) -> None:
    """Write one line of progress to standard error; results go to standard output."""
    print(printable(text.replace("\n", " ")), file=sys.stderr, flush=True)


def track(
    items: Iterable[Item], total: int, what: str, stream: TextIO | None = None
) -> Iterator[Item]:
    """Yield `items`; from the third second on, write `what: done / total` and the time left.

    On a terminal one line is updated, elsewhere a line is written every ten seconds.

    Args:
        items: to pass on.
        total: how many there are.
        what: first words of the line.
        stream: to write to; None: standard error.
    """
    output: TextIO = sys.stderr if stream is None else stream
    live = output.isatty()
    began = time.monotonic()
    written_at = began + 2 - (0.2 if live else 10)
    has_written = False
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - written_at > (0.2 if live else 10):
            written_at, has_written = now, True
            left = round((now - began) / done * (total - done))
            line = f"{what}: {done:,} / {total:,}, {left // 60}:{left % 60:02d} left"
            print(f"\r\x1b[2K{line}" if live else line, end="" if live else "\n", file=output)
            output.flush()
    if has_written and live:
        print("\r\x1b[2K", end="", file=output, flush=True)
