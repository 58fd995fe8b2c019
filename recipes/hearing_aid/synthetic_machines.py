"""Engines and fans by formula, beside recorded ones: what tells them apart in any recording.

An engine fires at a rate that wanders, with strokes of unequal strength; a fan or an air
conditioner blows steadily, with the tones of its blades and of the mains.
"""

import numpy as np
from scipy.signal import lfilter

from zoo.data.bank import RATE_HZ

FIRING_HZ = (8.0, 110.0)  # idling single cylinder to a fast four-cylinder engine
BLADES_HZ = (40.0, 450.0)
MAINS_HZ = (100.0, 120.0)  # twice the frequency of the mains
SECONDS = 8.0


def engine(rng: np.random.Generator, seconds: float = SECONDS) -> np.ndarray:
    """An engine (samples,): pulses at a wandering rate through resonances, and modulated noise.

    Args:
        rng: random stream.
        seconds: duration.
    """
    size = round(seconds * RATE_HZ)
    rate_hz = 2 ** rng.uniform(*np.log2(FIRING_HZ)) * 2 ** _wander(rng, size)
    turns = np.cumsum(rate_hz) / RATE_HZ + rng.uniform()
    cylinders = int(rng.choice([1, 2, 3, 4, 6]))
    strokes = 1 + rng.uniform(0, 0.5) * rng.standard_normal(cylinders)
    which = np.floor(turns).astype(int)
    strength = strokes[which % cylinders]
    # each firing differs a little from the one before
    strength = strength * (1 + rng.uniform(0, 0.3) * rng.standard_normal(which[-1] + 1)[which])
    phase = turns - which
    pulse = strength * np.exp(-phase / rng.uniform(0.03, 0.3))
    tonal = _resonances(rng, pulse - pulse.mean(), (60.0, 1500.0))
    hiss = _resonances(rng, rng.standard_normal(size), (200.0, 5000.0))
    depth = rng.uniform(0.0, 0.9)
    hiss = hiss * (1 - depth + depth * pulse / (np.abs(pulse).mean() + 1e-9))
    return _level(_level(tonal) + 10 ** (rng.uniform(-25, 5) / 20) * _level(hiss))


def fan(rng: np.random.Generator, seconds: float = SECONDS) -> np.ndarray:
    """A fan or air conditioner (samples,): steady noise, tones of blades and mains that stay.

    Args:
        rng: random stream.
        seconds: duration.
    """
    size = round(seconds * RATE_HZ)
    time_s = np.arange(size) / RATE_HZ
    noise = _filtered([1.0, -rng.uniform(0.0, 0.95)], rng.standard_normal(size))
    x = _level(_resonances(rng, noise, (150.0, 5000.0)) if rng.uniform() < 0.5 else noise)
    for base_hz in (2 ** rng.uniform(*np.log2(BLADES_HZ)), rng.choice(MAINS_HZ)):
        level = 10 ** (rng.uniform(-30, 0) / 20)
        for order in range(1, int(rng.integers(2, 7))):
            turn = 2 * np.pi * (order * base_hz * time_s + rng.uniform())
            x = x + level * order ** -rng.uniform(0.3, 1.5) * np.sin(turn)
    return _level(x)


def _wander(rng: np.random.Generator, size: int) -> np.ndarray:
    """Deviation of the rate [octaves]: slow changes of load, and a little unsteadiness."""
    knots = max(3, size // (RATE_HZ // 4))
    steps = rng.uniform(0.0, 0.06) * rng.standard_normal(knots)
    slow = np.cumsum(steps) * rng.choice([0.15, 1.0], p=[0.7, 0.3])
    x = slow + rng.uniform(0.0, 0.03) * rng.standard_normal(knots)
    return np.interp(np.linspace(0, knots - 1, size), np.arange(knots), x)


def _resonances(
    rng: np.random.Generator, x: np.ndarray, range_hz: tuple[float, float]
) -> np.ndarray:
    """The sum of x through some resonances, at their drawn levels."""
    total = rng.uniform(0.0, 0.3) * _level(x)
    for _ in range(int(rng.integers(2, 6))):
        hz = 2 ** rng.uniform(*np.log2(range_hz))
        radius = np.exp(-np.pi * hz / rng.uniform(1.0, 6.0) / RATE_HZ)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2]
        total = total + 10 ** (rng.uniform(-18, 0) / 20) * _level(_filtered(poles, x))
    return total


def _filtered(poles: list[float], x: np.ndarray) -> np.ndarray:
    return np.asarray(lfilter([1.0], poles, x))


def _level(x: np.ndarray) -> np.ndarray:
    return (0.1 / (np.sqrt(np.mean(np.square(x))) + 1e-12) * x).astype(np.float32)
