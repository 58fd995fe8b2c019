"""One shuffle: every row once an epoch, addressed by step, and no order left."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.data.shuffling import shuffled_rows


def epoch(rows, seed, number):
    """Order of one epoch, drawn as one batch."""
    return shuffled_rows(tf.constant(number, tf.int64), rows, rows, seed).numpy()


@pytest.mark.parametrize("batch_size", (1, 3, 7))
def test_batches_cut_the_same_endless_order(batch_size):
    rows, seed = 10, 4
    steps = -(-3 * rows // batch_size)
    order = np.concatenate(
        [
            shuffled_rows(tf.constant(step, tf.int64), batch_size, rows, seed).numpy()
            for step in range(steps)
        ]
    )[: 3 * rows]
    np.testing.assert_array_equal(order, np.concatenate([epoch(rows, seed, k) for k in range(3)]))
    np.testing.assert_array_equal(
        np.sort(order.reshape(3, rows), axis=1), np.tile(np.arange(rows), (3, 1))
    )


@pytest.mark.parametrize("seed", (0, 1, 2))
def test_a_hundred_rows_keep_no_neighbours_at_small_seeds(seed):
    """A random order keeps about one pair of neighbours in a hundred; four rounds keep half."""
    kept = [np.sum(np.diff(epoch(100, seed, number)) == 1) for number in range(20)]
    assert np.mean(kept) < 4
