"""General sequence networks out of Keras' own layers: causal convolution and a small transformer.

They are the baselines of recurrent and material cells. Neither has a state: a convolution depends
on a fixed number of past steps, attention on all of them at a cost that grows with their square,
and neither can run one step at a time.
"""

import keras
from keras import ops

from zoo.recurrent import Increments, Scaling, input_scaling, output_scaling


def causal_convolution(
    scaling: Scaling, *, channels: int = 24, kernel: int = 3, dilations: tuple[int, ...]
) -> keras.Model:
    """Residual causal convolutions with growing dilation (van den Oord 2016, Bai 2018).

    h ← h + W₂ relu(W₁ *_d h) for each dilation d; depends on the last 1 + (kernel − 1) Σ d
    steps.

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

    Positions are encoded by sines and cosines of the time since the start of the path, at periods
    of 0.1 to 100 s, so they keep their meaning for a path of any length.

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
        normalized = keras.layers.LayerNormalization()(h)
        attention = keras.layers.MultiHeadAttention(heads, width // heads, name=f"attention_{k}")
        h = keras.layers.Add()([h, attention(normalized, normalized, use_causal_mask=True)])
        inner = keras.layers.LayerNormalization()(h)
        inner = keras.layers.Dense(2 * width, activation="gelu")(inner)
        h = keras.layers.Add()([h, keras.layers.Dense(width)(inner)])
    return _model(x, keras.layers.LayerNormalization()(h), scaling, "transformer")


def _head(scaling: Scaling) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    x = keras.Input((None, 3), name="x")
    return x, input_scaling(scaling)(Increments()(x))


def _model(x: keras.KerasTensor, h: keras.KerasTensor, scaling: Scaling, name: str) -> keras.Model:
    prediction = output_scaling(scaling)(keras.layers.Dense(1)(h))
    return keras.Model(x, {"prediction": prediction}, name=name)
