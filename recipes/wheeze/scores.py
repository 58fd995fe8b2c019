"""What the folds found, breath by breath and patient by patient, with doubts over patients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.wheeze.folds import Judged
from zoo.data.folds import groups_of
from zoo.metrics import binary
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.report import Column, Table

if TYPE_CHECKING:
    from zoo.data.clips import Clips


@dataclass(frozen=True)
class Level:
    """Breaths, or patients: what is there, what was said, what of it was taken for a wheeze.

    labels, found: (n,) bool. scores: (n,) probability, or of a patient the mean of theirs. groups:
    (n,) patient. figures: name -> figure, with its interval over patients.
    """

    labels: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    groups: np.ndarray
    figures: dict[str, Interval]


@dataclass(frozen=True)
class Scores:
    """What one division of the patients found, its folds together.

    Attributes:
        breaths: of all test parts.
        patients: the same by patient, with a wheeze if one of the breaths has one.
        baselines: name -> area under the curve over breaths.
        gain: by how much the network's is larger than that of the best baseline, whose name it has.
        by_fold: area under the curve of each.
        by_device: of each device with both kinds.
        files: precision -> area under the curve, kB, ms a breath, on the test part of one fold.
    """

    breaths: Level
    patients: Level
    baselines: dict[str, Interval]
    gain: tuple[str, Interval]
    by_fold: dict[str, float]
    by_device: dict[str, Interval]
    files: dict[str, dict[str, float]]


def scores_of(results: list[Judged], clips: "Clips") -> Scores:
    """Figures over all folds together.

    Args:
        results: of one division.
        clips: all breaths; label 1 is wheeze.
    """
    wheeze, patient = clips.labels == 1, groups_of(clips.index)
    rows = np.concatenate([r.test for r in results])
    said = np.concatenate([r.probability for r in results])
    groups = patient[rows]
    found = np.concatenate(
        [
            r.probability >= _threshold(r, results, wheeze, patient, by_patient=False)
            for r in results
        ]
    )
    breaths = _level(wheeze[rows], said, found, groups)
    simple = {
        name: np.concatenate([r.baselines[name] for r in results]) for name in results[0].baselines
    }
    baselines = {name: _auc(wheeze[rows], each, groups) for name, each in simple.items()}
    best = max(baselines, key=lambda name: baselines[name].value)

    def gain(draw: np.ndarray) -> float:
        labels = wheeze[rows][draw]
        return binary.auc(labels, said[draw]) - binary.auc(labels, simple[best][draw])

    by_patient = [_by_patient(wheeze[r.test], r.probability, patient[r.test]) for r in results]
    some = np.concatenate(
        [
            scores >= _threshold(r, results, wheeze, patient, by_patient=True)
            for r, (_, scores, _) in zip(results, by_patient, strict=True)
        ]
    )
    labels, means, names = (np.concatenate(part) for part in zip(*by_patient, strict=True))
    device = clips.index["device"].astype(object).to_numpy()[rows]
    return Scores(
        breaths=breaths,
        patients=_level(labels, means, some, names),
        baselines=baselines,
        gain=(best, bootstrap_interval(gain, groups)),
        by_fold={r.name: binary.auc(wheeze[r.test], r.probability) for r in results},
        by_device={
            name: _auc(wheeze[rows][on], said[on], groups[on])
            for name in sorted({d for d in device if isinstance(d, str)})
            if len(set(wheeze[rows][on := np.flatnonzero(device == name)])) == 2
        },
        files={
            name: {
                "AUC": binary.auc(wheeze[results[0].test], each.answers[:, 1]),
                "kB": each.bytes / 1e3,
                "ms": 1e3 * each.seconds,
            }
            for name, each in results[0].files.items()
        },
    )


def _threshold(
    fold: Judged, results: list[Judged], wheeze: np.ndarray, patient: np.ndarray, by_patient: bool
) -> float:
    """Chosen on the validation parts of all folds, without the patients that `fold` tests."""
    rows = np.concatenate([r.validation for r in results])
    said = np.concatenate([r.validation_probability for r in results])
    other = ~np.isin(patient[rows], patient[fold.test])
    labels, scores = wheeze[rows][other], said[other]
    if by_patient:
        labels, scores, _ = _by_patient(labels, scores, patient[rows][other])
    if labels.all() or not labels.any():
        return 0.5
    return binary.youden_threshold(labels, scores)


def _by_patient(
    labels: np.ndarray, scores: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether a patient has a wheeze, the mean of the scores, the name; (patients,) each."""
    names, of_row = np.unique(patient, return_inverse=True)
    count = np.bincount(of_row)
    return np.bincount(of_row, labels) > 0, np.bincount(of_row, scores) / count, names


