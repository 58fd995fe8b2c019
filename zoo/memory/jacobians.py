"""Per-step Jacobians of a recurrent layer by automatic differentiation.

With the states of a forward pass given, the steps are independent: J_t = ∂s_t/∂s_{t−1} depends on
s_{t−1} and x_t only. Time and batch are therefore merged into one batch of steps, and each chunk of
it takes one vectorized backward pass.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.memory.states import LayerStates, step_cell

MEGABYTE = 2**20
# Numbers held by the backward pass per number of a Jacobian, a conservative estimate: with it, a
# chunk of 256 MB raised the peak by 201 MB (LSTM of 64 units, recipes/benchmarks/jacobians).
WORKSPACE_PER_ELEMENT = 16


class StepJacobians:
    """Jacobians J_t[i, j] = ∂s_t[i]/∂s_{t−1}[j] of every step at fixed inputs, computed on demand.

    A sequence over time of arrays (batch, width, width): iterate over it, reverse it, index it, or
    compute all with `array()`. Values are computed in the precision of the cell and returned as
    float64.

    Each layer is analysed by itself. In a stack, the state of a layer does not act on the layers
    below it, so the Jacobian of the stack is block triangular, and its spectrum consists of the
    spectra of the layers.

    Memory: one Jacobian takes 4 width² bytes (width 256, an LSTM of 128 units: 0.26 MB), and
    `WORKSPACE_PER_ELEMENT` times as much while it is computed. A chunk has as many steps as fit
    into `megabytes`, at least one step of one sequence. Iteration needs the same memory for any
    number of steps, `array()` 8 time batch width² bytes.

    Args:
        run: states of one layer, from `record_states` or `run_cell`.
        megabytes: memory that a chunk may take while it is computed [MB].

    Raises:
        ValueError: if `megabytes` is not positive.
    """

    def __init__(self, run: LayerStates, megabytes: float = 256.0) -> None:
        if not megabytes > 0:
            raise ValueError(f"`megabytes` must be positive. Received: megabytes={megabytes}.")
        self.run = run
        steps, batch, _ = run.x.shape
        bytes_per_row = WORKSPACE_PER_ELEMENT * run.width**2 * run.states.dtype.itemsize
        self._rows = int(min(steps * batch, max(1, megabytes * MEGABYTE // bytes_per_row)))
        self._steps = max(1, self._rows // batch)
        self._differentiate = _make_differentiator(run)

    def __len__(self) -> int:
        return len(self.run.x)

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), self._steps):
            yield from self._compute(start, min(start + self._steps, len(self)))

    def __reversed__(self) -> Iterator[np.ndarray]:
        for stop in range(len(self), 0, -self._steps):
            yield from self._compute(max(0, stop - self._steps), stop)[::-1]

    def __getitem__(self, step: int) -> np.ndarray:
        step = range(len(self))[step]
        return self._compute(step, step + 1)[0]

    def array(self) -> np.ndarray:
        """All Jacobians, (time, batch, width, width) float64."""
        whole = np.empty((len(self), self.run.x.shape[1], self.run.width, self.run.width))
        for step, jacobian in enumerate(self):
            whole[step] = jacobian
        return whole

    def _compute(self, start: int, stop: int) -> np.ndarray:
        run = self.run
        x = run.x[start:stop].reshape(-1, run.x.shape[-1])  # (steps * batch, features)
        states = run.states[start:stop].reshape(-1, run.width)
        rows = [slice(row, row + self._rows) for row in range(0, len(x), self._rows)]
        x, states = tf.constant(x), tf.constant(states)
        parts = [self._differentiate(x[part], states[part]).numpy() for part in rows]
        jacobians = np.concatenate(parts) if len(parts) > 1 else parts[0]
        jacobians = jacobians.reshape(stop - start, -1, run.width, run.width).astype(np.float64)
        jacobians[~run.mask[start:stop]] = np.eye(run.width)  # masked: the state stays as it was
        return jacobians


def _make_differentiator(run: LayerStates) -> Any:
    """Compiled function (rows, features), (rows, width) -> (rows, width, width)."""
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
    def differentiate(x: Any, state: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state)
            after = step_cell(run.cell, x, state, widths)
        return tape.batch_jacobian(after, state)

    return differentiate.get_concrete_function()
