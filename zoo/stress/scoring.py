"""Errors of a stress-history model on every test split, beside those of its baselines."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.baselines.laws import Elastic, LinearMaxwell
from zoo.data.split import Split
from zoo.metrics import regression
from zoo.metrics.comparison import Comparison
from zoo.metrics.regression import Predictor
from zoo.report import Column, Table
from zoo.stress.experiment import REFINEMENT, Experiment

MAX_COLUMNS = 5  # models beside one another in a table of splits
SELF_CONSISTENCY = "self-consistency"

Errors = dict[str, dict[str, float]]  # split -> metric -> value


@dataclass(frozen=True)
class Baseline:
    """A simpler model to compare with.

    Attributes:
        predict: x (paths, time, 3) -> stress (paths, time, 1).
        is_step_exact: whether its response is exact at any time step by construction, so that its
            self-consistency error is zero whatever the data, and no measure for another model.
        parameters: how many it has; None if that is not known.
    """

    predict: Predictor
    is_step_exact: bool = False
    parameters: int | None = None


def fit_laws(train: Split) -> dict[str, Baseline]:
    """Laws with one or two constants, fitted to the training data."""
    data = (train.x, train.y, train.weight)
    laws = {"elastic": Elastic.fit(*data), "linear Maxwell": LinearMaxwell.fit(*data)}
    return {
        name: Baseline(law.predict, law.is_step_exact, len(dataclasses.fields(law)))
        for name, law in laws.items()
    }


def score_model(
    predict: Predictor, tests: Mapping[str, Split], refinement: tuple[Split, Split] | None = None
) -> Errors:
    """Normalized RMS error (nRMSE) on every split, and the self-consistency error.

    Args:
        predict: x (paths, time, 3) -> stress (paths, time, 1).
        tests: name -> split to score.
        refinement: the same paths at dt and at dt / `REFINEMENT`; None where there is no simulator.

    Returns:
        split -> {"nrmse", "nrmse_p95"}, and `SELF_CONSISTENCY` -> {"nrmse"}.
    """
    splits = {name: (s.x, s.y, s.weight) for name, s in tests.items()}
    errors = regression.errors_by_split(predict, splits)
    if refinement:
        coarse, fine = refinement
        errors[SELF_CONSISTENCY] = {
            "nrmse": regression.self_consistency(predict, coarse.x, fine.x, REFINEMENT, coarse.y)
        }
    return errors


def score_all(
    name: str, predict: Predictor, baselines: Mapping[str, Baseline], experiment: Experiment
) -> dict[str, Errors]:
    """Errors of a model, first, and of its baselines.

    A baseline that is exact at any time step has no self-consistency error among its errors.
    """
    tests, refinement = experiment.tests, experiment.refinement
    scores = {name: score_model(predict, tests, refinement)}
    for law, baseline in baselines.items():
        own = None if baseline.is_step_exact else refinement
        scores[law] = score_model(baseline.predict, tests, own)
    return scores


def compare_with_simplest(
    predict: Predictor, baselines: Mapping[str, Baseline], validation: Split
) -> Comparison:
    """NRMSE of a model on held-out paths like those of training, beside that of its first baseline.

    Args:
        predict: x (paths, time, 3) -> stress (paths, time, 1).
        baselines: the simplest one first, see `fit_laws`.
        validation: held-out paths.
    """
    name, simplest = next(iter(baselines.items()))
    value, baseline = (
        regression.nrmse(validation.y, each(validation.x), validation.weight)
        for each in (predict, simplest.predict)
    )
    return Comparison("nRMSE on held-out paths", value, baseline, name)


def score_table(scores: Mapping[str, Errors]) -> Table:
    """A row for each split, a column for each model; the other way round for many models.

    Args:
        scores: model -> errors; beside the first model stands its 95th percentile over paths,
            where the splits are the rows.
    """
    if len(scores) > MAX_COLUMNS:
        return _table_by_model(scores)
    model, *baselines = scores
    columns = [Column("split"), Column(model), Column("95 % of paths below")]
    columns += [Column(name) for name in baselines]
    rows = [
        [split, errors["nrmse"], errors.get("nrmse_p95")]
        + [scores[name].get(split, {}).get("nrmse") for name in baselines]
        for split, errors in scores[model].items()
    ]
    caption = "nRMSE: root mean square error over root mean square stress [-]"
    if any(row[k] is None for row in rows for k in range(3, len(columns))):
        caption += "; –: zero by construction, the law is exact at any time step"
    return Table(columns, rows, caption)


def _table_by_model(scores: Mapping[str, Errors]) -> Table:
    splits = list(next(iter(scores.values())))
    rows = [
        [name, *(errors.get(split, {}).get("nrmse") for split in splits)]
        for name, errors in scores.items()
    ]
    caption = "nRMSE: root mean square error over root mean square stress [-]"
    return Table([Column("model"), *(Column(split) for split in splits)], rows, caption)


def metrics_entry(scores: Mapping[str, Errors]) -> dict[str, dict[str, Any]]:
    """Entry `metrics` of a manifest: every error of the first model beside the best baseline's.

    Args:
        scores: model -> errors. Baselines without an error on a split, or whose error is no
            number, are left out there; where none is left, the entry has no baseline.

    Returns:
        split -> metric -> {"value", "baseline", "baseline_name"}.
    """
    model, *baselines = scores
    entry: dict[str, dict[str, Any]] = {}
    for split, errors in scores[model].items():
        entry[split] = {}
        for metric, value in errors.items():
            figure: dict[str, Any] = {"value": value}
            rivals = {
                name: scores[name][split][metric]
                for name in baselines
                if math.isfinite(scores[name].get(split, {}).get(metric, math.nan))
            }
            if rivals:
                best = min(rivals, key=rivals.__getitem__)
                figure |= {"baseline": rivals[best], "baseline_name": best}
            entry[split][metric_name(metric)] = figure
    return entry


def metric_name(metric: str) -> str:
    """Name of a metric in manifests and tables: nrmse_p95 -> nRMSE p95."""
    return metric.replace("nrmse", "nRMSE").replace("_", " ")
