"""Settings of the benchmark of scans."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """Size of the problem; every number is 1 or more.

    Attributes:
        units: width of the cell.
        batch: sequences in a batch.
        time: time steps of each sequence.
        rounds: training steps of each implementation.
        publish: write the table to recipes/benchmarks/scan_training.md.
    """

    units: int = 32
    batch: int = 16
    time: int = 2000
    rounds: int = 5
    publish: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "publish" and value < 1:
                raise ValueError(f"`{field.name}` must be 1 or more. Received: {value}.")
