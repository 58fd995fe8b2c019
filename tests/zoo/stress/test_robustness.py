"""Scores under changed loading, their entry in a manifest, and the limits that follow."""

import numpy as np
import pytest

from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.stress.experiment import simulated_experiment
from zoo.stress.renewal import changed_loading_fields
from zoo.stress.robustness import (
    is_robustness_limit,
    robustness_entry,
    robustness_limits,
    score_changed_loading,
)
from zoo.stress.scoring import Baseline, fit_laws


@pytest.fixture(scope="module")
def experiment():
    return simulated_experiment(paths=6, test_paths=4)


def test_the_linear_law_errs_more_where_the_stress_is_larger(experiment):
    laws = fit_laws(experiment.train)
    law = laws["linear Maxwell"]
    scores = score_changed_loading("law", law.predict, {"elastic": laws["elastic"]}, experiment)
    errors = {change: each["nrmse"] for change, each in scores["law"].items()}
    # At a hundredth of the amplitude the exact material hardly flows, the linear one relaxes.
    assert errors["amplitude × 0.01"] > errors["amplitude × 0.5"]
    figures = robustness_entry(scores)["changed loading"]
    assert figures["nRMSE, amplitude × 0.01"]["value"] == errors["amplitude × 0.01"]
    assert figures["nRMSE, amplitude × 0.01"]["baseline_name"] == "elastic"


def test_a_saved_models_card_gets_the_table_and_its_limit_anew():
    law = {"modulus_mpa": 2.0, "nu0_s": 1.0, "sigma0_mpa": 1.0, "exponent": 1.0}
    manifest = {
        "name": "exact",
        "material": law,
        "metrics": {"walk": {}},
        "limits": ["one", "Changed loading: the nRMSE is above 0.05 with 9 of 14: x (1)."],
    }
    # At m = 1 the linear Maxwell law is exact, so as a model it errs under no change.
    walks = hysteresis.split("walk", paths=20, seed=1, material=Material(**law))
    predict = fit_laws(walks)["linear Maxwell"].predict
    fields = changed_loading_fields(manifest, predict)
    assert fields["limits"] == [
        "one",
        "Changed loading: the nRMSE is above 0.05 with none of 14 changes.",
    ]
    assert fields["metrics"].keys() == {"walk", "changed loading"}
    figure = fields["metrics"]["changed loading"]["nRMSE, hold of 200 s"]
    assert figure["value"] < 1e-3


def test_limits_name_every_change_above_five_per_cent():
    scores = {"net": {"a": {"nrmse": 0.2}, "b": {"nrmse": 0.04}}}
    (limit,) = robustness_limits(scores)
    assert "a (0.2)" in limit
    assert "b (" not in limit
    (limit,) = robustness_limits({"net": {"b": {"nrmse": 0.04}}})
    assert "with none of 1" in limit
    assert is_robustness_limit(limit)


def test_measured_data_have_no_such_scores(experiment):
    import dataclasses

    measured = dataclasses.replace(experiment, changed={})
    zero = Baseline(lambda x: np.zeros((*x.shape[:2], 1)))
    assert score_changed_loading("net", zero.predict, {}, measured) == {}
    assert robustness_entry({}) == {}
    assert robustness_limits({}) == []
