"""Budget and sizes of a training on a GPU."""

from dataclasses import dataclass
from pathlib import Path

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True)
class GpuSettings:
    """Budget and sizes of one run.

    Attributes:
        cells: networks to train side by side, of `GATES`.
        units: width of each of two layers.
        minutes: of training, wall clock.
        paths: of 200 steps to train on.
        long_paths: of 1,000 steps, for the memory of many short steps.
        batch: paths of 200 steps in a batch, 4 or more; a fourth as many of the long ones.
        long_every: every so many batches one is of long paths.
        learning_rate: at its peak; a warm-up of 2 %, then a cosine to zero, by the clock.
        workers: processes that simulate.
        small_rms: see `zoo.data.broad.relative_weight`.
        start: files of an earlier run to go on from, one a cell; none: initial weights.
        seed: of paths and weights.

    Raises:
        ValueError: a batch without long paths, or a start of other cells.
    """

    cells: tuple[str, ...] = ("lstm", "gru", "rnn")
    units: int = 32
    minutes: float = 5.0
    paths: int = 320_000
    long_paths: int = 32_000
    batch: int = 1024
    long_every: int = 8
    learning_rate: float = 5e-3
    workers: int = 1
    small_rms: float = 0.01
    start: tuple[Path, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch < 4:
            raise ValueError(f"--batch must be 4 or more. Received: {self.batch}.")
        if self.start and len(self.start) != len(self.cells):
            raise ValueError(
                f"--start must name a file for each of the cells {', '.join(self.cells)}. "
                f"Received: {len(self.start)}."
            )
