"""Gradients that compute steps again: equal to those of Keras' loop, which keeps everything."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.cells import (
    CfCCell,
    GRUCell,
    LSTMCell,
    MaxwellCell,
    PrandtlIshlinskiiCell,
    PronyCell,
    RelaxationCell,
)
from zoo.cells.checkpointed import can_checkpoint, checkpointed_sequence
from zoo.recurrent import VisibleRNN, recurrent_layers, recurrent_model

# Slower ones to trace were compared once: Bouc-Wen, Chaboche, covariates, dynamic Prandtl, EMSC,
# LMSC, Maxwell, Prony, solid and standard materials.
CELLS = {
    "cfc": lambda: CfCCell(3),
    "prandtl-ishlinskii": PrandtlIshlinskiiCell,
    "relaxation": lambda: RelaxationCell(branches=2, substeps=1),
}


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_those_of_the_loop_that_keeps_everything(name):
    keras.utils.set_random_seed(0)
    cell = CELLS[name]()
    cell.set_visible(cell.visible, tuple(dict.fromkeys((*cell.show, *cell.State._fields))))
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    x = 0.3 * np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float32")
    x[..., 2] = 0.2
    x = tf.constant(x)
    states = [tf.fill((2, n), 0.1) for n in keras.tree.flatten(cell.state_size)]
    layer(x, initial_state=states)
    assert can_checkpoint(cell)

    def results(run):
        with tf.GradientTape() as tape:
            tape.watch([x, *states])
            emitted, last = run()
            ramp = tf.reshape(tf.range(tf.size(emitted), dtype=tf.float32), tf.shape(emitted))
            loss = tf.reduce_sum(tf.sin(ramp) * emitted) + sum(map(tf.reduce_sum, last))
        sources = [x, *states, *[each.value for each in cell.trainable_variables]]
        zero = tf.UnconnectedGradients.ZERO
        return emitted, *last, *tape.gradient(loss, sources, unconnected_gradients=zero)

    def keeping():
        emitted, *last = layer(x, initial_state=states)
        return emitted, last

    expected = tf.function(lambda: results(keeping))()
    got = tf.function(lambda: results(lambda: checkpointed_sequence(cell, x, states)))()
    for a, b in zip(expected, got, strict=True):
        scale = max(float(np.abs(a).max()), 1e-3)
        np.testing.assert_allclose(b, a, rtol=0, atol=2e-5 * scale)


def test_a_compiled_model_trains_by_it_to_the_same_weights():
    x = np.full((2, 4, 3), 0.1, np.float32)
    y = np.linspace(0.0, 1.0, 8, dtype=np.float32).reshape(2, 4, 1)
    weights = []
    for fused in (False, True):
        model = recurrent_model([PronyCell()], targets=None, fused=fused)
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
        assert recurrent_layers(model)[0].fused is fused
        model.fit(x, y, epochs=2, verbose=0)
        weights.append(np.concatenate([np.ravel(each) for each in model.get_weights()]))
    start = recurrent_model([PronyCell()], targets=None).get_weights()
    assert np.abs(weights[0] - np.concatenate([np.ravel(each) for each in start])).max() > 1e-3
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-5, atol=1e-6)


def test_cells_that_draw_random_numbers_keep_the_loop():
    for cell in (GRUCell(2, dropout=0.5), LSTMCell(2, dropout=0.5)):
        VisibleRNN(cell)(np.zeros((1, 2, 3), np.float32))
        assert not can_checkpoint(cell)
    half = MaxwellCell(dtype="float16")
    VisibleRNN(half)(np.zeros((1, 2, 3), np.float16))
    assert not can_checkpoint(half)
