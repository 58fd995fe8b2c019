"""What presets measure on training data: typical sizes, a stiffness, and a model of one cell."""

from dataclasses import dataclass

import keras
import numpy as np

from zoo.cells import VisibleCell
from zoo.recurrent import recurrent_model

FEW_WEIGHTS_RATE = 2e-2  # learning rate: few weights allow larger steps


@dataclass(frozen=True)
class DataScales:
    """Typical sizes of training data, root mean squares, and an elastic first guess.

    Attributes:
        stress: of the stress, in its unit.
        strain_step: of the increments of strain [-].
        time_step: of the time steps [s].
        modulus: stress over deviation of strain, in the unit of stress.
        time: deviation of strain over its rate [s], in which the loading turns round.
    """

    stress: float
    strain_step: float
    time_step: float
    modulus: float
    time: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "DataScales":
        """Measure the training data.

        Args:
            x: (paths, time, 3): strain [-], its rate [1/s], Δt [s].
            y: stress, (paths, time, 1).
            weight: (paths, time), 0 where a step does not count; None where every step does.
        """
        counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        strain, rate, dt = np.asarray(x, np.float64)[counts].T
        stress = rms_or_one(np.asarray(y, np.float64)[counts])
        return cls(
            stress=stress,
            strain_step=rms_or_one(rate * dt),
            time_step=rms_or_one(dt),
            modulus=stress / rms_or_one(strain - strain.mean()),
            time=rms_or_one(strain) / rms_or_one(rate),
        )


def stiffness(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Elastic modulus of a test with unloading, as a first guess.

    The steepest tenth of all slopes Δσ/Δε, or the steepest quarter of those right after a reversal,
    where unloading is elastic, if that is more: of coarse rows few are elastic.

    Args:
        x: (paths, time, 3).
        y: stress, (paths, time, 1).
        weight: (paths, time), 0 where a step does not count.
    """
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    change = np.asarray(x[..., 1] * x[..., 2], np.float64)[:, 1:]
    rise = np.diff(np.asarray(y[..., 0], np.float64), axis=1)
    moving = (counts[:, 1:] & counts[:, :-1]) & (np.abs(change) > 0.1 * np.abs(change).mean())
    slopes = np.divide(rise, change, out=np.zeros_like(rise), where=moving)
    turned = np.zeros_like(moving)
    turned[:, 1:] = change[:, 1:] * change[:, :-1] < 0
    guesses = [
        float(np.quantile(slopes[chosen], share))
        for chosen, share in ((slopes > 0, 0.9), ((slopes > 0) & turned, 0.75))
        if chosen.any()
    ]
    return max(guesses) if guesses else DataScales.of(x, y, weight).modulus


def counted_steps(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the increments of each path, (paths, time), and the counted stress."""
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    change = np.asarray(x[..., 1], np.float64) * np.asarray(x[..., 2], np.float64)
    return np.cumsum(change, axis=1), np.asarray(y, np.float64)[counts]


def amplitude_of(position: np.ndarray) -> float:
    """Largest way from the first position, of all paths."""
    return float(np.abs(position).max())


def one_cell(name: str, cell: VisibleCell) -> keras.Model:
    """A sequence model of one cell whose first quantity is the prediction."""
    return recurrent_model([cell], targets=None, name=name)


def rms_or_one(values: np.ndarray) -> float:
    """Root mean square, or one where all values are zero."""
    return float(np.sqrt(np.mean(np.square(values)))) or 1.0
