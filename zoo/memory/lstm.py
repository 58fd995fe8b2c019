"""Gates of an LSTM, and the direct path of its cell state beside the paths through the gates."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo.memory.fading import Jacobians, spectral_norms
from zoo.memory.states import LayerStates


class Gates(NamedTuple):
    """Gates and candidate of every step.

    Attributes:
        input: input gate i in [0, 1], (time, batch, units).
        forget: forget gate f in [0, 1], (time, batch, units).
        candidate: candidate g, (time, batch, units).
        output: output gate o in [0, 1], (time, batch, units).
    """

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    output: np.ndarray


class Saturation(NamedTuple):
    """How often a gate is saturated, over time, batch and units.

    Attributes:
        closed: share of the values below the lower limit [-].
        open: share of the values above the upper limit [-].
    """

    closed: float
    open: float


def compute_gates(run: LayerStates) -> Gates:
    """Gates of an LSTM along its recorded states, computed from its weights.

    Args:
        run: states of a layer whose cell is keras.layers.LSTMCell or zoo.cells.LSTMCell.

    Returns:
        Gates and candidate.

    Raises:
        ValueError: if the cell is not an LSTM.
    """
    cell = run.cell
    if not isinstance(cell, keras.layers.LSTMCell):
        raise ValueError(
            f"Layer {run.name} must have an LSTM cell. Received: a {type(cell).__name__}, which "
            "has no such gates."
        )
    z = run.x @ np.asarray(cell.kernel) + run.states[:-1, :, run.parts["hidden"]] @ np.asarray(
        cell.recurrent_kernel
    )
    z = z if cell.bias is None else z + np.asarray(cell.bias)
    i, f, g, o = np.split(z, 4, axis=-1)
    sigma, phi = cell.recurrent_activation, cell.activation
    values = (sigma(i), sigma(f), phi(g), sigma(o))
    return Gates(*(np.asarray(ops.convert_to_numpy(value)) for value in values))


def direct_log_norms(forget: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Logarithm of ‖diag(f_T ... f_{t+1})‖₂ against the lag T − t: the direct path of ∂C_T/∂C_t.

    C_t = f_t C_{t−1} + i_t g_t gives ∂C_t/∂C_{t−1} = diag(f_t) at fixed gates. But the gates depend
    on h_{t−1}, which depends on C_{t−1}, so the full Jacobian has further terms, see
    `remainder_log_norms`.

    Args:
        forget: forget gate f, (time, batch, units).
        mask: False where a step is masked, (time, batch); None: every step counts.

    Returns:
        (time + 1, batch).
    """
    return _log_products(forget, mask).max(axis=-1)


def remainder_log_norms(jacobians: Jacobians, run: LayerStates, forget: np.ndarray) -> np.ndarray:
    """Logarithm of ‖∂C_T/∂C_t − diag(f_T ... f_{t+1})‖₂ against the lag T − t.

    This is the part that passes through the gates: zero for lags 0 and 1, and as large as the whole
    where the direct path has faded.

    Args:
        jacobians: Jacobians of `run`.
        run: states of an LSTM.
        forget: its forget gate f, (time, batch, units).

    Returns:
        (time + 1, batch).
    """
    cell = run.parts["cell"]
    full, direct = None, _log_products(forget, run.mask)
    logs: list[np.ndarray] = []
    log_scale: Any = 0.0
    for lag, jacobian in enumerate(reversed(jacobians), 1):
        if full is None:
            full = np.broadcast_to(np.eye(run.width), jacobian.shape)[:, cell]
            logs.append(np.full(len(jacobian), -np.inf))
        full = full @ jacobian
        # Both on the scale of the whole product, so that neither underflows.
        with np.errstate(divide="ignore", under="ignore", over="ignore"):
            diagonal = np.exp(np.minimum(direct[lag] - np.expand_dims(log_scale, -1), 700.0))
        rest = full[..., cell] - diagonal[..., None] * np.eye(diagonal.shape[-1])
        if lag == 1:
            rest = np.zeros_like(rest)  # exactly diag(f): the difference is rounding
        with np.errstate(divide="ignore"):
            logs.append(np.log(spectral_norms(rest)) + log_scale)
        size = np.linalg.norm(full, axis=(-2, -1))
        size = np.where(size > 0, size, 1.0)
        full, log_scale = full / size[:, None, None], log_scale + np.log(size)
    return np.array(logs)


def gate_saturation(gate: np.ndarray, low: float = 0.1, high: float = 0.9) -> Saturation:
    """Share of gate values below `low` and above `high`, where σ' and the gate's gradient vanish.

    Args:
        gate: values in [0, 1], of any shape.
        low: lower limit.
        high: upper limit.

    Returns:
        The two shares.
    """
    return Saturation(float(np.mean(gate < low)), float(np.mean(gate > high)))


def time_constants(forget: np.ndarray, dt: float | np.ndarray) -> np.ndarray:
    """Time constant τ = −Σ Δt / Σ ln f of each unit's direct path: the time of its decay to 1/e.

    For a constant gate and time step it is −Δt/ln f.

    Args:
        forget: forget gate f, (time, batch, units).
        dt: Δt [s], a number or (time, batch).

    Returns:
        τ in the unit of `dt`, (batch, units); inf where the gate is fully open.
    """
    dt = np.broadcast_to(dt, forget.shape[:2])
    with np.errstate(divide="ignore"):
        decay = np.abs(np.log(forget.astype(np.float64)).sum(axis=0))
        return dt.sum(axis=0)[:, None] / decay


def hidden_cell_derivative(output: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Derivative ∂h_j/∂C_j = o (1 − tanh² C) of the hidden state of an LSTM with tanh.

    Args:
        output: output gate o, (time, batch, units).
        cell: cell state C, same shape.

    Returns:
        Values in [0, 1], same shape.
    """
    return output * (1.0 - np.tanh(cell) ** 2)


def _log_products(forget: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """log(f_T ... f_{t+1}) against the lag, (time + 1, batch, units)."""
    with np.errstate(divide="ignore"):
        logs = np.log(forget.astype(np.float64))
    if mask is not None:
        logs = np.where(mask[..., None], logs, 0.0)
    return np.concatenate([np.zeros((1, *logs.shape[1:])), np.cumsum(logs[::-1], axis=0)])
