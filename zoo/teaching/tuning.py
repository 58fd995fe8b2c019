"""Fine-tuning: the last layers of a base, trained on clips of one's own where that is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.progress import track
from zoo.teaching.head_choice import HeadChoice, mean_over_classes, part_hits
from zoo.teaching.heads import Head, class_shares, fit_head
from zoo.teaching.parts import split_parts

TUNED_SHARE = 0.6  # of the weights of a base, at least, that lie in its last layers
MIN_RECORDINGS = 8  # of every class, or fine-tuning is not tried
MIN_CLIPS = 80
MAX_CLIPS = 3000  # that are trained on, evenly spaced, so that features fit into memory
PARTS = 3  # of the cross-validation
STEPS, BATCH_SIZE = 120, 32
LEARNING_RATE = 5e-4


@dataclass(frozen=True)
class TuningTrial:
    """What cross-validation says of fine-tuning, on the same parts for both.

    Attributes:
        layers: that are trained.
        tuned: accuracy on recordings left out, the mean over the classes.
        frozen: that of the same head on the embedding as it is.
        error: standard error of the difference, over recordings.
    """

    layers: int
    tuned: float
    frozen: float
    error: float

    @property
    def is_better(self) -> bool:
        """Whether the gain is above twice its standard error."""
        return self.tuned - self.frozen > 2 * self.error

    def sentence(self) -> str:
        """The outcome in words."""
        what = f"fine-tuning the last {self.layers} layers"
        numbers = f"{self.tuned:.1%} against {self.frozen:.1%} of the frozen embedding"
        if self.is_better:
            return f"{what} was chosen: {numbers} on recordings left out"
        return f"{what} was tried and not taken: {numbers} on recordings left out"


def why_not(labels: np.ndarray, groups: np.ndarray) -> str:
    """Why there is too little data to try fine-tuning; empty: there is enough.

    Args:
        labels: (clips,) class index.
        groups: (clips,) recording of each.
    """
    least = min(len(set(groups[labels == k])) for k in np.unique(labels))
    if least >= MIN_RECORDINGS and len(labels) >= MIN_CLIPS:
        return ""
    return (
        f"fine-tuning was not tried: it takes {MIN_RECORDINGS} recordings of every class and "
        f"{MIN_CLIPS} clips, there are {least} and {len(labels)}"
    )


def split_base(base: keras.Model, output: str) -> tuple[keras.Model, keras.Model]:
    """Cut a base into its first layers, waveform to features, and its last, features to output.

    The cut is the last place that all values pass with `TUNED_SHARE` of the weights behind it.
    Both parts share their layers with `base`.

    Args:
        base: a model with one way from input to output at some places.
        output: name of its output.
    """
    layers, behind = _layers_in_order(base), 0
    for number in range(len(layers) - 1, 0, -1):
        behind += layers[number].count_params()
        if behind >= TUNED_SHARE * base.count_params() and _is_passage(layers, number):
            break
    features = layers[number - 1].output
    front = keras.Model(base.input, features, name=f"{base.name}_first")
    return front, keras.Model(features, base.output[output], name=f"{base.name}_last")


def _layers_in_order(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers, each behind those that it reads from."""
    order, open_layers = [], list(model.layers)
    done: set[int] = set()
    while open_layers:
        for layer in open_layers:
            if all(id(each) in done for each in _sources(layer)):
                order.append(layer)
                done.add(id(layer))
                open_layers.remove(layer)
                break
    return order


