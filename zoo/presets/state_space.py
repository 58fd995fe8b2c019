"""Preset of a black box: a linear state-space model of the data, with a small layer of tanh."""

from typing import Any

import keras
import numpy as np

from zoo.cells.material.state_space import StateSpaceCell
from zoo.presets.registry import register
from zoo.presets.scales import FEW_WEIGHTS_RATE, one_cell, rms_or_one

STABLE = 0.999  # largest spectral radius of the linear start
NUGGET = 1e-9  # of the mean variance of the states, so that their covariance has a root


@register(
    "state-space",
    "solid",
    description="linear state-space model of the data with a layer of tanh, a black box",
    source="Suykens, Vandewalle and De Moor 1996; Schoukens 2021",
    learning_rate=FEW_WEIGHTS_RATE,
    compiled=True,
)
def state_space(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
) -> keras.Model:
    """One `StateSpaceCell` that starts as the best linear model with lagged samples.

    The linear model is fitted to the counted rows by least squares (`linear_start`); its states
    are then scaled to be uncorrelated and of unit variance over the first path. `settings` of the
    cell replace what is measured.
    """
    counts = np.ones(y.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    loading, response = np.asarray(x[..., 0], np.float64), np.asarray(y[..., 0], np.float64)
    sizes = {
        "loading_size": rms_or_one(loading[counts]),
        "response_size": rms_or_one(response[counts]),
    }
    cell = StateSpaceCell(**{**sizes, **settings})
    model = one_cell("state-space", cell)
    u, v = loading / cell.loading_size, response / cell.response_size
    try:
        parts = linear_start(u, v, counts, cell.order)
    except (ValueError, np.linalg.LinAlgError):  # too few rows, or no loading in them
        return model
    cell.set_linear(*parts)
    return model


def linear_start(
    u: np.ndarray, y: np.ndarray, counts: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Linear state-space model of sampled data, by least squares on lagged samples.

        y_k = Σ_i a_i y_{k−i} + Σ_i b_i u_{k−i},   i = 1…order, and 0 for u

    (Ljung 1999, ARX), in the observer form, with states of unit variance.

    Args:
        u: input, (paths, time).
        y: output, (paths, time).
        counts: samples of the output that are known, (paths, time) bool.
        order: number of states.

    Returns:
        A (order, order), B (order, 2) for u_{k−1} and u_k, C (order,), D.

    Raises:
        ValueError: fewer known samples in a row than the lags need.
    """
    lags = range(order + 1)
    known = np.stack([np.roll(counts, i, axis=1) for i in lags]).all(axis=0)
    known[:, :order] = False
    if known.sum() <= 2 * order + 1:
        raise ValueError(f"A linear start of order {order} needs more rows. Got {known.sum()}.")
    columns = [np.roll(y, i, axis=1)[known] for i in lags[1:]]
    columns += [np.roll(u, i, axis=1)[known] for i in lags]
    weights = np.linalg.lstsq(np.stack(columns, axis=1), y[known], rcond=None)[0]
    a, b = weights[:order], weights[order:]
    # observer form: s_k = A s_{k-1} + g u_{k-1}, y_k = s_k[0] + b_0 u_k
    transition = np.eye(order, k=1)
    transition[:, 0] = a
    gains = b[1:] + a * b[0]
    radius = np.abs(np.linalg.eigvals(transition)).max()
    transition *= min(1.0, STABLE / radius)
    states = np.zeros((u.shape[1], order))
    for k in range(1, len(states)):
        states[k] = transition @ states[k - 1] + gains * u[0, k - 1]
    covariance = states.T @ states / len(states)
    nugget = NUGGET * np.trace(covariance) / order
    root = np.linalg.cholesky(covariance + nugget * np.eye(order))
    inverse = np.linalg.inv(root)
    inputs = np.stack([inverse @ gains, np.zeros(order)], axis=1)
    return inverse @ transition @ root, inputs, root[0], float(b[0])
