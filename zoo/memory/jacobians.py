"""Per-step Jacobians of a recurrent layer, by automatic differentiation, all steps at once.

Given the states of a forward pass, every step stands alone: J_t = ∂state_t/∂state_{t−1} needs
state_{t−1} and x_t only. So time and batch are one batch of steps, and its Jacobian is one
vectorised backward pass for each chunk of it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo.memory.passes import Pass, advance

MEGABYTE = 2**20
# Numbers that the backward pass holds for each number of a Jacobian, on the safe side: with it, a
# chunk of 256 MB raised the peak by 201 MB (LSTM of 64 units, recipes/benchmarks/jacobians.py).
HELD = 16


class StepJacobians:
    """J_t[i, j] = ∂state_t[i]/∂state_{t−1}[j] of every step, at fixed inputs, computed on the way.

    A sequence over time of arrays (batch, width, width): iterate, reverse, index, or take all of
    them with `array()`. What is handed out is float64 made from the cell's own precision.

    A layer is looked at by itself. In a stack, the state of a layer does not act on the layers
    below, so the Jacobian of the whole is block triangular: the spectra of the layers together are
    the spectrum of the stack.

    Memory: one Jacobian takes 4 width² bytes (width 256, an LSTM of 128 units: 0.26 MB), and about
    `HELD` times as much while it is computed; as many steps are taken at once as fit `megabytes`,
    at least one sequence. So iteration needs the same memory for any number of steps, `array()`
    8 time batch width² bytes.

    Args:
        run: from `passes` or `follow`.
        megabytes: what a chunk may take while it is computed.
    """

    def __init__(self, run: Pass, megabytes: float = 256.0) -> None:
        if not megabytes > 0:
            raise ValueError(f"`megabytes` must be positive. Received: megabytes={megabytes}.")
        self.run = run
        steps, batch, _ = run.x.shape
        each = HELD * run.width**2 * run.states.dtype.itemsize
        self._rows = int(min(steps * batch, max(1, megabytes * MEGABYTE // each)))
        self._steps = max(1, self._rows // batch)
        self._differentiate = _differentiator(run)

    def __len__(self) -> int:
        return len(self.run.x)

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), self._steps):
            yield from self._chunk(start, min(start + self._steps, len(self)))

    def __reversed__(self) -> Iterator[np.ndarray]:
        for stop in range(len(self), 0, -self._steps):
            yield from self._chunk(max(0, stop - self._steps), stop)[::-1]

    def __getitem__(self, step: int) -> np.ndarray:
        step = range(len(self))[step]
        return self._chunk(step, step + 1)[0]

    def array(self) -> np.ndarray:
        """All of them, (time, batch, width, width)."""
        whole = np.empty((len(self), self.run.x.shape[1], self.run.width, self.run.width))
        for step, jacobian in enumerate(self):
            whole[step] = jacobian
        return whole

    def _chunk(self, start: int, stop: int) -> np.ndarray:
        import tensorflow as tf

        run = self.run
        x = run.x[start:stop].reshape(-1, run.x.shape[-1])
        states = run.states[start:stop].reshape(-1, run.width)
        rows = [slice(row, row + self._rows) for row in range(0, len(x), self._rows)]
        x, states = tf.constant(x), tf.constant(states)
        parts = [self._differentiate(x[part], states[part]).numpy() for part in rows]
        jacobians = np.concatenate(parts) if len(parts) > 1 else parts[0]
        jacobians = jacobians.reshape(stop - start, -1, run.width, run.width).astype(np.float64)
        jacobians[~run.counts[start:stop]] = np.eye(run.width)  # masked: the state stands still
        return jacobians


def _differentiator(run: Pass) -> Any:
    """(rows, features), (rows, width) -> (rows, width, width)."""
    import tensorflow as tf

    widths = [part.stop - part.start for part in run.parts.values()]
    dtype = run.states.dtype

    @tf.function(
        autograph=False,
        jit_compile=False,
        input_signature=[
            tf.TensorSpec((None, run.x.shape[-1]), dtype),
            tf.TensorSpec((None, run.width), dtype),
        ],
    )
    def differentiate(x, state):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state)
            after = advance(run.cell, x, state, widths)
        return tape.batch_jacobian(after, state)

    return differentiate.get_concrete_function()
