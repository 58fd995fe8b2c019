"""A cell whose constants depend on covariates is, at every value of them, the cell it holds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import presets
from zoo.data.hysteresis import INPUTS, TARGETS
from zoo.data.split import Quantity, Split
from zoo.identification.candidates import Candidate, candidate_preset, fit_candidate
from zoo.identification.constants import constants_of
from zoo.identification.response import Response
from zoo.identification.settings import SHIFTED
from zoo.presets.covariates import with_covariates
from zoo.recurrent import predictor, step_model, view

LAWS = ("mooney-rivlin", "chaboche")


def paths(count=3, steps=40):
    rng = np.random.default_rng(0)
    rate = 0.05 * np.repeat(rng.normal(size=(count, steps // 4)), 4, axis=1)
    dt = np.full_like(rate, 0.5)
    strain = np.cumsum(rate * dt, axis=1)
    x = np.stack([strain, rate, dt], axis=-1)
    levels = np.array([[20.0, 0.1], [50.0, 0.1], [80.0, 0.4]])[:count, None]
    covariates = np.broadcast_to(levels, (count, steps, 2))
    y = 3 * strain[..., None] + rate[..., None]
    return np.concatenate([x, covariates], axis=-1).astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize("law", LAWS)
def test_each_path_answers_as_the_cell_with_its_own_constants(law):
    x, y = paths()
    model = with_covariates(presets.material(law), ("T", "moisture")).build(x, y)
    cell = model.layers[-1].cell
    rng = np.random.default_rng(1)
    for slope in cell.slopes:
        slope.assign(0.2 * rng.normal(size=slope.shape))
    together = predictor(model)(x)
    plain = presets.material(law).build(x[..., :3], y)
    inner = plain.layers[-1].cell
    standard = (x[:, 0, 3:] - cell.means) / cell.scales
    for path in range(len(x)):
        weights = zip(
            inner.trainable_variables, cell.cell.trainable_variables, cell.slopes, strict=True
        )
        for own, base, slope in weights:
            shift = standard[path] @ keras.ops.convert_to_numpy(slope)
            own.assign(keras.ops.convert_to_numpy(base) + shift.reshape(own.shape))
        alone = predictor(plain)(x[path : path + 1, :, :3])
        np.testing.assert_allclose(together[path], alone[0], rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("law", SHIFTED)
def test_laws_that_can_be_shifted_name_constants_and_where_they_hold(law):
    x, y = paths()
    made = Split("made", x[..., :4], y, (*INPUTS, Quantity("T", "°C", "")), TARGETS, np.arange(3))
    candidate = Candidate(law, 2, covariates=("T",), shared=True)
    cell = candidate_preset(candidate, made).build(made.x, y).layers[-1].cell
    constants, read = constants_of(cell, "MPa")
    assert len(read()) == len(constants)
    last = constants[-1]  # temperatures of 20, 50 and 80 °C
    assert last.symbol == "Δln time_1(T)"
    assert last.meaning.endswith("from the mean of T, 50, where the constants above hold, to 74.49")
    cell.slopes[-1].assign([[np.log(2)]])
    times = [k for k, each in enumerate(constants) if each.unit == "s"]
    np.testing.assert_allclose(cell.values_at([50 + 24.4949])[times], 2 * read()[times], rtol=1e-5)


def test_it_is_saved_stepped_and_run_in_float64(tmp_path):
    x, y = paths()
    model = with_covariates(presets.material("solid"), ("T", "moisture")).build(x, y)
    model.layers[-1].cell.slopes[0].assign([[0.1, -0.1, 0.2], [0.0, 0.3, 0.1]])
    model.save(tmp_path / "m.keras")
    reopened = keras.models.load_model(tmp_path / "m.keras")
    expected = predictor(model)(x)
    np.testing.assert_array_equal(predictor(reopened)(x), expected)
    # start() has the weights of the model, in the order in which the float64 twin takes them
    twin = Response(model, x)
    np.testing.assert_allclose(twin.history(twin.start())[..., :1], expected, rtol=1e-4, atol=1e-6)
    step, name = step_model(reopened), "elastic_strain_0"
    assert step.input["x"].shape[-1] == 5 and name in step.input
    assert set(view(reopened, fused=False).output) >= {"prediction", name}


def test_the_dependence_is_found_and_carries_over_to_a_condition_that_was_left_out():
    x, _ = paths(3, 80)
    # E = 2 e^(−0.02 (T − 50)) in parallel with nothing: exact for a spring
    modulus = 2 * np.exp(-0.02 * (x[:, :1, 3:4] - 50))
    y = (modulus * x[..., :1]).astype(np.float32)
    inputs = (*INPUTS, Quantity("T", "°C", "constant"))
    data = Split("made", x[..., :4], y, inputs, TARGETS, np.array(list("abc")))
    fitted = fit_candidate(Candidate("solid", 1, covariates=("T",)), data.select([0, 1]), starts=1)
    predicted = predictor(fitted.model)(data.x)[2]
    assert np.sqrt(np.mean((predicted - y[2]) ** 2) / np.mean(y[2] ** 2)) < 0.05
    blind = Split("made", x[..., :3], y, INPUTS, TARGETS, np.array(list("abc")))
    plain = fit_candidate(Candidate("solid", 1), blind.select([0, 1]), starts=1)
    alone = predictor(plain.model)(x[..., :3])[2]
    assert np.sqrt(np.mean((alone - y[2]) ** 2) / np.mean(y[2] ** 2)) > 0.3


def test_one_shift_of_stiffness_and_one_of_time_give_a_scaled_test_at_another_rate():
    # All E times c and all τ times k: the response is c times that to the loading k times as fast.
    x, y = paths(2, 40)
    x = x[[0, 0], :, :4]
    x[:, :, 3] = np.array([[20.0], [50.0]])
    model = with_covariates(presets.material("solid"), ("T",), shared=True).build(x, y[[0, 0]])
    cell = model.layers[-1].cell
    assert model.count_params() == 5 + 2
    for slope, value in zip(cell.slopes, (0.3, -0.7), strict=True):
        slope.assign([[value]])
    assert cell.constants()["slopes_of_time"] == [[pytest.approx(-0.7)]]
    z = (x[:, 0, 3] - cell.means[0]) / cell.scales[0]
    stiffer, slower = np.exp(0.3 * (z[1] - z[0])), np.exp(-0.7 * (z[1] - z[0]))
    ratio = cell.values_at([50.0]) / cell.values_at([20.0])
    names = [each.symbol[0] for each in cell.cell.meanings("MPa")]
    expected = {"E": stiffer, "τ": slower}
    np.testing.assert_allclose(ratio, [expected[name] for name in names], rtol=1e-5)
    other = x.copy()
    other[1, :, 1] /= slower
    other[1, :, 2] *= slower
    cold, hot = predictor(model)(other)
    np.testing.assert_allclose(hot, stiffer * cold, rtol=2e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"stiffnesses and times.* Received: ChabocheCell"):
        with_covariates(presets.material("chaboche"), ("T",), shared=True).build(x, y[[0, 0]])


def test_a_step_has_no_matrix_product():  # TFLite's converter fails on one of width 1
    x, y = paths(2, 40)
    model = with_covariates(presets.material("solid"), ("T",), shared=True).build(x[..., :4], y)
    cell = model.layers[-1].cell
    state = [tf.zeros((1, cell.visible[name])) for name in cell.State._fields]
    step = tf.function(lambda x, *state: cell.step(x, cell.State(*state))[1])
    kinds = {
        op.type for op in step.get_concrete_function(x[:1, 0, :4], *state).graph.get_operations()
    }
    assert "MatMul" not in kinds and "Exp" in kinds
