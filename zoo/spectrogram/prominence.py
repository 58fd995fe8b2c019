"""Spectral prominence: tones above the smoothed spectrum, without stationary sound."""

from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from zoo.spectrogram.base import Float32Layer


@keras.saving.register_keras_serializable("zoo")
class Prominence(Float32Layer):
    """Height of a spectrogram above its mean over nearby bands, less its mean over time [dB].

    p[t, f] = x[t, f] - mean of x[t, f - bands] ... x[t, f + bands]
    y[t, f] = p[t, f] - mean over t of p[t, f]

    The first line maps noise of any level and slowly varying spectrum to zero and keeps tones; the
    second removes stationary ones: hum, and the frequency response of a stethoscope. At the edges
    the mean is over the existing bands, or the outermost bands are repeated. (batch, time, bands,
    channels) in and out [dB]; it needs the whole clip, so it does not stream.

    Args:
        bands: half the width of the mean, in steps of a linear frequency axis.
        edges: "existing": the mean is over the bands that there are; "nearest": the outermost ones
            are repeated, as in `scipy.ndimage`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: fewer than one band, or an unknown rule for the edges.
    """

    def __init__(
        self, bands: int, edges: Literal["existing", "nearest"] = "existing", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if bands < 1 or edges not in ("existing", "nearest"):
            raise ValueError(
                "`bands` must be 1 or more, `edges` 'existing' or 'nearest'. "
                f"Received: {bands}, {edges!r}."
            )
        self.bands, self.edges = bands, edges
        padding = "same" if edges == "existing" else "valid"
        self.surroundings = layers.AveragePooling2D(
            (1, 2 * bands + 1), (1, 1), padding=padding, dtype="float32"
        )
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """Prominence [dB], of the shape of x."""
        wider = x
        if self.edges == "nearest":
            copies = ops.ones((1, 1, self.bands, 1), x.dtype)
            wider = ops.concatenate([x[:, :, :1] * copies, x, x[:, :, -1:] * copies], axis=2)
        above = x - self.surroundings(wider)
        return above - ops.mean(above, axis=1, keepdims=True)

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "bands": self.bands, "edges": self.edges}
