"""Settings of the step latency benchmark."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes:
        folders: saved models, such as saved_models/hysteresis-lstm.
        steps: calls of every file, 1 or more.
    """

    folders: tuple[Path, ...]
    steps: int = 10_000

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"`steps` must be 1 or more. Received: {self.steps}.")
