"""Blocks of a convolutional network: convolutions with pooling, the head, the output layer."""

from collections.abc import Callable

from keras import KerasTensor, layers

from zoo.cells import LSTMCell
from zoo.convnets.config import ConvNet
from zoo.convnets.model import TASKS, Task
from zoo.convnets.pooling import BandStatistics
from zoo.convnets.response import ResponseNormalisation
from zoo.recurrent import VisibleRNN

# (name of a layer, x (batch, rows, columns, channels), n) -> x behind n earlier rows.
History = Callable[[str, KerasTensor, int], KerasTensor]

# Keras' 0.99 averages over hundreds of batches; small corpora have fewer in an epoch.
MOMENTUM = 0.9

_OUTPUTS = {
    "multiclass": ("probabilities", "softmax"),
    "multilabel": ("probabilities", "sigmoid"),
    "regression": ("prediction", None),
    "embedding": ("embedding", None),
}


def network_layers(config: ConvNet, x: KerasTensor, outputs: int, task: Task) -> KerasTensor:
    """All layers of a network behind its input: convolutions, head, output layer.

    Args:
        config: the network.
        x: picture or spectrogram (batch, rows, columns, channels).
        outputs: classes, labels or regressed quantities.
        task: see `image_model`.

    Returns:
        (batch, outputs), or (batch, rows, outputs) with `config.recurrent`.

    Raises:
        ValueError: an input too small for the network, or an unknown task.
    """
    return output_layer(head(config, convolutions(config, x)), outputs, task)


def output_name(task: Task) -> str:
    """Name of the output of a task: `probabilities`, `prediction` or `embedding`.

    Raises:
        ValueError: an unknown task.
    """
    if task not in _OUTPUTS:
        raise ValueError(f"`task` must be one of {', '.join(TASKS)}. Received: {task!r}.")
    return _OUTPUTS[task][0]


def output_layer(x: KerasTensor, outputs: int, task: Task) -> KerasTensor:
    """Dense layer with the activation of the task: softmax, sigmoid or none.

    Raises:
        ValueError: an unknown task.
    """
    name = output_name(task)
    # float32 whatever the policy: a float16 softmax loses small probabilities
    return layers.Dense(outputs, activation=_OUTPUTS[task][1], name=name, dtype="float32")(x)


def head(config: ConvNet, x: KerasTensor) -> KerasTensor:
    """Everything between the last pooling and the output layer: (batch, features).

    With `config.recurrent`, dense layers and an LSTM over the rows: (batch, rows, features).
    """
    if config.recurrent:
        cell = LSTMCell(config.recurrent)
        x = VisibleRNN(cell, name="memory")(dense_rows(config, x))["hidden"]
        return layers.Dropout(config.dropout, name="dropout")(x)
    if not config.dense:
        if config.bands:
            x = BandStatistics(config.bands, name="statistics")(x)
        else:
            x = layers.GlobalAveragePooling2D(name="average")(x)
        return layers.Dropout(config.dropout, name="dropout")(x)
    return _dense_layers(config, layers.Flatten(name="flatten")(x))


def dense_rows(config: ConvNet, x: KerasTensor) -> KerasTensor:
    """The fully connected layers on each row by itself: (batch, rows, width)."""
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten_rows")(x)
    return _dense_layers(config, x)


def _dense_layers(config: ConvNet, x: KerasTensor) -> KerasTensor:
    for k, width in enumerate(config.dense, len(config.filters) + 1):
        x = layers.Dropout(config.dropout, name=f"dropout{k}")(x)
        x = layers.Dense(width, activation="relu", name=f"dense{k}")(x)
    return x


def zero_history(name: str, x: KerasTensor, rows: int) -> KerasTensor:
    """Zeros before the first row, for a clip whose start is the start of all."""
    return layers.ZeroPadding2D(((rows, 0), (0, 0)), name=f"{name}_past")(x) if rows else x


def convolutions(config: ConvNet, x: KerasTensor, history: History = zero_history) -> KerasTensor:
    """All convolutions and poolings: (batch, rows, columns, channels) in and out.

    Args:
        config: the network.
        x: picture or spectrogram.
        history: puts the rows before the first one that a causal network's windows cover.

    Raises:
        ValueError: an input too small for the network.
    """
    for k in range(len(config.filters)):
        x = convolution_block(config, k, x, history)
    return x


def convolution_block(config: ConvNet, k: int, x: KerasTensor, history: History) -> KerasTensor:
    """Convolution k: padding, convolution, normalisation, shortcut, ReLU and pooling.

    Raises:
        ValueError: an input too small for the windows.
    """
    n, kernel, stride, shortcut = k + 1, config.kernels[k], config.strides[k], x
    rows, columns = config.paddings[k]
    if config.causal:
        x = history(f"conv{n}", x, kernel[0] - stride[0])
        rows = 0
    if rows or columns:
        x = layers.ZeroPadding2D((rows, columns), name=f"pad{n}")(x)
    has_bias = config.normalisation != "batch"  # batch normalisation brings its own offset
    _check_window(x, kernel, f"convolution {n}")
    if config.separable[k]:
        # TensorFlow knows equal strides only; the pointwise convolution may skip places as well
        equal = stride[0] == stride[1]
        x = layers.DepthwiseConv2D(
            kernel, stride if equal else (1, 1), use_bias=has_bias, name=f"depthwise{n}"
        )(x)
        if not has_bias:
            x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_depthwise{n}")(x)
        x = layers.ReLU(name=f"relu_depthwise{n}")(x)
        kernel, stride = (1, 1), (1, 1) if equal else stride
    x = layers.Conv2D(
        config.filters[k],
        kernel,
        stride,
        groups=config.groups[k],
        use_bias=has_bias,
        kernel_initializer="he_normal",  # variance that rectified layers keep (He et al. 2015)
        name=f"conv{n}",
    )(x)
    if not has_bias:
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{n}")(x)
    if config.residual and _keeps_size(config, k) and x.shape[-1] == shortcut.shape[-1]:
        x = layers.Add(name=f"add{n}")([x, shortcut])
    x = layers.ReLU(name=f"relu{n}")(x)
    if config.normalisation == "response" and k < 2:
        x = ResponseNormalisation(name=f"norm{n}")(x)
    return _pooled(config, k, x, history)


def _pooled(config: ConvNet, k: int, x: KerasTensor, history: History) -> KerasTensor:
    pool, name = config.pools[k], f"pool{k + 1}"
    if pool is None:
        return x
    size, step = pool
    if config.causal:
        # zeros change no maximum: rectified values are never below them
        x = history(name, x, size - step)
    _check_window(x, (size, size), f"pooling {k + 1}")
    return layers.MaxPooling2D(size, step, name=name)(x)


def _keeps_size(config: ConvNet, k: int) -> bool:
    kernel, (rows, columns) = config.kernels[k], config.paddings[k]
    same_rows = config.causal or 2 * rows + 1 == kernel[0]
    return config.strides[k] == (1, 1) and same_rows and 2 * columns + 1 == kernel[1]


def _check_window(x: KerasTensor, window: tuple[int, int], what: str) -> None:
    sizes = zip(x.shape[1:3], window, strict=True)
    if any(size and size < needed for size, needed in sizes):
        raise ValueError(
            f"The input is too small for {what}: a window of {window} over {tuple(x.shape[1:3])} "
            "places. Give a larger picture, a longer clip or more bands."
        )
