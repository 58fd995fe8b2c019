"""Presets of solids, metals, friction and dampers: first constants are measured on the data."""

from typing import Any

import keras
import numpy as np

from zoo.cells import (
    BoucWenCell,
    BoucWenOscillatorCell,
    ChabocheCell,
    DamperCell,
    DynamicPrandtlCell,
    MullinsCell,
    PrandtlIshlinskiiCell,
    SolidCell,
    StandardCell,
)
from zoo.presets.registry import register
from zoo.presets.scales import (
    FEW_WEIGHTS_RATE,
    DataScales,
    amplitude_of,
    counted_steps,
    one_cell,
    rms_or_one,
    stiffness,
)

ELEMENTS = 8  # friction elements of a Prandtl–Ishlinskii operator

SOLIDS = {
    "solid": ("linear", "linear springs, small strain", "Zener 1948"),
    "neo-hooke": ("neo-hooke", "neo-Hookean springs", "Treloar 1943"),
    "mooney-rivlin": ("mooney-rivlin", "Mooney–Rivlin springs", "Mooney 1940; Rivlin 1948"),
    "yeoh": ("yeoh", "Yeoh's springs", "Yeoh 1993"),
    "convex": ("convex", "springs of a learnt convex energy", "Amos, Xu and Kolter 2017"),
}


def _register_solid(name: str, energy: str, springs: str, source: str) -> None:
    @register(
        name,
        "solid",
        description=f"viscoelastic solid of two branches and {springs}",
        source=f"{source}; Green and Naghdi 1965",
        learning_rate=FEW_WEIGHTS_RATE,
        compiled=True,
    )
    def build(
        x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
    ) -> keras.Model:
        """One `SolidCell`; `settings` of it replace what is measured."""
        scales = DataScales.of(x, y, weight)
        initial = {"energy": energy, "modulus": scales.modulus, "time": scales.time}
        return one_cell(name, SolidCell(**{**initial, **settings}))


for _name, _about in SOLIDS.items():
    _register_solid(_name, *_about)


