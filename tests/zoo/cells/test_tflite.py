"""One step of every cell as a TFLite file, in float32, against float64 numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import ops

from tests import numpy_cells
from zoo.cells import (
    CfCCell,
    CoRNNCell,
    EMSCCell,
    GRUCell,
    LMSCCell,
    LMUCell,
    LRUCell,
    LSTMCell,
    MaxwellCell,
    MinGRUCell,
    PronyCell,
    RelaxationCell,
    SimpleRNNCell,
)
from zoo.cells.material.maxwell import power_law_decay
from zoo.recurrent import Increments

GATED = {"rnn": SimpleRNNCell(3), "gru": GRUCell(3), "lstm": LSTMCell(3)}
MATERIAL = {
    "maxwell": MaxwellCell(exponent=3.0, kappa=0.3, substeps=2),
    "maxwell-1e-4": MaxwellCell(exponent=1.0 + 1e-4, kappa=0.3, substeps=1),
    "maxwell-1e-6": MaxwellCell(exponent=1.0 + 1e-6, kappa=0.3, substeps=1),
    "maxwell-linear": MaxwellCell(exponent=1.0, kappa=0.3, substeps=1),
    "maxwell-0.7": MaxwellCell(exponent=0.7, kappa=0.3, substeps=1),
    "maxwell-0.5": MaxwellCell(exponent=0.5, kappa=0.3, substeps=1),
    "prony": PronyCell((1.0, 2.0), (0.01, 3.0)),
    "relaxation": RelaxationCell(branches=2, time=0.3, substeps=2),
    "monotone": RelaxationCell(branches=2, time=0.3, substeps=1, monotone=True),
    "lmsc": LMSCCell(units=3, width=4, time_scale=0.1, stretch_scale=0.1),
    "emsc": EMSCCell(units=3, width=4, time_scale=0.1, stretch_scale=0.1),
}
CONTINUOUS = {
    "cfc": CfCCell(3),
    "lru": LRUCell(3),
    "mingru": MinGRUCell(3),
    "lmu": LMUCell(3, order=3),
    "cornn": CoRNNCell(3),
}
CELLS = GATED | MATERIAL | CONTINUOUS
EXCESSES = (1e-4, 1e-6, 0.0, -1e-6, -1e-4)
DT_S = (0.0, 1e-9, 1e-6, 1e-3, 0.1, 10.0, 1e4)
STRESS = (0.0, 1e-3, 0.7, -2.5)
SCALE = np.array([1.0, 0.1, 1e-4, 1.0, 0.1], np.float32)  # of what gated cells read


def inputs():
    """Every time step at every stress, at rest and under a strain of 0.1, (rows, 3)."""
    grid = np.meshgrid(DT_S, STRESS, (0.0, 0.1), indexing="ij")
    dt, stress, strain = (values.ravel() for values in grid)
    rate = np.where(dt > 0, strain / np.where(dt > 0, dt, 1.0), 3.0)
    x = np.stack([1.0 + strain, rate, dt], axis=-1).astype(np.float32)
    return x, stress.astype(np.float32)[:, None]


class AllCells(keras.layers.Layer):
    """One step of every cell, from x and all states to every quantity as `cell/quantity`.

    All cells share one file, because a conversion takes longer than everything else here.
    """

    def __init__(self):
        super().__init__()
        self.increments = Increments()
        self.cells = list(CELLS.values())  # a dict's variables would not be saved

    def build(self, *shapes, **more_shapes):
        """The cells are built already."""

    def call(self, x, stress, **states):
        outputs = {}
        for name, cell in zip(CELLS, self.cells, strict=True):
            state = cell.State(*(states[key] for key in state_names(name, cell)))
            _, quantities = cell.step(self.increments(x) * SCALE if name in GATED else x, state)
            outputs |= {f"{name}/{key}": value for key, value in quantities.items()}
        for excess in EXCESSES:
            excess_of_m = ops.convert_to_tensor(np.float32(excess))
            outputs[f"decay/{excess:g}"] = power_law_decay(stress, x[:, 2:], excess_of_m)
        return outputs


def state_names(name, cell):
    return [f"{name.replace('-', '_')}_{field}" for field in cell.State._fields]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every quantity by the TFLite interpreter and by numpy: name -> (rows, width)."""
    x, stress = inputs()
    log_dt = np.log(np.maximum(x[:, 2], np.finfo(np.float32).tiny))
    increments = np.stack([*x.T, x[:, 1] * x[:, 2], log_dt], axis=-1) * SCALE
    rng = np.random.default_rng(0)
    expected, values = {}, {"x": x, "stress": stress}
    for name, cell in CELLS.items():
        cell.build((None, 5 if name in GATED else 3))
        if not name.startswith("maxwell"):
            cell.set_weights([w + 0.3 * rng.normal(size=w.shape) for w in cell.get_weights()])
        widths = [cell.visible[field] for field in cell.State._fields]
        state = [stress * rng.uniform(0.3, 0.9, width).astype(np.float32) for width in widths]
        values |= dict(zip(state_names(name, cell), state, strict=True))
        quantities = numpy_cells.step(cell, increments if name in GATED else x, state)
        expected |= {f"{name}/{key}": value for key, value in quantities.items()}
    for excess in EXCESSES:
        decay = numpy_cells.power_law_decay(stress, x[:, 2:].astype(float), excess)
        expected[f"decay/{excess:g}"] = decay
    return run_as_tflite(AllCells(), values, tmp_path_factory.mktemp("cells")), expected


