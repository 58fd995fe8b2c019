"""Laws that start from the past of a record: scored over folds, the same in `zoo predict`."""

import numpy as np
import pytest

from recipes.materials.measured_sets import Fold, MeasuredSet, as_split, read_set
from recipes.materials.past_model import (
    HELD_OUT,
    after_past,
    fit_start,
    respond,
    score_folds,
)
from zoo.predictions import from_past
from zoo.recurrent import predictor


def records(factors, offsets):
    """Records of a play operator with a spring at one amplitude, each with its own factor."""
    time = 0.02 * np.arange(150)
    x, y = [], []
    for k, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
        loading = np.sin(2 * np.pi * (1 + 0.3 * k) * time) + 0.2 * np.sin(9 * time + k)
        loading -= loading[0]
        stop, response = 0.0, []
        for change in np.diff(loading, prepend=0.0):
            stop = float(np.clip(stop + change, -0.3, 0.3))
            response.append(stop)
        rate = np.diff(loading, prepend=0.0) / 0.02
        x.append(np.stack([loading, rate, np.full(150, 0.02)], axis=-1))
        y.append(factor * (np.array(response) + 0.1 * loading) + offset)
    names = [str(k) for k in range(len(x))]
    return as_split(np.array(x), np.array(y)[..., None], "N", names, None)


@pytest.fixture(scope="module")
def measured():
    data = records([1.0, 4.0, 0.5, 2.0], [0.0, 3.0, -1.0, 0.5])
    folds = (Fold("a", (0, 1), (2, 3)), Fold("b", (2, 3), (0, 1)))
    return MeasuredSet("mr_damper", "", "", data, folds, ("dynamic-prandtl",), factor="a factor")


def test_each_record_is_predicted_by_a_law_that_had_not_seen_it(measured):
    errors = score_folds(measured, "dynamic-prandtl")
    assert list(errors.records) == list("0123")
    assert max(errors.records.values()) < 0.2
    own, *simple = (each[HELD_OUT]["nrmse"] for each in errors.scores.values())
    assert own < 0.5 * min(simple)


def test_predictions_of_a_file_start_from_its_past_as_the_scores_do(measured, capsys):
    model, start = fit_start(measured, "dynamic-prandtl", [0, 1])
    assert start.seconds == pytest.approx(0.02 * 50)
    predict = predictor(model)
    expected = respond(start, predict, measured.data)
    stress, rest = from_past(start, predict, measured.data, 0)
    np.testing.assert_allclose(stress[..., 0], expected, rtol=1e-5, atol=1e-6)
    assert (rest.weight.sum(axis=1) == 100).all()
    assert np.array_equal(rest.weight, after_past(measured, start).weight)
    assert "the first 50 rows of 0 are the measured past" in "".join(capsys.readouterr())


def test_a_set_of_a_magnet_or_a_damper_names_what_it_holds(tmp_path):
    (tmp_path / "ferrite_3c90").mkdir()
    np.savez(
        tmp_path / "ferrite_3c90" / "transient.npz",
        b_t=np.sin(np.arange(1200).reshape(2, 600) / 30),
        h_a_m=np.ones((2, 600)),
        rate_hz=16e6,
        temperature_c=np.full(2, 25.0),
    )
    magnet = read_set("ferrite_3c90", tmp_path).data
    assert [(each.name, each.unit) for each in magnet.inputs[:2]] == [
        ("flux density", "T"),
        ("rate", "T/s"),
    ]
    assert (magnet.targets[0].name, magnet.targets[0].unit) == ("field", "A/m")
    (tmp_path / "mr_damper").mkdir()
    rows = "".join(f"{0.02 * k},{np.sin(k / 5)},{np.cos(k)}\n" for k in range(60))
    for run in range(5):
        (tmp_path / "mr_damper" / f"run{run}.csv").write_text(f"time_s,displacement,force\n{rows}")
    damper = read_set("mr_damper", tmp_path).data
    assert (damper.inputs[0].name, damper.targets[0].name) == ("displacement", "force")
