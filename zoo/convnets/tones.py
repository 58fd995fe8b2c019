"""A detector of tones that can only go one way: the higher they stand out, the likelier."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

LINES = 4
# Before training a frame counts from this height on [deviations of the input], and so steeply.
START, STEEP = 2.5, 1.5


def tone_model(
    front: Sequence[keras.layers.Layer], *, samples: int, name: str = "tones"
) -> keras.Model:
    """Sound to the probability that a tone is in it.

    r[t, f, k] = sum_ij w_k[i, j] x[t + i, f + j], w >= 0: along a short line
    h[t, k] = max over f of r[t, f, k]: the pitch does not matter
    c[k] = mean over t of sigmoid(sum_l v[l, k] h[t, l] + b[k]), v >= 0: for how long
    p = sigmoid(sum_k u[k] c[k] + a), u >= 0

    No weight but b and a can be negative, so more of a tone never makes it less likely. A free
    network of the same data finds patients instead.

    Args:
        front: layers from `waveform` (batch, samples) to (batch, time, bands, 1), in order; the
            last one standardised.
        samples: length of a clip.
        name: of the model.

    Returns:
        Model with `probabilities` (batch, 2): 1 - p and p.
    """
    positive = keras.constraints.NonNeg()
    x = waveform = keras.Input((samples,), name="waveform")
    for layer in front:
        x = layer(x)
    x = layers.Conv2D(
        LINES, 3, padding="same", use_bias=False, kernel_constraint=positive, name="lines"
    )(x)
    x = layers.MaxPooling2D((1, x.shape[2]), name="highest")(x)  # (batch, time, 1, lines)
    x = layers.Conv2D(
        LINES, 1, activation="sigmoid", kernel_constraint=positive, name="standing_out"
    )(x)
    x = layers.GlobalAveragePooling2D(name="how_long")(x)
    there = layers.Dense(1, activation="sigmoid", kernel_constraint=positive, name="there")(x)
    absent = layers.Rescaling(-1.0, 1.0, name="absent")(there)
    both = layers.Concatenate(name="probabilities", dtype="float32")([absent, there])
    model = keras.Model(waveform, {"probabilities": both}, name=name)
    _start(model)
    return model


def _start(model: keras.Model) -> None:
    """Before training: each line is a point or slopes a little, and counts from `START` on."""
    lines = np.zeros((3, 3, 1, LINES))
    for k, rise in enumerate((-1, 0, 1)):  # bands a frame
        lines[[0, 1, 2], [1 - rise, 1, 1 + rise], 0, k] = 0.2, 0.6, 0.2
    lines[1, 1, 0, LINES - 1] = 1.0
    model.get_layer("lines").set_weights([lines])
    slopes = np.full((1, 1, LINES, LINES), 0.2) + np.eye(LINES)
    slopes *= STEEP / slopes.sum(axis=2, keepdims=True)
    starts = np.full(LINES, -STEEP * START) + np.linspace(-0.5, 0.5, LINES)
    model.get_layer("standing_out").set_weights([slopes, starts])
    model.get_layer("there").set_weights([np.full((LINES, 1), 2.0), np.full(1, -2.0)])
