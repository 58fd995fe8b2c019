"""Tests of which nothing can be learnt are found before training."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.hysteresis import INPUTS, TARGETS
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split
from zoo.stress.checks import at_limit, beginning_loaded, check_response, stress_controlled
from zoo.stress.experiment import measured_experiment

T = np.arange(200) * 0.5


def make_split(strain, stress):
    x = np.zeros((1, len(T), 3), np.float32)
    x[0, :, 0], x[0, :, 2] = strain, 0.5
    y = np.asarray(stress, np.float32)[None, :, None]
    weight = np.ones(y.shape[:2], np.float32)
    return Split("measured", x, y, INPUTS, TARGETS, np.array([""]), weight)


def test_a_held_out_part_without_load_is_refused_before_training():
    stress = np.where(T < 70, np.sin(T), 0.0)
    with pytest.raises(ValueError, match="held-out part is zero"):
        measured_experiment(make_split(np.sin(T), stress))
    with pytest.raises(ValueError, match=r"held-out part is constant, 3"):
        measured_experiment(make_split(np.sin(T), np.where(T < 70, np.sin(T), 3.0)))
    check_response(make_split(np.sin(T), np.cos(T)), "whole")


def test_creep_is_told_from_flow_and_relaxation():
    creep = 0.01 * (1 - np.exp(-T / 30))
    assert stress_controlled(make_split(creep, np.where(T < 60, 10.0, 20.0))) == [""]
    flow = np.minimum(T, 5.0)  # elastic, then perfectly plastic at constant rate
    assert stress_controlled(make_split(0.01 * T, flow)) == []
    assert stress_controlled(make_split(np.minimum(T, 5.0), np.exp(-np.maximum(T - 5, 0)))) == []
    assert stress_controlled(make_split(np.sin(T), np.cos(T))) == []


@pytest.mark.parametrize("strain", [np.sin(T / 8), np.abs(T / 8 % 4 - 2) - 1])
def test_cyclic_perfect_plasticity_and_a_clipped_channel_are_no_creep(strain):
    stress = np.zeros_like(T)
    for k, change in enumerate(np.diff(strain, prepend=0.0)):
        stress[k] = np.clip(stress[k - 1] + 1000 * change, -100, 200)
    assert stress_controlled(make_split(strain, stress)) == []
    assert stress_controlled(make_split(strain, np.clip(1000 * strain, -300, 200))) == []


def test_a_channel_at_the_end_of_its_range_is_told():
    strain = np.sin(T / 4)
    (clause,) = at_limit(make_split(strain, np.clip(1000 * strain, -2000, 200)))
    assert clause.startswith("the stress stays at exactly 200 MPa in ")
    assert len(at_limit(make_split(strain, np.clip(1000 * strain, -150, 200)))) == 2
    noise = np.random.default_rng(0).normal(size=len(T))
    for stress in (
        1000 * strain,
        np.round(100 * strain, -1),  # ten steps of a converter
        np.clip(1000 * strain, 0, None),  # slack
        np.clip(1000 * strain, -200, 200) + noise,
    ):
        assert at_limit(make_split(strain, stress)) == []


def test_one_of_several_specimens_may_have_relaxed():
    made = make_split(np.minimum(T, 5.0), np.exp(-T))
    both = replace(
        made,
        x=np.repeat(made.x, 2, 0),
        y=np.concatenate([made.y, np.ones_like(made.y)]),
        groups=np.array(["a", "b"]),
        weight=np.ones((2, len(T))),
    )
    check_response(both, "validation")
    with pytest.raises(ValueError, match="specimen 'b' in the validation part is zero"):
        check_response(replace(both, y=both.y * [[[1.0]], [[0.0]]]), "validation")


def test_creep_and_recovery_behind_ramps_of_stress_are_told():
    stress = np.interp(T, [0, 2, 40, 42, 100], [0, 10, 10, 0, 0])
    strain, viscous = np.zeros_like(T), 0.0  # three-parameter solid, exact for each step
    for k in range(1, len(T)):
        viscous += (stress[k] / 1000 - viscous) * -np.expm1(-0.5 / 20)
        strain[k] = stress[k] / 2000 + viscous
    assert stress_controlled(make_split(strain, stress)) == [""]


def test_a_record_that_is_cut_out_of_a_motion_is_told_from_one_that_begins_at_rest():
    def force(response):
        data = make_split(np.sin(T), response)
        inputs, target = loading_inputs("displacement", "mm"), response_target("force", "N")
        return Split("f", data.x, data.y, inputs, (target,), np.array(["run 1"]), data.weight)

    assert beginning_loaded(force(np.cos(T))) == ["run 1"]
    assert beginning_loaded(force(np.sin(T) + 0.02)) == []
    assert beginning_loaded(make_split(np.ones(len(T)), np.exp(-T))) == []  # a held strain
