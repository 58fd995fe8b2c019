"""The adding problem: two numbers, far apart in a long row of noise, are to be added at its end."""

import numpy as np

GUESS = 1.0 / 6.0  # variance of the sum of two uniform numbers: the error of always answering 1


def adding(count: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences and their sums (Hochreiter and Schmidhuber 1997, in the form of Le et al. 2015).

    x_t = (value, mark): values uniform in [0, 1); the mark is 1 at one step of the first half and
    at one of the second, else 0. y is the sum of the two marked values. Who answers 1 whatever
    comes has a mean squared error of 1/6.

    Args:
        count: number of sequences.
        steps: length of each, 2 or more.
        seed: of the draw.

    Returns:
        x (count, steps, 2) and y (count, 1), float32.
    """
    if steps < 2:
        raise ValueError(
            f"`steps` must be 2 or more, one for each number. Received: steps={steps}."
        )
    draw = np.random.default_rng(seed)
    x = np.zeros((count, steps, 2), np.float32)
    x[..., 0] = draw.random((count, steps), np.float32)
    every = np.arange(count)
    x[every, draw.integers(0, steps // 2, count), 1] = 1
    x[every, draw.integers(steps // 2, steps, count), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)
