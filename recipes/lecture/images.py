"""Lecture part 2, images: memory of dense layers, convolution, output size, pooling, AlexNet."""

from math import prod

import keras
import numpy as np

from recipes.lecture import examples
from recipes.lecture.examples import Claim
from zoo import plots
from zoo.convnets.pooling import MinPooling2D
from zoo.report import Column, Report, Table

COUNT = ",d"  # number format of counts
POOLING = {
    "max": keras.layers.MaxPooling2D,
    "min": MinPooling2D,
    "mean": keras.layers.AveragePooling2D,
}


def add_memory(page: Report) -> list[Claim]:
    """Append the memory of a dense layer from image to image, beside that of a convolution.

    Args:
        page: the page.

    Returns:
        Printed results.
    """
    rows = _memory_rows()
    dense = keras.layers.Dense(25, use_bias=False)
    dense.build((None, 81))
    page.section(
        "Memory: dense layer against convolution",
        "A dense layer has a weight for every pair of input and output: inputs · outputs · bytes. "
        "A convolution has one kernel for each pair of channels, whatever the size of the image: "
        "k · k · channels · filters · bytes. A kernel of 5×5 maps 9×9 to 5×5; a kernel of 3×3 with "
        "padding 1 maps full HD to full HD.",
    ).table(
        Table(
            [
                "from, to",
                Column("dense weights", number=COUNT),
                "dense memory",
                "with biases",
                Column("convolution weights", number=COUNT),
                "convolution memory",
            ],
            rows,
            "Weights of 4 bytes (float32); kB, GB and TB are powers of 1000. keras.layers.Dense "
            f"counts {dense.count_params():,} weights in the first case; the other two are "
            "computed by the formula only.",
        )
    ).text(
        "Both printed numbers hold for weights of 4 bytes, without biases, in powers of 1000. But "
        "the second is for three colour channels in and out, (3 · 1920 · 1080)² weights; with one "
        "channel, as in the first, full HD takes "
        f"{rows[1][2]}. In powers of 1024 the two are "
        f"{examples.FLOAT32_BYTES * rows[0][1] / 2**10:.1f} KiB and "
        f"{examples.FLOAT32_BYTES * rows[2][1] / 2**40:.1f} TiB."
    )
    given = "4 bytes per weight, no biases"
    small, large = "dense layer, 9×9 → 5×5", "dense layer, full HD → full HD"
    return [
        Claim(small, "8.1 kB", rows[0][2], f"{given}, one channel"),
        Claim(large, "154.8 TB", rows[2][2], f"{given}, three channels"),
    ]


def _memory_rows() -> list[tuple[str, int, str, str, int, str]]:
    """Name, weights and memory of dense layers and of convolutions with the same output size."""
    pixels = prod(examples.FULL_HD)
    # name, inputs, outputs; kernel, channels and filters of the convolution
    cases = [
        ("9×9 → 5×5", 81, 25, (5, 5), 1, 1),
        ("full HD → full HD, grey", pixels, pixels, (3, 3), 1, 1),
        ("full HD → full HD, three colours", 3 * pixels, 3 * pixels, (3, 3), 3, 3),
    ]
    rows = []
    for name, inputs, outputs, kernel, channels, filters in cases:
        dense = examples.dense_weights(inputs, outputs)
        convolution = examples.convolution_weights(kernel, channels, filters)
        sizes = [examples.FLOAT32_BYTES * n for n in (dense, dense + outputs, convolution)]
        plain, biased, shared = map(format_bytes, sizes)
        rows.append((name, dense, plain, biased, convolution, shared))
    return rows


