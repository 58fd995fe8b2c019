"""Metrics of one division: AUC, sensitivity, specificity, over breaths and over patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.wheeze.calibration import Calibration, breaths_to_choose_by, calibrate
from recipes.wheeze.folds import FoldResult
from zoo.crossvalidation.robustness import AS_RECORDED
from zoo.data.clips import Clips
from zoo.data.folds import group_keys
from zoo.metrics import binary
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.metrics.comparison import Comparison
from zoo.metrics.operating_point import OperatingPoint, choose_threshold
from zoo.report.metrics import manifest_metric


@dataclass(frozen=True)
class Level:
    """Decisions over breaths, or over patients.

    Attributes:
        labels: (n,) bool, true for wheeze.
        scores: (n,) probability of wheeze before calibration; of a patient, the mean over their
            breaths.
        decisions: (n,) bool, true where the score reached the threshold.
        groups: (n,) patient.
        metrics: name -> metric with its interval over patients; empty where one class is missing.
    """

    labels: np.ndarray
    scores: np.ndarray
    decisions: np.ndarray
    groups: np.ndarray
    metrics: dict[str, Interval]


@dataclass(frozen=True)
class FileScore:
    """One precision of the exported model, on the test part of the first fold.

    Attributes:
        auc: over breaths.
        kilobytes: size of the file [kB].
        milliseconds: median time of a breath on one thread [ms].
    """

    auc: float
    kilobytes: float
    milliseconds: float


@dataclass(frozen=True)
class RobustnessScore:
    """Metrics over the test breaths of all folds, changed in one way.

    Attributes:
        auc: over breaths.
        sensitivity: at the threshold of each fold, chosen on other patients' breaths as recorded.
        specificity: likewise.
    """

    auc: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Scores:
    """Metrics of one division of the patients, its folds together.

    Attributes:
        breaths: of all test parts.
        patients: the same by patient, positive if one of the breaths is labelled wheeze.
        calibration: of the probabilities over breaths; None where one class is missing.
        operating_point: of the exported model, over breaths; None where one class is missing.
        baselines: name -> AUC over breaths.
        best_baseline: name of the baseline of the highest AUC.
        gain: AUC of the network less that of the best baseline.
        by_fold: AUC of each.
        by_device: AUC of each device with both labels.
        files: precision -> score of its file.
        robustness: condition -> score on breaths that are changed so; empty: not measured.
    """

    breaths: Level
    patients: Level
    calibration: Calibration | None
    operating_point: OperatingPoint | None
    baselines: dict[str, Interval]
    best_baseline: str
    gain: Interval
    by_fold: dict[str, float]
    by_device: dict[str, Interval]
    files: dict[str, FileScore]
    robustness: dict[str, RobustnessScore]


def compute_scores(results: Sequence[FoldResult], clips: Clips) -> Scores:
    """Metrics over all folds of a division together.

    Args:
        results: of the folds of one division.
        clips: all breaths; label 1 is wheeze.
    """
    patient = group_keys(clips.index)
    breaths = breath_level(results, patient)
    scores = {
        name: np.concatenate([r.baselines[name] for r in results]) for name in results[0].baselines
    }
    baselines = {
        name: auc_interval(breaths.labels, each, breaths.groups) for name, each in scores.items()
    }
    best = max(baselines, key=lambda name: baselines[name].value)

    def gain(draw: np.ndarray) -> float:
        labels = breaths.labels[draw]
        network, baseline = breaths.scores[draw], scores[best][draw]
        return binary.auc(labels, network) - binary.auc(labels, baseline)

    calibration = calibrate(results, patient) if breaths.metrics else None
    return Scores(
        breaths=breaths,
        patients=patient_level(results, patient),
        calibration=calibration,
        operating_point=None if calibration is None else operating_point(breaths, calibration),
        baselines=baselines,
        best_baseline=best,
        gain=bootstrap_interval(gain, breaths.groups),
        by_fold={r.name: binary.auc(r.test.labels == 1, wheeze_scores(r)) for r in results},
        by_device=auc_by_device(results, clips, breaths),
        files={
            name: FileScore(
                auc=binary.auc(results[0].test.labels == 1, file.predictions[:, 1]),
                kilobytes=file.bytes / 1e3,
                milliseconds=1e3 * file.seconds,
            )
            for name, file in results[0].files.items()
        },
        robustness=score_robustness(results, patient),
    )


def score_robustness(
    results: Sequence[FoldResult], patient: np.ndarray
) -> dict[str, RobustnessScore]:
    """Score under each condition that all folds were tested under.

    Args:
        results: of the folds of one division.
        patient: (clips,) patient of each breath.
    """
    scores = {}
    for name in results[0].robustness:
        labels = np.concatenate([r.robustness[name].labels == 1 for r in results])
        wheeze = [r.robustness[name].probabilities[:, 1] for r in results]
        decisions = np.concatenate(
            [
                each >= select_threshold(r, results, patient)
                for each, r in zip(wheeze, results, strict=True)
            ]
        )
        rates = binary.rates(labels, decisions)
        auc = binary.auc(labels, np.concatenate(wheeze))
        scores[name] = RobustnessScore(auc, rates.sensitivity, rates.specificity)
    return scores


def compare_with_simplest(scores: Scores) -> Comparison | None:
    """AUC over breaths beside that of the height of a tone; None where one class is missing."""
    auc = scores.breaths.metrics.get("AUC")
    if auc is None:
        return None
    name, simplest = next(iter(scores.baselines.items()))
    return Comparison(
        "AUC on held-out patients", auc.value, simplest.value, name, is_higher_better=True
    )


def breath_level(results: Sequence[FoldResult], patient: np.ndarray) -> Level:
    """Decisions over the breaths of all test parts.

    Args:
        results: of the folds of one division.
        patient: (clips,) patient of each breath.
    """
    decisions = [wheeze_scores(r) >= select_threshold(r, results, patient) for r in results]
    return score_level(
        np.concatenate([r.test.labels == 1 for r in results]),
        np.concatenate([wheeze_scores(r) for r in results]),
        np.concatenate(decisions),
        patient[np.concatenate([r.test.rows for r in results])],
    )


def patient_level(results: Sequence[FoldResult], patient: np.ndarray) -> Level:
    """Decisions over the patients of all test parts; arguments as in `breath_level`."""
    parts = []
    for r in results:
        labels, scores, names = average_by_patient(
            r.test.labels == 1, wheeze_scores(r), patient[r.test.rows]
        )
        threshold = select_threshold(r, results, patient, by_patient=True)
        parts.append((labels, scores, scores >= threshold, names))
    return score_level(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def wheeze_scores(result: FoldResult) -> np.ndarray:
    """(test breaths,) predicted probability of wheeze."""
    return result.test.probabilities[:, 1]


def select_threshold(
    fold: FoldResult,
    results: Sequence[FoldResult],
    patient: np.ndarray,
    *,
    by_patient: bool = False,
) -> float:
    """Threshold of Youden's J on other patients, see `breaths_to_choose_by`.

    Args:
        fold: whose test patients are left out of the choice.
        results: of all folds.
        patient: (clips,) patient of each breath.
        by_patient: choose it for means over patients.
    """
    labels, scores, rows = breaths_to_choose_by(fold, results, patient)
    if by_patient:
        labels, scores, _ = average_by_patient(labels, scores, patient[rows])
    return choose_threshold(labels, scores)


def operating_point(breaths: Level, calibration: Calibration) -> OperatingPoint:
    """Operating point of the exported model.

    Its threshold is chosen on the test breaths of all folds, each predicted by a network that was
    trained without their patient; sensitivity and specificity are those of the folds, each at a
    threshold chosen on other patients.
    """
    scores = calibration.scaling.apply(breaths.scores)
    return OperatingPoint(
        threshold=float(f"{choose_threshold(breaths.labels, scores):.4g}"),
        prior=float(breaths.labels.mean()),
        sensitivity=breaths.metrics["sensitivity"],
        specificity=breaths.metrics["specificity"],
    )


def average_by_patient(
    labels: np.ndarray, scores: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether a patient has a wheeze, the mean of the scores, the name; (patients,) each."""
    names, patient_of_row = np.unique(patient, return_inverse=True)
    count = np.bincount(patient_of_row)
    has_wheeze = np.bincount(patient_of_row, labels) > 0
    return has_wheeze, np.bincount(patient_of_row, scores) / count, names


