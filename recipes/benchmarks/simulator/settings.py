"""Settings of the benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Paths that are simulated.

    Attributes:
        paths: timed.
        steps: of a path.
        repeats: runs, of which the median counts.
        checked: paths that Radau solves too.
    """

    paths: int = 10_000
    steps: int = 200
    repeats: int = 3
    checked: int = 4