def format_bytes(count: int) -> str:
    """A number of bytes with one decimal, in powers of 1000: 8100 -> '8.1 kB'."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def add_convolution(page: Report) -> list[Claim]:
    """Append the convolution of the binary image with the ring kernel.

    Args:
        page: the page.

    Returns:
        Printed results.
    """
    response = examples.convolve(examples.IMAGE, examples.RING)
    layer = keras.layers.Conv2D(1, 3, use_bias=False)
    ours = apply_layer(layer, examples.IMAGE, [np.array(examples.RING)[..., None, None]])
    page.section(
        "Convolution with a ring",
        "y_{ij} = Σ_{mn} K_{mn} x_{i+m, j+n}\n\nThe ring kernel counts the neighbours that are 1. "
        "What neural networks call convolution is cross-correlation: a convolution in mathematics "
        "rotates the kernel by 180° first. The ring is symmetric, so here the two agree; for other "
        "kernels they do not.",
    ).figure(
        plots.matrices(
            {
                "image": plots.Matrix(examples.IMAGE, [(0, 0, 3)]),
                "ring": plots.Matrix(examples.RING),
                "response": plots.Matrix(response, [(0, 0, 1)]),
            },
            between=("∗", "="),
        ),
        name="ring",
        caption="The framed patch gives the framed number. Plain Python and keras.layers.Conv2D "
        f"differ by {np.abs(ours - response).max():g}.",
        alt=f"5 by 5 binary image, 3 by 3 ring, and the 3 by 3 response {response}.",
    )
    claims = []
    for place, printed in enumerate(examples.RING_RESPONSE):
        row = [f"{v}" if p is not None else "…" for v, p in zip(ours[place], printed, strict=True)]
        row = " ".join(part.removesuffix(".0") for part in row)
        lecture = " ".join("…" if p is None else f"{p}" for p in printed)
        given = (
            f"the number not printed is {ours[place, -1]:g}" if None in printed else "as printed"
        )
        claims.append(Claim(f"ring response, row {place + 1}", lecture, row, given))
    return claims


def add_output_sizes(page: Report) -> list[Claim]:
    """Append the output-size formula and the padding that keeps a size.

    Args:
        page: the page.

    Returns:
        Printed results.
    """
    rows = [
        ("ring above", 5, 3, 1, 0),
        ("9×9, kernel 5×5", 9, 5, 1, 0),
        ("9×9, kernel 3×3, stride 2", 9, 3, 2, 1),
        ("AlexNet's first layer", 227, 11, 4, 0),
        ("the same on 224 pixels", 224, 11, 4, 0),
    ]
    page.section(
        "Output size",
        "o = ⌊(i + 2 p − k) / s⌋ + 1\n\nfor input i, kernel k, padding p on each side, stride s. "
        "The floor matters: pixels at the end that do not fill a stride are ignored.",
    ).table(
        Table(
            ["example", *(Column(n, number="d") for n in ("i", "k", "s", "p", "o", "o in Keras"))],
            [(*row, examples.output_size(*row[1:]), keras_output_size(*row[1:])) for row in rows],
        )
    )
    kept = {kernel: examples.same_padding(kernel) for kernel in examples.SAME_PADDING}
    page.text(
        "With stride 1, p = (k − 1)/2 keeps the size. The kernel must be odd: an even one has no "
        "centre, and Keras' padding='same' then pads one pixel more at the end than at the start. "
        "With a larger stride 'same' gives ⌈i/s⌉, and no p keeps the size of every image."
    ).table(
        Table(
            [Column(n, number="d") for n in ("kernel k", "padding p", "output for 28 pixels")],
            [(k, p, keras_output_size(28, k, 1, p)) for k, p in kept.items()],
        )
    )
    lecture, ours = (
        ", ".join(f"{k}→{p}" for k, p in table.items()) for table in (examples.SAME_PADDING, kept)
    )
    return [Claim("padding that keeps the size", lecture, ours, "stride 1, odd kernels")]


def keras_output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Output height of `keras.layers.Conv2D` for a padded square image [pixels].

    Args:
        size: input size [pixels].
        kernel: kernel size [pixels].
        stride: stride [pixels].
        padding: padding on each side [pixels].
    """
    layer = keras.layers.Conv2D(1, kernel, stride)
    return layer.compute_output_shape((None, *2 * (size + 2 * padding,), 1))[1]


def add_pooling(page: Report) -> list[Claim]:
    """Append max, min and mean pooling of 2 × 2 tiles.

    Args:
        page: the page.

    Returns:
        Printed results.
    """
    image = examples.POOLED_IMAGE
    pooled = {how: examples.pool(image, 2, how) for how in POOLING}
    ours = {how: apply_layer(layer(2), image) for how, layer in POOLING.items()}
    worst = max(np.abs(ours[how] - pooled[how]).max() for how in POOLING)
    page.section(
        "Pooling",
        "One number for each tile of 2 × 2. Keras has max and mean pooling; min pooling is "
        "zoo.convnets.pooling.MinPooling2D: min x = −max(−x).",
    ).figure(
        plots.matrices(
            {
                "image": plots.Matrix(image, [(0, 0, 2)]),
                **{how: plots.Matrix(values, [(0, 0, 1)]) for how, values in pooled.items()},
            },
            between=("→", "", ""),
        ),
        name="pooling",
        caption="The framed tile gives the framed numbers. Plain Python and the layers "
        f"MaxPooling2D, MinPooling2D and AveragePooling2D differ by {worst:g}.",
        alt=f"4 by 4 image and its pooled tiles {pooled}.",
    )
    return [
        Claim(
            f"{how} pooling",
            format_matrix(printed),
            format_matrix(ours[how]),
            "2 × 2 tiles, stride 2",
        )
        for how, printed in examples.POOLED.items()
    ]


