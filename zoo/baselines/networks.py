"""General sequence networks out of Keras' own layers: causal convolution and a small transformer.

What recurrent and structured cells are judged by. Neither has a state: a convolution sees a fixed
past, attention all of it at a cost that grows with its square, and neither can be stepped.
"""

import keras
from keras import ops

from zoo.recurrent import Increments, Scaling, restore, standardize


def causal_convolution(
    scaling: Scaling, *, channels: int = 24, kernel: int = 3, dilations: tuple[int, ...]
) -> keras.Model:
    """Residual causal convolutions with growing dilation (van den Oord 2016, Bai 2018).

    h ← h + W₂ relu(W₁ *_d h) for each dilation d; sees the last 1 + (kernel − 1) Σ d steps.

    Args:
        scaling: of the inputs behind `Increments`, and of the target.
        channels: width.
        kernel: taps of each convolution.
        dilations: of the blocks, from the input up.

    Returns:
        Model of `x` (batch, time, 3) with `prediction` (batch, time, 1).
    """
    x, h = _head(scaling)
    h = keras.layers.Dense(channels)(h)
    for k, dilation in enumerate(dilations):
        inner = keras.layers.Conv1D(
            channels,
            kernel,
            dilation_rate=dilation,
            padding="causal",
            activation="relu",
            name=f"convolution_{k}",
        )(h)
        h = keras.layers.Add()([h, keras.layers.Dense(channels)(inner)])
    return _model(x, h, scaling, "convolution")


def transformer(
    scaling: Scaling, *, width: int = 32, heads: int = 4, blocks: int = 2
) -> keras.Model:
    """Causal self-attention with layer normalisation before each block (Vaswani et al. 2017).

    Positions are told by time itself: sines and cosines of the time since the path began, at
    periods of 0.1 to 100 s, so that a path of any length has positions that mean something.

    Args:
        scaling: of the inputs behind `Increments`, and of the target.
        width: of every layer.
        heads: of attention.
        blocks: attention and dense pairs.

    Returns:
        Model of `x` (batch, time, 3) with `prediction` (batch, time, 1).
    """
    x, h = _head(scaling)
    time_s = ops.cumsum(x[..., 2:3], axis=1)
    angle = time_s * ops.convert_to_tensor([[[62.8 * 10 ** (-k / 2) for k in range(7)]]])
    h = keras.layers.Concatenate()([h, ops.sin(angle), ops.cos(angle)])
    h = keras.layers.Dense(width)(h)
    for k in range(blocks):
        seen = keras.layers.LayerNormalization()(h)
        attention = keras.layers.MultiHeadAttention(heads, width // heads, name=f"attention_{k}")
        h = keras.layers.Add()([h, attention(seen, seen, use_causal_mask=True)])
        inner = keras.layers.LayerNormalization()(h)
        inner = keras.layers.Dense(2 * width, activation="gelu")(inner)
        h = keras.layers.Add()([h, keras.layers.Dense(width)(inner)])
    return _model(x, keras.layers.LayerNormalization()(h), scaling, "transformer")


def _head(scaling: Scaling) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    x = keras.Input((None, 3), name="x")
    return x, standardize(scaling.x_mean, scaling.x_std)(Increments()(x))


def _model(x, h, scaling: Scaling, name: str) -> keras.Model:
    prediction = restore(scaling.y_mean, scaling.y_std)(keras.layers.Dense(1)(h))
    return keras.Model(x, {"prediction": prediction}, name=name)