def run_as_tflite(layer, values, folder):
    """Convert a layer of named inputs and outputs and run it once."""
    tensors = {name: keras.Input(each.shape[1:], name=name) for name, each in values.items()}
    outputs = layer(**tensors)
    names = {f"out_{k}": name for k, name in enumerate(outputs)}
    model = keras.Model(tensors, {key: outputs[name] for key, name in names.items()})
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = {name: tf.TensorSpec(each.shape, name=name) for name, each in values.items()}
    archive.add_endpoint(
        "step", lambda inputs: model(inputs, training=False), input_signature=[signature]
    )
    archive.write_out(str(folder), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["step"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    run = Interpreter(model_content=converter.convert()).get_signature_runner("step")
    return {names[key]: value for key, value in run(**values).items()}


def assert_close(results, prefix, rows=slice(None), rtol=2e-5):
    actual, expected = results
    names = [name for name in expected if name.startswith(f"{prefix}/")]
    assert names
    for name in names:
        values, reference = actual[name][rows], expected[name][rows]
        size = np.abs(reference).max()
        np.testing.assert_allclose(
            values, reference, rtol=rtol, atol=1e-6 * min(1.0, size), err_msg=name
        )


@pytest.mark.parametrize("name", MATERIAL)
def test_a_material_step_is_exact_at_small_and_large_time_steps(results, name):
    assert_close(results, name)


@pytest.mark.parametrize("name", MATERIAL)
def test_a_material_step_of_no_time_and_no_strain_dissipates_nothing(results, name):
    x, _ = inputs()
    dissipation = results[0].get(f"{name}/dissipation")
    if dissipation is not None:
        np.testing.assert_array_equal(dissipation[x[:, 2] == 0], 0.0)


@pytest.mark.parametrize("excess", EXCESSES)
def test_the_decay_is_exact_where_the_power_law_becomes_linear(results, excess):
    actual, expected = (each[f"decay/{excess:g}"] for each in results)
    ends = np.isinf(expected)  # m < 1, and the stress has come to zero
    np.testing.assert_allclose(actual[~ends], expected[~ends], rtol=1e-5, atol=0)
    assert (np.exp(-actual[ends]) == 0).all()


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_step_in_continuous_time_is_exact_at_small_and_large_time_steps(results, name):
    x, _ = inputs()
    # Such a cell reads the rate of strain; in 1e4 units of time a force moves it 1e4 units.
    assert_close(results, name, rows=(x[:, 1] <= 100) & (x[:, 2] <= 10))


@pytest.mark.parametrize("name", GATED)
def test_a_gated_step_is_exact_at_small_and_large_time_steps(results, name):
    x, _ = inputs()
    # Such a cell reads the logarithm of the time step and the rate of strain.
    assert_close(results, name, rows=(x[:, 2] > 0) & (x[:, 1] <= 100))
