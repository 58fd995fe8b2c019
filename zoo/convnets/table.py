"""Layers of a model: output shapes, parameters and multiply-accumulates (MACs)."""

from dataclasses import dataclass
from math import prod

import keras


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Attributes:
        name: of the layer.
        kind: its class.
        window: rows and columns of the kernel or pool; None where there is no window.
        stride: of the window.
        output: shape of the output without the batch.
        parameters: trainable and fixed ones.
        macs: multiply-accumulates with weights, for one input; None for layers without any.
            Normalisations are not counted: they fold into the convolution before.
    """

    name: str
    kind: str
    window: tuple[int, int] | None
    stride: tuple[int, int] | None
    output: tuple[int | None, ...]
    parameters: int
    macs: int | None


def output_size(size: int, window: int, stride: int = 1, zeros: int = 0) -> int:
    """Output size of a convolution or pooling: (W + 2 P - F) / S + 1, rounded down.

    Args:
        size: of the input, W.
        window: size of the window, F.
        stride: S.
        zeros: padding on each side, P.

    Raises:
        ValueError: the window does not fit.
    """
    if window > size + 2 * zeros:
        raise ValueError(
            f"A window of {window} does not fit on {size} places and {zeros} zeros on each side."
        )
    return (size + 2 * zeros - window) // stride + 1


def layer_rows(model: keras.Model) -> list[LayerRow]:
    """Every layer of a model but its inputs, in order. The input must have a fixed size.

    Raises:
        ValueError: an unknown size.
    """
    return [_row(layer) for layer in model.layers if type(layer).__name__ != "InputLayer"]


def _row(layer: keras.layers.Layer) -> LayerRow:
    output = tuple(keras.tree.flatten(layer.output)[0].shape[1:])
    if None in output:
        raise ValueError(
            f"The output size of layer {layer.name!r} is unknown: {output}. Build the model with a "
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
    """Output places times the weights of each: of the window and its channels, or of all inputs."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return prod(output) * prod(layer.kernel_size)
    if isinstance(layer, keras.layers.Conv2D):
        return prod(output) * prod(layer.kernel.shape[:3])
    if isinstance(layer, keras.layers.Dense):
        return prod(output) * layer.kernel.shape[0]
    if isinstance(layer, keras.layers.RNN):
        return output[0] * (prod(layer.cell.kernel.shape) + prod(layer.cell.recurrent_kernel.shape))
    return None
