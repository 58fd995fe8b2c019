"""A config becomes a Keras model: pictures or sound in, probabilities or numbers out."""

from collections.abc import Callable, Sequence
from typing import Literal

import keras
from keras import KerasTensor, layers

from zoo.cells import LSTMCell
from zoo.convnets.config import ConvNet
from zoo.convnets.response import ResponseNormalisation
from zoo.recurrent import VisibleRNN

Answer = Literal["classes", "labels", "numbers"]
# What puts n rows of the past before x (batch, rows, columns, channels); the name is the layer's.
Past = Callable[[str, KerasTensor, int], KerasTensor]

# Keras' 0.99 forgets its start after hundreds of batches; small corpora have fewer in an epoch.
MOMENTUM = 0.9

_HEADS = {
    "classes": ("probabilities", "softmax"),
    "labels": ("probabilities", "sigmoid"),
    "numbers": ("prediction", None),
}


def image_model(
    config: ConvNet,
    shape: tuple[int, int, int],
    outputs: int,
    *,
    answer: Answer = "classes",
    name: str = "convnet",
) -> keras.Model:
    """Picture `image` (batch, rows, columns, channels) to one named output.

    Args:
        config: the network.
        shape: rows, columns, channels.
        outputs: how many classes, labels or numbers.
        answer: "classes": `probabilities` that sum to one; "labels": `probabilities`, each by
            itself; "numbers": `prediction`, for regression.
        name: of the model.

    Raises:
        ValueError: a picture too small for the network, or an unknown answer.
    """
    x = keras.Input(shape, name="image")
    return keras.Model(x, _answered(config, x, outputs, answer), name=name)


def sound_model(
    config: ConvNet,
    front: Sequence[keras.layers.Layer],
    outputs: int,
    *,
    samples: int | None = None,
    answer: Answer = "classes",
    name: str = "convnet",
) -> keras.Model:
    """`waveform` (batch, samples) in [-1, 1] to one named output, front end inside.

    Args:
        config: the network.
        front: layers from (batch, samples) to (batch, time, bands, channels), in order.
        outputs: as in `image_model`.
        samples: length of a clip; None: any, for a network without dense layers or with a
            recurrent one, whose answers are then (batch, time, outputs).
        answer: as in `image_model`.
        name: of the model.

    Raises:
        ValueError: as in `image_model`, or dense layers and no length.
    """
    if samples is None and config.dense and not config.recurrent:
        raise ValueError(
            "`samples` must be given for a network with dense layers: their size follows from it. "
            "Received: None. Or take `dense=()`, the average over time."
        )
    x = waveform = keras.Input((samples,), name="waveform")
    for layer in front:
        x = layer(x)
    return keras.Model(waveform, _answered(config, x, outputs, answer), name=name)


