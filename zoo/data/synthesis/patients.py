"""Synthetic patients: parameters of breathing, adventitious sounds and stethoscope."""

from dataclasses import dataclass

import numpy as np

from zoo.data.synthesis.response import Response, draw_response
from zoo.data.synthesis.seeds import log_uniform, stream

ADVENTITIOUS = {
    "normal": (),
    "crackle": ("crackle",),
    "wheeze": ("wheeze",),
    "both": ("crackle", "wheeze"),
    "rhonchus": ("rhonchus",),
}
CONDITIONS = tuple(ADVENTITIOUS)


@dataclass(frozen=True)
class Patient:
    """Parameters that all recordings of one patient share.

    Attributes:
        name: group to split by.
        condition: one of `CONDITIONS`.
        breaths_per_min: 12 to 20 [1/min].
        inspiration: share of a breath, 0 to 1.
        corner_hz: frequency up to which the noise of breath is flat [Hz]; 200 to 600 over the lung,
            900 over the windpipe.
        rolloff: exponent of the power spectrum above it.
        expiration_db: level of expiration over that of inspiration [dB].
        wheeze_hz: fundamental of wheezes [Hz].
        rhonchus_hz: fundamental of rhonchi [Hz].
        crackle_s: duration of two cycles of a crackle, under 0.02 [s].
        loudness_db: level of wheezes, rhonchi and crackles over breath [dB].
        heart_per_min: heart rate [1/min].
        heart_db: of heart sounds over breath [dB].
        noise_db: of handling and room over breath [dB].
        stethoscope: frequency response.
    """

    name: str
    condition: str
    breaths_per_min: float
    inspiration: float
    corner_hz: float
    rolloff: float
    expiration_db: float
    wheeze_hz: float
    rhonchus_hz: float
    crackle_s: float
    loudness_db: float
    heart_per_min: float
    heart_db: float
    noise_db: float
    stethoscope: Response


def draw_patient(seed: int, condition: str | None = None) -> Patient:
    """Draw the patient of a seed.

    Args:
        seed: 0 or more.
        condition: one of `CONDITIONS`; None: drawn. The other parameters do not depend on it.

    Raises:
        ValueError: an unknown condition.
    """
    if condition is not None and condition not in CONDITIONS:
        raise ValueError(
            f"`condition` must be one of {', '.join(CONDITIONS)}. Received: {condition!r}."
        )
    rng = stream(seed, "patient")
    drawn = CONDITIONS[rng.integers(len(CONDITIONS))]
    tracheal = rng.uniform() < 0.15
    coarse = rng.uniform() < 0.5
    return Patient(
        name=f"patient-{seed}",
        condition=condition or drawn,
        breaths_per_min=rng.uniform(12, 20),
        inspiration=rng.uniform(0.36, 0.46),
        corner_hz=900.0 if tracheal else rng.uniform(200, 600),
        rolloff=rng.uniform(4, 6),
        expiration_db=rng.uniform(-2, 2) if tracheal else rng.uniform(-10, -3),
        wheeze_hz=log_uniform(rng, 150, 800),
        rhonchus_hz=log_uniform(rng, 80, 140),
        crackle_s=rng.uniform(0.009, 0.015) if coarse else rng.uniform(0.004, 0.007),
        loudness_db=rng.uniform(-3, 9),
        heart_per_min=rng.uniform(55, 95),
        heart_db=rng.uniform(-14, 4),
        noise_db=rng.uniform(-30, -15),
        stethoscope=draw_response(rng, (25, 110), (900, 1900), 3.0),
    )


def typical(condition: str = "normal") -> Patient:
    """Patient of typical parameters with a flat stethoscope, for figures and tests."""
    return Patient(
        name="typical",
        condition=condition,
        breaths_per_min=15.0,
        inspiration=0.42,
        corner_hz=350.0,
        rolloff=5.0,
        expiration_db=-6.0,
        wheeze_hz=400.0,
        rhonchus_hz=110.0,
        crackle_s=0.008,
        loudness_db=6.0,
        heart_per_min=70.0,
        heart_db=-10.0,
        noise_db=-30.0,
        stethoscope=Response(20.0, 2000.0),
    )


def draw_phases(
    rng: np.random.Generator, patient: Patient, duration_s: float
) -> list[tuple[str, float, float]]:
    """Inspirations and expirations: name, onset, offset [s]; the first and last may be cut off."""
    period_s = 60 / patient.breaths_per_min
    start = -rng.uniform(0, period_s)
    phases: list[tuple[str, float, float]] = []
    while start < duration_s:
        length_s = period_s * rng.uniform(0.9, 1.1)
        turn = start + patient.inspiration * length_s
        phases.append(("inspiration", start, turn))
        phases.append(("expiration", turn + 0.04 * length_s, start + 0.88 * length_s))
        start += length_s
    return [phase for phase in phases if phase[2] > 0 and phase[1] < duration_s]
