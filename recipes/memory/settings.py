"""Settings of the memory recipe."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths

MIN_LENGTH = 4


@dataclass(frozen=True)
class Settings:
    """What a run computes and where it writes.

    Attributes:
        length: time steps of a sequence of the adding problem, 4 or more.
        units: units of each network.
        steps: training steps at most.
        seed: seed of data and weights.
        quick: whether to run a smoke test: short sequences, few training steps.
        model: a `.keras` file or a saved model to analyse instead; None: the experiment.
        csv: inputs for `model`; None: a loading cycle for a model of a material, else noise.
        live: whether to draw states and gates in the terminal instead of writing a page.
        frames_per_second: frame rate of `live` [1/s].
        out: folder of the page; None: runs/NAME.
        command: command line that repeats the run, for the page.
    """

    length: int = 100
    units: int = 32
    steps: int = 2400
    seed: int = 0
    quick: bool = False
    model: Path | None = None
    csv: Path | None = None
    live: bool = False
    frames_per_second: float = 20.0
    out: Path | None = None
    command: str = "python -m recipes.memory"

    def __post_init__(self) -> None:
        if self.length < MIN_LENGTH:
            raise ValueError(
                f"--length must be {MIN_LENGTH} or more, two steps for each of the two numbers. "
                f"Received: {self.length}."
            )

    @property
    def task_length(self) -> int:
        """Time steps of a sequence in this run."""
        return min(20, self.length) if self.quick else self.length

    @property
    def paths(self) -> RunPaths:
        """Files of the run."""
        name = "memory-quick" if self.quick else "memory"
        if self.model is not None:
            name = f"memory-{self.model.name.removesuffix('.keras')}"
        return RunPaths(name, self.out)
