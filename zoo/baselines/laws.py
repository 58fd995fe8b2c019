"""Material laws with one or two constants, fitted by least squares: baselines of a network."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize_scalar


@dataclass(frozen=True)
class Elastic:
    """sigma = E lambda: no memory.

    Attributes:
        modulus: E [stress unit].
        is_step_exact: the response is exact at any time step, since no step enters it.
    """

    modulus: float
    is_step_exact: ClassVar[bool] = True

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "Elastic":
        """Least squares for E.

        Args:
            x: (strain [-], rate [1/s], dt [s]), (paths, time, 3).
            y: stress, (paths, time, 1).
            weight: (paths, time); None counts all.
        """
        counts = np.ones(x.shape[:2]) if weight is None else weight
        strain, stress = x[..., 0].astype(np.float64), y[..., 0].astype(np.float64)
        return cls(float(np.sum(counts * strain * stress) / np.sum(counts * strain**2)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Stress (paths, time, 1) for x = (strain, rate, dt), (paths, time, 3)."""
        return (self.modulus * x[..., :1]).astype(np.float32)


@dataclass(frozen=True)
class LinearMaxwell:
    """d sigma / dt = E d lambda / dt - sigma / tau, from rest; exact on piecewise-linear paths.

    Attributes:
        modulus: E [stress unit].
        time_s: relaxation time tau [s].
        is_step_exact: the response is exact at any time step, since each step is solved exactly.
    """

    modulus: float
    time_s: float
    is_step_exact: ClassVar[bool] = True

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "LinearMaxwell":
        """Least squares for E and tau.

        The response is linear in E, so only tau is searched: between the shortest step and a
        thousand times the longest test.

        Args:
            x: (strain [-], rate [1/s], dt [s]), (paths, time, 3).
            y: stress, (paths, time, 1).
            weight: (paths, time); None counts all.
        """
        counts = np.ones(x.shape[:2]) if weight is None else weight
        stress = y[..., 0].astype(np.float64)
        dt = x[..., 2].astype(np.float64)

        def best_modulus(log_time: float) -> tuple[float, float]:
            unit = cls(1.0, float(np.exp(log_time))).predict(x)[..., 0].astype(np.float64)
            modulus = float(np.sum(counts * unit * stress) / np.sum(counts * unit**2))
            return modulus, float(np.sum(counts * (stress - modulus * unit) ** 2))

        bounds = np.log([dt[dt > 0].min(), 1e3 * dt.sum(axis=1).max()])
        optimum: Any = minimize_scalar(
            lambda log_time: best_modulus(log_time)[1], bounds=bounds, method="bounded"
        )
        log_time = float(optimum.x)
        return cls(best_modulus(log_time)[0], float(np.exp(log_time)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Stress (paths, time, 1) for x = (strain, rate, dt), (paths, time, 3)."""
        rate, dt = x[..., 1].astype(np.float64), x[..., 2].astype(np.float64)
        decay = np.exp(-dt / self.time_s)
        rise = -np.expm1(-dt / self.time_s) * self.time_s * self.modulus * rate
        stress, now = np.empty(x.shape[:2]), np.zeros(len(x))
        for step in range(x.shape[1]):
            now = decay[:, step] * now + rise[:, step]
            stress[:, step] = now
        return stress[..., None].astype(np.float32)
