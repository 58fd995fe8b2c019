"""A whole LSTM sequence in one TensorFlow op, for training on a CPU."""

from keras import KerasTensor

# Widest layer for which the op was never clearly slower in training than a loop in the graph. Time
# of op and loop over that of Keras (2 layers, 2 busy cores, good to 0.15): 32 units, batch 64: 0.67
# and 1.28; 48 units, batch 64: 0.81 and 1.25, batch 256: 0.81 and 1.02; 64 units, batch 64: 1.09
# and 1.20, but batch 256: 2.06 and 1.20; 128 units, batch 64: 1.58 and 1.19. Raise it to measure
# again with recipes/benchmarks/lstm_training.py.
WIDEST = 48


def block_lstm(
    x: KerasTensor,
    hidden: KerasTensor,
    cell: KerasTensor,
    *,
    kernel: KerasTensor,
    recurrent: KerasTensor,
    bias: KerasTensor | None,
) -> tuple[KerasTensor, KerasTensor]:
    """Hidden and cell state of every step, by `tf.raw_ops.BlockLSTMV2`.

    The op fuses the elementwise work of a step and keeps the loop out of the graph, so that narrow
    layers train faster than in `keras.layers.LSTM`, and all states come for nothing. It has no
    TFLite form, and its backward op knows these two outputs only, not the gates.

    Args:
        x: (batch, time, features) float32.
        hidden: h before the first step, (batch, units).
        cell: c before the first step, (batch, units).
        kernel: W, (features, 4 units), gates in Keras' order: input, forget, candidate, output.
        recurrent: U, (units, 4 units).
        bias: (4 units,) or None.

    Returns:
        hidden and cell, each (batch, time, units).
    """
    import tensorflow as tf

    units = recurrent.shape[0]
    peephole = tf.zeros(units)

    # TensorFlow 2.17 pairs this op with the backward op of version 1, whose gates stand in another
    # order: every gradient is wrong, in silence. So the right one is named here.
    @tf.custom_gradient
    def block(steps, cell, hidden, weights, bias):
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

        def backward(h_grad, cs_grad):
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

    h, c = block(
        tf.transpose(x, (1, 0, 2)),  # (time, batch, features)
        cell,
        hidden,
        tf.concat([kernel, recurrent], axis=0),
        tf.zeros(4 * units) if bias is None else tf.convert_to_tensor(bias),
    )
    return tf.transpose(h, (1, 0, 2)), tf.transpose(c, (1, 0, 2))
