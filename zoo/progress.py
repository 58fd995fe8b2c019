"""Progress on standard error: one line, or how far a long loop is."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Item = TypeVar("Item")


def say(text: str) -> None:
    """Write one line of progress to standard error; results go to standard output."""
    print(text, file=sys.stderr, flush=True)


def track(
    items: Iterable[Item], total: int, what: str, stream: TextIO | None = None
) -> Iterator[Item]:
    """Pass `items` on; from the third second, write `what: done / total`.

    On a terminal one line moves, elsewhere a line is written every ten seconds.
    """
    stream = stream or sys.stderr
    live = stream.isatty()
    began = time.monotonic()
    said = began + 2 - (0.2 if live else 10)
    spoke = False
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - said > (0.2 if live else 10):
            said, spoke = now, True
            left = round((now - began) / done * (total - done))
            line = f"{what}: {done:,} / {total:,}, {left // 60}:{left % 60:02d} left"
            print(f"\r\x1b[2K{line}" if live else line, end="" if live else "\n", file=stream)
            stream.flush()
    if spoke and live:
        print("\r\x1b[2K", end="", file=stream, flush=True)
