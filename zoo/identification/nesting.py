"""Laws that contain others: the weights at which a wider law responds as a narrower one.

A law is a sum of parts: terms of the energies of its springs, relaxation times, back-stresses, the
exponent of a viscosity. It contains another law if it has a place for every part of that one
(`layout_of` names the parts of each cell); its own further parts are then absent, of an amplitude
next to zero. A fit of the wider law can begin there, and cannot end above the narrower one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.cells import (
    BoucWenCell,
    ChabocheCell,
    MaxwellCell,
    MullinsCell,
    PronyCell,
    RelaxationCell,
    SolidCell,
)

ABSENT = 1e-10  # amplitude of an absent part, over that of the parts that are there
SMALL = 1e-2  # the same where a search begins: a part next to zero has hardly a slope
APART = math.log(10.0)  # log ratio of the times, or rates, of an added row and of the one before
SAME_SLOPE = 1e-9  # difference of slopes by a covariate that are one and the same

Part = (
    np.ndarray
)  # a number, or several, and behind it its slopes by covariates, (1 + covariates, ...)

# Terms of each energy, as a name is another term in another energy.
TERMS = {
    "linear": {"modulus": "ε²"},
    "neo-hooke": {"c1": "J1"},
    "mooney-rivlin": {"c1": "J1", "c2": "J2"},
    "yeoh": {"c1": "J1", "c2": "J1²", "c3": "J1³"},
    "polynomial": {"c1": "J1", "c2": "J2", "c3": "J1³"},
    "convex": {"c1": "J1", "c2": "J2", **{f"a{k}": f"J1 above knot {k}" for k in range(1, 6)}},
}
AMPLITUDES = (*{term for terms in TERMS.values() for term in terms.values()}, "slope")
SPACED = ("time", "rate")  # in which an added row differs from the one before


@dataclass(frozen=True)
class Layout:
    """Which parts of a law the weights of its cell are.

    Attributes:
        family: laws of two families have no part in common.
        singles: weight -> the part that its first number is.
        rows: weight -> the part of each branch or back-stress that its other numbers are.
    """

    family: str
    singles: Mapping[str, str]
    rows: Mapping[str, str]


@dataclass(frozen=True)
class Parts:
    """A law, written as its parts.

    Attributes:
        family: as of `Layout`.
        singles: what the law has once.
        rows: what each of its branches or back-stresses has.
        scale: stress that the relaxation times of a power law belong to, its logarithm.
    """

    family: str
    singles: Mapping[str, Part]
    rows: Sequence[Mapping[str, Part]]
    scale: float = 0.0


def contained_weights(
    wider: keras.layers.Layer,
    narrower: keras.layers.Layer,
    weights: np.ndarray,
    share: float = ABSENT,
) -> np.ndarray | None:
    """Weights of a law at which it responds as another one that it contains.

    Args:
        wider: cell of the law, built.
        narrower: cell of the other, built.
        weights: of the other, in the order of its trainable variables, (weights,).
        share: amplitude of what the other lacks.

    Returns:
        In the order of the trainable variables of the wider cell; None if it does not contain the
        other with these weights.
    """
    if getattr(wider, "names", ()) != getattr(narrower, "names", ()):  # covariates
        return None
    parts = _parts_of(narrower, weights)
    return None if parts is None else _weights_with(wider, parts, share)


def layout_of(cell: Any) -> Layout | None:
    """Parts that the weights of a cell are; None for a law that is in no other and holds none.

    Args:
        cell: without covariates.
    """
    if isinstance(cell, PronyCell):
        return Layout("viscous", {}, {"log_moduli": "ε²", "log_times": "time"})
    if isinstance(cell, MaxwellCell):
        rows = {"log_modulus": "ε²", "log_time": "time"}
        return Layout("viscous", {"raw_exponent": "excess"}, rows)
    if isinstance(cell, RelaxationCell):
        rows = {"log_moduli": "ε²", "level": "time", "bends": f"bends at {cell.knots}"}
        return Layout("viscous", {}, rows)
    if isinstance(cell, SolidCell):  # Mullins' law, too
        terms = {f"log_{name}": term for name, term in TERMS[cell.energy].items()}
        springs = {name: f"spring {term}" for name, term in terms.items() if cell.equilibrium}
        others = {"raw_power": "excess"} if cell.viscosity == "power" else {}
        if isinstance(cell, MullinsCell):
            others |= {"raw_softening": "softening", "log_scale": "softening energy"}
            others |= {"log_growth": "growth"}
        return Layout("viscous", springs | others, terms | {"log_relaxation": "time"})
    if isinstance(cell, ChabocheCell):
        names = ("modulus", "yield", *(["saturation", "speed"] * cell.isotropic))
        rows = {"log_slopes": "slope", "log_rates": "rate"}
        return Layout("plastic", {f"log_{name}": name for name in names}, rows)
    if isinstance(cell, BoucWenCell):
        names = ("modulus", "yield", "sharpness", "spring", *(["dashpot"] * cell.dashpot))
        singles = {f"log_{name}": name for name in names} | {"raw_shape": "shape"}
        hardening = {"quadratic": "quadratic", "log_hardening": "cubic"} if cell.size else {}
        return Layout("Bouc–Wen", singles | hardening, {})
    return None


def _absent_single(part: str, singles: Mapping[str, Part], rows: Sequence[Any], share: float):
    """What a part that a law has once is, where it is absent; its slopes are those of its kind."""
    if part.startswith("spring "):
        own = [row[part.removeprefix("spring ")] for row in rows]
        total = _constant(np.logaddexp.reduce([each[0] for each in own]), own[-1])
        return total + _constant(math.log(share), total, slopes=0.0)
    if part == "saturation":
        return singles["yield"] + _constant(math.log(share), singles["yield"], slopes=0.0)
    if part == "speed":
        return rows[0]["rate"]
    if part == "softening energy":  # the size of the spring's constants
        return singles.get("spring J1", rows[0]["J1"])
    like = next(iter(singles.values()), None)
    like = rows[0]["time"] if like is None else like
    values = {"excess": share, "quadratic": 0.0}
    logs = ("cubic", "softening", "growth")  # logarithms, and the logit of a small number
    values |= dict.fromkeys(logs, math.log(share))
    return _constant(values[part], np.zeros_like(like))


def _constant(value: float, like: Part, slopes: float | None = None) -> Part:
    """A number with the slopes of another part, or with given ones."""
    rest = like[1:] if slopes is None else np.full_like(like[1:], slopes)
    return np.concatenate([[value], rest])


def _filled_row(row: Mapping[str, Part], cell: Any, share: float) -> dict[str, Part]:
    """A branch with the parts that it lacks, absent."""
    full, layout = dict(row), layout_of(cell)
    assert layout is not None
    for part in set(layout.rows.values()) - set(row):
        if part in AMPLITUDES:
            largest = max((row[each] for each in row if each in AMPLITUDES), key=lambda p: p[0])
            full[part] = _constant(largest[0] + math.log(share), largest)
        else:  # bends of a curve: none, so the branch is linear
            full[part] = np.zeros((1, len(cell.knots)))
    return full


def _added_row(last: Mapping[str, Part], number: int, share: float) -> dict[str, Part]:
    """A further branch like the last one, absent: of a small amplitude and of another time."""
    shifts = dict.fromkeys(AMPLITUDES, math.log(share)) | dict.fromkeys(SPACED, number * APART)
    return {
        part: value + _constant(shifts[part], value, slopes=0.0) if part in shifts else value
        for part, value in last.items()
    }


def _parts_of(cell: Any, weights: np.ndarray) -> Parts | None:
    """A law with these weights as its parts; None if its cell has no layout."""
    inner = getattr(cell, "cell", cell)
    layout = layout_of(inner)
    if layout is None:
        return None
    singles, columns = {}, {}
    for name, numbers in _tables(cell, weights).items():
        numbers = _converted(_PARTS, inner, name, numbers)
        first = int(name in layout.singles)
        if first:
            singles[layout.singles[name]] = numbers[:, 0]
        if name in layout.rows:
            columns[layout.rows[name]] = numbers[:, first:]
    count = min((each.shape[1] for each in columns.values()), default=0)
    rows = [{part: each[:, k] for part, each in columns.items()} for k in range(count)]
    rows.sort(key=lambda row: next(row[each][0] for each in SPACED if each in row))
    return Parts(layout.family, singles, rows, _scale(inner, rows))


def _weights_with(cell: Any, parts: Parts, share: float) -> np.ndarray | None:
    """Weights of a cell with these parts, all else absent; None if one of them has no place."""
    inner = getattr(cell, "cell", cell)
    layout = layout_of(inner)
    if layout is None or layout.family != parts.family:
        return None
    count = _number_of_rows(inner)
    names = {part for row in parts.rows for part in row}
    has_place = set(parts.singles) <= set(layout.singles.values())
    if not has_place or not names <= set(layout.rows.values()) or len(parts.rows) > count:
        return None
    rows = [_filled_row(row, inner, share) for row in parts.rows]
    rows += [_added_row(rows[-1], k, share) for k in range(1, count - len(rows) + 1)]
    singles = dict(parts.singles)
    for part in layout.singles.values():
        if part not in singles:
            singles[part] = _absent_single(part, parts.singles, rows, share)
    if "excess" in parts.singles:  # τ |s|^(1−m) stays, as the wider law has another scale
        change = singles["excess"][0] * (parts.scale - _scale(inner, rows))
        for row in rows:
            row["time"] = row["time"] + _constant(change, row["time"], slopes=0.0)
    tables = {}
    for name in dict.fromkeys([*layout.singles, *layout.rows]):
        own = [singles[layout.singles[name]]] if name in layout.singles else []
        own += [row[layout.rows[name]] for row in rows] if name in layout.rows else []
        numbers = np.stack(own, axis=1)
        tables[name] = _converted(_WEIGHTS, inner, name, numbers)
        if not np.isfinite(tables[name]).all():
            return None
    return _joined(cell, tables)


def _number_of_rows(cell: Any) -> int:
    """Branches or back-stresses of a cell."""
    for name in ("branches", "back_stresses"):
        if hasattr(cell, name):
            return int(getattr(cell, name))
    return len(cell.moduli) if isinstance(cell, PronyCell) else int(isinstance(cell, MaxwellCell))


def _scale(cell: Any, rows: Sequence[Mapping[str, Part]]) -> float:
    """Logarithm of the stress at which the time of a branch with a power law is its own."""
    if isinstance(cell, MaxwellCell):
        return math.log(cell.stress_scale)
    if isinstance(cell, SolidCell) and cell.viscosity == "power":
        parts = cell.branches + cell.equilibrium  # of h_r, see `SolidCell`
        return 0.5 * (float(rows[0]["ε²"][0]) + math.log(cell.modulus / parts))
    return 0.0


def _raw(excess: np.ndarray) -> np.ndarray:
    """Inverse of softplus."""
    return np.log(np.expm1(excess))


def _converted(
    table: Mapping[str, Callable[[Any, np.ndarray], np.ndarray]],
    cell: Any,
    name: str,
    numbers: np.ndarray,
) -> np.ndarray:
    """Numbers of a weight as those of its part, or the other way round; slopes stay."""
    if name not in table:
        return numbers
    with np.errstate(invalid="ignore", divide="ignore"):  # an exponent below the bound of the law
        return np.concatenate([table[name](cell, numbers[:1]), numbers[1:]])


# Weights that are not the part itself, but a rate for a time or a number behind softplus.
_PARTS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "level": lambda cell, log_rate: -log_rate,
    "raw_power": lambda cell, raw: np.logaddexp(0.0, raw),
    "raw_exponent": lambda cell, raw: np.logaddexp(0.0, raw) + cell.min_exponent - 1.0,
}
_WEIGHTS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "level": lambda cell, log_time: -log_time,
    "raw_power": lambda cell, excess: _raw(excess),
    "raw_exponent": lambda cell, excess: _raw(excess + 1.0 - cell.min_exponent),
}


def _tables(cell: Any, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weight -> its numbers and their slopes by covariates, (1 + covariates, numbers, ...)."""
    named = dict(zip(_names(cell), _split(cell, weights), strict=True))
    inner = getattr(cell, "cell", cell)
    tables, count = {}, len(getattr(cell, "names", ()))
    for variable in inner.trainable_variables:
        value = np.atleast_1d(named[variable.name])
        slopes = np.zeros((count, *value.shape))
        group = _slope_name(cell, variable)
        if group:
            slopes = slopes + named[group]
        tables[variable.name] = np.concatenate([value[None], slopes])
    return tables


