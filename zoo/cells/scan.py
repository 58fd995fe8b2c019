"""Linear recurrences over a whole sequence at once, by a parallel prefix (associative scan)."""

from typing import Any

import keras
from keras import KerasTensor, ops

Parts = tuple[KerasTensor, ...]  # a real array, or the real and the imaginary part of a complex one


def linear_scan(decay: Parts, drive: Parts, initial: Parts) -> Parts:
    """All states of a linear recurrence with a diagonal matrix.

    h_t = a_t h_{t−1} + b_t,   t = 1 ... T

    Two steps in a row are one of the same form, h_{t+1} = (a_{t+1} a_t) h_{t−1} + (a_{t+1} b_t +
    b_{t+1}), so neighbours are joined in pairs, the sequence of half the length is solved in the
    same way, and the states between are filled in: 2 log₂ T steps of operations on whole arrays,
    whose work in all is that of T steps (Blelloch 1990; Martin and Cundy 2018, arXiv:1709.04057).
    The gradient is a recurrence of the same kind backwards in time, so nothing of the tree is kept.

    Args:
        decay: a, (real,) or (real, imaginary), each (batch, time, width).
        drive: b, in the same form.
        initial: h_0, each (batch, width).

    Returns:
        h in the same form, each (batch, time, width).

    Raises:
        ValueError: neither one part nor two.
    """
    counts = {len(decay), len(drive), len(initial)}
    if counts not in ({1}, {2}):
        raise ValueError(
            "`decay`, `drive` and `initial` must have one part each, or two: (real, imaginary). "
            f"Received: {len(decay)}, {len(drive)} and {len(initial)}."
        )
    solve = _differentiable if keras.backend.backend() == "tensorflow" else _from_initial
    states = solve(*(_join(parts) for parts in (decay, drive, initial)))
    return (states,) if counts == {1} else (ops.real(states), ops.imag(states))


def linear_step(decay: Parts, drive: Parts, state: Parts) -> Parts:
    """One step of the same recurrence, in real arithmetic: a h + b.

    Args:
        decay: a, (real,) or (real, imaginary), each (batch, width).
        drive: b, in the same form.
        state: h before the step, in the same form.
    """
    if len(state) == 1:
        return (decay[0] * state[0] + drive[0],)
    (a, b), (u, v), (h, k) = decay, drive, state
    return a * h - b * k + u, a * k + b * h + v


def _join(parts: Parts) -> KerasTensor:
    """A complex array of two parts; a single one as it is."""
    if len(parts) == 1:
        return parts[0]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # Keras' operation makes complex64 of float64

        return tf.complex(*parts)
    return ops.view_as_complex(ops.stack(parts, axis=-1))


def _from_initial(decay: Any, drive: Any, initial: Any) -> Any:
    """States from an initial one, which is driven into the first step."""
    first = drive[:, :1] + decay[:, :1] * initial[:, None]
    return _solve(decay, ops.concatenate([first, drive[:, 1:]], axis=1))


def _differentiable(decay: Any, drive: Any, initial: Any) -> Any:
    """The same on TensorFlow, with the gradient by a scan backwards in time."""
    import tensorflow as tf  # not on the other backends

    @tf.custom_gradient
    def run(decay: Any, drive: Any, initial: Any) -> Any:
        states = _from_initial(decay, drive, initial)

        def backward(upstream: Any) -> Any:
            # ∂L/∂h_t = upstream_t + a*_{t+1} ∂L/∂h_{t+1}, with the last step first
            adjoint = tf.math.conj(decay)
            following = tf.concat([adjoint[:, 1:], tf.zeros_like(adjoint[:, :1])], axis=1)
            gradient = tf.reverse(
                _solve(tf.reverse(following, [1]), tf.reverse(upstream, [1])), [1]
            )
            before = tf.concat([initial[:, None], states[:, :-1]], axis=1)
            return gradient * tf.math.conj(before), gradient, (adjoint * gradient)[:, 0]

        return states, backward

    return run(decay, drive, initial)


def _solve(decay: Any, drive: Any) -> Any:
    """States from zero, (batch, time, width)."""
    steps = drive.shape[1]
    if steps is None:
        return _solve_any_length(decay, drive)
    if steps == 1:
        return drive
    pairs = steps // 2
    before, after = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
    second = decay[:, after]
    ends = _solve(second * decay[:, before], second * drive[:, before] + drive[:, after])
    # states behind every first step of a pair, from the end of the pair before
    between = drive[:, 2::2] + decay[:, 2::2] * ends[:, : (steps - 1) // 2]
    starts = ops.concatenate([drive[:, :1], between], axis=1)
    batch, width = ops.shape(drive)[0], drive.shape[-1]
    joined = ops.reshape(ops.stack([starts[:, :pairs], ends], axis=2), (batch, 2 * pairs, width))
    return joined if steps == 2 * pairs else ops.concatenate([joined, starts[:, pairs:]], axis=1)


def _solve_any_length(decay: Any, drive: Any) -> Any:
    """The same where a graph of TensorFlow does not know the number of steps: log₂ T doublings."""
    import tensorflow as tf  # not on the other backends

    steps = tf.shape(drive)[1]

    def double(shift: Any, decay: Any, drive: Any) -> Any:
        late = decay[:, shift:]
        drive = tf.concat([drive[:, :shift], drive[:, shift:] + late * drive[:, :-shift]], axis=1)
        return 2 * shift, tf.concat([decay[:, :shift], late * decay[:, :-shift]], axis=1), drive

    shapes = (tf.TensorShape([]), drive.shape, drive.shape)
    return tf.while_loop(
        lambda shift, *_: shift < steps, double, (1, decay, drive), shape_invariants=shapes
    )[2]
