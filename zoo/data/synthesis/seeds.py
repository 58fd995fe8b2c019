"""Random streams by name: each depends on a seed and names alone."""

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Random generator of a seed and names.

    Args:
        seed: 0 or more.
        names: of the stream.

    Raises:
        ValueError: a negative seed.
    """
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more. Received: {seed}.")
    keys = [crc32(name.encode()) if isinstance(name, str) else name for name in names]
    return np.random.default_rng(np.random.SeedSequence([seed, *keys]))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a log-uniform distribution between two numbers."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
