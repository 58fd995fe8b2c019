"""Laws with one or two constants, to judge a network by."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar


@dataclass(frozen=True)
class Elastic:
    """sigma = E lambda: no memory.

    Attributes:
        modulus: E [stress unit].
    """

    modulus: float

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "Elastic":
        """Least squares for E on (paths, time, 3) and (paths, time, 1)."""
        counts = np.ones(x.shape[:2]) if weight is None else weight
        stretch, stress = x[..., 0].astype(np.float64), y[..., 0].astype(np.float64)
        return cls(float(np.sum(counts * stretch * stress) / np.sum(counts * stretch**2)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Stress (paths, time, 1) for x = (stretch, rate, dt), (paths, time, 3)."""
        return (self.modulus * x[..., :1]).astype(np.float32)


@dataclass(frozen=True)
class LinearMaxwell:
    """d sigma / dt = E d lambda / dt - sigma / tau, from rest; exact on piecewise-linear paths.

    Attributes:
        modulus: E [stress unit].
        time_s: relaxation time tau [s].
    """

    modulus: float
    time_s: float

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "LinearMaxwell":
        """Least squares for E and tau on (paths, time, 3) and (paths, time, 1).

        The response is linear in E, so only tau is searched: between the shortest step and a
        thousand times the longest test.
        """
        counts = np.ones(x.shape[:2]) if weight is None else weight
        stress = y[..., 0].astype(np.float64)
        dt = x[..., 2].astype(np.float64)

        def best_modulus(log_time: float) -> tuple[float, float]:
            unit = cls(1.0, float(np.exp(log_time))).predict(x)[..., 0].astype(np.float64)
            modulus = np.sum(counts * unit * stress) / np.sum(counts * unit**2)
            return modulus, np.sum(counts * (stress - modulus * unit) ** 2)

        bounds = np.log([dt[dt > 0].min(), 1e3 * dt.sum(axis=1).max()])
        found = minimize_scalar(
            lambda log_time: best_modulus(log_time)[1], bounds=bounds, method="bounded"
        )
        return cls(float(best_modulus(found.x)[0]), float(np.exp(found.x)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Stress (paths, time, 1) for x = (stretch, rate, dt), (paths, time, 3)."""
        rate, dt = x[..., 1].astype(np.float64), x[..., 2].astype(np.float64)
        decay = np.exp(-dt / self.time_s)
        rise = -np.expm1(-dt / self.time_s) * self.time_s * self.modulus * rate
        stress, now = np.empty(x.shape[:2]), np.zeros(len(x))
        for step in range(x.shape[1]):
            now = decay[:, step] * now + rise[:, step]
            stress[:, step] = now
        return stress[..., None].astype(np.float32)
