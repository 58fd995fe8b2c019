"""Physical constants read off the weights of a material cell."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np


@dataclass(frozen=True)
class Constant:
    """One number that can be read off a cell.

    Attributes:
        name: for instance "modulus" or "times_2".
        symbol: for instance "E".
        unit: "-" for a pure number.
        meaning: one clause.
        positive: its logarithm carries the interval; if not, the number itself does.
        least: what it cannot fall below.
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    positive: bool = True
    least: float = 0.0

    def free(self, value: float) -> float:
        """The value on the scale of the interval: its logarithm, or itself."""
        with np.errstate(divide="ignore"):  # of a constant that has fallen to 0: no interval
            return float(np.log(value)) if self.positive else float(value)

    def back(self, value: float) -> float:
        """Inverse of `free`, not below `least`."""
        with np.errstate(over="ignore"):
            return float(np.exp(value)) if self.positive else max(float(value), self.least)


@dataclass(frozen=True)
class Estimate:
    """A constant with its 95 % interval.

    Attributes:
        constant: name, symbol, unit and meaning.
        value: estimate.
        low: lower end of the interval; 0 where the data give an upper end only, NaN where they
            give none.
        high: upper end; infinite, or NaN, likewise.
    """

    constant: Constant
    value: float
    low: float
    high: float

    @property
    def is_determined(self) -> bool:
        """Whether the data give both ends of an interval."""
        has_low = self.low > 0 if self.constant.positive else math.isfinite(self.low)
        return has_low and math.isfinite(self.high)

    @property
    def is_bounded(self) -> bool:
        """Whether the data give one end at least."""
        return not (math.isnan(self.low) or math.isnan(self.high))


# First words of the names of constants that are a response over a loading, and of inverse loadings.
STIFFNESSES = (
    *("modulus", "moduli", "stiffness", "spring", "dashpot", "slopes"),
    *("power", "stop", "branch"),
)
INVERSES = ("speed", "rates")


def constants_of(
    cell: keras.layers.Layer, unit: str, loading_unit: str = "-"
) -> tuple[list[Constant], Callable[[], np.ndarray]]:
    """Constants of a cell, and a function that reads their values off its weights.

    Branches are sorted by their present relaxation times, the shortest first.

    Args:
        cell: with weights.
        unit: of the stress, or of another response.
        loading_unit: of the strain, "-", or of another loading.

    Returns:
        The constants; function () -> values (constants,).

    Raises:
        ValueError: a cell whose weights are no physical constants.
    """
    constants, read = _constants_of(cell, unit)
    if loading_unit == "-" or hasattr(cell, "units_stated"):
        return constants, read
    return [_over_loading(each, loading_unit) for each in constants], read


def _over_loading(constant: Constant, loading_unit: str) -> Constant:
    """The same with the unit that it has where the loading is not a pure number."""
    word = constant.name.split("_")[0]
    if word in STIFFNESSES:
        return replace(constant, unit=f"{constant.unit}/{loading_unit}")
    if word in INVERSES:
        return replace(constant, unit=f"1/{loading_unit}")
    if word == "hardening":  # of the cubic spring
        return replace(constant, unit=f"{constant.unit}/{loading_unit}³")
    return constant


def _constants_of(
    cell: keras.layers.Layer, unit: str
) -> tuple[list[Constant], Callable[[], np.ndarray]]:
    if hasattr(cell, "meanings"):
        return [Constant(*each) for each in cell.meanings(unit)], cell.constant_values
    if hasattr(cell, "raw_exponent"):
        return _power_law(cell, unit)
    if hasattr(cell, "curve"):
        return _branches(cell, unit)
    raise ValueError(
        "`cell` must be one of a material law, such as a MaxwellCell or a SolidCell. "
        f"Received: {type(cell).__name__}, whose weights have no physical names."
    )


def _power_law(
    cell: keras.layers.Layer, unit: str
) -> tuple[list[Constant], Callable[[], np.ndarray]]:
    constants = [
        Constant("modulus", "E", unit, "modulus"),
        Constant(
            "exponent",
            "m",
            "-",
            "exponent of the viscosity",
            positive=False,
            least=cell.min_exponent,
        ),
        Constant("kappa", "κ", f"s {unit}^(m−1)", "ν0 σ0^(m−1)"),
        Constant("time", "τ", "s", f"relaxation time at |σ| = {cell.stress_scale:.3g} {unit}"),
    ]

    def read() -> np.ndarray:
        values = cell.constants()
        time = values["kappa"] * cell.stress_scale ** (1.0 - values["exponent"])
        return np.array([*(values[each.name] for each in constants[:3]), time])

    return constants, read


def _branches(
    cell: keras.layers.Layer, unit: str
) -> tuple[list[Constant], Callable[[], np.ndarray]]:
    order = np.argsort(-_numpy(cell.level))
    meaning = f"relaxation time 1/γ at |s| = {cell.stress_scale:.3g} {unit}"
    branches = range(1, len(order) + 1)
    constants = [
        *(Constant(f"moduli_{k}", f"E{k}", unit, f"modulus of branch {k}") for k in branches),
        *(Constant(f"times_{k}", f"τ{k}", "s", f"{meaning}, branch {k}") for k in branches),
    ]

    def read() -> np.ndarray:
        return np.exp(np.concatenate([_numpy(cell.log_moduli)[order], -_numpy(cell.level)[order]]))

    return constants, read


def log_rates(cell: keras.layers.Layer, stress: np.ndarray) -> np.ndarray:
    """Log γ [log 1/s] of every branch, in the order of the cell.

    Args:
        cell: with learnt relaxation.
        stress: |s| of each branch [stress], (points, branches).

    Returns:
        (points, branches).
    """
    return _numpy(
        cell.curve().log_rate(keras.ops.convert_to_tensor(np.log(stress / cell.stress_scale)))
    )


def _numpy(value) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value), np.float64)