def _joined(cell: Any, tables: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Inverse of `_tables`; None where a slope that the cell has once would be several."""
    inner = getattr(cell, "cell", cell)
    named = {name: table[0] for name, table in tables.items()}
    for variable in inner.trainable_variables if inner is not cell else ():
        slopes, group = tables[variable.name][1:], _slope_name(cell, variable)
        if not group:
            if np.abs(slopes).max(initial=0.0) > SAME_SLOPE:
                return None
            continue
        if cell.shared:
            one = named.get(group, slopes[:, :1])
            if np.abs(slopes - one).max() > SAME_SLOPE:
                return None
            slopes = one
        named[group] = slopes
    return np.concatenate([named[name].ravel() for name in _names(cell)])


def _slope_name(cell: Any, variable: Any) -> str:
    """Weight of a cell with covariates that holds the slopes of a variable of its inner cell."""
    if not hasattr(cell, "slopes"):
        return ""
    if not cell.shared:
        return f"slope_{variable.name}"
    groups = cell.cell.shift_groups().items()
    return next((f"slope_{name}" for name, own in groups if any(v is variable for v in own)), "")


def _names(cell: Any) -> list[str]:
    return [variable.name for variable in cell.trainable_variables]


def _split(cell: Any, weights: np.ndarray) -> list[np.ndarray]:
    """Weights as arrays of the shapes of the cell's variables."""
    shapes = [tuple(variable.shape) for variable in cell.trainable_variables]
    ends = np.cumsum([int(np.prod(shape, dtype=int)) for shape in shapes])
    parts = np.split(np.asarray(weights, np.float64)[: ends[-1]], ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
