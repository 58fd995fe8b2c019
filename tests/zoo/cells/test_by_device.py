"""Gated sequences through Keras' own layers, where a GPU has cuDNN: the same numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells import GRUCell, LSTMCell, MaxwellCell, SimpleRNNCell
from zoo.cells.gated import by_device
from zoo.recurrent import layers, recurrent_model, view

every_kind = pytest.mark.parametrize("kind", [LSTMCell, GRUCell])


def with_random_weights(kind):
    keras.utils.set_random_seed(1)
    model = recurrent_model([kind(4), kind(4)])
    rng = np.random.default_rng(2)
    model.set_weights([0.5 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def outputs_only(model):
    return view(model, show=lambda cell: cell.show[:1])


def count_calls(monkeypatch, gpu):
    calls = []

    def spy(*arguments):
        calls.append(arguments[0])
        return by_device.keras_layer_sequence(*arguments)

    monkeypatch.setattr(layers, "keras_layer_sequence", spy)
    monkeypatch.setattr(layers, "has_gpu", lambda: gpu)
    return calls


def prediction_and_gradients(model, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        prediction = model(x, training=True)["prediction"]
        loss = tf.reduce_sum(tf.sin(3.0 * prediction))
    weights = [each.value for each in model.trainable_variables]
    return [prediction, *tape.gradient(loss, [x, *weights])]


@every_kind
def test_outputs_and_gradients_are_those_of_our_cells(kind, monkeypatch):
    model = with_random_weights(kind)
    x = tf.random.stateless_normal((3, 7, 3), seed=(1, 2))
    expected = prediction_and_gradients(model, x)
    calls = count_calls(monkeypatch, gpu=True)
    got = prediction_and_gradients(outputs_only(model), x)
    assert len(calls) == 2
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


@every_kind
def test_initial_and_last_states_are_those_of_our_cells(kind):
    cell = kind(4)
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    x = tf.random.stateless_normal((3, 7, 2), seed=(1, 2))
    state = [0.3 * tf.random.stateless_normal((3, 4), seed=(k, 3)) for k in range(2)]
    state = state[: len(cell.State._fields)]
    hidden, *last = layer(x, initial_state=state)
    got, got_last = by_device.keras_layer_sequence(cell, x, state)
    for a, b in zip([hidden, *last], [got, *got_last], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


@every_kind
def test_without_a_gpu_nothing_goes_that_way(kind, monkeypatch):
    model = outputs_only(with_random_weights(kind))
    calls = count_calls(monkeypatch, gpu=False)
    model(np.zeros((1, 3, 3), np.float32), training=True)
    assert not calls


def test_what_cudnn_lacks_does_not_go_that_way(monkeypatch):
    calls = count_calls(monkeypatch, gpu=True)
    x = np.zeros((1, 3, 3), np.float32)
    for cell in (
        LSTMCell(2, show=["hidden", "forget"]),
        LSTMCell(2, show=["cell"]),
        LSTMCell(2, activation="relu"),
        LSTMCell(2, use_bias=False),
        LSTMCell(2, dropout=0.5),
        GRUCell(2, reset_after=False),
        GRUCell(2, recurrent_activation="hard_sigmoid"),
        SimpleRNNCell(2),
        MaxwellCell(),
    ):
        layers.VisibleRNN(cell)(x, training=True)
    with_random_weights(LSTMCell)(x, training=True)  # cell states of every step
    assert not calls


def test_tensorflow_decides_whether_there_is_a_gpu(monkeypatch):
    for devices in ([], ["GPU:0"]):
        monkeypatch.setattr(
            tf.config, "get_visible_devices", lambda kind, found=devices: found * (kind == "GPU")
        )
        assert by_device.has_gpu() is bool(devices)
