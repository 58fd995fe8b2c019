"""A whole LSTM sequence as two loops for XLA, with the gradient by hand, for training on a CPU.

The equations are those of `zoo.cells.gated.lstm.lstm_step`. XLA fuses the elementwise work of a
step and takes a matrix product in 8 µs; what made its loops slow was what stood around: slices of
an array by a number, which it pads to twice their size, logistic functions as 1 / (1 + exp(-x)),
and gradients that keep every intermediate array. See `recipes/benchmarks/main_job.md`.
"""

from typing import Any

from keras import KerasTensor

from zoo.cells.base import Weights
from zoo.cells.checkpointed import step_reader, step_writer

NARROW = 16  # features; XLA is slow at a product with fewer, which are joined with the state


def lstm_sequence(
    x: KerasTensor, state: tuple[KerasTensor, KerasTensor], weights: Weights
) -> tuple[KerasTensor, KerasTensor]:
    """Hidden and cell state of every step; to be called in a function that XLA compiles.

    Forward a loop keeps the gates, backward another one goes from the last step to the first:
    with ∂h and ∂c the gradients that arrive at a step, q = tanh(c'),

    ∂c ← ∂c + ∂h o (1 − q²)
    ∂z = [∂c g i(1 − i),  ∂c c f(1 − f),  ∂c i (1 − g²),  ∂h q o(1 − o)]
    ∂x = ∂z Wᵀ,  ∂h ← ∂z Uᵀ,  ∂c ← ∂c f,  [∂W ∂b] += [x 1]ᵀ ∂z,  ∂U += hᵀ ∂z

    The products for ∂W and ∂U are taken in the loop, where ∂z is in the processor's cache: one
    product over all steps behind it has to read ∂z again and takes longer.

    Args:
        x: (batch, time, features) float32.
        state: (h, c) before the first step, each (batch, units).
        weights: of `zoo.cells.gated.lstm_step`.

    Returns:
        hidden and cell, each (batch, time, units).
    """
    import tensorflow as tf  # not on the other backends

    @tf.custom_gradient
    def run(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
        gates, hidden, cell = _forward(x, h, c, kernel, recurrent, bias)

        def backward(hidden_grad: Any, cell_grad: Any) -> Any:
            before = (_shifted(h, hidden), _shifted(c, cell))
            upstream = (hidden_grad, cell_grad)
            return _backward(x, gates, cell, before, (kernel, recurrent), upstream)

        return (hidden, cell), backward

    kernel, recurrent = (tf.convert_to_tensor(each) for each in weights[:2])
    bias = tf.zeros(kernel.shape[1]) if weights.bias is None else tf.convert_to_tensor(weights.bias)
    steps = tf.transpose(x, (1, 0, 2))  # (time, batch, features)
    hidden, cell = run(steps, *state, kernel, recurrent, bias)
    return tf.transpose(hidden, (1, 0, 2)), tf.transpose(cell, (1, 0, 2))


def _forward(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """Gates (i, f, g, o), hidden and cell states, each (time, batch, units)."""
    import tensorflow as tf

    steps, batch, units = tf.shape(x)[0], h.shape[0], recurrent.shape[0]
    inputs, both = step_reader(x), tf.concat([kernel, recurrent], axis=0)

    def products(x: Any, h: Any) -> Any:
        if kernel.shape[0] > NARROW:
            return tf.matmul(x, kernel) + tf.matmul(h, recurrent)
        return tf.matmul(tf.concat([x, h], axis=-1), both)

    def step(t: Any, h: Any, c: Any, *kept: Any) -> Any:
        z = products(inputs(t), h) + bias
        i, f, g, o = (z[:, k * units : (k + 1) * units] for k in range(4))
        i, f, g, o = _sigmoid(i), _sigmoid(f), tf.tanh(g), _sigmoid(o)
        c = f * c + i * g
        h = o * tf.tanh(c)
        written = [a.write(t, v) for a, v in zip(kept, (i, f, g, o, h, c), strict=True)]
        return t + 1, h, c, *written

    kept = [step_writer(steps, (batch, units)) for _ in range(6)]
    _, _, _, *kept = tf.while_loop(
        lambda t, *_: t < steps, step, (0, h, c, *kept), maximum_iterations=steps
    )
    *gates, hidden, cell = (each.stack() for each in kept)
    return gates, hidden, cell


def _backward(x: Any, gates: Any, cell: Any, before: Any, weights: Any, upstream: Any) -> Any:
    """Gradients of x, h, c, W, U and b; `before` are the states that a step begins with."""
    import tensorflow as tf

    kernel, recurrent = weights
    steps, units, features = tf.shape(x)[0], recurrent.shape[0], kernel.shape[0]
    with_one = tf.concat([x, tf.ones_like(x[..., :1])], axis=-1)  # for the gradient of b
    reads = [step_reader(each) for each in (with_one, *gates, cell, *before, *upstream)]
    kernels = [tf.transpose(each) for each in tf.split(kernel, 4, axis=1)]
    recurrents = [tf.transpose(each) for each in tf.split(recurrent, 4, axis=1)]

    def step(t: Any, h_grad: Any, c_grad: Any, x_grads: Any, *sums: Any) -> Any:
        x, i, f, g, o, c, h_before, c_before, h_up, c_up = (read(t) for read in reads)
        h_grad, q = h_grad + h_up, tf.tanh(c)
        c_grad = c_grad + c_up + h_grad * o * (1.0 - q * q)
        grads = (
            c_grad * g * i * (1.0 - i),
            c_grad * c_before * f * (1.0 - f),
            c_grad * i * (1.0 - g * g),
            h_grad * q * o * (1.0 - o),
        )
        products = [tf.matmul(each, z, transpose_a=True) for each in (x, h_before) for z in grads]
        sums = tuple(a + b for a, b in zip(sums, products, strict=True))
        x_grad = tf.add_n([tf.matmul(z, w) for z, w in zip(grads, kernels, strict=True)])
        h_grad = tf.add_n([tf.matmul(z, u) for z, u in zip(grads, recurrents, strict=True)])
        return t - 1, h_grad, c_grad * f, x_grads.write(t, x_grad), *sums

    zero = tf.zeros_like(cell[0])
    shapes = [(features + 1, units)] * 4 + [(units, units)] * 4
    start = (zero, zero, step_writer(steps, x.shape[1:]), *(tf.zeros(each) for each in shapes))
    _, h_grad, c_grad, x_grads, *sums = tf.while_loop(
        lambda t, *_: t >= 0, step, (steps - 1, *start), maximum_iterations=steps
    )
    of_input, of_state = tf.concat(sums[:4], axis=-1), tf.concat(sums[4:], axis=-1)
    return x_grads.stack(), h_grad, c_grad, of_input[:-1], of_state, of_input[-1]


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)) by the hyperbolic tangent, for which XLA has a rational function."""
    import tensorflow as tf

    return 0.5 + 0.5 * tf.tanh(0.5 * x)


def _shifted(first: Any, steps: Any) -> Any:
    """States before each step, (time, batch, units)."""
    import tensorflow as tf

    return tf.concat([first[None], steps[:-1]], axis=0)