def _auc(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> Interval:
    return bootstrap_interval(lambda draw: binary.auc(labels[draw], scores[draw]), groups)


def _level(labels: np.ndarray, scores: np.ndarray, found: np.ndarray, groups: np.ndarray) -> Level:
    def rate(name: str) -> Interval:
        return bootstrap_interval(
            lambda draw: getattr(binary.rates(labels[draw], found[draw]), name), groups
        )

    both = labels.any() and not labels.all()  # or nothing can be told apart
    figures = (
        {}
        if not both
        else {
            "AUC": _auc(labels, scores, groups),
            "sensitivity": rate("sensitivity"),
            "specificity": rate("specificity"),
            "ICBHI score": rate("balanced_accuracy"),
        }
    )
    return Level(labels, scores, found, groups, figures)


def table_of(scores: Scores) -> Table:
    """Network, by breath and by patient; baselines; folds; devices."""
    rows = []

    def row(name: str, each: Interval) -> None:
        rows.append([name, each.value, each.low, each.high])

    for what, level in (("breaths", scores.breaths), ("patients", scores.patients)):
        for name, each in level.figures.items():
            row(f"{name}, {what}", each)
    for name, each in scores.baselines.items():
        row(f"AUC, breaths, baseline: {name}", each)
    row(f"AUC gained over {scores.gain[0]}", scores.gain[1])
    if len(scores.by_fold) > 1:
        rows += [
            [f"AUC, breaths, {name}", value, None, None] for name, value in scores.by_fold.items()
        ]
    for name, each in scores.by_device.items():
        row(f"AUC, breaths, {name}", each)
    return Table(
        ("figure", Column("value"), Column("low"), Column("high")),
        rows,
        f"{len(scores.breaths.labels)} breaths, {scores.breaths.labels.sum()} with wheeze, of "
        f"{len(scores.patients.labels)} patients, {scores.patients.labels.sum()} with wheeze, all "
        "unseen in training. Low and high: 95 % of 1000 bootstrap samples of whole patients. ICBHI "
        "score: mean of sensitivity and specificity, at a threshold chosen on other patients.",
    )


def files_table(scores: Scores) -> Table:
    """Area under the curve, size and time of each precision."""
    return Table(
        (
            "weights",
            Column("AUC"),
            Column("file [kB]", number=",.0f"),
            Column("a breath, one thread [ms]"),
        ),
        [[name, *each.values()] for name, each in scores.files.items()],
        "The files of the first fold's model, asked about its test part.",
    )


def metrics_of(scores: dict[str, Scores], repeated: dict[str, Interval]) -> dict[str, Any]:
    """Division -> figure with its interval, beside the baselines; what a manifest holds.

    Args:
        scores: by division, the first the headline.
        repeated: seed -> area under the curve of the first division, folded and trained anew.
    """
    metrics = {}
    for division, each in scores.items():
        for what, level in (("breaths", each.breaths), ("patients", each.patients)):
            metrics[f"{division}, {what}"] = {n: _figure(f) for n, f in level.figures.items()}
        best, gain = each.gain
        breaths = metrics[f"{division}, breaths"]
        breaths["AUC"] |= {"baseline": each.baselines[best].value, "baseline_name": best}
        breaths[f"AUC gained over {best}"] = _figure(gain)
        for name, value in each.by_device.items():
            breaths[f"AUC, {name}"] = _figure(value)
        metrics[f"{division}, baselines"] = {
            f"AUC, {name}": _figure(f) for name, f in each.baselines.items()
        }
        if each.files:
            metrics[f"{division}, files on the first fold"] = {
                f"{what}, {weights}": {"value": value}
                for weights, figures in each.files.items()
                for what, value in figures.items()
            }
    if repeated:
        first = f"{next(iter(scores))}, breaths"
        metrics[f"{first}, other seeds"] = {f"AUC, {n}": _figure(f) for n, f in repeated.items()}
    return metrics


def _figure(each: Interval) -> dict[str, float]:
    return {"value": each.value, "low": each.low, "high": each.high}
