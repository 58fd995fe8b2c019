"""Settings of the GPU benchmark."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark.

    Attributes:
        seconds: of each row, tracing and compilation not counted [s].
        deterministic: ask TensorFlow and torch for operations that give the same bits every time.
        tiny: smallest sizes and two steps a row: whether the script runs, not how fast.
        table: Markdown file to write besides; None: print only.
    """

    seconds: float = 6.0
    deterministic: bool = False
    tiny: bool = False
    table: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 60:
            raise ValueError(f"`seconds` must lie in (0, 60]. Received: {self.seconds}.")
