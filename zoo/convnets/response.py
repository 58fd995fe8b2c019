"""Local response normalisation of AlexNet."""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("zoo")
class ResponseNormalisation(keras.layers.Layer):
    """Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

    y_c = x_c / (bias + alpha sum_{|k - c| <= radius} x_k^2)^beta, (batch, rows, columns, channels)
    in and out.

    Args:
        radius: neighbours on each side.
        bias: of the denominator.
        alpha: weight of the squares.
        beta: exponent.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(
        self,
        radius: int = 2,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """Normalised channels, of the shape of x."""
        channels = x.shape[-1]
        squares = ops.pad(ops.square(x), [(0, 0)] * 3 + [(self.radius, self.radius)])
        nearby = sum(squares[..., k : k + channels] for k in range(2 * self.radius + 1))
        return x / ops.power(self.bias + self.alpha * nearby, self.beta)

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        own = {name: getattr(self, name) for name in ("radius", "bias", "alpha", "beta")}
        return {**super().get_config(), **own}
