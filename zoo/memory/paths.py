"""Inside an LSTM: the direct path of the cell state, what stands beside it, and the gates."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from zoo.memory.fading import norms
from zoo.memory.passes import Pass


class Gates(NamedTuple):
    """Gates and candidate of every step; each field is (time, batch, units)."""

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    output: np.ndarray


class Shut(NamedTuple):
    """Shares of a gate's values below `low` and above `high`, over time and batch."""

    shut: float
    open: float


def gates(run: Pass) -> Gates:
    """Gates of an LSTM along its pass, from its weights; for Keras' own layer and for zoo's.

    Raises:
        ValueError: if the layer is no LSTM.
    """
    cell = run.cell
    if not isinstance(cell, keras.layers.LSTMCell):
        raise ValueError(
            f"Gates of an LSTM were asked of layer {run.name}. Received: a {type(cell).__name__}."
        )
    z = run.x @ np.asarray(cell.kernel) + run.states[:-1, :, run.parts["hidden"]] @ np.asarray(
        cell.recurrent_kernel
    )
    z = z if cell.bias is None else z + np.asarray(cell.bias)
    i, f, g, o = np.split(z, 4, axis=-1)
    sigma, phi = cell.recurrent_activation, cell.activation
    values = (sigma(i), sigma(f), phi(g), sigma(o))
    return Gates(*(np.asarray(ops.convert_to_numpy(value)) for value in values))


def direct_log_norms(forget: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Logarithm of ‖diag(f_T ... f_{t+1})‖₂ against the lag T − t: the direct path ∂C_T/∂C_t.

    C_t = f_t C_{t−1} + i_t g_t gives ∂C_t/∂C_{t−1} = diag(f_t) as long as the gates are held. They
    are not: they read h_{t−1}, which reads C_{t−1}, and the full Jacobian has more to it. See
    `remainder_log_norms`.

    Args:
        forget: f, (time, batch, units).
        counts: (time, batch), False where a step is masked.

    Returns:
        (time + 1, batch).
    """
    return _log_products(forget, counts).max(axis=-1)


def remainder_log_norms(jacobians, run: Pass, forget: np.ndarray) -> np.ndarray:
    """Logarithm of ‖∂C_T/∂C_t − diag(f_T ... f_{t+1})‖₂ against the lag T − t, (time + 1, batch).

    What comes through the gates: zero for lags 0 and 1, and as large as the whole where the direct
    path has faded.

    Args:
        jacobians: `StepJacobians` of `run`, or their array.
        run: the pass of an LSTM.
        forget: its forget gate, (time, batch, units).
    """
    cell = run.parts["cell"]
    full, direct = None, _log_products(forget, run.counts)
    logs, scale = [], 0.0
    for lag, jacobian in enumerate(reversed(jacobians), 1):
        if full is None:
            full = np.broadcast_to(np.eye(run.width), jacobian.shape)[:, cell]
            logs.append(np.full(len(jacobian), -np.inf))
        full = full @ jacobian
        # both on the scale of the whole, so that neither is lost to underflow
        with np.errstate(divide="ignore", under="ignore", over="ignore"):
            straight = np.exp(np.minimum(direct[lag] - np.expand_dims(scale, -1), 700.0))
        rest = full[..., cell] - straight[..., None] * np.eye(straight.shape[-1])
        if lag == 1:
            rest = np.zeros_like(rest)  # exactly diag(f): what is left is rounding
        with np.errstate(divide="ignore"):
            logs.append(np.log(norms(rest)) + scale)
        size = np.linalg.norm(full, axis=(-2, -1))
        size = np.where(size > 0, size, 1.0)
        full, scale = full / size[:, None, None], scale + np.log(size)
    return np.array(logs)


def saturation(gate: np.ndarray, low: float = 0.1, high: float = 0.9) -> Shut:
    """How often a gate is shut or open, where its slope, and with it its own gradient, is small."""
    return Shut(float(np.mean(gate < low)), float(np.mean(gate > high)))


def time_constants(forget: np.ndarray, dt: float | np.ndarray) -> np.ndarray:
    """Time [s] in which each unit's direct path falls to 1/e: τ = −Σ Δt / Σ ln f.

    For a constant gate and step it is −Δt/ln f.

    Args:
        forget: f, (time, batch, units).
        dt: Δt [s], one number or (time, batch).

    Returns:
        (batch, units), inf where the gate is fully open.
    """
    dt = np.broadcast_to(dt, forget.shape[:2])
    with np.errstate(divide="ignore"):
        lost = np.abs(np.log(forget.astype(np.float64)).sum(axis=0))
        return dt.sum(axis=0)[:, None] / lost


def hidden_by_cell(output: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """∂h_j/∂C_j = o sech²(C) of an LSTM with tanh: what of a cell state reaches the hidden one.

    Args:
        output: o, (time, batch, units).
        cell: C, the same shape.
    """
    return output * (1.0 - np.tanh(cell) ** 2)


def _log_products(forget: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
    """log(f_T ... f_{t+1}) against the lag, (time + 1, batch, units)."""
    with np.errstate(divide="ignore"):
        logs = np.log(forget.astype(np.float64))
    if counts is not None:
        logs = np.where(counts[..., None], logs, 0.0)
    return np.concatenate([np.zeros((1, *logs.shape[1:])), np.cumsum(logs[::-1], axis=0)])
