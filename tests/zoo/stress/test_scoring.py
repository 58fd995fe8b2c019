"""Errors beside baselines: which baseline an entry names, and where it has none."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.baselines.laws import Elastic, LinearMaxwell
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.metrics.regression import self_consistency
from zoo.stress.experiment import REFINEMENT, measured_experiment, simulated_experiment
from zoo.stress.robustness import robustness_entry
from zoo.stress.scoring import (
    SELF_CONSISTENCY,
    Baseline,
    fit_laws,
    metrics_entry,
    score_all,
    score_table,
)

EXPERIMENT = simulated_experiment(Material(), paths=8, test_paths=4)


def rate_dependent(x):
    """A prediction that depends on the length of the step."""
    return x[..., :1] + x[..., 2:]


@pytest.fixture(scope="module")
def scores():
    baselines = fit_laws(EXPERIMENT.train) | {"stepping": Baseline(rate_dependent)}
    return score_all("model", lambda x: 2 * rate_dependent(x), baselines, EXPERIMENT)


def test_an_error_stands_beside_the_best_of_the_baselines():
    scores = {
        "LSTM": {"walk": {"nrmse": 0.1, "nrmse_p95": 0.2}},
        "elastic": {"walk": {"nrmse": 0.7, "nrmse_p95": 0.3}},
        "linear Maxwell": {"walk": {"nrmse": 0.5, "nrmse_p95": 0.4}},
    }
    assert metrics_entry(scores) == {
        "walk": {
            "nRMSE": {"value": 0.1, "baseline": 0.5, "baseline_name": "linear Maxwell"},
            "nRMSE p95": {"value": 0.2, "baseline": 0.3, "baseline_name": "elastic"},
        }
    }


def test_a_baseline_whose_error_is_no_number_is_left_out():
    scores = {"LSTM": {"walk": {"nrmse": 0.1}}, "diverged": {"walk": {"nrmse": np.nan}}}
    assert metrics_entry(scores) == {"walk": {"nRMSE": {"value": 0.1}}}
    scores["elastic"] = {"walk": {"nrmse": 0.7}}
    figure = {"value": 0.1, "baseline": 0.7, "baseline_name": "elastic"}
    assert metrics_entry(scores) == {"walk": {"nRMSE": figure}}
    assert robustness_entry(scores) == {"changed loading": {"nRMSE, walk": figure}}


@pytest.mark.parametrize("law", [Elastic(1.0), LinearMaxwell(1.0, 0.5)], ids=["elastic", "linear"])
def test_a_law_that_is_marked_step_exact_has_no_self_consistency_error(law):
    assert law.is_step_exact
    coarse, fine = EXPERIMENT.refinement
    error = self_consistency(law.predict, coarse.x, fine.x, REFINEMENT, coarse.y)
    assert error < 1e-5  # single precision


def test_step_exact_laws_are_no_baseline_of_self_consistency(scores):
    for law in ("elastic", "linear Maxwell"):
        assert SELF_CONSISTENCY not in scores[law] and "walk" in scores[law]
    entry = metrics_entry(scores)[SELF_CONSISTENCY]["nRMSE"]
    assert entry["baseline_name"] == "stepping" and entry["baseline"] > 1e-3
    assert entry["value"] == pytest.approx(2 * entry["baseline"], rel=1e-5)


def test_without_a_baseline_that_can_err_the_entry_has_none(scores):
    laws = {name: scores[name] for name in ("model", "elastic", "linear Maxwell")}
    assert set(metrics_entry(laws)[SELF_CONSISTENCY]["nRMSE"]) == {"value"}
    assert "baseline" in metrics_entry(laws)["walk"]["nRMSE"]


def test_the_table_shows_a_gap_and_says_why(scores):
    table = score_table(scores)
    names = [column.name for column in table.columns]
    assert names == [
        *("split", "model", "95 % of paths below"),
        *("elastic", "linear Maxwell", "stepping"),
    ]
    row = next(row for row in table.rows if row[0] == SELF_CONSISTENCY)
    assert row[3] is None and row[4] is None and row[5] > 0
    assert "zero by construction" in table.caption
    without = {name: {"walk": scores[name]["walk"]} for name in scores}
    assert "zero by construction" not in score_table(without).caption


def test_many_models_are_rows():
    scores = {
        f"law {k}": {"train": {"nrmse": 0.1 * k, "nrmse_p95": 9.0}, "held out": {"nrmse": 0.2 * k}}
        for k in range(1, 7)
    }
    lines = score_table(scores).text().splitlines()
    assert lines[0].split() == ["model", "train", "held", "out"]
    assert lines[3].split() == ["law", "2", "0.2", "0.4"]


def test_a_single_specimen_is_split_in_time_and_says_so(capsys):
    data = hysteresis.split("walk", paths=1, seed=0, steps=40)
    experiment = measured_experiment(data)
    parts = (experiment.train, experiment.validation, experiment.held_out)
    assert [int(part.weight.sum()) for part in parts] == [25, 7, 8]
    assert np.all(sum(part.weight for part in parts) == 1)  # no step is in two parts
    np.testing.assert_array_equal(experiment.train.x, data.x)
    assert "another specimen is not known" in experiment.limits[0]
    assert "last fifth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("specimens", "counts"),
    [(10, (6, 2, 2)), (12, (8, 2, 2)), (6, (4, 1, 1)), (5, (4, 4, 1)), (2, (1, 1, 1))],
)
def test_held_out_specimens_did_not_choose_the_weights(specimens, counts, capsys):
    data = hysteresis.split("walk", paths=specimens, seed=0, steps=40)
    data = replace(data, groups=np.array([f"s{k}" for k in range(specimens)]))
    experiment = measured_experiment(data)
    parts = (experiment.train, experiment.validation, experiment.held_out)
    assert tuple(len(set(part.groups)) for part in parts) == counts
    held_out = set(experiment.held_out.groups)
    assert held_out.isdisjoint(experiment.train.groups)
    assert held_out.isdisjoint(experiment.validation.groups)
    if specimens > 5:
        assert set(experiment.train.groups).isdisjoint(experiment.validation.groups)
    else:  # few specimens: their ends choose the weights
        assert not (experiment.train.weight * experiment.validation.weight).any()
    assert experiment.tests["held out"] is experiment.held_out
    said = capsys.readouterr().err
    assert f"{counts[2]} specimen{'s' if counts[2] > 1 else ''} that did neither" in said
