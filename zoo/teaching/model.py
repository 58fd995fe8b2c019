"""A classifier of one's own sounds: a base's embedding, frozen, with an open-set head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import augment
from zoo.convnets import ConvNetModel, config_of
from zoo.convnets.open_set import OpenSet
from zoo.data.clips import Clips
from zoo.teaching.heads import Head

EMBEDDING_LAYER = "embedding"


class ClipRunner:
    """Runs a model of one output over clips as they are, or in a room, in noise and at other gains.

    Args:
        model: of waveforms (batch, samples).
        sample_rate_hz: of the clips [Hz].
    """

    def __init__(self, model: keras.Model, sample_rate_hz: float) -> None:
        samples = model.input.shape[1]
        self._duration_s = samples / sample_rate_hz
        # one graph for all batches: called layer by layer it takes twice the time
        self._graph = tf.function(
            lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, samples))]
        )
        self._alter = augment.chain(
            augment.Room(sample_rate_hz, share=0.5),
            augment.AddNoise((10.0, 30.0), (0.0, 2.0), share=0.7),
            augment.Gain((-20.0, 20.0)),
        )

    def run(self, clips: Clips, seed: int | None = None) -> np.ndarray:
        """Outputs for every clip, (clips, ...).

        Args:
            clips: waveforms.
            seed: of the noisy copies; None: the clips as they are.
        """
        parts = []
        for number, (x, labels) in enumerate(clips.all_batches(16, duration_s=self._duration_s)):
            if seed is not None:
                x, _ = self._alter(x, labels, tf.constant([seed, number], tf.int32))
            parts.append(self._graph(x).numpy())
        return np.concatenate(parts)


def embed(base: keras.Model, clips: np.ndarray, batch: int = 16) -> np.ndarray:
    """Embeddings (clips, width) of waveforms (clips, samples)."""
    parts = [
        keras.ops.convert_to_numpy(base(clips[k : k + batch], training=False)[EMBEDDING_LAYER])
        for k in range(0, len(clips), batch)
    ]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Earlier:
    """What a taught classifier knows already.

    Attributes:
        base: its embedding.
        classes: names, "unknown" not among them.
        head: of these classes.
        example_labels: (examples,) class of each example in the head.
    """

    base: keras.Model
    classes: tuple[str, ...]
    head: Head
    example_labels: np.ndarray


def earlier_of(model: keras.Model, manifest: Mapping[str, Any]) -> Earlier | None:
    """Embedding and head of a taught classifier; None for another model.

    Args:
        model: as opened.
        manifest: of its folder.

    Raises:
        ValueError: a classifier that was taught by a version that did not note its examples.
    """
    layer = model.layers[-1]
    if not isinstance(layer, OpenSet):
        return None
    classes = tuple(str(name) for name in manifest["classes"][:-1])
    facts = manifest.get("training", {})
    try:
        number = {name: k for k, name in enumerate(classes)}
        labels = np.array([number[str(name)] for name in manifest["unknown"]["examples"]])
        kind, penalty = facts["head"], float(facts["penalty"])
    except (KeyError, TypeError):
        raise ValueError(
            "Expected `examples` in the entry `unknown` of the manifest. Teach the base again."
        ) from None
    weights, bias, examples, threshold = layer.get_weights()
    head = Head(kind, weights, bias, examples, float(threshold[0]), penalty)
    outputs = {EMBEDDING_LAYER: layer.input}
    base = ConvNetModel(model.input, outputs, name=model.name)
    return Earlier(base.carry(config_of(model), "embedding", model.front), classes, head, labels)


def require_embedding(base: keras.Model, name: str) -> None:
    """Check that a base has an embedding.

    Args:
        base: the model.
        name: of it, for the message.

    Raises:
        ValueError: it has none.
    """
    outputs = list(base.output) if isinstance(base.output, dict) else base.output_names
    if EMBEDDING_LAYER not in outputs:
        raise ValueError(
            f"{name}: expected a base with the output {EMBEDDING_LAYER!r}. Received: "
            f"{', '.join(outputs)}. Take --base sound-embedding."
        )


def build_classifier(base: keras.Model, head: Head, name: str) -> keras.Model:
    """Classifier with the front end, network and weights of `base`, and the head behind them.

    Args:
        base: model with the output `embedding`; it is copied, not changed.
        head: fitted to embeddings of `base`.
        name: of the model.

    Returns:
        `waveform` to `probabilities` of the classes and, last, of "unknown".

    Raises:
        ValueError: a base without an embedding.
    """
    require_embedding(base, base.name)
    copy: Any = type(base).from_config(base.get_config())
    copy.set_weights(base.get_weights())
    classes, examples = head.weights.shape[1], head.examples.shape[1]
    layer = OpenSet(classes, examples, name="probabilities")
    probabilities = layer(copy.output[EMBEDDING_LAYER])
    layer.set_weights([head.weights, head.bias, head.examples, np.array([head.threshold])])
    model = ConvNetModel(copy.input, {"probabilities": probabilities}, name=name)
    return model.carry(config_of(base), "multiclass", copy.front)
