"""A model put through every check."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zoo.certificate.limits import FACTORS, LIMITS, Check
from zoo.certificate.measures import (
    Cycles,
    Hold,
    Law,
    area_error,
    hold_change,
    hold_growth,
    negative_dissipation,
    self_contradiction,
    sudden_modulus,
    work_given_back,
    worst,
)
from zoo.metrics.regression import nrmse, rms


@dataclass(frozen=True)
class Curve:
    """Paths in and beyond the trained range of one quantity, or a model's error on them.

    Attributes:
        points: value of the quantity -> x (paths, time, 3), or nRMSE [-].
        trained: range of the quantity in training.
        judged: wider range over which the check is made.
        unit: of the quantity.
    """

    points: Mapping[float, Any]
    trained: tuple[float, float]
    judged: tuple[float, float]
    unit: str

    def judged_points(self) -> dict[float, Any]:
        """Those that the check is made on."""
        low, high = self.judged
        return {v: p for v, p in self.points.items() if low * 0.999 <= v <= high * 1.001}


@dataclass(frozen=True)
class Probes:
    """Loading to put a model through.

    Attributes:
        walks: (paths, time, 3) of the trained range.
        holds: ramps and long holds.
        cycles: closed loading.
        beyond: "length", "rate", "amplitude", "time step" -> paths in and beyond the range.
    """

    walks: np.ndarray
    holds: Hold
    cycles: Cycles
    beyond: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True)
class Certificate:
    """What came out.

    Attributes:
        checks: in the order of `LIMITS`.
        refinement: factor by which steps were cut -> self-contradiction [-].
        beyond: quantity -> nRMSE over it; empty where the true law is not known.
    """

    checks: tuple[Check, ...]
    refinement: Mapping[int, float]
    beyond: Mapping[str, Curve]

    @property
    def passed(self) -> bool:
        """Whether no check failed; skipped ones do not count."""
        return all(check.passed is not False for check in self.checks)

    def entry(self) -> dict[str, dict[str, Any]]:
        """For a manifest: check -> value, threshold, passed; None where a value is no number."""
        return {
            check.name: {
                "value": check.value if math.isfinite(check.value or 0.0) else None,
                "threshold": check.threshold,
                "passed": check.passed,
            }
            for check in self.checks
        }


def certify(
    predict: Law, probes: Probes, *, truth: Law | None = None, modulus: float | None = None
) -> Certificate:
    """Put a model through every check.

    Args:
        predict: the model.
        probes: loading to put it through.
        truth: the exact law; None where nobody knows it.
        modulus: E of a Maxwell solid, whose stored energy is σ²/2E; None where it is not one.
    """
    with np.errstate(all="ignore"):  # a model may answer with anything; NaN fails every check
        return _certify(predict, probes, truth, modulus)


def _certify(predict, probes, truth, modulus) -> Certificate:
    unknown = "skipped: the true law is not known"
    walks, holds, cycles = probes.walks, probes.holds, probes.cycles
    stress, looped = predict(walks), predict(cycles.x)
    exact = None if truth is None else truth(walks)
    scale = rms(stress if exact is None else exact)
    refinement = {
        factor: self_contradiction(predict, walks, factor, stress) / scale for factor in FACTORS
    }
    held = predict(holds.x)
    half = walks.shape[1] // 2
    values: dict[str, float | str] = {
        "causality": rms(predict(walks[:, :half]) - stress[:, :half]) / rms(stress),
        "self-consistency": worst(refinement.values()),
        "hold growth": hold_growth(held, holds.ramp),
        "hold in longer steps": hold_change(held, predict(holds.longer), holds),
        "cycle work": work_given_back(cycles, looped),
        "negative dissipation": "skipped: the stored energy is not known",
    }
    if modulus is not None:
        # A learnt modulus is never quite the true one; a model that obeys thermodynamics with its
        # own, σ/λ of a sudden step, obeys thermodynamics.
        own = sudden_modulus(predict, walks)
        moduli = [E for E in (modulus, own) if math.isfinite(E) and E > 0]
        values["negative dissipation"] = min(negative_dissipation(walks, stress, E) for E in moduli)
    beyond = {}
    if truth is None:
        values |= dict.fromkeys(("loop area", "in range", *probes.beyond), unknown)
    else:
        values["loop area"] = area_error(cycles, looped, truth(cycles.x))
        values["in range"] = nrmse(exact, stress)
        for name, curve in probes.beyond.items():
            errors = {v: nrmse(truth(x), predict(x)) for v, x in curve.points.items()}
            beyond[name] = replace(curve, points=errors)
            values[name] = worst(beyond[name].judged_points().values())
    return Certificate(tuple(_check(name, v) for name, v in values.items()), refinement, beyond)


def _check(name: str, value: float | str) -> Check:
    limit = LIMITS[name]
    if isinstance(value, str):
        return Check(name, None, limit.threshold, value)
    return Check(name, float(value), limit.threshold, limit.meaning)
