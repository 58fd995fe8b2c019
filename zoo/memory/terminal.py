"""Animation of states and gates in a terminal, one frame per time step."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

import numpy as np

LEVELS = "▁▂▃▄▅▆▇█"


def format_bars(values: np.ndarray, low: float, high: float) -> str:
    """A row of values as bars between `low` and `high`; values outside are clipped.

    Args:
        values: (units,).
        low: value of the lowest bar.
        high: value of the highest bar.

    Returns:
        One character per value.
    """
    share = (np.asarray(values, np.float64) - low) / (high - low)
    levels = np.clip(np.floor(share * len(LEVELS)), 0, len(LEVELS) - 1).astype(int)
    return "".join(LEVELS[level] for level in levels)


def make_frames(
    head: Callable[[int], str], rows: Mapping[str, np.ndarray], width: int
) -> Iterator[str]:
    """One text per step: a head line, and one row of bars for each quantity.

    A quantity in [0, 1] is drawn on that range, as a gate; any other symmetrically about zero, up
    to its largest absolute value on the path. Units that do not fit the width are cut off.

    Args:
        head: step -> first line.
        rows: name -> (time, units).
        width: width of the terminal [character cells].

    Yields:
        The lines of one frame, joined by newlines.
    """
    margin = max(map(len, rows)) + 2
    limits = {}
    for name, values in rows.items():
        is_gate = values.min() >= 0 and values.max() <= 1
        size = float(np.abs(values).max()) or 1.0
        limits[name] = (0.0, 1.0) if is_gate else (-size, size)
    for step in range(len(next(iter(rows.values())))):
        lines = [head(step)[:width]]
        for name, values in rows.items():
            units = values[step, : max(1, width - margin)]
            lines.append(name.ljust(margin) + format_bars(units, *limits[name]))
        yield "\n".join(lines)


def play_frames(
    head: Callable[[int], str],
    rows: Mapping[str, np.ndarray],
    *,
    steps_per_second: float = 20.0,
    stream: TextIO | None = None,
) -> None:
    """Draw frame over frame on a terminal; write them one after another to anything else.

    Args:
        head: step -> first line of its frame.
        rows: name -> (time, units).
        steps_per_second: frame rate on a terminal [1/s]; elsewhere there is no delay.
        stream: where to write; None: standard output.
    """
    output = stream or sys.stdout
    is_terminal = output.isatty()
    width = shutil.get_terminal_size().columns
    for number, frame in enumerate(make_frames(head, rows, width)):
        if is_terminal and number:
            time.sleep(1.0 / steps_per_second)
            print(f"\x1b[{frame.count(chr(10)) + 1}A", end="", file=output)
        lines = frame.split("\n")
        print("\n".join(f"\x1b[2K{line}" for line in lines) if is_terminal else frame, file=output)
        output.flush()