def front_and_network(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A classifier of sound in two: what is fixed, and from its layer `normalise` on what learns.

    Both share their layers with `model`: to train the network on what the front made once is to
    train the whole.
    """
    names = [layer.name for layer in model.layers]
    at = model.layers[names.index("normalise") - 1].output
    front = keras.Model(model.input, at, name=f"{model.name}_front")
    return front, keras.Model(at, model.output, name=f"{model.name}_network")


def _answered(
    config: ConvNet, x: KerasTensor, outputs: int, answer: Answer
) -> dict[str, KerasTensor]:
    places = head(config, convolutions(config, x))
    return answered(places, outputs, answer)


def answered(x: KerasTensor, outputs: int, answer: Answer) -> dict[str, KerasTensor]:
    """The last layer, under the name of what it means."""
    if answer not in _HEADS:
        raise ValueError(f"`answer` must be one of {', '.join(_HEADS)}. Received: {answer!r}.")
    name, activation = _HEADS[answer]
    # float32 whatever the policy: a float16 softmax loses small probabilities
    return {name: layers.Dense(outputs, activation=activation, name=name, dtype="float32")(x)}


def head(config: ConvNet, x: KerasTensor) -> KerasTensor:
    """Everything between the last pooling and the last layer, (batch, features).

    With `config.recurrent` for every row, (batch, rows, features).
    """
    if config.recurrent:
        cell = LSTMCell(config.recurrent)
        x = VisibleRNN(cell, name="memory")(dense_rows(config, x))["hidden"]
        return layers.Dropout(config.dropout, name="dropout")(x)
    if not config.dense:
        x = layers.GlobalAveragePooling2D(name="average")(x)
        return layers.Dropout(config.dropout, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    for k, width in enumerate(config.dense, len(config.filters) + 1):
        x = layers.Dropout(config.dropout, name=f"dropout{k}")(x)
        x = layers.Dense(width, activation="relu", name=f"dense{k}")(x)
    return x


def dense_rows(config: ConvNet, x: KerasTensor) -> KerasTensor:
    """The fully connected layers on every row by itself, (batch, rows, width)."""
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten_rows")(x)
    for k, width in enumerate(config.dense, len(config.filters) + 1):
        x = layers.Dropout(config.dropout, name=f"dropout{k}")(x)
        x = layers.Dense(width, activation="relu", name=f"dense{k}")(x)
    return x


def zeros_before(name: str, x: KerasTensor, rows: int) -> KerasTensor:
    """The past of a clip that has just begun: nothing."""
    return layers.ZeroPadding2D(((rows, 0), (0, 0)), name=f"{name}_past")(x) if rows else x


def convolutions(config: ConvNet, x: KerasTensor, past: Past = zeros_before) -> KerasTensor:
    """All convolutions and poolings, (batch, rows, columns, channels) in and out.

    Args:
        config: the network.
        x: picture or spectrogram.
        past: what stands before the first row of a causal network's windows.
    """
    for k in range(len(config.filters)):
        x = _layer(config, k, x, past)
    return x


def _layer(config: ConvNet, k: int, x: KerasTensor, past: Past) -> KerasTensor:
    n, kernel, stride, start = k + 1, config.kernels[k], config.strides[k], x
    rows, columns = config.paddings[k]
    if config.causal:
        x = past(f"conv{n}", x, kernel[0] - stride[0])
        rows = 0
    if rows or columns:
        x = layers.ZeroPadding2D((rows, columns), name=f"pad{n}")(x)
    plain = config.normalisation != "batch"  # a batch normalisation brings its own offset
    _fits(x, kernel, f"convolution {n}")
    if config.separable[k]:
        # TensorFlow knows equal strides only; the mix that follows may skip places as well
        here, later = (stride, (1, 1)) if stride[0] == stride[1] else ((1, 1), stride)
        x = layers.DepthwiseConv2D(kernel, here, use_bias=plain, name=f"depthwise{n}")(x)
        x = _rectified(config, x, f"_depthwise{n}")
        kernel, stride = (1, 1), later
    x = layers.Conv2D(
        config.filters[k],
        kernel,
        stride,
        groups=config.groups[k],
        use_bias=plain,
        kernel_initializer="he_normal",  # variance that rectified layers keep (He et al. 2015)
        name=f"conv{n}",
    )(x)
    if not plain:
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{n}")(x)
    if config.residual and _keeps_size(config, k) and x.shape[-1] == start.shape[-1]:
        x = layers.Add(name=f"add{n}")([x, start])
    x = layers.ReLU(name=f"relu{n}")(x)
    if config.normalisation == "response" and k < 2:
        x = ResponseNormalisation(name=f"norm{n}")(x)
    if config.pools[k]:
        size, step = config.pools[k]
        if config.causal:
            # zeros change no maximum: what was rectified is never below them
            x = past(f"pool{n}", x, size - step)
        _fits(x, (size, size), f"pooling {n}")
        x = layers.MaxPooling2D(size, step, name=f"pool{n}")(x)
    return x


def _keeps_size(config: ConvNet, k: int) -> bool:
    kernel, (rows, columns) = config.kernels[k], config.paddings[k]
    same_rows = config.causal or 2 * rows + 1 == kernel[0]
    return config.strides[k] == (1, 1) and same_rows and 2 * columns + 1 == kernel[1]


def _rectified(config: ConvNet, x: KerasTensor, suffix: str) -> KerasTensor:
    if config.normalisation == "batch":
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{suffix}")(x)
    return layers.ReLU(name=f"relu{suffix}")(x)


def _fits(x: KerasTensor, window: tuple[int, int], what: str) -> None:
    short = [have for have, want in zip(x.shape[1:3], window, strict=True) if have and have < want]
    if short:
        raise ValueError(
            f"The input is too small for {what}: a window of {window} over {tuple(x.shape[1:3])} "
            "places. Give a larger picture, a longer clip or more bands."
        )
