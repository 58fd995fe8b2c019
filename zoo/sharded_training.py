"""Data-parallel training whose result does not depend on the number of workers.

Every batch is cut into a fixed number of shards. Their gradients are computed by copies of the
model in 1, 2, 4, ... workers and summed in a fixed tree,

    g = (g_0 + g_1) + (g_2 + g_3),  g_k = (n_k / n) ∂L_k/∂w,

L_k being the mean loss of the n_k samples of shard k, and n all samples of the batch. Of the tree
a worker sums the branch that it has. A sum of floating-point numbers depends on its order, which is
the same for any number of workers: so are the weights, to the bit. The optimizer runs here alone;
workers are sent weights and shards, so that one that dies is made anew in any step.
"""

import contextlib
import pickle
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from zoo.tasks import Replicas, Workers

if TYPE_CHECKING:
    import tensorflow as tf

Arrays = list[np.ndarray]


def sum_in_pairs(parts: Sequence[Arrays]) -> Arrays:
    """Sum of arrays in the order of a balanced binary tree.

    Args:
        parts: 2^n lists of arrays of the same shapes.
    """
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [[a + b for a, b in zip(*pair, strict=True)] for pair in pairs]
    return list(parts[0])


def require_shardable(model: keras.Model, shards: int, workers: int) -> None:
    """Refuse what would make a result depend on the number of workers.

    Args:
        model: to train.
        shards: of each batch.
        workers: that compute them.

    Raises:
        ValueError: in one line.
    """
    if shards < 1 or shards & (shards - 1):
        raise ValueError(f"Expected `shards` of 1, 2, 4, 8, ... Received: {shards}.")
    if workers > shards or workers & (workers - 1):
        raise ValueError(
            f"Expected 1, 2, 4, ... workers, at most as many as shards ({shards}). "
            f"Received: {workers}."
        )
    layers = model._flatten_layers(include_self=False)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers):
        raise ValueError(
            "BatchNormalization averages over a whole batch, which no worker sees. Take "
            "LayerNormalization or GroupNormalization, or train without shards."
        )


@contextlib.contextmanager
def sharded_step(
    model: keras.Model, shards: int, workers: Workers
) -> Generator[Callable[[Iterator[Any]], dict[str, Any]], None, None]:
    """What `keras.Model.fit` calls for every batch, with the gradient from workers.

    Args:
        model: compiled, with a loss that is a mean over samples. Dropout is drawn from the number
            of the step and of the shard.
        shards: parts of each batch, a power of two.
        workers: how many, 1, 2, 4, ... up to `shards`, and where.

    Yields:
        A function of the iterator of batches that trains one step and returns its metrics.

    Raises:
        ValueError: see `require_shardable`.
    """
    require_shardable(model, shards, workers.count)
    arguments = {"model": pickle_model(model)}
    with Replicas("zoo.sharded_training:GradientWorker", arguments, workers) as replicas:
        yield ShardedStep(model, shards, replicas)


def pickle_model(model: keras.Model) -> bytes:
    """A compiled model for `GradientWorker`."""
    # Keras opens a compiled model with a built optimizer and refuses one that was saved unbuilt
    model.optimizer.build(model.trainable_variables)
    return pickle.dumps(model)


class ShardedStep:
    """A training step: cut the batch, collect the gradient, let the optimizer apply it.

    Args:
        model: compiled.
        shards: parts of each batch.
        replicas: of `GradientWorker`; their number divides `shards`.
    """

    def __init__(self, model: keras.Model, shards: int, replicas: Replicas) -> None:
        import tensorflow as tf  # not on other backends, where this module is never used

        self.model, self.shards, self.replicas = model, shards, replicas
        model.optimizer.build(model.trainable_variables)

        @tf.function(autograph=False)
        def apply(gradients: list[tf.Tensor]) -> None:
            model.optimizer.apply(gradients, model.trainable_variables)

        self.apply = apply

    def __call__(self, iterator: Iterator[Any]) -> dict[str, Any]:
        """Train one step; returns the metrics so far in the epoch, as Keras' own step does."""
        batch = keras.tree.map_structure(np.asarray, next(iterator))
        samples = len(keras.tree.flatten(batch)[0])
        step = int(self.model.optimizer.iterations)
        parts = [
            (step * self.shards + k, len(rows) / samples, _take(batch, rows))
            for k, rows in enumerate(np.array_split(np.arange(samples), self.shards))
        ]
        weights = [np.asarray(v) for v in self.model.trainable_variables]
        each = self.shards // len(self.replicas)
        requests = [(weights, parts[k : k + each]) for k in range(0, self.shards, each)]
        loss, *gradients = sum_in_pairs(self.replicas.call(requests))
        self.apply(gradients)
        self.model._loss_tracker.update_state(loss, sample_weight=samples)
        return self.model.get_metrics_result()


def _take(batch: Any, rows: np.ndarray) -> Any:
    return keras.tree.map_structure(lambda part: part[rows], batch)


class GradientWorker:
    """In a worker: a copy of the model that computes gradients of shards.

    Args:
        model: pickled, compiled.
    """

    def __init__(self, model: bytes) -> None:
        import tensorflow as tf  # as above

        copy: keras.Model = pickle.loads(model)
        self.model = copy
        # of dropout; what else is not trained, such as scalers, stays as it was sent
        self.seeds = [v for v in copy.variables if v.name == "seed_generator_state"]

        def gradient(data: Any) -> "list[tf.Tensor]":
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            with tf.GradientTape() as tape:
                predicted = copy(x, training=True)
                loss = copy.compute_loss(x, y, predicted, sample_weight, training=True)
            return [loss, *tape.gradient(loss, copy.trainable_variables)]

        self.gradient = tf.function(
            gradient, autograph=False, reduce_retracing=True, jit_compile=bool(copy.jit_compile)
        )

    def __call__(self, request: tuple[Arrays, list[tuple[int, float, Any]]]) -> Arrays:
        """Loss and gradient of some shards, weighted and summed.

        Args:
            request: trainable weights; number, share of the batch and data of each shard.
        """
        weights, parts = request
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)
        return sum_in_pairs([self._shard(*part) for part in parts])

    def _shard(self, number: int, share: float, data: Any) -> Arrays:
        for k, variable in enumerate(self.seeds):
            variable.assign([number % 2**31, k])
        return [np.float32(share) * np.asarray(part) for part in self.gradient(data)]
