"""A whole LSTM sequence in one TensorFlow op, for training on a CPU."""

from typing import Any

from keras import KerasTensor

from zoo.cells.base import Weights

# Widest layer for which the op was never clearly slower in training than a loop in the graph. Time
# of op and loop over that of Keras (2 layers, 2 busy cores, good to 0.15): 32 units, batch 64: 0.67
# and 1.28; 48 units, batch 64: 0.81 and 1.25, batch 256: 0.81 and 1.02; 64 units, batch 64: 1.09
# and 1.20, but batch 256: 2.06 and 1.20; 128 units, batch 64: 1.58 and 1.19. Raise it to measure
# again with `python -m recipes.benchmarks.lstm_training`.
MAX_FUSED_UNITS = 48


def block_lstm(
    x: KerasTensor, state: tuple[KerasTensor, KerasTensor], weights: Weights
) -> tuple[KerasTensor, KerasTensor]:
    """Hidden and cell state of every step, by `tf.raw_ops.BlockLSTMV2`.

    The op fuses the elementwise work of a step and keeps the loop out of the graph, so that narrow
    layers train faster than in `keras.layers.LSTM`, and all states come at no cost. It has no
    TFLite form, and its backward op takes gradients of these two outputs only, not of the gates.

    Args:
        x: (batch, time, features) float32.
        state: (h, c) before the first step, each (batch, units).
        weights: of `zoo.cells.gated.lstm_step`.

    Returns:
        hidden and cell, each (batch, time, units).
    """
    import tensorflow as tf  # not on the other backends

    units = weights.recurrent.shape[0]
    bias = tf.zeros(4 * units) if weights.bias is None else tf.convert_to_tensor(weights.bias)
    hidden, cell = state
    h, c = _differentiable_block(
        tf.transpose(x, (1, 0, 2)),  # (time, batch, features)
        cell,
        hidden,
        tf.concat([weights.kernel, weights.recurrent], axis=0),
        bias,
    )
    return tf.transpose(h, (1, 0, 2)), tf.transpose(c, (1, 0, 2))


def _differentiable_block(steps: Any, cell: Any, hidden: Any, weights: Any, bias: Any) -> Any:
    """(h, c), each (time, batch, units), with the gradient that belongs to them.

    TensorFlow 2.17 to 2.21 pair this op with the backward op of version 1, whose gates stand in
    another order: every gradient is wrong, without a message. So the right one is named here.
    """
    import tensorflow as tf  # not on the other backends

    peephole = tf.zeros(weights.shape[1] // 4)

    @tf.custom_gradient
    def block(steps: Any, cell: Any, hidden: Any, weights: Any, bias: Any) -> Any:
        inputs = {
            "seq_len_max": tf.shape(steps, out_type=tf.int64)[0],
            "x": steps,
            "cs_prev": cell,
            "h_prev": hidden,
            "w": weights,
            "wci": peephole,
            "wcf": peephole,
            "wco": peephole,
            "b": bias,
            "use_peephole": False,
        }
        out = tf.raw_ops.BlockLSTMV2(**inputs, cell_clip=0.0)

        def backward(h_grad: Any, cs_grad: Any) -> Any:
            grads = tf.raw_ops.BlockLSTMGradV2(
                **inputs, **out._asdict(), cs_grad=cs_grad, h_grad=h_grad
            )
            return (
                grads.x_grad,
                grads.cs_prev_grad,
                grads.h_prev_grad,
                grads.w_grad,
                grads.b_grad,
            )

        return (out.h, out.cs), backward

    return block(steps, cell, hidden, weights, bias)
