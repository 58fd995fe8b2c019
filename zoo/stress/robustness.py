"""Errors of a stress-history model under changed loading, and the limits that follow from them."""

import math
from collections.abc import Mapping
from typing import Any

from zoo.data.split import Split
from zoo.metrics.regression import Predictor
from zoo.stress.experiment import Experiment
from zoo.stress.scoring import Baseline, Errors, score_model

ENTRY = "changed loading"  # among the metrics of a manifest
_STEM = "Changed loading: the nRMSE is"
TOLERATED = 0.05  # nRMSE above which a card names the change among the limits [-]


def score_changed_loading(
    name: str, predict: Predictor, baselines: Mapping[str, Baseline], experiment: Experiment
) -> dict[str, Errors]:
    """Errors of a model, first, and of its baselines on the splits of `experiment.changed`.

    Args:
        name: of the model.
        predict: x (paths, time, 3) -> stress (paths, time, 1).
        baselines: name -> baseline.
        experiment: with splits that are changed by one thing each; none: an empty result.
    """
    if not experiment.changed:
        return {}
    models = {name: predict, **{law: each.predict for law, each in baselines.items()}}
    return score_splits(models, experiment.changed)


def score_splits(models: Mapping[str, Predictor], splits: Mapping[str, Split]) -> dict[str, Errors]:
    """Errors of every model on every split.

    Args:
        models: name -> function of x (paths, time, 3) to stress (paths, time, 1).
        splits: what was changed -> split.
    """
    return {name: score_model(predict, splits) for name, predict in models.items()}


def robustness_entry(scores: Mapping[str, Errors]) -> dict[str, dict[str, Any]]:
    """Metrics of a manifest: "changed loading" -> "nRMSE, CHANGE" -> value and best baseline.

    Args:
        scores: from `score_changed_loading`; empty gives no entry.
    """
    if not scores:
        return {}
    model, *baselines = scores
    figures = {}
    for change, errors in scores[model].items():
        figure: dict[str, Any] = {"value": errors["nrmse"]}
        rivals = {each: scores[each][change]["nrmse"] for each in baselines}
        rivals = {each: error for each, error in rivals.items() if math.isfinite(error)}
        if rivals:
            best = min(rivals, key=rivals.__getitem__)
            figure |= {"baseline": rivals[best], "baseline_name": best}
        figures[f"nRMSE, {change}"] = figure
    return {ENTRY: figures}


def robustness_limits(scores: Mapping[str, Errors]) -> list[str]:
    """Sentence for a card: the changes that bring the error above 5 % of the RMS stress.

    Args:
        scores: from `score_changed_loading`; empty gives none.
    """
    if not scores:
        return []
    errors = next(iter(scores.values()))
    total = len(errors)
    beyond = [f"{k} ({e['nrmse']:.2g})" for k, e in errors.items() if e["nrmse"] > TOLERATED]
    if not beyond:
        return [f"{_STEM} above {TOLERATED:g} with none of {total} changes."]
    return [f"{_STEM} above {TOLERATED:g} with {len(beyond)} of {total}: {'; '.join(beyond)}."]


def is_robustness_limit(limit: str) -> bool:
    """Whether a sentence of a card comes from `robustness_limits`."""
    return limit.startswith(_STEM)
