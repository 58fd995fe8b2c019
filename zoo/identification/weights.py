"""Least-squares fit of all weights of a cell, for black boxes whose weights mean nothing alone."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from zoo.identification.response import Response
from zoo.metrics.regression import rms

REPORT_EVERY = 20  # slopes


def fit_weights(
    response: Response,
    y: np.ndarray,
    *,
    evaluations: int = 250,
    say: Callable[[str], None] | None = None,
) -> float:
    """Fit the weights to the counted samples, from where the model is, and set them in the model.

    A trust-region search with the exact slopes of the whole history, which one loop of float64
    gives; on a few hundred weights it gets in minutes where gradient descent does not.

    Args:
        response: of the model to the loading.
        y: measured response, (paths, time, 1).
        evaluations: at most, of the response; the search ends with them, so that no held-out data
            are needed to stop it.
        say: takes a line of progress.

    Returns:
        Root of the mean squared error over the counted samples, in the unit of y.

    Raises:
        ValueError: no sample, or fewer than weights.
    """
    say = say or (lambda line: None)
    target = np.asarray(y, np.float64)[response.counts][:, 0]
    start = response.start()
    if len(target) <= len(start):
        raise ValueError(
            f"A fit of {len(start)} weights needs more samples than that. "
            f"Received: {len(target)}. Use fewer units."
        )
    size, slopes = rms(target) or 1.0, 0

    def residual(weights: np.ndarray) -> np.ndarray:
        gap = (response(weights) - target) / size
        return np.where(np.isfinite(gap), gap, 1e6)  # a step into instability is not taken

    def slope(weights: np.ndarray) -> np.ndarray:
        nonlocal slopes
        slopes += 1
        if slopes % REPORT_EVERY == 0:
            error = rms((response(weights) - target) / size)
            say(f"slope {slopes}: residual {100 * error:.4g} % of RMS")
        return response.slope(weights) / size

    found = least_squares(
        residual,
        start,
        jac=slope,  # pyright: ignore[reportArgumentType]  a function, as SciPy documents
        x_scale="jac",
        max_nfev=evaluations,
    )
    response.set_model_weights(found.x)
    return float(size * rms(found.fun))
