"""On a GPU: golden outputs in full float32, and memory that two processes can share."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells import GRUCell
from zoo.export import writer
from zoo.export.writer import ExportOptions
from zoo.full_precision import without_tf32
from zoo.recurrent import predictor, recurrent_model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tf32(monkeypatch):
    """TensorFlow's switch, on as it is on a GPU; (when it was read, whether it was on)."""
    state = {"on": True}
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "tensor_float_32_execution_enabled", lambda: state["on"])
    monkeypatch.setattr(
        experimental, "enable_tensor_float_32_execution", lambda on: state.update(on=on)
    )
    return state


@keras.saving.register_keras_serializable("tests")
class Witness(keras.layers.Layer):
    """Notes the switch whenever it runs eagerly."""

    seen: ClassVar[list[bool]] = []

    def call(self, x):
        if tf.executing_eagerly():
            self.seen.append(tf.config.experimental.tensor_float_32_execution_enabled())
        return x

    def compute_output_shape(self, shape):
        return shape


def test_the_switch_is_put_back_after_an_error(tf32):
    with pytest.raises(ValueError, match="inside"), without_tf32():
        assert not tf32["on"]
        raise ValueError("inside")
    assert tf32["on"]


def test_golden_outputs_are_computed_without_tf32(tf32, tmp_path):
    x = keras.Input((None, 3), name="x")
    model = keras.Model(x, {"prediction": Witness()(x)})
    Witness.seen.clear()
    cases = {"one": np.ones((4, 3), np.float32)}
    writer._write_golden(tmp_path / "golden.npz", model, cases, ExportOptions())
    assert Witness.seen == [False]
    assert tf32["on"]


def test_predictions_are_computed_without_tf32(tf32, monkeypatch):
    model = recurrent_model([GRUCell(2)])
    seen, original = [], tf.function

    def noting(*given, **options):
        graph = original(*given, **options).get_concrete_function()
        noted = SimpleNamespace()
        noted.get_concrete_function = lambda: lambda x: (seen.append(tf32["on"]), graph(x))[1]
        return noted

    monkeypatch.setattr(tf, "function", noting)
    predictor(model)(np.ones((1, 4, 3), np.float32))
    assert seen == [False] and tf32["on"]


@pytest.mark.parametrize("set_before", [None, "false"])
def test_every_process_that_imports_zoo_lets_gpu_memory_grow(set_before):
    environment = {k: v for k, v in os.environ.items() if k != "TF_FORCE_GPU_ALLOW_GROWTH"}
    if set_before is not None:
        environment["TF_FORCE_GPU_ALLOW_GROWTH"] = set_before
    code = "import zoo, os; print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert child.stdout.strip() == (set_before or "true"), child.stderr
