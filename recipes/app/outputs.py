"""What the app writes: a CSV file, a figure, a plot in the terminal."""

import contextlib
import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .histories import Loading


def write_csv(path: Path, loading: Loading, stress: np.ndarray, unit: str) -> None:
    """Write a CSV file of time, strain and stress."""
    with writing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", "strain", f"stress_{unit.lower()}".removesuffix("_-")])
        writer.writerows(zip(loading.time_s, loading.strain, stress, strict=True))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path, renamed to `path` at the end, removed on failure.

    Raises:
        OSError: naming `path`, where it cannot be written.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None:  # a full disk names no file
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_figure(path: Path, loading: Loading, stress: np.ndarray, unit: str) -> None:
    """Write a PNG file of stress over time and over strain."""
    from matplotlib.figure import Figure  # imported here: only --png needs it

    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=120)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.plot(loading.time_s, stress, lw=1.5)
    left.set(xlabel="time [s]", ylabel=f"stress [{unit}]")
    right.plot(loading.strain, stress, lw=1.5)
    right.set(xlabel="strain [-]")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    with writing(path) as temporary:
        figure.savefig(temporary, format="png")


def terminal_plot(x: np.ndarray, y: np.ndarray, width: int = 72, height: int = 14) -> str:
    """Line plot in Braille characters, 2 × 4 dots each, with the ends of the axes."""
    dots = np.zeros((4 * height, 2 * width), bool)
    span_x, span_y = np.ptp(x) or 1.0, np.ptp(y) or 1.0
    across = (x - x.min()) / span_x * (2 * width - 1)
    up = (y - y.min()) / span_y * (4 * height - 1)
    for k in range(len(x) - 1):
        n = 2 + int(max(abs(across[k + 1] - across[k]), abs(up[k + 1] - up[k])))
        columns = np.linspace(across[k], across[k + 1], n).round().astype(int)
        rows = np.linspace(up[k], up[k + 1], n).round().astype(int)
        dots[4 * height - 1 - rows, columns] = True
    # Braille numbers its dots down the left column, then down the right one, then the last row.
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    cells = (dots.reshape(height, 4, width, 2).swapaxes(1, 2) * bits).sum(axis=(2, 3))
    labels = [f"{y.max():.3g}", *[""] * (height - 2), f"{y.min():.3g}"]
    lines = [
        f"{label:>9} ┤" + "".join(chr(0x2800 + cell) for cell in row).rstrip("\u2800")
        for label, row in zip(labels, cells, strict=True)
    ]
    low, high = f"{x.min():.3g}", f"{x.max():.3g}"
    return "\n".join([*lines, " " * 11 + low + high.rjust(width - len(low))])
