"""Monotone detectors of tones: prominence never lowers the probability."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from zoo.convnets.pooling import TimeQuantile

LINE_COUNT = 4
# Initial sigmoid over the height of a line: its centre [deviations of the input] and slope.
INITIAL_CENTRE, INITIAL_SLOPE = 2.5, 1.5
PEAK_QUANTILE = 0.9  # over time, of the highest prominence of a frame
# Of the probability over that quantile, before it is calibrated [dB, 1 / dB].
PEAK_CENTRE_DB, PEAK_SLOPE = 14.0, 0.5


def peak_model(
    front: Sequence[keras.layers.Layer], *, samples: int, name: str = "peak"
) -> keras.Model:
    """Waveform to the probability of a tone, by the height of its highest peaks alone.

    h[t] = max over f of x[t, f]: highest prominence of a frame
    p = sigmoid(slope (quantile over t of h - centre)), the quantile of 0.9

    Nothing of it is trained: slope and centre are for a calibration to set.

    Args:
        front: layers from `waveform` (batch, samples) to (batch, time, bands, 1) [dB], in order.
        samples: length of a clip.
        name: of the model.

    Returns:
        Model with `probabilities` (batch, 2): 1 - p and p.
    """
    x = waveform = keras.Input((samples,), name="waveform")
    for layer in front:
        x = layer(x)
    x = layers.MaxPooling2D((1, x.shape[2]), name="highest")(x)  # (batch, time, 1, 1)
    x = layers.Reshape((x.shape[1], 1), name="heights")(x)
    x = TimeQuantile(PEAK_QUANTILE, name="height")(x)
    present = layers.Dense(1, activation="sigmoid", name="there", trainable=False)
    model = keras.Model(waveform, {"probabilities": _two_classes(present(x))}, name=name)
    present.set_weights([np.full((1, 1), PEAK_SLOPE), np.full(1, -PEAK_SLOPE * PEAK_CENTRE_DB)])
    return model


def _two_classes(present: keras.KerasTensor) -> keras.KerasTensor:
    """Probabilities (batch, 2) of absence and presence."""
    absent = layers.Rescaling(-1.0, 1.0, name="absent")(present)
    return layers.Concatenate(name="probabilities", dtype="float32")([absent, present])


def tone_model(
    front: Sequence[keras.layers.Layer], *, samples: int, name: str = "tones"
) -> keras.Model:
    """Waveform to the probability of a tone, by a few non-negative weights.

    r[t, f, k] = sum_ij w_k[i, j] x[t + i, f + j], w >= 0: filter along a short line
    h[t, k] = max over f of r[t, f, k]: maximum over pitch
    c[k] = mean over t of sigmoid(sum_l v[l, k] h[t, l] + b[k]), v >= 0: share of time
    p = sigmoid(sum_k u[k] c[k] + a), u >= 0

    Only the offsets b and a can be negative, so the probability is monotone in x. An unconstrained
    network learns to recognise patients from the same data instead.

    Args:
        front: layers from `waveform` (batch, samples) to (batch, time, bands, 1), in order; the
            last one `Standardize`.
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
        LINE_COUNT, 3, padding="same", use_bias=False, kernel_constraint=positive, name="lines"
    )(x)
    x = layers.MaxPooling2D((1, x.shape[2]), name="highest")(x)  # (batch, time, 1, lines)
    x = layers.Conv2D(
        LINE_COUNT, 1, activation="sigmoid", kernel_constraint=positive, name="standing_out"
    )(x)
    x = layers.GlobalAveragePooling2D(name="how_long")(x)
    present = layers.Dense(1, activation="sigmoid", kernel_constraint=positive, name="there")(x)
    model = keras.Model(waveform, {"probabilities": _two_classes(present)}, name=name)
    _initialise(model)
    return model


def _initialise(model: keras.Model) -> None:
    """Set initial weights: three lines of different slopes and one point, summed by a sigmoid."""
    lines = np.zeros((3, 3, 1, LINE_COUNT))
    for k, rise in enumerate((-1, 0, 1)):  # bands a frame
        lines[[0, 1, 2], [1 - rise, 1, 1 + rise], 0, k] = 0.2, 0.6, 0.2
    lines[1, 1, 0, LINE_COUNT - 1] = 1.0
    model.get_layer("lines").set_weights([lines])
    slopes = np.full((1, 1, LINE_COUNT, LINE_COUNT), 0.2) + np.eye(LINE_COUNT)
    slopes *= INITIAL_SLOPE / slopes.sum(axis=2, keepdims=True)
    starts = np.full(LINE_COUNT, -INITIAL_SLOPE * INITIAL_CENTRE) + np.linspace(
        -0.5, 0.5, LINE_COUNT
    )
    model.get_layer("standing_out").set_weights([slopes, starts])
    model.get_layer("there").set_weights([np.full((LINE_COUNT, 1), 2.0), np.full(1, -2.0)])
