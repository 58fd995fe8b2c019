"""Every check of a certificate, run on one model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.certificate.limits import FACTORS, LIMITS, Check
from zoo.certificate.measures import (
    Cycles,
    Hold,
    area_error,
    hold_change,
    hold_growth,
    negative_dissipation,
    refine,
    sudden_modulus,
    work_given_back,
    worst,
)
from zoo.data.probes import Sweep
from zoo.metrics.regression import Predictor, nrmse, refinement_difference, rms


@dataclass(frozen=True)
class ErrorSweep:
    """Error of a model at several values of one quantity, in and beyond its trained range.

    Attributes:
        errors: value of the quantity -> nRMSE [-].
        trained: range of the quantity in training.
        checked: wider range over which the threshold holds.
        unit: of the quantity.
    """

    errors: Mapping[float, float]
    trained: tuple[float, float]
    checked: tuple[float, float]
    unit: str

    @property
    def worst(self) -> float:
        """Largest error in the checked range; NaN if any is."""
        low, high = self.checked
        return worst(e for v, e in self.errors.items() if low * 0.999 <= v <= high * 1.001)


@dataclass(frozen=True)
class Probes:
    """Loading that the checks are made on.

    Attributes:
        walks: (paths, time, 3) of the trained range.
        holds: ramps and long holds.
        cycles: closed loading.
        beyond: "length", "rate", "amplitude", "time step" -> paths in and beyond the range.
    """

    walks: np.ndarray
    holds: Hold
    cycles: Cycles
    beyond: Mapping[str, Sweep] = field(default_factory=dict)


@dataclass(frozen=True)
class Certificate:
    """Results of all checks.

    Attributes:
        checks: in the order of `LIMITS`.
        refinement: factor by which steps were cut -> self-consistency error [-].
        beyond: quantity -> its errors; empty where the true law is not known.
    """

    checks: tuple[Check, ...]
    refinement: Mapping[int, float]
    beyond: Mapping[str, ErrorSweep]

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


def run_checks(
    predict: Predictor,
    probes: Probes,
    *,
    truth: Predictor | None = None,
    modulus: float | None = None,
) -> Certificate:
    """Run every check on a model.

    Args:
        predict: the model, x (paths, time, 3) -> stress (paths, time, 1).
        probes: loading to check it on.
        truth: the exact law, of the same form; None where it is not known.
        modulus: E of a Maxwell solid [unit of stress], whose stored energy is σ²/2E; None where the
            material is not one.
    """
    with np.errstate(all="ignore"):  # a prediction may be anything; NaN fails every check
        stress = predict(probes.walks)
        scale = rms(stress if truth is None else truth(probes.walks))
        refinement = {
            factor: float(
                refinement_difference(stress, predict(refine(probes.walks, factor)), factor) / scale
            )
            for factor in FACTORS
        }
        values = _consistency(predict, probes, stress, refinement)
        values |= _energy(predict, probes, stress, modulus)
        errors, beyond = _errors(predict, probes, stress, truth)
        values |= errors
        checks = tuple(_check(name, values[name]) for name in LIMITS if name in values)
    return Certificate(checks, refinement, beyond)


Values = dict[str, float | str]  # check -> its value, or why it was skipped


def _consistency(
    predict: Predictor, probes: Probes, stress: np.ndarray, refinement: Mapping[int, float]
) -> Values:
    """Causality, independence of the time step, holds."""
    holds, half = probes.holds, probes.walks.shape[1] // 2
    held = predict(holds.x)
    return {
        "causality": rms(predict(probes.walks[:, :half]) - stress[:, :half]) / rms(stress),
        "self-consistency": worst(refinement.values()),
        "hold growth": hold_growth(held, holds.ramp),
        "hold in longer steps": hold_change(held, predict(holds.longer), holds),
    }


def _energy(
    predict: Predictor, probes: Probes, stress: np.ndarray, modulus: float | None
) -> Values:
    """Work given back by a cycle, and dissipation in every step where the modulus is known."""
    values: Values = {
        "cycle work": work_given_back(probes.cycles, predict(probes.cycles.x)),
        "negative dissipation": "skipped: the stored energy is not known",
    }
    if modulus is not None:
        # A learnt modulus is never quite the true one; a model that obeys thermodynamics with its
        # own, σ/ε of a sudden step, obeys thermodynamics.
        own = sudden_modulus(predict, probes.walks)
        moduli = [E for E in (modulus, own) if math.isfinite(E) and E > 0]
        values["negative dissipation"] = min(
            negative_dissipation(probes.walks, stress, E) for E in moduli
        )
    return values


def _errors(
    predict: Predictor, probes: Probes, stress: np.ndarray, truth: Predictor | None
) -> tuple[Values, dict[str, ErrorSweep]]:
    """Errors against the true law, in and beyond the trained range."""
    if truth is None:
        names = ("loop area", "in range", *probes.beyond)
        return dict.fromkeys(names, "skipped: the true law is not known"), {}
    cycles = probes.cycles
    beyond = {
        name: ErrorSweep(
            {value: nrmse(truth(x), predict(x)) for value, x in sweep.paths.items()},
            sweep.trained,
            sweep.checked,
            sweep.unit,
        )
        for name, sweep in probes.beyond.items()
    }
    values: Values = {
        "loop area": area_error(cycles, predict(cycles.x), truth(cycles.x)),
        "in range": nrmse(truth(probes.walks), stress),
    }
    return values | {name: sweep.worst for name, sweep in beyond.items()}, beyond


def _check(name: str, value: float | str) -> Check:
    limit = LIMITS[name]
    if isinstance(value, str):
        return Check(name, None, limit.threshold, value)
    return Check(name, float(value), limit.threshold, limit.meaning)
