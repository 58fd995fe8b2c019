"""The adding problem: add two marked numbers, far apart in a long sequence of noise."""

import numpy as np

CONSTANT_ERROR = 1.0 / 6.0  # MSE of the best constant prediction, 1: the variance of the sum


def make_sequences(count: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences and their sums (Hochreiter and Schmidhuber 1997, in the form of Le et al. 2015).

    x_t = (value, mark): values are uniform in [0, 1); the mark is 1 at one step of the first half
    and at one of the second half, else 0. y is the sum of the two marked values.

    Args:
        count: number of sequences.
        steps: length of each, 2 or more.
        seed: seed of the draw.

    Returns:
        x (count, steps, 2) and y (count, 1), float32.

    Raises:
        ValueError: if `steps` is below 2.
    """
    if steps < 2:
        raise ValueError(
            f"`steps` must be 2 or more, one for each number. Received: steps={steps}."
        )
    rng = np.random.default_rng(seed)
    x = np.zeros((count, steps, 2), np.float32)
    x[..., 0] = rng.random((count, steps), np.float32)
    rows = np.arange(count)
    x[rows, rng.integers(0, steps // 2, count), 1] = 1
    x[rows, rng.integers(steps // 2, steps, count), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)
