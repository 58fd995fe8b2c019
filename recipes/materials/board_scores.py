"""Errors of laws and networks over the folds of a measured data set."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from recipes.materials.measured_sets import Fold, MeasuredSet, counted
from zoo.data.split import Quantity

BY = "+covariates"  # ends the name of a law whose constants depend on the covariates of a set
SHIFT = "+shift"  # of one with one shift of all stiffnesses and one of all times for each covariate


@dataclass(frozen=True)
class LawResult:
    """One law on one data set.

    Attributes:
        data_set: name.
        law: name of the preset.
        parameters: number of fitted constants.
        learnt: mean RMSE/RMS over the learnt paths of all folds [-].
        mean: the same over held-out paths.
        worst: largest over held-out paths.
        unloading: mean RMSE/RMS of a part of the held-out paths after one factor a path, fitted on
            the part before it: unloading after loading, or as `MeasuredSet.factor` says; None where
            the set has no such part.
        seconds: of all fits.
        starts: of each fit.
        errors: path -> RMSE/RMS, held out.
        constants: of the first fold, name -> value, low, high; an open or unknown end is None.
        warnings: of the first fold.
        calibrated: as `unloading`, after one factor and one offset a path.
    """

    data_set: str
    law: str
    parameters: int
    learnt: float
    mean: float
    worst: float
    unloading: float | None
    seconds: float
    starts: int
    errors: dict[str, float]
    constants: dict[str, list[float | None]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    calibrated: float | None = None


class FoldScores:
    """What a law or network reaches on the folds that it was fitted to so far.

    Args:
        data_set: tests and folds.
    """

    def __init__(self, data_set: MeasuredSet) -> None:
        self.data_set = data_set
        self.learnt: list[float] = []
        self.held: dict[str, float] = {}
        self.unloading: list[float] = []
        self.calibrated: list[float] = []

    def add(self, fold: Fold, fitted: np.ndarray, shape: np.ndarray | None = None) -> None:
        """Score one fold.

        Args:
            fold: which paths were learnt.
            fitted: response of the fold's own fit, (paths, time).
            shape: the response that factors and offsets are applied to; None: the same.
        """
        data_set, groups = self.data_set, self.data_set.data.groups
        shape = fitted if shape is None else shape
        own = path_errors(data_set, fitted)
        self.learnt += [own[k] for k in fold.learn]
        self.held |= {str(groups[k]): own[k] for k in fold.score}
        if data_set.name == "vhb4910":
            self.unloading += [unloading_error(data_set, fitted, k) for k in fold.score]
        elif data_set.factor:
            self.unloading += [rest_error(data_set, shape, k) for k in fold.score]
            self.calibrated += [rest_error(data_set, shape, k, has_offset=True) for k in fold.score]

    def result(self, law: str, parameters: int, seconds: float, **others: Any) -> LawResult:
        """The result of all folds.

        Args:
            law: name.
            parameters: number of fitted constants or weights.
            seconds: of all fits.
            **others: further attributes of `LawResult`.
        """
        held = list(self.held.values())
        return LawResult(
            data_set=self.data_set.name,
            law=law,
            parameters=parameters,
            learnt=float(np.mean(self.learnt)),
            mean=float(np.mean(held)),
            worst=float(np.max(held)),
            unloading=float(np.mean(self.unloading)) if self.unloading else None,
            seconds=seconds,
            errors=self.held,
            calibrated=float(np.mean(self.calibrated)) if self.calibrated else None,
            **others,
        )


def path_errors(data_set: MeasuredSet, fitted: np.ndarray) -> list[float]:
    """RMSE/RMS of every path [-].

    Args:
        data_set: measured.
        fitted: stress, (paths, time).
    """
    errors = []
    for path in range(len(data_set.data.x)):
        keep = counted(data_set.data, path)
        truth = data_set.data.y[path, keep, 0].astype(np.float64)
        gap = fitted[path, keep] - truth
        errors.append(float(np.sqrt(np.mean(gap**2) / np.mean(truth**2))))
    return errors


def with_covariates_of(data_set: MeasuredSet, law: str) -> MeasuredSet:
    """The set with its covariates as further features, if the name of a law asks for them.

    Args:
        data_set: with covariates.
        law: name of a preset, or that with `BY` or `SHIFT`.
    """
    if not law.endswith((BY, SHIFT)):
        return data_set
    data, names = data_set.data, list(data_set.covariates)
    values = np.array([data_set.covariates[name] for name in names], np.float32).T
    features = np.broadcast_to(values[:, None], (*data.x.shape[:2], len(names)))
    inputs = (*data.inputs, *(Quantity(name, "-", "level, constant over a test") for name in names))
    x = np.concatenate([data.x, features], axis=-1)
    return replace(data_set, data=replace(data, x=x, inputs=inputs))


def rest_error(
    data_set: MeasuredSet, fitted: np.ndarray, path: int, *, has_offset: bool = False
) -> float:
    """RMSE/RMS of the last two thirds of a path with one factor, fitted on its first third.

    Args:
        data_set: measured.
        fitted: response, (paths, time).
        path: which one.
        has_offset: whether an offset is fitted there with the factor.
    """
    keep = counted(data_set.data, path)
    truth = data_set.data.y[path, keep, 0].astype(np.float64)
    own, end = fitted[path, keep], keep.sum() // 3
    terms = np.stack([own, np.full(len(own), float(has_offset))], axis=1)
    gap = terms[end:] @ np.linalg.lstsq(terms[:end], truth[:end], rcond=None)[0] - truth[end:]
    return float(np.sqrt(np.mean(gap**2) / np.mean(truth[end:] ** 2)))


def unloading_error(data_set: MeasuredSet, fitted: np.ndarray, path: int) -> float:
    """RMSE/RMS of the unloading branch with one stiffness factor, fitted on the loading branch."""
    keep = counted(data_set.data, path)
    truth = data_set.data.y[path, keep, 0].astype(np.float64)
    own, top = fitted[path, keep], int(np.argmax(data_set.data.x[path, keep, 0])) + 1
    factor = own[:top] @ truth[:top] / (own[:top] @ own[:top])
    gap = factor * own[top:] - truth[top:]
    return float(np.sqrt(np.mean(gap**2) / np.mean(truth[top:] ** 2)))
