"""Cells, recurrent models and presets of stress models on whatever backend Keras runs.

    KERAS_BACKEND=jax python -m pytest tests/zoo/test_backends.py
    KERAS_BACKEND=torch python -m pytest tests/zoo/test_backends.py

in an environment with keras, numpy, scipy, pandas, pytest and the backend; TensorFlow is not needed
there. Numbers are compared with float64 numpy and with the golden outputs of the shipped models,
which TensorFlow wrote.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from tests import numpy_cells
from zoo import presets
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
from zoo.recurrent import VisibleRNN, plain_model, predictor, recurrent_model, step_model, view

BACKEND = keras.backend.backend()
CELLS = {
    "rnn": lambda: SimpleRNNCell(3),
    "gru": lambda: GRUCell(3),
    "lstm": lambda: LSTMCell(3),
    "maxwell": lambda: MaxwellCell(exponent=3.0, substeps=2),
    "prony": lambda: PronyCell((1.0, 2.0), (0.1, 3.0)),
    "relaxation": lambda: RelaxationCell(branches=2, substeps=1),
    "lmsc": lambda: LMSCCell(units=3, width=4, time_scale=0.1),
    "emsc": lambda: EMSCCell(units=3, width=4, substeps=2, time_scale=0.1),
    "cfc": lambda: CfCCell(3, width=4),
    "lru": lambda: LRUCell(3, states=4),
    "mingru": lambda: MinGRUCell(3),
    "lmu": lambda: LMUCell(3, order=3, window=2.0),
    "cornn": lambda: CoRNNCell(3),
}
SHIPPED = Path(__file__).parents[2] / "saved_models"
elsewhere = pytest.mark.skipif(
    BACKEND == "tensorflow", reason="test_presets trains there, the export tests replay"
)


def paths(count=4, steps=6, seed=0):
    """(strain, rate, dt), float32."""
    rng = np.random.default_rng(seed)
    rate, dt = rng.normal(size=(count, steps)), rng.uniform(0.05, 0.3, size=(count, steps))
    return np.stack([1 + np.cumsum(rate * dt, axis=1), rate, dt], axis=-1).astype(np.float32)


def close(actual, expected, atol=2e-6):
    np.testing.assert_allclose(
        ops.convert_to_numpy(actual), ops.convert_to_numpy(expected), rtol=1e-5, atol=atol
    )


@pytest.mark.parametrize("name", CELLS)
def test_a_step_is_that_of_numpy(name):
    cell, x = CELLS[name](), paths(8, 1)[:, 0]
    cell.build((None, 3))
    rng = np.random.default_rng(1)
    cell.set_weights([w + 0.2 * rng.normal(size=w.shape) for w in cell.get_weights()])
    widths = [cell.visible[field] for field in cell.State._fields]
    state = [rng.uniform(-0.9, 0.9, (8, width)).astype(np.float32) for width in widths]
    following, quantities = cell.step(
        ops.convert_to_tensor(x), cell.State(*map(ops.convert_to_tensor, state))
    )
    expected = numpy_cells.step(cell, x, state)
    assert set(expected) == set(quantities) == set(cell.visible)
    for key, values in expected.items():
        close(quantities[key], values)
    for field, values in zip(cell.State._fields, following, strict=True):
        close(values, expected[field])


@pytest.mark.parametrize("name", CELLS)
def test_a_model_steps_as_over_the_sequence_and_can_be_saved(name, tmp_path):
    model, x = recurrent_model([CELLS[name](), LSTMCell(2)]), paths()
    whole = model(x)
    stepper = step_model(model)
    states = {k: ops.zeros((4, *v.shape[1:])) for k, v in stepper.input.items()}
    for time in range(x.shape[1]):
        after = stepper({**states, "x": ops.convert_to_tensor(x[:, time])})
        close(after["prediction"], whole["prediction"][:, time])
        states = {key: after[f"{key}_next"] for key in states if key != "x"}
    model.save(tmp_path / "model.keras")
    close(keras.saving.load_model(tmp_path / "model.keras")(x)["prediction"], whole["prediction"])
    assert set(view(model, show=lambda cell: cell.visible)(x)) >= set(whole)
    close(predictor(model, batch_size=3)(x), whole["prediction"])


@elsewhere
@pytest.mark.parametrize("name", presets.NAMES)
def test_a_preset_builds_and_fits_one_batch(name):
    x = paths(count=8)
    y = np.cumsum(x[..., 1:2] * x[..., 2:], axis=1)
    model = presets.named(name).build(x, y)
    before = float(np.mean((ops.convert_to_numpy(model(x)["prediction"]) - y) ** 2))
    losses = {key: "mse" if key == "prediction" else None for key in model.output}
    model.compile(keras.optimizers.Adam(3e-3), loss=losses)
    history = model.fit(x, {"prediction": y}, batch_size=8, epochs=4, verbose=0)
    assert history.history["loss"][0] == pytest.approx(before, rel=1e-3)
    assert history.history["loss"][-1] < before


def test_only_the_fused_op_of_tensorflow_is_not_compiled():
    assert VisibleRNN(LSTMCell(4)).supports_jit == (BACKEND != "tensorflow")
    assert VisibleRNN(LSTMCell(4), fused=False).supports_jit
    assert VisibleRNN(MaxwellCell()).supports_jit


def test_a_plain_model_predicts_the_same():
    model, x = recurrent_model([GRUCell(3), LSTMCell(2), SimpleRNNCell(2)]), paths()
    close(plain_model(model)(x)["prediction"], model(x)["prediction"])


@elsewhere
@pytest.mark.parametrize(
    "name", sorted(f.parent.name for f in SHIPPED.glob("[hm][ya][st]*/golden.npz"))
)
def test_a_shipped_model_gives_its_golden_outputs(name):
    model = keras.saving.load_model(SHIPPED / name / "model.keras")
    with np.load(SHIPPED / name / "golden.npz") as golden:
        prediction = model(golden["x"])["prediction"]
        close(prediction, golden["prediction"], atol=2e-5 * np.abs(golden["prediction"]).max())


def test_what_stress_models_import_is_not_tensorflow():
    if BACKEND != "tensorflow":
        assert "tensorflow" not in sys.modules


@pytest.mark.skipif(BACKEND == "tensorflow", reason="it works there")
@pytest.mark.parametrize("module", ["zoo.spectrogram", "zoo.convnets", "zoo.augment", "zoo.export"])
def test_sound_and_export_say_that_they_are_tensorflows(module):
    with pytest.raises(ImportError, match="TensorFlow backend only") as error:
        __import__(module)
    assert f"KERAS_BACKEND={BACKEND}" in str(error.value) and "\n" not in str(error.value)
