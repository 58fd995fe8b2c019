"""Layers of any model in rows: sizes by the formula, parameters, multiply-accumulates."""

from dataclasses import dataclass
from math import prod

import keras


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Attributes:
        name: of the layer.
        kind: its class.
        window: rows and columns that an output place sees; None where there is no window.
        stride: its step.
        output: shape of the output without the batch.
        parameters: trained and kept ones.
        macs: multiplications with a weight, for one clip; None where it is not a sum of products
            with weights. Normalisations are not counted: they fold into the convolution before.
    """

    name: str
    kind: str
    window: tuple[int, int] | None
    stride: tuple[int, int] | None
    output: tuple[int | None, ...]
    parameters: int
    macs: int | None


def output_size(size: int, window: int, stride: int = 1, zeros: int = 0) -> int:
    """(W + 2 P - F) / S + 1, rounded down: places of a window over a line.

    Args:
        size: places of the line, W.
        window: places of the window, F.
        stride: its step, S.
        zeros: put on each side, P.

    Raises:
        ValueError: the window does not fit.
    """
    if window > size + 2 * zeros:
        raise ValueError(
            f"A window of {window} does not fit on {size} places and {zeros} zeros on each side."
        )
    return (size + 2 * zeros - window) // stride + 1


def layer_rows(model: keras.Model) -> list[LayerRow]:
    """Every layer of a model, in order; its input must have a fixed size.

    Raises:
        ValueError: a size that is not known.
    """
    return [_row(layer) for layer in model.layers if type(layer).__name__ != "InputLayer"]


def _row(layer: keras.layers.Layer) -> LayerRow:
    output = tuple(keras.tree.flatten(layer.output)[0].shape[1:])
    if None in output:
        raise ValueError(
            f"The size of layer {layer.name!r} is not known: {output}. Build the model with a "
            "fixed input, `samples=` for sound."
        )
    window = stride = None
    if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
        window, stride = tuple(layer.kernel_size), tuple(layer.strides)
    elif isinstance(layer, keras.layers.MaxPooling2D):
        window, stride = tuple(layer.pool_size), tuple(layer.strides)
    return LayerRow(
        layer.name,
        type(layer).__name__,
        window,
        stride,
        output,
        layer.count_params(),
        _macs(layer, output),
    )


def _macs(layer: keras.layers.Layer, output: tuple[int, ...]) -> int | None:
    """Every output is a sum over a window of the channels that it sees, or over all inputs."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return prod(output) * prod(layer.kernel_size)
    if isinstance(layer, keras.layers.Conv2D):
        return prod(output) * prod(layer.kernel.shape[:3])
    if isinstance(layer, keras.layers.Dense):
        return prod(output) * layer.kernel.shape[0]
    if isinstance(layer, keras.layers.RNN):
        return output[0] * (prod(layer.cell.kernel.shape) + prod(layer.cell.recurrent_kernel.shape))
    return None