def _sources(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return [node.operation for node in layer._inbound_nodes[0].parent_nodes]


def _is_passage(layers: Sequence[keras.layers.Layer], number: int) -> bool:
    """Whether layers from `number` on read from the layer before them alone, and each other."""
    behind = {id(layer) for layer in layers[number - 1 :]}
    return all(id(each) in behind for layer in layers[number:] for each in _sources(layer))


class Tuner:
    """Trains a copy of the last layers with a head behind them; the head is not kept.

    Cross-entropy of softmax(u W + b), u = e / |e|, by Adam with weight decay and a learning rate
    that falls to 0 as a cosine. Classes are drawn equally often. Statistics of batch normalisation
    stay. A fixed number of steps bounds the time. One graph serves all trainings.

    Args:
        tail: last layers, features to embedding; its own weights stay.
        classes: number of classes.
    """

    def __init__(self, tail: keras.Model, classes: int) -> None:
        self.tail, self._copy = tail, copy_model(tail)
        for layer in self._copy.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
        self._head = keras.layers.Dense(classes)
        u = keras.layers.UnitNormalization(axis=-1)(self._copy.output)
        self._model = keras.Model(self._copy.input, self._head(u))
        rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS)
        self._model.compile(
            keras.optimizers.AdamW(rate, weight_decay=0.01),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,  # compiling takes longer than the few steps
        )

    @property
    def layers(self) -> int:
        """Number of layers that are trained."""
        return sum(bool(layer.trainable_weights) for layer in self._copy.layers)

    def train(self, features: np.ndarray, labels: np.ndarray, head: Head, seed: int) -> keras.Model:
        """The last layers, trained; valid until the next training.

        Args:
            features: (clips, ...) at the cut.
            labels: (clips,) class index, all from 0 to the highest.
            head: where W and b begin.
            seed: of the batches.
        """
        self._copy.set_weights(self.tail.get_weights())
        self._head.set_weights([head.weights, head.bias])
        optimizer: Any = self._model.optimizer
        for variable in optimizer.variables:  # moments and the number of steps
            if variable is not optimizer.learning_rate:
                variable.assign(keras.ops.zeros_like(variable))
        rng, share = np.random.default_rng(seed), class_shares(labels) / len(labels)
        for _ in range(STEPS):
            rows = rng.choice(len(labels), BATCH_SIZE, p=share)
            self._model.train_on_batch(np.asarray(features[rows], np.float32), labels[rows])
        return self._copy


def copy_model(model: keras.Model) -> keras.Model:
    """A model of the same layers with weights of its own."""
    copy: Any = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def try_tuning(
    tuner: Tuner,
    features: np.ndarray,
    copies: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    choice: HeadChoice,
    seed: int,
) -> TuningTrial:
    """Cross-validate fine-tuning over recordings, beside the same head on the frozen embedding.

    Args:
        tuner: of the last layers.
        features: (clips, ...) at the cut.
        copies: those of noisy copies, trained on as well.
        labels: (clips,) class index.
        groups: (clips,) recording of each.
        choice: of the head.
        seed: of the batches.
    """
    candidate = choice.kind, choice.penalty
    frozen = apply_tail(tuner.tail, features)
    hits = np.full((2, len(labels)), np.nan)
    parts = list(split_parts(labels, groups, PARTS))
    for train, test in track(parts, len(parts), "fine-tuning"):
        both, twice = np.concatenate([features[train], copies[train]]), np.tile(labels[train], 2)
        head = fit_head(frozen[train], labels[train], *candidate)
        own = apply_tail(tuner.train(both, twice, head, seed), features)
        hits[0][test] = part_hits(own, labels, train, test, candidate)
        hits[1][test] = part_hits(frozen, labels, train, test, candidate)
    tuned, still = (mean_over_classes(each, labels) for each in hits)
    gain = np.array([np.nanmean((hits[0] - hits[1])[groups == each]) for each in set(groups)])
    error = float(np.nanstd(gain) / np.sqrt(len(gain)))
    return TuningTrial(tuner.layers, tuned, still, error)


def apply_tail(tail: keras.Model, features: np.ndarray, batch: int = 64) -> np.ndarray:
    """Embeddings (clips, width) of features at the cut."""
    return np.concatenate(
        [
            keras.ops.convert_to_numpy(
                tail(np.asarray(features[k : k + batch], np.float32), training=False)
            )
            for k in range(0, len(features), batch)
        ]
    )
