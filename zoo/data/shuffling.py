"""One shuffle of a data set, computed from the seed and the number of the step alone."""

import tensorflow as tf

# Four rounds, TensorFlow's default, leave a hundred places half as they were when seeds are small.
ROUNDS = 8


def shuffled_rows(step: tf.Tensor, batch_size: int, rows: int, seed: int) -> tf.Tensor:
    """Rows of the batch of one training step.

    Every epoch visits each row once, in an order drawn from `seed` and the number of the epoch; a
    batch may reach into the next epoch. The permutation is computed place by place, so that any
    step can be computed without the steps before it.

    Args:
        step: int64 scalar, from 0.
        batch_size: rows in a batch.
        rows: in the data set.
        seed: of the order.

    Returns:
        (batch_size,) int64, each in [0, rows).
    """
    position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch, place = position // rows, position % rows
    seeds = tf.stack([tf.fill([batch_size], tf.cast(seed, tf.int64)), epoch, 0 * epoch], axis=1)
    # tf.random.experimental.index_shuffle takes one seed a call; its operation one a place.
    return tf.raw_ops.RandomIndexShuffle(
        index=place, seed=seeds, max_index=tf.cast(rows - 1, tf.int64), rounds=ROUNDS
    )
