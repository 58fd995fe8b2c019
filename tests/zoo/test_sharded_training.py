"""Training in shards: the same weights for any number of workers; kills: a benchmark."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.checkpoints import hash_arrays
from zoo.sharded_training import (
    GradientWorker,
    ShardedStep,
    pickle_model,
    require_shardable,
    sharded_step,
    sum_in_pairs,
)
from zoo.tasks import Workers
from zoo.training import Budget, FitSettings, fit, fitting

RNG = np.random.default_rng(0)
X = RNG.normal(size=(14, 6, 3)).astype(np.float32)
Y = np.cumsum(X[..., :1], axis=1)


def make_model(dropout=0.0):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, 3))
    hidden = keras.layers.Dense(4, "tanh")(inputs)
    hidden = keras.layers.Dropout(dropout)(hidden) if dropout else hidden
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def batches(step):
    data = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().skip(7 * step)
    return data.batch(7)


class Copies:
    """Workers in this process: TensorFlow takes seconds to start in another one."""

    def __init__(self, model, count):
        self.workers = [GradientWorker(pickle_model(model)) for _ in range(count)]

    def __len__(self):
        return len(self.workers)

    def call(self, requests):
        return [each(request) for each, request in zip(self.workers, requests, strict=True)]


def take_steps(step, count=3):
    """Losses of steps, each of a batch of 7 in 4 shards of 2, 2, 2 and 1 samples."""
    iterator = iter(batches(0))
    return [float(step(iterator)["loss"]) for _ in range(count)]


def train(count, dropout):
    model = make_model(dropout)
    losses = take_steps(ShardedStep(model, 4, Copies(model, count)))
    return hash_arrays(*model.get_weights()), losses


def test_weights_do_not_depend_on_the_number_of_workers():
    expected = train(1, dropout=0.3)
    assert train(4, dropout=0.3) == expected
    model = make_model(dropout=0.3)
    with sharded_step(model, 4, Workers()) as step:  # in another process
        losses = take_steps(step)
    assert (hash_arrays(*model.get_weights()), losses) == expected


def test_dropout_differs_between_shards_and_steps():
    model = make_model(dropout=0.5)
    worker = GradientWorker(pickle_model(model))
    weights = [np.asarray(v) for v in model.trainable_variables]
    losses = [float(worker((weights, [(number, 1.0, (X, Y))]))[0]) for number in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]


def test_the_gradient_is_that_of_the_whole_batch():
    model, whole = make_model(), make_model()
    loss = take_steps(ShardedStep(model, 4, Copies(model, 1)), 1)[0]
    first = whole.train_on_batch(X[:7], Y[:7])
    np.testing.assert_allclose(loss, first, rtol=1e-6)
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-7)


def test_fit_trains_in_shards_and_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def here(model, shards, workers):
        yield ShardedStep(model, shards, Copies(model, workers.count))

    monkeypatch.setattr(fitting, "sharded_step", here)

    def run(epochs_of_first, checkpoint):
        model = make_model()
        settings = FitSettings(shards=2, checkpoint=checkpoint)
        stops = [keras.callbacks.LambdaCallback(on_epoch_begin=stop_at(epochs_of_first))]
        try:
            fit(model, batches, None, Budget(3, 2), settings, callbacks=stops)
        except RuntimeError:
            model = make_model()
            fit(model, batches, None, Budget(3, 2), settings)
        return hash_arrays(*model.get_weights())

    def stop_at(stopped):
        def on_epoch_begin(epoch, logs):
            if epoch == stopped:
                raise RuntimeError

        return on_epoch_begin

    assert run(2, tmp_path / "a.npz") == run(9, tmp_path / "b.npz")


def test_sums_are_those_of_a_tree_whoever_sums_its_branches():
    parts = [[np.float32(value)] for value in (1e8, 1.0, -1e8, 1.0)]
    # in single precision 1e8 + 1 = 1e8: the tree gives 0, a sum from left to right 1
    assert sum_in_pairs(parts) == [0.0]
    assert sum_in_pairs([sum_in_pairs(parts[:2]), sum_in_pairs(parts[2:])]) == [0.0]


@pytest.mark.parametrize(
    ("shards", "workers", "message"),
    [(3, 1, "`shards` of 1, 2, 4"), (4, 3, "Expected 1, 2, 4"), (2, 4, "at most as many")],
)
def test_what_would_depend_on_the_workers_is_refused(shards, workers, message):
    with pytest.raises(ValueError, match=message):
        require_shardable(make_model(), shards, workers)


def test_batch_normalization_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    with pytest.raises(ValueError, match="BatchNormalization averages over a whole batch"):
        require_shardable(model, 4, 1)
