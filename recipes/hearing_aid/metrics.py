"""Metrics of the step model for its manifest, and tables of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recipes.hearing_aid.decision import (
    HopPredictions,
    decide_programs,
    evaluate_decision,
    evaluate_likeliest,
)
from recipes.hearing_aid.evaluation import StepEvaluation
from zoo.edge.budget import HEARING_AID, read_budget
from zoo.edge.decision import DecisionSettings
from zoo.metrics.switching import SETTLE_S, SwitchingMetrics, settled_recalls
from zoo.report import Column, Table

MAX_STREAMING_ERROR = 1e-4  # of a probability
MIN_AGREEMENT = 0.99  # share of hops in which the 8-bit and the float file agree
MAX_ACCURACY_LOSS = 1.0  # points of accuracy between them
# Field of Cost -> name of the metric, factor to its unit.
COSTS = {
    "hop_s": ("hop [ms]", 1e3),
    "macs_per_s": ("multiply-accumulates a second [million]", 1e-6),
    "weights_bytes": ("weights [kB]", 1e-3),
    "state_bytes": ("state [kB]", 1e-3),
    "p50_s": ("median step [ms]", 1e3),
    "p99_share_of_hop": ("step, 99 of 100, share of a hop [%]", 100),
}


def manifest_metrics(
    evaluation: StepEvaluation, settings: DecisionSettings, classes: Sequence[str]
) -> dict[str, Any]:
    """Metrics for a manifest: the file for devices on each kind of sequences, cost, quantization.

    The baseline of the decision is the likeliest class of every hop; that of the rest is the
    allowed value.

    Args:
        evaluation: of the step files.
        settings: of the decision.
        classes: their names.

    Returns:
        Kind of sequences, or "step" -> name of a metric -> value, baseline, baseline_name.
    """
    metrics: dict[str, Any] = {}
    for kind, predictions in evaluation.predictions.items():
        of_decision = _switching_values(evaluate_decision(settings, classes, predictions))
        likeliest = _switching_values(evaluate_likeliest(predictions))
        metrics[kind] = {
            name: {"value": value, "baseline": likeliest[name], "baseline_name": "likeliest class"}
            for name, value in of_decision.items()
        }
        metrics[kind] |= _settled_accuracy(predictions, settings, classes)
        metrics[kind] |= _accuracy_by_class(predictions, settings, classes)
        if evaluation.weights == "int8":
            float_predictions = evaluation.float_predictions[kind]
            metrics[kind] |= _quantization(predictions, float_predictions, settings, classes)
    metrics["step"] = {
        "largest difference of streaming in float from the whole": _with_limit(
            evaluation.streaming_error, MAX_STREAMING_ERROR
        )
    }
    limits = read_budget(HEARING_AID)
    for field, (name, factor) in COSTS.items():
        value = getattr(evaluation.cost, field)
        if value is not None:
            limit = limits.get(field)
            metrics["step"][name] = _with_limit(factor * value, limit and factor * limit)
    return metrics


def _switching_values(metrics: SwitchingMetrics) -> dict[str, float | None]:
    delays = {
        "median delay [s]": metrics.delay_s(0.5),
        "delay of 9 in 10 changes [s]": metrics.delay_s(0.9),
    }
    return {
        "accuracy over time": metrics.accuracy,
        "share of the time with a program": metrics.coverage,
        "false switches a minute": metrics.false_per_min,
        "switches a minute": metrics.switches_per_min,
        "share of scenes never found": metrics.missed_share,
        # JSON has no infinity; a scene that was missed has no delay
        **{name: value if np.isfinite(value) else None for name, value in delays.items()},
    }


def _settled_accuracy(
    predictions: Sequence[HopPredictions], settings: DecisionSettings, classes: Sequence[str]
) -> dict[str, Any]:
    """Balanced accuracy and that of each class, without the first seconds after each change."""
    truths = [each.truth for each in predictions]
    hop_s = predictions[0].hop_s

    def recalls(programs: Sequence[np.ndarray]) -> np.ndarray:
        return settled_recalls(list(zip(truths, programs, strict=True)), len(classes), hop_s)

    decided = recalls([decide_programs(settings, classes, each) for each in predictions])
    likeliest = recalls([each.probabilities.argmax(axis=1) for each in predictions])
    after = f"from {SETTLE_S:g} s after each change on"
    values = {f"balanced accuracy {after}": (np.nanmean(decided), np.nanmean(likeliest))} | {
        f"accuracy in {name.replace('_', ' ')} {after}": pair
        for name, pair in zip(classes, zip(decided, likeliest, strict=True), strict=True)
        if np.isfinite(pair).all()
    }
    return {
        name: {"value": float(a), "baseline": float(b), "baseline_name": "likeliest class"}
        for name, (a, b) in values.items()
    }


def _accuracy_by_class(
    predictions: Sequence[HopPredictions], settings: DecisionSettings, classes: Sequence[str]
) -> dict[str, Any]:
    """Share of the time of each class in which its program runs, delays included."""
    truth = _join([each.truth for each in predictions])
    programs = _join([decide_programs(settings, classes, each) for each in predictions])
    likeliest = _join([each.probabilities.argmax(axis=1) for each in predictions])
    return {
        f"accuracy over time in {name.replace('_', ' ')}": {
            "value": float(np.mean(programs[truth == number] == number)),
            "baseline": float(np.mean(likeliest[truth == number] == number)),
            "baseline_name": "likeliest class",
        }
        for number, name in enumerate(classes)
        if (truth == number).any()
    }


def _quantization(
    predictions: Sequence[HopPredictions],
    float_predictions: Sequence[HopPredictions],
    settings: DecisionSettings,
    classes: Sequence[str],
) -> dict[str, Any]:
    """Effect of 8-bit quantization: agreement of programs and classes, loss of accuracy."""
    programs, float_programs = (
        _join([decide_programs(settings, classes, each) for each in part])
        for part in (predictions, float_predictions)
    )
    likeliest, float_likeliest = (
        _join([each.probabilities.argmax(axis=1) for each in part])
        for part in (predictions, float_predictions)
    )
    truth = _join([each.truth for each in predictions])
    accuracy, float_accuracy = np.mean(likeliest == truth), np.mean(float_likeliest == truth)
    return {
        "agreement of the program, 8 bits and float": _with_limit(
            float(np.mean(programs == float_programs)), MIN_AGREEMENT
        ),
        "agreement of the likeliest class, 8 bits and float": _with_limit(
            float(np.mean(likeliest == float_likeliest)), MIN_AGREEMENT
        ),
        "difference of hop accuracy by 8 bits [points]": _with_limit(
            100 * abs(float(accuracy) - float(float_accuracy)), MAX_ACCURACY_LOSS
        ),
    }


def _with_limit(value: float, limit: float | None) -> dict[str, Any]:
    return {
        "value": value,
        "baseline": limit,
        "baseline_name": None if limit is None else "allowed",
    }


def _join(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts)


def metrics_table(metrics: Mapping[str, Any]) -> Table:
    """Table of all metrics of a manifest."""
    rows = [
        (
            f"{name}, {kind}",
            entry["value"],
            entry.get("baseline"),
            entry.get("baseline_name") or "",
        )
        for kind, entries in metrics.items()
        for name, entry in entries.items()
    ]
    return Table(
        ("metric", Column("value"), Column("baseline"), "which is"),
        rows,
        "Of the step model, in 8 bits if there is such a file. A dash in place of a delay: the "
        "scenes were missed.",
    )
