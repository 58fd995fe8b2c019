"""Walks changed by one thing at a time: amplitude, time step, holds, start. For robustness tables.

The protocol's `walk` has amplitude 2, one time step of 0.025 to 0.1 s a path, and begins at zero
strain. Users' tests do not.
"""

from collections.abc import Callable

import numpy as np

from zoo.data import hysteresis
from zoo.data.broad import long_hold, staircase
from zoo.data.loading import DT_RANGE, STEPS, Loading, refine, varied, walk
from zoo.data.maxwell import Material
from zoo.data.split import Split

WIDE_DT_RANGE = (0.003, 0.4)  # time steps that vary within a path [s]
SEED = 10_000


def changed_loading(
    material: Material = Material(), *, paths: int = 100, seed: int = SEED
) -> dict[str, Split]:
    """Test splits that differ from `walk` in one respect each.

    Args:
        material: constants of the solid.
        paths: of each split.
        seed: of the paths; the same walks are scaled, refined and shifted.

    Returns:
        What was changed -> split.
    """
    return {
        name: hysteresis.simulate(name, make(np.random.default_rng(seed), paths), material)
        for name, make in _changes().items()
    }


def _changes() -> dict[str, Callable[[np.random.Generator, int], Loading]]:
    """What was changed -> function of (generator, paths) that draws the loading."""
    changes: dict[str, Callable[[np.random.Generator, int], Loading]] = {
        f"amplitude × {factor:g}": _scaled(factor) for factor in (0.01, 0.1, 0.5, 1.5, 2.5)
    }
    changes |= {f"time step / {factor}": _short_steps(factor) for factor in (5000, 100)}
    return changes | {
        "time step / 8": lambda rng, paths: refine(walk(rng, paths), 8),
        "time step × 8": lambda rng, paths: walk(rng, paths, STEPS // 4, _times(8)),
        "varying steps, 0.025 to 0.1 s": varied,
        "varying steps, 0.003 to 0.4 s": lambda rng, paths: varied(
            rng, paths, STEPS, WIDE_DT_RANGE
        ),
        "staircase with holds": staircase,
        "hold of 200 s": long_hold,
        "start at strain 1": _shifted,
    }


def _times(factor: float) -> tuple[float, float]:
    low, high = DT_RANGE
    return low * factor, high * factor


def _scaled(factor: float) -> Callable[[np.random.Generator, int], Loading]:
    def draw(rng: np.random.Generator, paths: int) -> Loading:
        path, rate, dt = walk(rng, paths)
        return Loading(factor * path, factor * rate, dt)

    return draw


def _short_steps(factor: int) -> Callable[[np.random.Generator, int], Loading]:
    """As many steps as in `walk`, each shorter: a shorter test, not a finer sampling."""
    return lambda rng, paths: walk(rng, paths, STEPS, _times(1 / factor))


def _shifted(rng: np.random.Generator, paths: int) -> Loading:
    """The first sample stands at strain 1 and more, as where a stretch is given for a strain."""
    path, rate, dt = walk(rng, paths)
    return Loading(path + 1.0, rate, dt)
