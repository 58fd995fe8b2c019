"""Random streams by name: one seed and a name give one stream, whatever else is drawn."""

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of this seed and these names."""
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more. Received: {seed}.")
    keys = [crc32(name.encode()) if isinstance(name, str) else name for name in names]
    return np.random.default_rng(np.random.SeedSequence([seed, *keys]))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two others, evenly on a log scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
