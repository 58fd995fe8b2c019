"""The Legendre memory unit (Voelker, Kajić and Eliasmith 2019), with a time step."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.continuous.base import ContinuousCell, scan_cell
from zoo.cells.continuous.modes import hold_modes
from zoo.cells.material.base import require_count, require_positive
from zoo.cells.scan import Parts, linear_step

MAX_ORDER = 8  # beyond, the modes of the memory cancel to less than 1e-4 in float32


class LMUState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units).
        real: Re of the memory's modes, (batch, (order + 1) // 2).
        imaginary: Im of them.
    """

    hidden: KerasTensor
    real: KerasTensor
    imaginary: KerasTensor


def legendre_system(order: int) -> tuple[np.ndarray, np.ndarray]:
    """A (order, order) and B (order,) of the memory θ dm/dt = A m + B u (Voelker et al. 2019).

    A_ij = (2i + 1) (−1 if i < j, else (−1)^(i−j+1)),   B_i = (2i + 1)(−1)^i

    Args:
        order: number of Legendre polynomials.
    """
    i, j = np.ogrid[:order, :order]
    a = (2 * i + 1) * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    return a, (2 * i[:, 0] + 1) * (-1.0) ** i[:, 0]


def legendre_modes(order: int) -> tuple[np.ndarray, np.ndarray]:
    """The same memory by its modes: θ dz/dt = μ z + u and m = Re(R z), one of each pair.

    Args:
        order: number of Legendre polynomials.

    Returns:
        μ (modes,) and R (order, modes), complex, of modes with Im μ ≥ 0.
    """
    a, b = legendre_system(order)
    poles, vectors = np.linalg.eig(a)
    residues = vectors * np.linalg.solve(vectors, b.astype(complex))
    kept = np.flatnonzero(poles.imag > -1e-9)
    pairs = np.where(poles.imag[kept] > 1e-9, 2.0, 1.0)
    return poles[kept], residues[:, kept] * pairs


