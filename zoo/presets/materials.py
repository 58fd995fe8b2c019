"""Presets of material cells: initial constants and scales are measured on the training data."""

from typing import Any

import keras
import numpy as np

from zoo.cells import EMSCCell, LMSCCell, MaxwellCell, PronyCell, RelaxationCell
from zoo.presets.registry import register
from zoo.presets.scales import FEW_WEIGHTS_RATE, DataScales, one_cell

# The slopes of a learnt curve are coupled, and at 0.02 those of the highest stresses have hardly
# changed after 6000 steps (tried: 0.02, 0.1, 0.3, 0.5, 1).
_CURVE_RATE = 1.0
_EMSC_RATE = 1e-2


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
    "emsc",
    "material",
    description="extended minimal state cell, self-consistent to second order",
    source="after Heidenreich and Mohr 2025",
    learning_rate=_EMSC_RATE,
    compiled=True,
)
def emsc(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `EMSCCell`; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    initial = {
        "stretch_scale": scales.strain_step,
        "time_scale": scales.time_step,
        "stress_scale": scales.stress,
    }
    return one_cell("emsc", EMSCCell(**{**initial, **settings}))


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