@register(
    "power-solid",
    "solid",
    description="viscoelastic solid of a linear spring and branches of power-law viscosity",
    source="Norton 1929; Zener 1948",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def power_solid(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `SolidCell`; `settings` of it replace what is measured.

    With a stiff branch it is a fluid damper, force c |v|^(1/m) sgn v, beside a spring.
    """
    scales = DataScales.of(x, y, weight)
    # As many substeps as `MaxwellCell`, so that without its spring it is that law exactly.
    form = {"energy": "linear", "branches": 1, "viscosity": "power", "substeps": 8}
    initial = {"modulus": scales.modulus, "time": scales.time}
    return one_cell("power-solid", SolidCell(**{**form, **initial, **settings}))


@register(
    "mullins",
    "solid",
    description="viscoelastic solid, springs of Rivlin's polynomial softened by the first loading",
    source="Ogden and Roxburgh 1999; Dorfmann and Ogden 2003; Rivlin 1948",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def mullins(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `MullinsCell`; `settings` of it replace what is measured."""
    scales = DataScales.of(x, y, weight)
    change, _ = counted_steps(x, y, weight)
    initial = {
        "modulus": scales.modulus,
        "time": scales.time,
        "scale": scales.stress * max(amplitude_of(change), 1e-12) / 2,
    }
    return one_cell("mullins", MullinsCell(**{**initial, **settings}))


@register(
    "standard-material",
    "solid",
    description="generalised standard material: learnt convex energy and dissipation potential",
    source="Halphen and Nguyen 1975; Amos, Xu and Kolter 2017",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def standard_material(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `StandardCell`; `settings` of it replace what is measured."""
    change, _ = counted_steps(x, y, weight)
    scales = DataScales.of(x, y, weight)
    initial = {
        "modulus": scales.modulus,
        "time": scales.time,
        "strain": max(amplitude_of(change), 1e-12),
    }
    return one_cell("standard-material", StandardCell(**{**initial, **settings}))


@register(
    "chaboche",
    "solid",
    description="elastoplasticity with Voce hardening and two back-stresses",
    source="Armstrong and Frederick 1966; Chaboche 1986; Voce 1948",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def chaboche(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `ChabocheCell`; `settings` of it replace what is measured."""
    change, stress = counted_steps(x, y, weight)
    modulus = stiffness(x, y, weight)
    initial = {
        "modulus": modulus,
        "yield_stress": rms_or_one(stress) / 2,
        "strain": max(amplitude_of(change), 1e-12),
    }
    return one_cell("chaboche", ChabocheCell(**{**initial, **settings}))


@register(
    "armstrong-frederick",
    "solid",
    description="elastoplasticity with one back-stress and no isotropic hardening",
    source="Armstrong and Frederick 1966",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def armstrong_frederick(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `ChabocheCell` of four constants; `settings` of it replace what is measured.

    A test that is pulled in one direction does not tell hardening by a back-stress from that of the
    yield stress, so it determines no more than these.
    """
    return chaboche(x, y, weight, **{"back_stresses": 1, "isotropic": False, **settings})


@register(
    "prandtl-ishlinskii",
    "solid",
    description=f"Prandtl–Ishlinskii operator of {ELEMENTS} friction elements and a spring",
    source="Prandtl 1928; Ishlinskii 1944; Iwan 1966",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def prandtl_ishlinskii(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `PrandtlIshlinskiiCell`; `settings` of it replace what is measured.

    Thresholds grow quadratically up to the amplitude, since loops are steepest after a reversal.
    """
    change, stress = counted_steps(x, y, weight)
    amplitude = max(amplitude_of(change), 1e-12)
    shares = np.arange(1, ELEMENTS + 1) / ELEMENTS
    initial = {
        "thresholds": (amplitude * shares**2).tolist(),
        "modulus": max(rms_or_one(stress) / amplitude, 1e-12),
    }
    return one_cell("prandtl-ishlinskii", PrandtlIshlinskiiCell(**{**initial, **settings}))


@register(
    "dynamic-prandtl",
    "solid",
    description=f"{ELEMENTS} friction elements and five branches, stiffness by the loading",
    source="Prandtl 1928; Ishlinskii 1944; Bertotti 1998",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def dynamic_prandtl(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `DynamicPrandtlCell`; `settings` of it replace what is measured.

    Thresholds halve from half of the largest loading on; times grow from two typical time steps to
    a twelfth of the longest path.
    """
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    largest = max(float(np.abs(x[..., 0][counts]).max()), 1e-12)
    step = float(np.median(x[..., 2][counts])) or 1.0
    longest = max(float((x[..., 2] * counts).sum(axis=1).max()) / 12, 8 * step)
    initial = {
        "thresholds": (largest * 0.5 ** np.arange(ELEMENTS, 0, -1)).tolist(),
        "times": np.geomspace(2 * step, longest, 5).tolist(),
        "amplitude": largest / 2,
        "modulus": rms_or_one(np.asarray(y, np.float64)[counts]) / largest,
    }
    return one_cell("dynamic-prandtl", DynamicPrandtlCell(**{**initial, **settings}))


@register(
    "bouc-wen",
    "solid",
    description="Bouc–Wen element with a spring and a dashpot",
    source="Bouc 1967; Wen 1976; Spencer et al. 1997",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def bouc_wen(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `BoucWenCell`; `settings` of it replace what is measured."""
    change, stress = counted_steps(x, y, weight)
    amplitude = max(amplitude_of(change), 1e-12)
    initial = {
        "modulus": 5 * rms_or_one(stress) / amplitude,
        "yield_stress": rms_or_one(stress),
        "time": DataScales.of(x, y, weight).time,
    }
    return one_cell("bouc-wen", BoucWenCell(**{**initial, **settings}))


@register(
    "bouc-wen-hardening",
    "solid",
    description="Bouc–Wen element with a spring of three powers and a dashpot",
    source="Bouc 1967; Wen 1976",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def bouc_wen_hardening(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `BoucWenCell` whose spring hardens; `settings` of it replace what is measured."""
    change, _ = counted_steps(x, y, weight)
    initial = {"size": max(amplitude_of(change), 1e-12)}
    return bouc_wen(x, y, weight, **{**initial, **settings})


@register(
    "power-damper",
    "solid",
    description="fluid damper, force by a power of the rate, beside a spring",
    source="Constantinou and Symans 1993",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def power_damper(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `DamperCell`; `settings` of it replace what is measured."""
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    scales = DataScales.of(x, y, weight)
    initial = {
        "spring": scales.modulus / 2,
        "force": scales.stress / 2,
        "rate_scale": rms_or_one(np.asarray(x[..., 1], np.float64)[counts]),
    }
    return one_cell("power-damper", DamperCell(**{**initial, **settings}))


@register(
    "bouc-wen-oscillator",
    "solid",
    description="mass on a spring, a dashpot and a Bouc–Wen element, displacement from force",
    source="Noël and Schoukens 2016",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def bouc_wen_oscillator(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `BoucWenOscillatorCell` of (force, its rate, dt); `settings` replace what is measured.

    The natural frequency is taken where the displacement is largest against the force, in the
    spectrum of the first path; the stiffness from the lower frequencies, Δu ≈ k Δy.
    """
    frequency, stiffness_below = _resonance(x, y)
    circular = 2 * np.pi * frequency
    size = rms_or_one(np.asarray(y, np.float64))
    initial = {"mass": stiffness_below / circular**2, "frequency": frequency, "size": size}
    return one_cell("bouc-wen-oscillator", BoucWenOscillatorCell(**{**initial, **settings}))


def _resonance(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Frequency of the largest compliance [1/s], and the stiffness below half of it."""
    dt = float(np.median(x[0, :, 2]))
    force, response = (np.fft.rfft(each[0, :, 0].astype(np.float64)) for each in (x, y))
    at = np.fft.rfftfreq(x.shape[1], dt)
    driven = (np.abs(force) > 0.1 * np.abs(force[1:]).max()) & (at > 0)
    compliance = np.abs(response[driven]) / np.abs(force[driven])
    peak = float(at[driven][np.argmax(compliance)])
    below = compliance[at[driven] < peak / 2]
    return peak, float(1 / np.median(below if len(below) else compliance))