def auc_interval(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> Interval:
    """AUC with its bootstrap interval over groups."""
    return bootstrap_interval(lambda draw: binary.auc(labels[draw], scores[draw]), groups)


def auc_by_device(
    results: Sequence[FoldResult], clips: Clips, breaths: Level
) -> dict[str, Interval]:
    """AUC over the breaths recorded with each device that recorded both labels."""
    rows = np.concatenate([r.test.rows for r in results])
    device = clips.index["device"].astype(object).to_numpy()[rows]
    metrics = {}
    for name in sorted({each for each in device if isinstance(each, str)}):
        recorded = np.flatnonzero(device == name)
        labels, groups = breaths.labels[recorded], breaths.groups[recorded]
        if labels.any() and not labels.all():
            metrics[name] = auc_interval(labels, breaths.scores[recorded], groups)
    return metrics


def score_level(
    labels: np.ndarray, scores: np.ndarray, decisions: np.ndarray, groups: np.ndarray
) -> Level:
    """Metrics of decisions, with intervals over groups; all arguments (n,)."""

    def rate(name: str) -> Interval:
        return bootstrap_interval(
            lambda draw: getattr(binary.rates(labels[draw], decisions[draw]), name), groups
        )

    if labels.all() or not labels.any():
        return Level(labels, scores, decisions, groups, {})
    metrics = {
        "AUC": auc_interval(labels, scores, groups),
        "sensitivity": rate("sensitivity"),
        "specificity": rate("specificity"),
        "ICBHI score": rate("balanced_accuracy"),
    }
    return Level(labels, scores, decisions, groups, metrics)


def manifest_metrics(
    scores: Mapping[str, Scores], repeated: Mapping[str, Interval]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Entry `metrics` of the manifest: division -> metric with interval and baseline.

    Args:
        scores: by division, the first the headline.
        repeated: seed -> AUC of the first division, divided and trained with that seed.
    """
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for division, each in scores.items():
        for what, level in (("breaths", each.breaths), ("patients", each.patients)):
            metrics[f"{division}, {what}"] = {
                name: manifest_metric(value) for name, value in level.metrics.items()
            }
        best = each.best_baseline
        breaths = metrics[f"{division}, breaths"]
        breaths["AUC"] |= {"baseline": each.baselines[best].value, "baseline_name": best}
        if each.calibration is not None:
            breaths |= each.calibration.manifest_metrics()
        breaths[f"AUC gained over {best}"] = manifest_metric(each.gain)
        for name, value in each.by_device.items():
            breaths[f"AUC, {name}"] = manifest_metric(value)
        metrics[f"{division}, baselines"] = {
            f"AUC, {name}": manifest_metric(value) for name, value in each.baselines.items()
        }
        if each.robustness:
            as_recorded = each.robustness[AS_RECORDED]
            metrics[f"{division}, changed breaths"] = {
                f"{what}, {name}": {
                    "value": getattr(score, field),
                    "baseline": getattr(as_recorded, field),
                    "baseline_name": AS_RECORDED,
                }
                for name, score in each.robustness.items()
                if name != AS_RECORDED
                for what, field in (
                    ("AUC", "auc"),
                    ("sensitivity", "sensitivity"),
                    ("specificity", "specificity"),
                )
            }
        if each.files:
            metrics[f"{division}, files on the first fold"] = {
                f"{what}, {precision}": {"value": value}
                for precision, file in each.files.items()
                for what, value in (
                    ("AUC", file.auc),
                    ("kB", file.kilobytes),
                    ("ms", file.milliseconds),
                )
            }
    if repeated:
        first = f"{next(iter(scores))}, breaths"
        metrics[f"{first}, other seeds"] = {
            f"AUC, {name}": manifest_metric(value) for name, value in repeated.items()
        }
    return metrics
