"""Force and displacement of an oscillator: which of them is the loading."""

from dataclasses import replace

import numpy as np

from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split

MIN_LEFT = 0.3  # share of the force's variance that spring and dashpot leave, where a mass shows
MAX_SHARE = 1 / 3  # of that which is left once there is a mass
WHY = "the force follows mass times acceleration, as of an oscillator"
EDGE = 2  # rows at both ends without a central second difference


def shows_inertia(data: Split) -> bool:
    """Whether a force follows the acceleration of its displacement, as that of an oscillator does.

        F ≈ k x + c ẋ   against   F ≈ k x + c ẋ + m ẍ,   m > 0,

    by least squares on central differences: true where the mass leaves less than a third of what
    spring and dashpot leave, and those leave much. No law without a mass follows such a test.

    Args:
        data: from `zoo.data.measured.read_csv`; others than a force from a displacement show none.
    """
    if (data.inputs[0].name, data.targets[0].name) != ("displacement", "force"):
        return False
    left, total = np.zeros(2), 0.0
    for path in range(len(data.x)):
        counts = np.ones(data.x.shape[1], bool) if data.weight is None else data.weight[path] > 0
        time = np.cumsum(data.x[path, counts, 2], dtype=np.float64)
        position = data.x[path, counts, 0].astype(np.float64)
        force = data.y[path, counts, 0].astype(np.float64)
        speed = np.gradient(position, time)
        terms = [np.ones(len(time)), position, speed, np.gradient(speed, time)]
        inner = slice(EDGE, len(time) - EDGE)
        for k, number in enumerate((3, 4)):
            residual, mass = _residual(force[inner], [each[inner] for each in terms[:number]])
            if number == 4 and mass <= 0:
                return False
            left[k] += residual
        total += float(np.var(force[inner])) * len(force[inner])
    return bool(total > 0 and left[0] > MIN_LEFT * total and left[1] < MAX_SHARE * left[0])


def force_as_loading(data: Split, why: str = WHY) -> Split:
    """The same tests with the force as loading and the displacement as response.

    Args:
        data: tests of a force from a displacement.
        why: clause of the note on it.
    """
    x = data.x.copy()
    x[..., 0] = data.y[..., 0]
    x[:, 1:, 1] = np.diff(x[..., 0], axis=1) / x[:, 1:, 2]
    x[:, 0, 1] = 0.0
    if data.weight is not None:  # padding holds the last force
        for path in range(len(x)):
            end = int(np.flatnonzero(data.weight[path] > 0)[-1]) + 1
            x[path, end:, 0], x[path, end:, 1] = x[path, end - 1, 0], 0.0
    note = f"{why}: the force is taken for the loading and the displacement for the response"
    inputs = loading_inputs("force", data.targets[0].unit)
    return replace(
        data,
        x=x,
        y=data.x[..., :1].copy(),
        inputs=(*inputs, *data.inputs[3:]),
        targets=(response_target("displacement", data.inputs[0].unit),),
        notes=(*data.notes, note),
    )


def _residual(force: np.ndarray, terms: list[np.ndarray]) -> tuple[float, float]:
    """Sum of squares that a fit leaves, and the factor of its last term."""
    design = np.stack(terms, axis=1)
    size = np.sqrt(np.mean(design**2, axis=0))
    size[size == 0] = 1.0
    factors = np.linalg.lstsq(design / size, force, rcond=None)[0]
    return float(np.sum((force - design / size @ factors) ** 2)), float(factors[-1])
