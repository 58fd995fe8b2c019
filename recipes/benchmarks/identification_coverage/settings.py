"""Settings of the benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Noisy tests that constants are identified from.

    Attributes:
        repeats: noisy tests for each exponent.
        noise: standard deviation of the noise, share of the RMS stress.
        correlation: of the noise of neighbouring samples, from 0 to below 1.
        steps: of a test.
        seed: of path and noise.
    """

    repeats: int = 200
    noise: float = 0.02
    correlation: float = 0.0
    steps: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.correlation < 1:
            raise ValueError(
                f"`correlation` must lie from 0 to below 1. Received: {self.correlation:g}."
            )
