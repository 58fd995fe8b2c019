"""Calibration of the wheeze detector: logistic scaling, fitted to breaths of other patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from recipes.wheeze.folds import FoldResult
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.metrics.calibration import LogisticScaling, fit_logistic_scaling, reliability
from zoo.metrics.multiclass import log_loss
from zoo.report.metrics import manifest_metric

OUTPUT_LAYER = "there"  # of `zoo.convnets.tones`: sigmoid(kernel . c + bias)
AS_TRAINED = "as trained"


@dataclass(frozen=True)
class Calibration:
    """Scaling of the exported model, and metrics of probabilities that were scaled fold by fold.

    Attributes:
        scaling: fitted to the test breaths of all folds together.
        log_loss: over breaths, each fold scaled by breaths of other patients [nat].
        error: expected calibration error of the same.
        uncalibrated_log_loss: of the networks as trained [nat].
        uncalibrated_error: of the networks as trained.
    """

    scaling: LogisticScaling
    log_loss: Interval
    error: Interval
    uncalibrated_log_loss: float
    uncalibrated_error: float

    def manifest_metrics(self) -> dict[str, dict[str, Any]]:
        """Entries of the manifest."""
        loss = manifest_metric(self.log_loss, self.uncalibrated_log_loss, AS_TRAINED)
        error = manifest_metric(self.error, self.uncalibrated_error, AS_TRAINED)
        return {"log loss": loss, "calibration error": error}


def calibrate(results: Sequence[FoldResult], patient: np.ndarray) -> Calibration:
    """Calibration of one division.

    Args:
        results: of its folds; both classes are among the test breaths.
        patient: (clips,) patient of each breath.
    """
    labels = np.concatenate([r.test.labels for r in results])
    raw = np.concatenate([r.test.probabilities[:, 1] for r in results])
    groups = patient[np.concatenate([r.test.rows for r in results])]
    scaled = np.concatenate([scale_fold(r, results, patient) for r in results])

    def loss(draw: np.ndarray, scores: np.ndarray = scaled) -> float:
        return log_loss(labels[draw], two_columns(scores[draw]))

    def error(draw: np.ndarray, scores: np.ndarray = scaled) -> float:
        return reliability(labels[draw], two_columns(scores[draw])).ece

    every = np.arange(len(labels))
    return Calibration(
        scaling=fit_logistic_scaling(labels == 1, raw, groups),
        log_loss=bootstrap_interval(loss, groups),
        error=bootstrap_interval(error, groups),
        uncalibrated_log_loss=loss(every, raw),
        uncalibrated_error=error(every, raw),
    )


def scale_fold(fold: FoldResult, results: Sequence[FoldResult], patient: np.ndarray) -> np.ndarray:
    """(test breaths,) probabilities of wheeze, calibrated on breaths of other patients."""
    raw = fold.test.probabilities[:, 1]
    labels, scores, rows = breaths_to_choose_by(fold, results, patient)
    if labels.all() or not labels.any():
        return raw
    return fit_logistic_scaling(labels, scores, patient[rows]).apply(raw)


def breaths_to_choose_by(
    fold: FoldResult, results: Sequence[FoldResult], patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions that calibration and threshold of a fold may be chosen by.

    Those of the test parts of the other folds, each by a network that was trained without their
    patients; of a single fold, its validation part. None is of a test patient of the fold.

    Args:
        fold: whose test patients are left out.
        results: of all folds.
        patient: (clips,) patient of each breath.

    Returns:
        Whether it is a wheeze, probability of wheeze, row; (breaths,) each.
    """
    others = [each.test for each in results if each is not fold] or [fold.validation]
    rows = np.concatenate([part.rows for part in others])
    labels = np.concatenate([part.labels == 1 for part in others])
    scores = np.concatenate([part.probabilities[:, 1] for part in others])
    kept = ~np.isin(patient[rows], patient[fold.test.rows])
    return labels[kept], scores[kept], rows[kept]


def scale_output(model: keras.Model, scaling: LogisticScaling) -> None:
    """Put a scaling into the last layer with weights: sigmoid(slope (w c + a) + offset)."""
    layer = model.get_layer(OUTPUT_LAYER)
    kernel, bias = layer.get_weights()
    layer.set_weights([scaling.slope * kernel, scaling.slope * bias + scaling.offset])


def two_columns(scores: np.ndarray) -> np.ndarray:
    """(breaths, 2) probabilities of normal and wheeze."""
    return np.stack([1 - scores, scores], axis=1)
