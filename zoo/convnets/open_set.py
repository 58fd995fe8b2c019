"""Head of a classifier on a fixed embedding, with "unknown" as its last class."""

from typing import Any

import keras
from keras import KerasTensor, ops

SLOPE = 40.0  # of the familiarity, a cosine, as a logit: 0.1 from the threshold are 98 to 2


@keras.saving.register_keras_serializable("zoo")
class OpenSet(keras.layers.Layer):
    """Probabilities of classes and of "unknown" from an embedding e (batch, width).

    u = e / |e|, z = u W + b, f = max over examples x of u x
    probabilities = softmax(z_1, ..., z_n, max(z) + slope (threshold - f))

    "unknown", the last class, is the likeliest where the familiarity f, the cosine to the nearest
    example, is below the threshold. (batch, width) -> (batch, classes + 1).

    Args:
        classes: number of them, "unknown" not counted.
        examples: number of the stored examples.
        slope: of the familiarity.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, classes: int, examples: int, slope: float = SLOPE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.examples, self.slope = classes, examples, slope

    def build(self, shape: tuple) -> None:
        """Make W (width, classes), b (classes,), the examples (width, examples), the threshold."""
        width = shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, self.classes))
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")
        self.stored = self.add_weight(
            name="examples", shape=(width, self.examples), trainable=False
        )
        self.threshold = self.add_weight(
            name="threshold", shape=(1,), initializer="zeros", trainable=False
        )

    def logits(self, embedding: KerasTensor) -> KerasTensor:
        """Logits (batch, classes + 1)."""
        square = ops.sum(ops.square(embedding), axis=-1, keepdims=True)
        u = embedding * ops.rsqrt(ops.maximum(square, 1e-12))
        z = ops.matmul(u, self.kernel) + self.bias
        familiarity = ops.max(ops.matmul(u, self.stored), axis=-1, keepdims=True)
        stranger = ops.max(z, axis=-1, keepdims=True) + self.slope * (self.threshold - familiarity)
        return ops.concatenate([z, stranger], axis=-1)

    def call(self, embedding: KerasTensor) -> KerasTensor:
        """Probabilities (batch, classes + 1)."""
        return ops.softmax(self.logits(embedding))

    def compute_output_shape(self, shape: tuple) -> tuple:
        """(batch, classes + 1)."""
        return (*shape[:-1], self.classes + 1)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        own = {"classes": self.classes, "examples": self.examples, "slope": self.slope}
        return {**super().get_config(), **own}
