"""Figures and sentences of the report of a training."""

from dataclasses import replace

import numpy as np
import pytest

from zoo import plots
from zoo.cells import GRUCell
from zoo.data import hysteresis
from zoo.recurrent import recurrent_model
from zoo.stress import report
from zoo.stress.experiment import Experiment, measured_experiment


def padded(steps, counted):
    data = hysteresis.split("walk", paths=1, seed=0, steps=steps)
    weight = np.zeros((1, steps), np.float32)
    weight[:, 3:counted] = 1.0  # start-up, measured, padding
    return replace(data, weight=weight)


def test_padding_is_not_drawn_as_measured_time(monkeypatch):
    drawn, draw = {}, plots.states_over_time

    def note(time_s, loading, response, states, title):
        drawn.update(time_s=time_s, steps={len(v) for v in states.values()})
        assert len(loading.values) == len(response.values) == len(time_s)
        return draw(time_s, loading, response, states, title=title)

    monkeypatch.setattr(report.plots, "states_over_time", note)
    cycle = padded(steps=20, counted=12)
    list(report.state_figures(recurrent_model([GRUCell(2)]), cycle, "stress σ [MPa]"))
    assert drawn["steps"] == {12}
    assert drawn["time_s"][-1] == pytest.approx(cycle.x[0, :12, 2].sum(), rel=1e-5)


def test_the_page_says_which_splits_had_a_part_in_the_training():
    data = hysteresis.split("walk", paths=1, seed=0, steps=40)
    measured = measured_experiment(data)
    sentence = report._seen_splits(measured)
    assert "trained on the split train" in sentence
    assert "validation chose the weights" in sentence and "only held out had no part" in sentence
    simulated = Experiment(data, data, {"walk": data}, data, ("walk",), None, {}, [])
    assert report._seen_splits(simulated) == "None of them was trained on these paths."
