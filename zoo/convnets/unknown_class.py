"""The last class of a classifier of clips, "unknown": sounds that resemble none of its classes."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.convnets.model import ConvNetModel, config_of, output_layer_of
from zoo.convnets.open_set import SLOPE

UNKNOWN = "unknown"


@keras.saving.register_keras_serializable("zoo")
class UnknownClass(keras.layers.Layer):
    """Probabilities of classes and of "unknown" from what the last layer sees, a (batch, width).

    z = a W + b, f = max over prototypes m of cos(a, m)
    probabilities = softmax(z_1, ..., z_n, max(z) + slope (threshold - f))

    "unknown", the last class, is the likeliest where the familiarity f is below the threshold. The
    others keep their odds. (batch, width) -> (batch, classes + 1).

    `OpenSet` differs in that its logits are of a / |a|, as its head is fitted to cosines.

    Args:
        classes: number of them, "unknown" not counted.
        prototypes: number of prototypes.
        slope: of the familiarity.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, classes: int, prototypes: int, slope: float = SLOPE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.prototypes, self.slope = classes, prototypes, slope

    def build(self, shape: tuple) -> None:
        """Make W (width, classes), b (classes,), prototypes (width, prototypes), the threshold."""
        width = shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, self.classes))
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")
        self.stored = self.add_weight(
            name="prototypes", shape=(width, self.prototypes), trainable=False
        )
        self.threshold = self.add_weight(
            name="threshold", shape=(1,), initializer="zeros", trainable=False
        )

    def logits(self, features: KerasTensor) -> KerasTensor:
        """Logits (batch, classes + 1)."""
        z = ops.matmul(features, self.kernel) + self.bias
        square = ops.sum(ops.square(features), axis=-1, keepdims=True)
        u = features * ops.rsqrt(ops.maximum(square, 1e-12))
        familiarity = ops.max(ops.matmul(u, self.stored), axis=-1, keepdims=True)
        stranger = ops.max(z, axis=-1, keepdims=True) + self.slope * (self.threshold - familiarity)
        return ops.concatenate([z, stranger], axis=-1)

    def call(self, features: KerasTensor) -> KerasTensor:
        """Probabilities (batch, classes + 1)."""
        return ops.softmax(self.logits(features))

    def compute_output_shape(self, shape: tuple) -> tuple:
        """(batch, classes + 1)."""
        return (*shape[:-1], self.classes + 1)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        own = {"classes": self.classes, "prototypes": self.prototypes, "slope": self.slope}
        return {**super().get_config(), **own}


def add_unknown_class(
    model: ConvNetModel, prototypes: np.ndarray, threshold: float
) -> ConvNetModel:
    """A classifier with "unknown" as a further class, which shares all but its last layer.

    Args:
        model: waveform to `probabilities`, by a dense layer with softmax.
        prototypes: unit vectors (prototypes, width), of `zoo.metrics.familiarity`.
        threshold: familiarity below which a sound is unknown.

    Raises:
        ValueError: its last layer is another.
    """
    dense = output_layer_of(model)
    if not isinstance(dense, keras.layers.Dense) or model.task != "multiclass":
        raise ValueError(
            "Expected a classifier whose last layer is Dense, with softmax. "
            f"Received: {type(dense).__name__}, {model.task}."
        )
    kernel, bias = dense.get_weights()
    layer = UnknownClass(kernel.shape[1], len(prototypes), name=dense.name)
    probabilities = layer(dense.input)
    layer.set_weights([kernel, bias, np.asarray(prototypes).T, np.array([threshold])])
    whole = ConvNetModel(model.input, {"probabilities": probabilities}, name=model.name)
    return whole.carry(config_of(model), model.task, model.front)
