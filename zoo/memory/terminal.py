"""States and gates in a terminal, one frame a step."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

import numpy as np

LEVELS = "▁▂▃▄▅▆▇█"


def bars(values: np.ndarray, low: float, high: float) -> str:
    """A row of values as bars between `low` and `high`; what lies beyond touches the edge."""
    share = (np.asarray(values, np.float64) - low) / (high - low)
    levels = np.clip(np.floor(share * len(LEVELS)), 0, len(LEVELS) - 1).astype(int)
    return "".join(LEVELS[level] for level in levels)


def frames(head: Callable[[int], str], rows: Mapping[str, np.ndarray], width: int) -> Iterator[str]:
    """One text a step: a head line, and one row of bars for each quantity.

    A quantity between 0 and 1 is drawn from 0 to 1, as a gate; any other about zero, up to its
    largest absolute value on the path. Quantities wider than the terminal lose their last units.

    Args:
        head: step -> first line.
        rows: name -> (time, units).
        width: columns of the terminal.
    """
    margin = max(map(len, rows)) + 2
    limits = {}
    for name, values in rows.items():
        gate = values.min() >= 0 and values.max() <= 1
        size = float(np.abs(values).max()) or 1.0
        limits[name] = (0.0, 1.0) if gate else (-size, size)
    for step in range(len(next(iter(rows.values())))):
        lines = [head(step)[:width]]
        for name, values in rows.items():
            units = values[step, : max(1, width - margin)]
            lines.append(name.ljust(margin) + bars(units, *limits[name]))
        yield "\n".join(lines)


def play(
    head: Callable[[int], str],
    rows: Mapping[str, np.ndarray],
    *,
    steps_per_second: float = 20.0,
    stream: TextIO | None = None,
) -> None:
    """Draw frame over frame on a terminal; elsewhere write them one after another, unhurried.

    Args:
        head: step -> first line of its frame.
        rows: name -> (time, units).
        steps_per_second: pace on a terminal.
        stream: standard output by default.
    """
    stream = stream or sys.stdout
    live = stream.isatty()
    width = shutil.get_terminal_size().columns
    for number, frame in enumerate(frames(head, rows, width)):
        if live and number:
            time.sleep(1.0 / steps_per_second)
            print(f"\x1b[{frame.count(chr(10)) + 1}A", end="", file=stream)
        lines = frame.split("\n")
        print("\n".join(f"\x1b[2K{line}" for line in lines) if live else frame, file=stream)
        stream.flush()
