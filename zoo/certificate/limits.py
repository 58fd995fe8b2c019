"""Thresholds of a certificate: what each check measures, how much is allowed, and why."""

from dataclasses import dataclass

FACTORS = (2, 4, 8)  # by which steps are cut for self-consistency
ROUND_OFF = 1e-5  # of the mean stored energy; single precision leaves about 1e-6


@dataclass(frozen=True)
class Limit:
    """Threshold of one check.

    Attributes:
        threshold: largest value that passes.
        meaning: what the value is.
        reason: for the threshold.
    """

    threshold: float
    meaning: str
    reason: str


LIMITS = {
    "causality": Limit(
        1e-5,
        "change of the prediction when the rest of the path is cut off, over RMS stress",
        "a material does not know its future; single precision leaves about 1e-6",
    ),
    "self-consistency": Limit(
        1e-2,
        "difference of the predictions for one path in steps of Δt and of Δt over "
        f"{', '.join(map(str, FACTORS))}, worst, over RMS stress",
        "a solver may halve its step at any time; 1 % is the error of a good model",
    ),
    "hold growth": Limit(
        1e-2,
        "growth of |σ| during a long hold after one ramp from rest, over stress at its start",
        "after one ramp a passive material only relaxes; 1 % is lost in a measurement's noise",
    ),
    "hold in longer steps": Limit(
        1e-2,
        "change of the prediction when a hold is cut in fewer, longer steps, over stress at its "
        "start",
        "as self-consistency: nothing happens in a hold but time",
    ),
    "cycle work": Limit(
        ROUND_OFF,
        "work given back by a steady cycle, −∮σ dε over ∮|σ dε|, worst",
        "a passive material gives none back; what is allowed is round-off",
    ),
    "negative dissipation": Limit(
        0.0,
        "share of steps with σε̇ < d(σ²/2E)/dt beyond round-off, stress not changing sign",
        "a Maxwell solid dissipates in every step",
    ),
    "loop area": Limit(
        2e-2,
        "error of the work per steady cycle, RMS over RMS of the true work",
        "damping is read off the loop; twice the error that is allowed in stress",
    ),
    "in range": Limit(
        1e-2,
        "nRMSE on new paths of the trained range",
        "what a good network reaches on data without noise",
    ),
} | {
    name: Limit(
        5e-2,
        f"nRMSE {what}, worst",
        "five times the error in range: usable with care",
    )
    for name, what in {
        "length": "on paths up to 10 times as long as trained",
        "rate": "at single rates, from 1/8 of the slowest trained one to twice the fastest",
        "amplitude": "with turning points within 1/4 to twice the trained strain",
        "time step": "at single Δt, from 1/8 of the shortest trained one to twice the longest",
    }.items()
}


@dataclass(frozen=True)
class Check:
    """Result of one check.

    Attributes:
        name: of the check, a key of `LIMITS`.
        value: measured; None if it was skipped; NaN where the prediction was not usable.
        threshold: largest value that passes.
        meaning: what the value is, or why there is none.
        unit: of value and threshold.
    """

    name: str
    value: float | None
    threshold: float
    meaning: str
    unit: str = "-"

    @property
    def passed(self) -> bool | None:
        """Whether the value is within the threshold; None if the check was skipped."""
        return None if self.value is None else bool(self.value <= self.threshold)