@keras.saving.register_keras_serializable("zoo")
class LMUCell(ContinuousCell):
    """Legendre memory unit (Voelker, Kajić and Eliasmith 2019, NeurIPS), in continuous time.

    s = u·e_u + h·e_h + m·e_m                                what is remembered, (1,)
    θ dm/dt = A m + B s                                      memory, exactly, with s held
    h' = tanh(u W_u + h W_h + m' W_m + b)

    m holds the last θ of s as coefficients of the first `order` Legendre polynomials. A and B are
    those of the paper, see `legendre_system`; the step e^(A Δt/θ) is taken in their modes, so Δt
    may change from step to step; the window θ is learnt. With `recurrent=False`, e_h, e_m and W_h
    are left out, as Chilkuri and Eliasmith (2021, arXiv:2102.11417) do: the memory is then linear
    in the input, and a whole sequence is solved by a scan.

    Guaranteed for any weights and inputs with Δt ≥ 0: the memory is exact and stable for any Δt;
    without recurrence, steps with the same features agree with one step of their sum. With it, h
    changes in a step of Δt = 0.

    Quantities: hidden h', (batch, units); memory m', (batch, order); real and imaginary, its modes
    z, (batch, (order + 1) // 2); with `pass_dt` output, h' and Δt.

    Args:
        units: width of the hidden state.
        order: of the memory, 1 to `MAX_ORDER`.
        window: θ before training, in units of Δt.
        recurrent: the published cell; False: the one for scans.
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, see `ContinuousCell`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: settings outside their range.
    """

    State = LMUState

    def __init__(
        self,
        units: int,
        order: int = 4,
        window: float = 32.0,
        recurrent: bool = True,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        require_count(order=order)
        require_positive(window=window)
        if order > MAX_ORDER:
            raise ValueError(f"`order` must be at most {MAX_ORDER}. Received: order={order}.")
        self._settings = {"order": order, "window": window, "recurrent": recurrent}
        self._recurrent = recurrent
        poles, residues = legendre_modes(order)
        # plain numbers: Keras would track arrays as part of the layer's state
        self._poles = (tuple((-poles.real).tolist()), tuple(poles.imag.tolist()))
        self._mixing = np.concatenate([residues.real, -residues.imag], axis=1).T.tolist()
        super().__init__(units, show=show, **kwargs)

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity."""
        order, modes = self._settings["order"], len(self._poles[0])
        return {"hidden": self.units, "memory": order, "real": modes, "imaginary": modes}

    def make_weights(self, features: int) -> None:
        """Encoders of what is remembered, kernels of the hidden state, log θ."""
        order, units = self._settings["order"], self.units
        self.encoder = self.kernel_weight("encoder", features, 1)
        self.kernel = self.kernel_weight("kernel", features, units)
        self.memory_kernel = self.kernel_weight("memory_kernel", order, units)
        self.bias = self.bias_weight("bias", units)
        initializer = keras.initializers.Constant(math.log(self._settings["window"]))
        self.log_window = self.add_weight((), initializer=initializer, name="log_window")
        if self._recurrent:
            self.hidden_encoder = self.kernel_weight("hidden_encoder", units, 1)
            self.memory_encoder = self.add_weight(
                shape=(order, 1), initializer="zeros", name="memory_encoder"
            )
            self.recurrent_kernel = self.kernel_weight("recurrent_kernel", units, units)

    def memory(self, real: KerasTensor, imaginary: KerasTensor) -> KerasTensor:
        """Coefficients m (..., order) of modes (..., modes)."""
        mixing = ops.convert_to_tensor(self._mixing, self.compute_dtype)
        return ops.matmul(ops.concatenate([real, imaginary], axis=-1), mixing)

    def recurrence(self, signal: KerasTensor, dt: KerasTensor) -> tuple[Parts, Parts]:
        """Decay and drive of the modes for what is remembered and Δt, each (..., 1)."""
        decay, frequency = (ops.convert_to_tensor(v, self.compute_dtype) for v in self._poles)
        turn, gain = hold_modes(decay, frequency, dt * ops.exp(-self.log_window))
        return turn, (gain[0] * signal, gain[1] * signal)

    def step(self, x: KerasTensor, state: LMUState) -> tuple[LMUState, dict[str, KerasTensor]]:
        """One step of (batch, n) inputs."""
        features, dt = self.split_dt(x)
        signal = ops.matmul(features, self.encoder)
        modes = (state.real, state.imaginary)
        before = None
        if self._recurrent:
            before = state.hidden
            signal = signal + ops.matmul(before, self.hidden_encoder)
            signal = signal + ops.matmul(self.memory(*modes), self.memory_encoder)
        turn, drive = self.recurrence(signal, dt)
        return self.read(features, dt, before, linear_step(turn, drive, modes))

    def read(
        self, features: KerasTensor, dt: KerasTensor, before: KerasTensor | None, modes: Parts
    ) -> tuple[LMUState, dict[str, KerasTensor]]:
        """State and every quantity, for the modes behind the step; `before` is h or None."""
        memory = self.memory(*modes)
        total = ops.matmul(features, self.kernel) + ops.matmul(memory, self.memory_kernel)
        total = total + self.bias
        if before is not None:
            total = total + ops.matmul(before, self.recurrent_kernel)
        state = LMUState(ops.tanh(total), *modes)
        quantities = {
            "hidden": state.hidden,
            "memory": memory,
            "real": state.real,
            "imaginary": state.imaginary,
        }
        return state, self.with_dt(quantities, dt)

    def sequence(
        self, x: KerasTensor, state: LMUState, training: Any = False, compiled: bool = False
    ) -> tuple[KerasTensor, LMUState] | None:
        """All steps at once; None with recurrence, which has no scan.

        Args:
            x: (batch, time, n).
            state: before the first step.
            training: not used.
            compiled: not used.

        Returns:
            `(emitted, state)`: (batch, time, output_size) and the state after the last step.
        """
        if self._recurrent:
            return None
        features, dt = self.split_dt(x)
        signal = ops.matmul(features, self.encoder)
        modes = scan_cell(self.recurrence, (signal, dt), (state.real, state.imaginary))
        states, quantities = self.read(features, dt, None, modes)
        return self.emit(quantities), LMUState(*(each[:, -1] for each in states))

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell; θ before training."""
        return {**super().get_config(), **self._settings}
