"""A whole sequence of any cell for XLA, whose gradient computes each step again (checkpointing).

The gradient of a loop of TensorFlow keeps every intermediate array of every step: 211 of them in
the relaxation cell, each written and read at a time by XLA. Here a loop keeps the states alone, and
another one goes from the last step to the first (Chen et al. 2016, arXiv:1604.06174, with one step
between checkpoints). See `recipes/benchmarks/main_job.md`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import KerasTensor

from zoo.cells.visible import VisibleCell

# One step: x (batch, features), states (batch, width) each, weights -> emitted, next states.
Step = Callable[[Any, Sequence[Any], Sequence[Any]], tuple[Any, tuple[Any, ...]]]


def can_checkpoint(cell: VisibleCell) -> bool:
    """Whether a cell is the same function in every step, of its input, states and weights alone.

    Not one that draws random numbers, whose seed is a variable of whole numbers.
    """
    return (
        keras.backend.backend() == "tensorflow"
        and cell.compute_dtype == "float32"
        and all(each.dtype == "float32" for each in cell.variables)
    )


def checkpointed_sequence(
    cell: VisibleCell, x: KerasTensor, state: Sequence[KerasTensor]
) -> tuple[KerasTensor, tuple[KerasTensor, ...]]:
    """All steps of a cell, with a gradient that keeps nothing but the states.

    With s_t, y_t = f(x_t, s_{t-1}, w) and ∂y_t the gradient that arrives at what a step emits, from
    the last step to the first:

    (∂x_t, ∂s_{t-1}, ∂w_t) = (∂y_t, ∂s_t) · ∂f/∂(x, s, w) at (x_t, s_{t-1}, w),   ∂w = Σ ∂w_t

    Args:
        cell: for which `can_checkpoint` holds.
        x: (batch, time, features) float32.
        state: before the first step, each (batch, width).

    Returns:
        `(emitted, state)`: (batch, time, output_size), and the states after the last step.
    """
    import tensorflow as tf  # not on the other backends

    variables = list(cell.weights)

    def step(x: Any, state: Sequence[Any], weights: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        given = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(given, initialize_variables=False):
            emitted, following = cell(x, list(state))
        return emitted, tuple(following)

    @tf.custom_gradient
    def run(x: Any, state: tuple[Any, ...], weights: tuple[Any, ...]) -> Any:
        emitted, states = _forward(step, x, state, weights, cell.output_size)

        def backward(*upstream: Any) -> Any:
            before = [
                tf.concat([first[None], each[:-1]], axis=0)
                for first, each in zip(state, states, strict=True)
            ]
            return _backward(step, x, before, weights, upstream)

        return (emitted, *(each[-1] for each in states)), backward

    steps = tf.transpose(x, (1, 0, 2))  # (time, batch, features)
    weights = tuple(tf.convert_to_tensor(each) for each in variables)
    emitted, *last = run(steps, tuple(state), weights)
    return tf.transpose(emitted, (1, 0, 2)), tuple(last)


def _forward(step: Step, x: Any, state: Any, weights: Any, width: int) -> tuple[Any, list[Any]]:
    """What the steps emit and the states behind them, each (time, batch, width)."""
    import tensorflow as tf

    count, read = tf.shape(x)[0], step_reader(x)

    def body(t: Any, state: Any, kept: Any) -> Any:
        emitted, state = step(read(t), state, weights)
        kept = [each.write(t, v) for each, v in zip(kept, (emitted, *state), strict=True)]
        return t + 1, state, tuple(kept)

    shapes = [(x.shape[1], width), *(each.shape for each in state)]
    kept = tuple(step_writer(count, shape) for shape in shapes)
    _, _, kept = tf.while_loop(
        lambda t, *_: t < count, body, (0, tuple(state), kept), maximum_iterations=count
    )
    emitted, *states = (each.stack() for each in kept)
    return emitted, states


def _backward(step: Step, x: Any, before: Sequence[Any], weights: Any, upstream: Any) -> Any:
    """Gradients of x, the first states and the weights, in the form of the arguments of `run`.

    Args:
        step: one step.
        x: (time, batch, features).
        before: states that each step begins with, each (time, batch, width).
        weights: of the cell.
        upstream: gradients of what the steps emit, (time, batch, output_size), and of the last
            states.
    """
    import tensorflow as tf

    count, emitted_grads = tf.shape(x)[0], upstream[0]
    reads = [step_reader(each) for each in (x, emitted_grads, *before)]

    def body(t: Any, state_grads: Any, x_grads: Any, sums: Any) -> Any:
        x, emitted_grad, *state = (read(t) for read in reads)
        sources = (x, tuple(state), weights)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            emitted, following = step(*sources)
        x_grad, state_grads, weight_grads = tape.gradient(
            (emitted, *following),
            sources,
            output_gradients=(emitted_grad, *state_grads),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        sums = tuple(a + b for a, b in zip(sums, weight_grads, strict=True))
        return t - 1, state_grads, x_grads.write(t, x_grad), sums

    zeros = tuple(tf.zeros_like(each) for each in weights)
    start = (count - 1, tuple(upstream[1:]), step_writer(count, x.shape[1:]), zeros)
    _, state_grads, x_grads, sums = tf.while_loop(
        lambda t, *_: t >= 0, body, start, maximum_iterations=count
    )
    return x_grads.stack(), state_grads, sums


def step_reader(steps: Any) -> Callable[[Any], Any]:
    """Function from a number to that step; a slice by a number would be padded by XLA.

    Args:
        steps: (time, ...).
    """
    import tensorflow as tf

    array = tf.TensorArray(steps.dtype, tf.shape(steps)[0], element_shape=steps.shape[1:])
    return array.unstack(steps).read


def step_writer(steps: Any, shape: Any) -> Any:
    """An empty `tf.TensorArray` of float32.

    Args:
        steps: number of them.
        shape: of each.
    """
    import tensorflow as tf

    return tf.TensorArray(tf.float32, steps, element_shape=shape)
