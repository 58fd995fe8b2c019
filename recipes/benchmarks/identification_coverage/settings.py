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
        materials: synthetic solids and liquids whose law is chosen, instead of coverage; 0: none.
        wrong: moduli of a second, linear branch that the fitted law does not have, shares of the
            first one's; coverage is then of the constants that fit the data without noise.
        profile: intervals by profile likelihood, as `zoo identify` gives them, not the asymptotic
            ones.
        publish: write the table to recipes/benchmarks.
    """

    repeats: int = 200
    noise: float = 0.02
    correlation: float = 0.0
    steps: int = 200
    seed: int = 0
    materials: int = 0
    wrong: tuple[float, ...] = (0.0,)
    profile: bool = False
    publish: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.correlation < 1:
            raise ValueError(
                f"`correlation` must lie from 0 to below 1. Received: {self.correlation:g}."
            )
