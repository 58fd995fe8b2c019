"""Formulas and worked examples of the lecture in plain Python: RNN, LSTM, convolution, AlexNet.

Lists in, numbers out, one loop for each index of the formula. `zoo` and Keras compute the same with
tensors; `recipes.lecture` compares both.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

Vector = Sequence[float]
Matrix = Sequence[Vector]

# Inputs of the worked examples, and the results that the lecture prints.
IMAGE = ((1, 0, 1, 1, 0), (1, 1, 1, 0, 1), (0, 0, 0, 1, 1), (1, 1, 1, 0, 0), (0, 0, 1, 1, 0))
RING = ((1, 1, 1), (1, 0, 1), (1, 1, 1))
RING_RESPONSE = ((4, 4, 6), (6, 5, 4), (3, 4, None))  # None: not printed
POOLED_IMAGE = ((2, 5, 3, 1), (4, 8, 9, 1), (5, 4, 7, 3), (0, 4, 1, 2))
POOLED = {
    "max": ((8, 9), (5, 7)),
    "min": ((2, 1), (0, 1)),
    "mean": ((4.75, 3.5), (3.25, 3.25)),
}
SAME_PADDING = {3: 1, 5: 2, 7: 3}  # kernel -> padding that keeps the size
FULL_HD = (1920, 1080)
FLOAT32_BYTES = 4


class Claim(NamedTuple):
    """A result that the lecture prints, beside the computed one.

    Attributes:
        what: the example.
        printed: the result as printed.
        computed: the result of Keras' or the zoo's layers, to the same number of digits.
        given: assumptions under which it holds.
    """

    what: str
    printed: str
    computed: str
    given: str

    @property
    def holds(self) -> bool:
        """Whether the two agree in every printed digit."""
        return self.printed == self.computed


class Layer(NamedTuple):
    """Weights of a simple recurrent layer for column vectors: a = W x + U h + b.

    Attributes:
        kernel: W, (units, features).
        recurrent: U, (units, units).
        bias: b, (units,).
    """

    kernel: Matrix
    recurrent: Matrix
    bias: Vector


class LSTMStep(NamedTuple):
    """Gates, candidate and states of one LSTM step.

    Attributes:
        forget: f, (units,).
        input: i, (units,).
        candidate: g, (units,).
        output: o, (units,).
        cell: C after the step, (units,).
        hidden: h after the step, (units,).
    """

    forget: list[float]
    input: list[float]
    candidate: list[float]
    output: list[float]
    cell: list[float]
    hidden: list[float]


class Row(NamedTuple):
    """One row of AlexNet's table.

    Attributes:
        name: name of the layer.
        kernel: side of the kernel or pooling window [pixels]; 0 for a dense layer.
        stride: stride [pixels].
        padding: padding on each side [pixels].
        output: (height, width, channels), or (units,).
        weights: number of weights.
        biases: number of biases.
    """

    name: str
    kernel: int
    stride: int
    padding: int
    output: tuple[int, ...]
    weights: int
    biases: int

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.weights + self.biases


def affine(layer: Layer, x: Vector, h: Vector) -> list[float]:
    """Pre-activation a_i = Σ_j W_ij x_j + Σ_j U_ij h_j + b_i, (units,)."""
    return [
        dot(w, x) + dot(u, h) + b
        for w, u, b in zip(layer.kernel, layer.recurrent, layer.bias, strict=True)
    ]


def dot(a: Vector, b: Vector) -> float:
    """Scalar product Σ a_j b_j."""
    return sum(a * b for a, b in zip(a, b, strict=True))


def two_layers(
    inputs: Sequence[Vector], first: Layer, second: Layer
) -> list[tuple[list[float], list[float]]]:
    """Recurrent neural network of two layers over time, with initial states of zero.

    h⁽¹⁾_t = tanh(W⁽¹⁾ x_t + U⁽¹⁾ h⁽¹⁾_{t−1} + b⁽¹⁾)
    h⁽²⁾_t = tanh(W⁽²⁾ h⁽¹⁾_t + U⁽²⁾ h⁽²⁾_{t−1} + b⁽²⁾)

    Args:
        inputs: x, (time, features).
        first: weights of the lower layer.
        second: weights of the upper layer.

    Returns:
        (h⁽¹⁾_t, h⁽²⁾_t) of every step.
    """
    lower, upper = [0.0] * len(first.bias), [0.0] * len(second.bias)
    states = []
    for x in inputs:
        lower = [math.tanh(a) for a in affine(first, x, lower)]
        upper = [math.tanh(a) for a in affine(second, lower, upper)]
        states.append((lower, upper))
    return states


def state_jacobian(layer: Layer, hidden: Vector) -> list[list[float]]:
    """State Jacobian ∂h_t/∂h_{t−1} = diag(1 − h_t²) U of a layer with tanh, (units, units)."""
    return [[(1 - h * h) * u for u in row] for h, row in zip(hidden, layer.recurrent, strict=True)]


def logistic(a: float) -> float:
    """Logistic function (sigmoid) σ(a) = 1 / (1 + e^(−a))."""
    return 1 / (1 + math.exp(-a))


ACTIVATIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "tanh": (math.tanh, lambda a: 1 - math.tanh(a) ** 2),
    "sigmoid": (logistic, lambda a: logistic(a) * (1 - logistic(a))),
    "relu": (lambda a: max(a, 0.0), lambda a: 1.0 if a > 0 else 0.0),
}  # Keras' name -> (φ, φ')


def lstm_step(x: Vector, hidden: Vector, cell: Vector, gates: dict[str, Layer]) -> LSTMStep:
    """One step of an LSTM.

    f = σ(W_f x + U_f h + b_f)    i = σ(W_i x + U_i h + b_i)    o = σ(W_o x + U_o h + b_o)
    g = tanh(W_g x + U_g h + b_g)
    C' = f C + i g
    h' = o tanh(C')

    Args:
        x: input, (features,).
        hidden: h before the step, (units,).
        cell: C before the step, (units,).
        gates: weights of "forget", "input", "candidate" and "output".

    Returns:
        Gates, candidate and states after the step.
    """
    f, i, o = (
        [logistic(a) for a in affine(gates[name], x, hidden)]
        for name in ("forget", "input", "output")
    )
    g = [math.tanh(a) for a in affine(gates["candidate"], x, hidden)]
    after = [f * c + i * g for f, c, i, g in zip(f, cell, i, g, strict=True)]
    hidden_after = [o * math.tanh(c) for o, c in zip(o, after, strict=True)]
    return LSTMStep(f, i, g, o, after, hidden_after)


def dense_weights(inputs: int, outputs: int) -> int:
    """Number of weights of a dense layer, inputs · outputs; its `outputs` biases not counted."""
    return inputs * outputs


def convolution_weights(kernel: tuple[int, int], channels: int, filters: int) -> int:
    """Number of weights of a convolution, k · k · channels · filters; biases not counted."""
    return kernel[0] * kernel[1] * channels * filters


def convolve(image: Matrix, kernel: Matrix) -> list[list[float]]:
    """Valid convolution of neural networks, y_ij = Σ_mn K_mn x_{i+m, j+n}, without padding.

    Mathematics calls it cross-correlation; a convolution rotates K by 180° first.

    Args:
        image: x, (height, width).
        kernel: K, (kernel height, kernel width).

    Returns:
        y, (height − kernel height + 1, width − kernel width + 1).
    """
    height, width = len(kernel), len(kernel[0])
    return [
        [
            sum(kernel[m][n] * image[i + m][j + n] for m in range(height) for n in range(width))
            for j in range(len(image[0]) - width + 1)
        ]
        for i in range(len(image) - height + 1)
    ]


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Output size of a convolution or pooling layer, o = floor((i + 2 p − k) / s) + 1.

    Args:
        size: i, input size [pixels].
        kernel: k, kernel size [pixels].
        stride: s, stride [pixels].
        padding: p, padding on each side [pixels].

    Returns:
        o [pixels].

    Raises:
        ValueError: if the kernel does not fit into the padded image.
    """
    if min(size, kernel, stride) < 1 or padding < 0 or kernel > size + 2 * padding:
        raise ValueError(
            "The kernel must fit into the padded image, and the stride be 1 or more. Received: "
            f"size={size}, kernel={kernel}, stride={stride}, padding={padding}."
        )
    return (size + 2 * padding - kernel) // stride + 1


