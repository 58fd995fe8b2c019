"""The linear recurrent unit (Orvieto et al. 2023), with a time step."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.continuous.base import ScannedCell
from zoo.cells.continuous.modes import ModalState, hold_modes
from zoo.cells.material.base import require_count
from zoo.cells.scan import Parts


@keras.saving.register_keras_serializable("zoo")
class LRUCell(ScannedCell):
    """Linear recurrent unit (Orvieto et al. 2023, arXiv:2303.06349), in continuous time.

    h' = e^(μΔt) h + e^γ (e^(μΔt) − 1)/μ · u B,   μ = −e^ν + i e^θ          complex, (states,)
    y = (Re(h' C) + u D + d)                                               (2 units,)
    output = y₁ ⊙ σ(y₂)                                                   gated linear unit

    A step is the exact solution of dh/dt = μ h + e^γ u B with the features u held. At Δt = 1 the
    eigenvalue is the published λ = e^μ, inside the unit circle for any weights; before training it
    is uniform over a ring of that circle, and γ makes the input's gain at Δt = 1 √(1 − |λ|²), as
    published. The gated linear unit stands for the network behind each of the paper's layers.

    Guaranteed for any weights and inputs with Δt ≥ 0: steps with the same features agree with one
    step of their sum; Δt = 0 leaves the state as it is; the state is linear in the input, and
    forgets.

    Quantities: output (batch, units), with `pass_dt` and Δt behind it; real and imaginary, the
    state, (batch, states).

    Args:
        units: width of the output.
        states: complex states; None: as many as units.
        ring: smallest and largest |λ| at Δt = 1 before training, in (0, 1).
        max_phase: largest phase of λ before training, in (0, π].
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, see `ContinuousCell`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: settings outside their range.
    """

    State = ModalState

    def __init__(
        self,
        units: int,
        states: int | None = None,
        ring: tuple[float, float] = (0.4, 0.99),
        max_phase: float = math.pi / 10,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        require_count(states=units if states is None else states)
        if not 0 < ring[0] < ring[1] < 1 or not 0 < max_phase <= math.pi:
            raise ValueError(
                "`ring` must rise between 0 and 1, `max_phase` lie between 0 and π. "
                f"Received: ring={tuple(ring)}, max_phase={max_phase}."
            )
        self._settings = {"states": states, "ring": tuple(ring), "max_phase": max_phase}
        self._states = units if states is None else states
        super().__init__(units, show=show, **kwargs)

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity."""
        return {"output": self.units, "real": self._states, "imaginary": self._states}

    def make_weights(self, features: int) -> None:
        """Eigenvalues in a ring, their gains, input and output matrices."""
        states, units = self._states, self.units
        low, high = self._settings["ring"]
        share, turn = np.asarray(keras.random.uniform((2, states), 1e-3, 1.0), np.float64)
        radius = np.sqrt(low**2 + share * (high**2 - low**2))
        eigenvalue = np.log(radius) + 1j * self._settings["max_phase"] * turn
        gain = np.sqrt(1 - radius**2) * abs(eigenvalue / np.expm1(eigenvalue))
        for name, values in (
            ("log_decay", np.log(-eigenvalue.real)),
            ("log_frequency", np.log(eigenvalue.imag)),
            ("log_gain", np.log(gain)),
        ):
            initializer = _constant(values)
            setattr(self, name, self.add_weight((states,), initializer=initializer, name=name))
        self.kernel = self.kernel_weight("kernel", features, 2 * states)  # Re B, Im B
        self.readout = self.kernel_weight("readout", 2 * states, 2 * units)  # Re C over −Im C
        self.skip = self.kernel_weight("skip", features, 2 * units)
        self.bias = self.bias_weight("bias", 2 * units)

    def project(self, x: KerasTensor) -> Parts:
        """Real and imaginary part of u B, and Δt."""
        features, dt = self.split_dt(x)
        return *ops.split(ops.matmul(features, self.kernel), 2, axis=-1), dt

    def recurrence(self, *projected: KerasTensor) -> tuple[Parts, Parts]:
        """Eigenvalue of the step, and what the features drive into the state."""
        u, v, dt = projected
        decay, (gain, turned) = hold_modes(ops.exp(self.log_decay), ops.exp(self.log_frequency), dt)
        scale = ops.exp(self.log_gain)
        return decay, (scale * (gain * u - turned * v), scale * (gain * v + turned * u))

    def read(self, x: KerasTensor, state: ModalState) -> dict[str, KerasTensor]:
        """Every quantity."""
        features, dt = self.split_dt(x)
        joined = ops.concatenate([state.real, state.imaginary], axis=-1)
        y = ops.matmul(joined, self.readout) + ops.matmul(features, self.skip) + self.bias
        value, gate = ops.split(y, 2, axis=-1)
        return self.with_dt({"output": value * ops.sigmoid(gate), **state._asdict()}, dt)

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell."""
        return {**super().get_config(), **self._settings}


def _constant(values: np.ndarray) -> Any:
    """Initializer of a weight by given numbers."""
    return lambda shape, dtype=None: ops.convert_to_tensor(values, dtype)
