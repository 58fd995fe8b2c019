"""Linear recurrences over a whole sequence at once, by a parallel prefix (associative scan)."""

from typing import Any

import keras
from keras import KerasTensor, ops

BLOCK = 8  # steps that are joined at a time
Parts = tuple[KerasTensor, ...]  # a real array, or the real and the imaginary part of a complex one


def linear_scan(decay: Parts, drive: Parts, initial: Parts) -> Parts:
    """All states of a linear recurrence with a diagonal matrix.

    h_t = a_t h_{t−1} + b_t,   t = 1 ... T

    Steps in a row are one of the same form, h_{t+1} = (a_{t+1} a_t) h_{t−1} + (a_{t+1} b_t +
    b_{t+1}), so blocks of `BLOCK` steps are joined, all blocks at once, the sequence of blocks is
    solved in the same way, and the states between are filled in: O(log T) operations on whole
    arrays, whose work in all is that of T steps (Blelloch 1990; Martin and Cundy 2018,
    arXiv:1709.04057). The gradient is a recurrence of the same kind backwards in time, so nothing
    of the tree is kept.

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
            # ∂L/∂h_t = upstream_t + a*_{t+1} ∂L/∂h_{t+1}
            adjoint = tf.math.conj(decay)
            following = tf.concat([adjoint[:, 1:], tf.zeros_like(adjoint[:, :1])], axis=1)
            gradient = _solve(following, upstream, backward=True)
            before = tf.concat([initial[:, None], states[:, :-1]], axis=1)
            return gradient * tf.math.conj(before), gradient, (adjoint * gradient)[:, 0]

        return states, backward

    return run(decay, drive, initial)


def _solve(decay: Any, drive: Any, backward: bool = False) -> Any:
    """States from zero, (batch, time, width); `backward`: from the last step to the first."""
    steps, width = drive.shape[1], drive.shape[-1]
    if steps is None:
        return _solve_any_length(decay, drive, backward)
    blocks = -(-steps // BLOCK)
    if blocks == 1:
        return _join_steps(_follow(decay, drive, 1, backward)[1], 1, backward)
    rest = BLOCK * blocks - steps
    if rest:  # steps that come behind the last, or from a state of zero
        decay, drive = (
            ops.concatenate([each, ops.zeros_like(each[:, :rest])], axis=1)
            for each in (decay, drive)
        )
    # (batch, blocks, BLOCK, width): all blocks at once, each from zero
    shape = (-1, blocks, BLOCK, width)
    kept, states = _follow(ops.reshape(decay, shape), ops.reshape(drive, shape), 2, backward)
    ends = _solve(kept[-1], states[-1], backward)
    zero = ops.zeros_like(ends[:, :1])
    before = [ends[:, 1:], zero] if backward else [zero, ends[:, :-1]]
    start = ops.concatenate(before, axis=1)
    states = [state + part * start for part, state in zip(kept[:-1], states[:-1], strict=True)]
    joined = _join_steps([*states, ends], 2, backward)
    return ops.reshape(joined, (-1, BLOCK * blocks, width))[:, :steps]


def _follow(decay: Any, drive: Any, axis: int, backward: bool) -> tuple[list[Any], list[Any]]:
    """Step by step along an axis: how much of a start is kept, and the state from zero."""
    decays, drives = ops.unstack(decay, axis=axis), ops.unstack(drive, axis=axis)
    if backward:
        decays, drives = decays[::-1], drives[::-1]
    kept, states = [decays[0]], [drives[0]]
    for a, b in zip(decays[1:], drives[1:], strict=True):
        kept.append(a * kept[-1])
        states.append(a * states[-1] + b)
    return kept, states


def _join_steps(states: list[Any], axis: int, backward: bool) -> Any:
    return ops.stack(states[::-1] if backward else states, axis=axis)


def _solve_any_length(decay: Any, drive: Any, backward: bool) -> Any:
    """The same where a graph of TensorFlow does not know the number of steps: log₂ T doublings."""
    import tensorflow as tf  # not on the other backends

    if backward:
        return tf.reverse(
            _solve_any_length(tf.reverse(decay, [1]), tf.reverse(drive, [1]), False), [1]
        )
    steps = tf.shape(drive)[1]

    def double(shift: Any, decay: Any, drive: Any) -> Any:
        late = decay[:, shift:]
        drive = tf.concat([drive[:, :shift], drive[:, shift:] + late * drive[:, :-shift]], axis=1)
        return 2 * shift, tf.concat([decay[:, :shift], late * decay[:, :-shift]], axis=1), drive

    shapes = (tf.TensorShape([]), drive.shape, drive.shape)
    return tf.while_loop(
        lambda shift, *_: shift < steps, double, (1, decay, drive), shape_invariants=shapes
    )[2]
