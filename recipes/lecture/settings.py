"""Settings of the lecture recipe."""

from dataclasses import dataclass
from pathlib import Path

from zoo.runs import RunPaths


@dataclass(frozen=True)
class Settings:
    """What a run computes and where it writes.

    Attributes:
        seed: seed of the drawn weights and of the synthetic sound, 0 or more.
        out: folder of the page; None: runs/lecture.
        command: command line that repeats the run, for the page.
    """

    seed: int = 0
    out: Path | None = None
    command: str = "python -m recipes.lecture"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"--seed must be 0 or more. Received: {self.seed}.")

    @property
    def paths(self) -> RunPaths:
        """Files of the run."""
        return RunPaths("lecture", self.out)
