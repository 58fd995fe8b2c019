"""Metrics of the cross-validation: accuracy, F1, calibration, selective prediction, by device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.crossvalidation import (
    FoldResult,
    Predictions,
    pool_predictions,
    robustness_accuracy,
    robustness_metrics,
)
from zoo.data.clips import Clips
from zoo.data.folds import group_keys
from zoo.metrics import bootstrap, calibration, multiclass
from zoo.metrics.comparison import Comparison
from zoo.metrics.operating_point import (
    OperatingPoint,
    choose_threshold,
    sensitivity_and_specificity,
)
from zoo.report.metrics import manifest_metric

MIN_ACCURACY = 0.95  # of selective prediction, that the confidence threshold is chosen for
MIN_CLIPS = 10  # validation clips above a confidence threshold
MAX_DEVICES = 12  # more are groups by another name, and too many to read
BASELINE = "linear, on band statistics"

Metric = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class FileScore:
    """One precision of the exported model, on the test parts of all folds.

    Attributes:
        accuracy: of its predictions.
        agreement: share of clips for which it predicts the class that the trained model predicts.
        bytes: median size of the file.
        milliseconds: median time of a clip on one thread [ms].
    """

    accuracy: float
    agreement: float
    bytes: int
    milliseconds: float


@dataclass(frozen=True)
class Scores:
    """Metrics over the test parts of all folds.

    Attributes:
        test: predictions with calibrated probabilities.
        uncalibrated: the same before calibration.
        metrics: name -> metric with its interval over groups.
        baseline_metrics: name -> the same metric of the linear baseline.
        by_fold: accuracy of each fold.
        by_device: accuracy on each device, where several are known.
        reliability: "as trained" and "calibrated" -> reliability diagram.
        temperature: of temperature scaling, median over the folds.
        threshold: confidence below which to abstain, median over the folds, each chosen on its
            validation clips; None unless one suffices in every fold.
        selective: coverage and accuracy of the test clips at the threshold of each fold.
        operating_point: of a classifier of two classes, the rarer one positive; None for others.
        decisions: (test clips,) class of each: at the threshold that its fold chose on validation
            clips where there are two classes, else the likeliest.
        files: precision -> score of its files.
        robustness: condition -> accuracy on test clips that are changed so.
    """

    test: Predictions
    uncalibrated: Predictions
    metrics: dict[str, bootstrap.Interval]
    baseline_metrics: dict[str, float]
    by_fold: dict[str, float]
    by_device: dict[str, bootstrap.Interval]
    reliability: dict[str, calibration.Reliability]
    temperature: float
    threshold: float | None
    selective: tuple[float, float] | None
    operating_point: OperatingPoint | None
    decisions: np.ndarray
    files: dict[str, FileScore]
    robustness: dict[str, float]


def compute_scores(results: Sequence[FoldResult], clips: Clips) -> Scores:
    """Metrics over all folds together, with intervals over groups.

    Args:
        results: of the folds, each with validation predictions.
        clips: all clips; their index has group and device.

    Raises:
        ValueError: a fold without validation predictions.
    """
    tests, validations, temperatures = calibrate_folds(results)
    test, uncalibrated = pool_predictions(tests), pool_predictions([r.test for r in results])
    baseline = pool_predictions([r.baseline for r in results])
    groups = group_keys(clips.index)[test.rows]

    def interval(metric: Metric, rows: np.ndarray | None = None) -> bootstrap.Interval:
        return metric_interval(metric, test, groups, rows)

    threshold, selective = select_threshold(tests, validations)
    return Scores(
        test=test,
        uncalibrated=uncalibrated,
        metrics={
            "accuracy": interval(multiclass.accuracy),
            "macro F1": interval(multiclass.macro_f1),
            "log loss": interval(multiclass.log_loss),
            "calibration error": interval(lambda y, p: calibration.reliability(y, p).ece),
        },
        baseline_metrics={
            "accuracy": multiclass.accuracy(baseline.labels, baseline.probabilities),
            "macro F1": multiclass.macro_f1(baseline.labels, baseline.probabilities),
        },
        by_fold={r.name: multiclass.accuracy(r.test.labels, r.test.probabilities) for r in results},
        by_device={
            name: interval(multiclass.accuracy, rows)
            for name, rows in rows_by_device(clips, test, groups).items()
        },
        reliability={
            "as trained": calibration.reliability(uncalibrated.labels, uncalibrated.probabilities),
            "calibrated": calibration.reliability(test.labels, test.probabilities),
        },
        temperature=float(np.median(temperatures)),
        threshold=threshold,
        selective=selective,
        operating_point=binary_operating_point(tests, validations, groups, len(clips.classes)),
        decisions=decide(tests, validations, len(clips.classes)),
        files=score_files(results),
        robustness=robustness_accuracy([result.robustness for result in results]),
    )


def calibrate_folds(
    results: Sequence[FoldResult],
) -> tuple[list[Predictions], list[Predictions], list[float]]:
    """Temperature scaling of each fold, fitted to its validation clips alone.

    Returns:
        For each fold: calibrated test predictions, calibrated validation predictions, temperature.

    Raises:
        ValueError: a fold without validation predictions.
    """
    tests, validations, temperatures = [], [], []
    for result in results:
        if result.validation is None:
            raise ValueError(f"{result.name} has no validation predictions to calibrate with.")
        labels, probabilities = result.validation.labels, result.validation.probabilities
        temperature = calibration.fit_temperature(labels, probabilities)
        temperatures.append(temperature)
        for part, calibrated in ((result.test, tests), (result.validation, validations)):
            scaled = calibration.apply_temperature(part.probabilities, temperature)
            calibrated.append(replace(part, probabilities=scaled))
    return tests, validations, temperatures


def select_threshold(
    tests: Sequence[Predictions], validations: Sequence[Predictions]
) -> tuple[float | None, tuple[float, float] | None]:
    """Confidence threshold of each fold, chosen on validation clips, measured on test clips.

    Returns:
        Median threshold over folds; coverage and accuracy of the test clips. None and None unless a
        threshold suffices in every fold.
    """
    confidences, confident = [], []
    for test, validation in zip(tests, validations, strict=True):
        threshold = calibration.abstention_threshold(
            validation.labels,
            validation.probabilities,
            min_accuracy=MIN_ACCURACY,
            min_clips=MIN_CLIPS,
        )
        if threshold is None:
            return None, None
        confidences.append(threshold.confidence)
        confident.append(test.probabilities.max(axis=1) >= threshold.confidence)
    test, predicted = pool_predictions(tests), np.concatenate(confident)
    correct = test.probabilities.argmax(axis=1) == test.labels
    accuracy = float(correct[predicted].mean()) if predicted.any() else 0.0
    return float(np.median(confidences)), (float(predicted.mean()), accuracy)


def binary_operating_point(
    tests: Sequence[Predictions],
    validations: Sequence[Predictions],
    groups: np.ndarray,
    classes: int,
) -> OperatingPoint | None:
    """Operating point of a classifier of two classes, the rarer one positive; None for others.

    Each fold is decided at the threshold of its validation clips; the threshold of the exported
    model is that of the test clips of all folds.

    Args:
        tests: calibrated test predictions of each fold.
        validations: calibrated predictions that each fold may choose by.
        groups: (test clips,) group of each.
        classes: number of them.
    """
    test = pool_predictions(tests)
    if classes != 2 or len(np.unique(test.labels)) < 2:
        return None
    positive = rarer_class(test.labels)

    def binary(part: Predictions) -> tuple[np.ndarray, np.ndarray]:
        return part.labels == positive, part.probabilities[:, positive]

    labels, scores = binary(test)
    decisions = decide(tests, validations, classes) == positive
    rates = sensitivity_and_specificity(labels, decisions, groups)
    threshold = float(f"{choose_threshold(labels, scores):.4g}")
    return OperatingPoint(threshold, float(labels.mean()), *rates)


def decide(
    tests: Sequence[Predictions], validations: Sequence[Predictions], classes: int
) -> np.ndarray:
    """Class of each test clip of all folds, (clips,), as `Scores.decisions`.

    Args:
        tests: calibrated test predictions of each fold.
        validations: calibrated predictions that each fold may choose by.
        classes: number of them.
    """
    test = pool_predictions(tests)
    if classes != 2 or len(np.unique(test.labels)) < 2:
        return test.probabilities.argmax(axis=1)
    positive = rarer_class(test.labels)
    parts = []
    for part, validation in zip(tests, validations, strict=True):
        threshold = choose_threshold(
            validation.labels == positive, validation.probabilities[:, positive]
        )
        is_positive = part.probabilities[:, positive] >= threshold
        parts.append(np.where(is_positive, positive, 1 - positive))
    return np.concatenate(parts)


def rarer_class(labels: np.ndarray) -> int:
    """Index of the rarer of two classes; 1 where both are as frequent."""
    return int(np.mean(labels == 1) <= 0.5)


def metric_interval(
    metric: Metric, test: Predictions, groups: np.ndarray, rows: np.ndarray | None = None
) -> bootstrap.Interval:
    """Metric of some predictions, with its bootstrap interval over groups.

    Args:
        metric: labels (clips,), probabilities (clips, classes) -> value.
        test: predictions.
        groups: (clips,) group of each.
        rows: which of them; None: all.
    """
    rows = np.arange(len(test.labels)) if rows is None else rows
    labels, p = test.labels[rows], test.probabilities[rows]
    return bootstrap.bootstrap_interval(lambda draw: metric(labels[draw], p[draw]), groups[rows])


def rows_by_device(clips: Clips, test: Predictions, groups: np.ndarray) -> dict[str, np.ndarray]:
    """Predictions recorded with each device; none unless 2 to 12 devices recorded two groups."""
    devices = clips.index["device"].astype(object).iloc[test.rows].to_numpy()
    rows = {}
    for name in sorted({device for device in devices if isinstance(device, str)}):
        recorded = np.flatnonzero(devices == name)
        if len(np.unique(groups[recorded])) > 1:  # one group has no interval
            rows[name] = recorded
    return rows if 1 < len(rows) <= MAX_DEVICES else {}


def score_files(results: Sequence[FoldResult]) -> dict[str, FileScore]:
    """Score of each precision whose file exists in every fold."""
    shared = set.intersection(*(set(r.files) for r in results))
    labels = np.concatenate([r.test.labels for r in results])
    trained = np.concatenate([r.test.probabilities.argmax(axis=1) for r in results])
    scores = {}
    for name in (name for name in results[0].files if name in shared):
        files = [r.files[name] for r in results]
        predicted = np.concatenate([f.predictions.argmax(axis=-1) for f in files])
        scores[name] = FileScore(
            accuracy=float((predicted == labels).mean()),
            agreement=float((predicted == trained).mean()),
            bytes=int(np.median([f.bytes for f in files])),
            milliseconds=1e3 * float(np.median([f.seconds for f in files])),
        )
    return scores


def compare_with_simplest(scores: Scores) -> Comparison:
    """Accuracy of the cross-validation beside that of the linear baseline on the same folds."""
    return Comparison(
        "accuracy on held-out clips",
        scores.metrics["accuracy"].value,
        scores.baseline_metrics["accuracy"],
        BASELINE,
        is_higher_better=True,
    )


def manifest_metrics(scores: Scores) -> dict[str, dict[str, dict[str, Any]]]:
    """Entry `metrics` of the manifest: of cross-validation, of changed clips, of every file."""
    files = {
        f"cross-validation, {name} file": {
            "accuracy": {
                "value": each.accuracy,
                "baseline": scores.metrics["accuracy"].value,
                "baseline_name": "as trained",
            },
            "agreement with the trained model": {"value": each.agreement},
            "a clip on one thread [ms]": {"value": each.milliseconds},
        }
        for name, each in scores.files.items()
    }
    metrics = {
        name: manifest_metric(each, scores.baseline_metrics.get(name), BASELINE)
        for name, each in scores.metrics.items()
    }
    robustness = robustness_metrics(scores.robustness)
    return {
        "cross-validation": metrics,
        **({"cross-validation, changed clips": robustness} if robustness else {}),
        **files,
    }
