"""Presets of material cells: initial constants and scales are measured on the training data."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.cells import LMSCCell, MaxwellCell, PronyCell, RelaxationCell, VisibleCell
from zoo.presets.registry import register
from zoo.recurrent import recurrent_model

# Few weights allow larger steps. The slopes of a learnt curve are coupled, and at 0.02 those of the
# highest stresses have hardly changed after 6000 steps (tried: 0.02, 0.1, 0.3, 0.5, 1).
FEW_WEIGHTS_RATE, _CURVE_RATE = 2e-2, 1.0


@dataclass(frozen=True)
class DataScales:
    """Typical sizes of training data, root mean squares, and an elastic first guess.

    Attributes:
        stress: of the stress, in its unit.
        strain_step: of the increments of strain [-].
        time_step: of the time steps [s].
        modulus: stress over deviation of strain, in the unit of stress.
        time: deviation of strain over its rate [s], in which the loading turns round.
    """

    stress: float
    strain_step: float
    time_step: float
    modulus: float
    time: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "DataScales":
        """Measure the training data.

        Args:
            x: (paths, time, 3): strain [-], its rate [1/s], Δt [s].
            y: stress, (paths, time, 1).
            weight: (paths, time), 0 where a step does not count; None where every step does.
        """
        counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        strain, rate, dt = np.asarray(x, np.float64)[counts].T
        stress = _rms(np.asarray(y, np.float64)[counts])
        return cls(
            stress=stress,
            strain_step=_rms(rate * dt),
            time_step=_rms(dt),
            modulus=stress / _rms(strain - strain.mean()),
            time=_rms(strain) / _rms(rate),
        )


@register(
    "maxwell",
    "material",
    description="Maxwell solid with power-law viscosity, by Strang splitting",
    source="Maxwell 1867; Norton 1929; Strang 1968",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def maxwell(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `MaxwellCell`; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    initial = {
        "modulus": scales.modulus,
        "exponent": 2.0,
        "kappa": scales.time * scales.stress,
        "stress_scale": scales.stress,
    }
    return one_cell("maxwell", MaxwellCell(**{**initial, **settings}))


@register(
    "relaxation",
    "material",
    description="Maxwell solid with a learnt rate of relaxation, by Strang splitting",
    source="Maxwell 1867; Strang 1968",
    learning_rate=_CURVE_RATE,
    compiled=True,
)
def relaxation(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `RelaxationCell`; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    initial = {"modulus": scales.modulus, "time": scales.time, "stress_scale": scales.stress}
    return one_cell("relaxation", RelaxationCell(**{**initial, **settings}))


@register(
    "lmsc",
    "material",
    description="linearised minimal state cell, with rate",
    source="after Bonatti and Mohr 2021, 2022",
    compiled=True,
)
def lmsc(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `LMSCCell`; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    initial = {
        "stretch_scale": scales.strain_step,
        "time_scale": scales.time_step,
        "stress_scale": scales.stress,
    }
    return one_cell("lmsc", LMSCCell(**{**initial, **settings}))


@register(
    "prony",
    "material",
    description="generalised linear Maxwell solid (Prony series)",
    source="Maxwell 1867; Taylor, Pister and Goudreau 1970",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def prony(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `PronyCell` of three branches; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    initial = {
        "moduli": [scales.modulus / 3] * 3,
        "times": [scales.time * factor for factor in (0.1, 1.0, 10.0)],
    }
    return one_cell("prony", PronyCell(**{**initial, **settings}))


def one_cell(name: str, cell: VisibleCell) -> keras.Model:
    """A sequence model of one cell whose first quantity is the prediction."""
    return recurrent_model([cell], targets=None, name=name)


def _rms(values: np.ndarray) -> float:
    """Root mean square, or one where all values are zero."""
    return float(np.sqrt(np.mean(np.square(values)))) or 1.0