def same_padding(kernel: int) -> int:
    """Padding on each side that keeps the size at stride 1: p = (k − 1) / 2.

    Args:
        kernel: k, an odd number.

    Returns:
        p.

    Raises:
        ValueError: for an even kernel, which would need unequal padding.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(
            f"Only an odd kernel keeps the size with the same padding on both sides. "
            f"Received: kernel={kernel}."
        )
    return (kernel - 1) // 2


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean Σ x / n."""
    return sum(values) / len(values)


REDUCE: dict[str, Callable[[Sequence[float]], float]] = {"max": max, "min": min, "mean": mean}


def pool(image: Matrix, window: int, how: str) -> list[list[float]]:
    """Pooling: one number for each window × window tile.

    Args:
        image: (height, width).
        window: side of a tile, and the stride [pixels].
        how: "max", "min" or "mean".

    Returns:
        (height // window, width // window).
    """
    tiles = range(window)
    return [
        [
            REDUCE[how]([image[window * i + m][window * j + n] for m in tiles for n in tiles])
            for j in range(len(image[0]) // window)
        ]
        for i in range(len(image) // window)
    ]


def alexnet(size: int = 227, classes: int = 1000, groups: int = 1) -> list[Row]:
    """Layers of AlexNet (Krizhevsky et al. 2012) with their output sizes and parameters.

    A convolution has k² · channels · filters / groups weights, a dense layer inputs · outputs, and
    each output channel has one bias.

    Args:
        size: side of the square image [pixels].
        classes: width of the last layer.
        groups: 1 without groups; 2 as published, where the second, fourth and fifth convolution
            have two groups of channels, one on each graphics card.

    Returns:
        One row per layer.

    Raises:
        ValueError: if the image is too small.
    """
    channels, rows = 3, []
    # kernel, stride, padding, filters; None is a pooling layer
    for name, kernel, stride, padding, filters, split in (
        ("convolution 1", 11, 4, 0, 96, 1),
        ("max pooling 1", 3, 2, 0, None, 1),
        ("convolution 2", 5, 1, 2, 256, groups),
        ("max pooling 2", 3, 2, 0, None, 1),
        ("convolution 3", 3, 1, 1, 384, 1),
        ("convolution 4", 3, 1, 1, 384, groups),
        ("convolution 5", 3, 1, 1, 256, groups),
        ("max pooling 3", 3, 2, 0, None, 1),
    ):
        size = output_size(size, kernel, stride, padding)
        weights = 0
        if filters is not None:
            weights = convolution_weights((kernel, kernel), channels, filters) // split
            channels = filters
        output = (size, size, channels)
        rows.append(Row(name, kernel, stride, padding, output, weights, filters or 0))
    inputs = size * size * channels
    for name, outputs in (("dense 6", 4096), ("dense 7", 4096), ("dense 8", classes)):
        rows.append(Row(name, 0, 0, 0, (outputs,), dense_weights(inputs, outputs), outputs))
        inputs = outputs
    return rows