def apply_layer(
    layer: keras.layers.Layer, image: examples.Matrix, weights: list[np.ndarray] | None = None
) -> np.ndarray:
    """Output of a layer for one image of one channel.

    Args:
        layer: a Keras layer, not built yet.
        image: (height, width).
        weights: weights of the layer; None: as initialized.

    Returns:
        First channel of the output, (rows, columns).
    """
    x = np.array(image, np.float32)[None, ..., None]
    layer.build(x.shape)
    if weights is not None:
        layer.set_weights(weights)
    return keras.ops.convert_to_numpy(layer(x))[0, ..., 0]


def format_matrix(matrix: examples.Matrix | np.ndarray) -> str:
    """A matrix on one line: [[8, 9], [5, 7]] -> '8 9 / 5 7'."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in matrix)


def add_alexnet(page: Report) -> list[Claim]:
    """Append the parameters of AlexNet, layer by layer.

    Args:
        page: the page.

    Returns:
        Printed results.
    """
    rows = examples.alexnet()
    total = sum(row.parameters for row in rows)
    grouped, small = (
        sum(row.parameters for row in examples.alexnet(**other))
        for other in ({"groups": 2}, {"size": 224})
    )
    dense = sum(row.parameters for row in rows if row.name.startswith("dense"))
    page.section(
        "AlexNet's parameters",
        "Weights and one bias per output channel: k · k · channels · filters + filters for a "
        "convolution, inputs · outputs + outputs for a dense layer. The sizes follow from the "
        f"formula above. Of {total:,} parameters the three dense layers have {dense / total:.0%}.",
    ).table(_alexnet_table(rows)).text(
        "62 million holds without groups. As published (Krizhevsky et al. 2012) the second, fourth "
        "and fifth convolution have two groups of channels, one on each of two graphics cards: "
        f"{grouped:,}, the 60 million of the paper. And the paper's images of 224 pixels do not "
        "fit: (224 − 11)/4 + 1 = 54.25. With 227 pixels, or 224 and uneven padding, the first "
        "feature map is 55 × 55; rounded down from 224 it is 54 × 54, and the network has "
        f"{small / 1e6:.1f} million parameters."
    )
    return [
        Claim(
            "AlexNet's parameters",
            "62 million",
            f"{total / 1e6:.0f} million",
            f"{total:,}: no groups, 227 × 227 pixels, 1000 classes",
        )
    ]


def _alexnet_table(rows: list[examples.Row]) -> Table:
    return Table(
        [
            "layer",
            "kernel, stride, padding",
            "output",
            *(Column(n, number=COUNT) for n in ("weights", "biases", "parameters", "Keras")),
        ],
        [
            (
                row.name,
                f"{row.kernel}, {row.stride}, {row.padding}" if row.kernel else None,
                " × ".join(map(str, row.output)),
                *(row.weights, row.biases, row.parameters, by_keras),
            )
            for row, by_keras in zip(rows, count_with_keras(rows), strict=True)
        ]
        + [("total", None, None, *totals(rows), None)],
        "227 × 227 pixels, three colours, 1000 classes.",
    )


def totals(rows: list[examples.Row]) -> tuple[int, int, int]:
    """Sums over all layers: weights, biases, parameters."""
    weights, biases = sum(row.weights for row in rows), sum(row.biases for row in rows)
    return weights, biases, weights + biases


def count_with_keras(rows: list[examples.Row]) -> list[int]:
    """Parameters of each row as Keras' layers count them; one layer is built at a time."""
    shape, counts = (None, 227, 227, 3), []
    for row in rows:
        if row.kernel == 0:
            shape = (None, prod(shape[1:]))
            layer = keras.layers.Dense(row.output[0], kernel_initializer="zeros")
        elif row.weights:
            layer = keras.layers.Conv2D(row.output[-1], row.kernel, row.stride)
            shape = (None, *(side + 2 * row.padding for side in shape[1:3]), shape[3])
        else:
            layer = keras.layers.MaxPooling2D(row.kernel, row.stride)
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
        counts.append(layer.count_params())
    return counts
