"""The lecture on images: memory, convolution, sizes, pooling, AlexNet."""

from math import prod

import keras
import numpy as np

from recipes.lecture import examples as written
from recipes.lecture.examples import Claim
from zoo import plots
from zoo.convnets.pooling import MinPooling2D
from zoo.report import Column, Report, Table

COUNT = ",d"
POOLING = {
    "max": keras.layers.MaxPooling2D,
    "min": MinPooling2D,
    "mean": keras.layers.AveragePooling2D,
}


def memory(page: Report) -> list[Claim]:
    """Weights of a dense layer from image to image, beside those of a convolution."""
    pixels = prod(written.FULL_HD)
    # name, inputs, outputs, kernel, channels and filters of the convolution that does as much
    cases = [
        ("9×9 → 5×5", 81, 25, (5, 5), 1, 1),
        ("full HD → full HD, grey", pixels, pixels, (3, 3), 1, 1),
        ("full HD → full HD, three colours", 3 * pixels, 3 * pixels, (3, 3), 3, 3),
    ]
    rows = [
        (
            name,
            (dense := written.dense_weights(inputs, outputs)),
            bytes_of(written.FLOAT32_BYTES * dense),
            bytes_of(written.FLOAT32_BYTES * (dense + outputs)),
            (convolution := written.convolution_weights(kernel, channels, filters)),
            bytes_of(written.FLOAT32_BYTES * convolution),
        )
        for name, inputs, outputs, kernel, channels, filters in cases
    ]
    dense = keras.layers.Dense(25, use_bias=False)
    dense.build((None, 81))
    page.section(
        "Memory: dense layer against convolution",
        "A dense layer keeps a weight for every pair of input and output, inputs · outputs · "
        "bytes; a convolution keeps one kernel for each pair of channels, whatever the image's "
        "size: k · k · channels · filters · bytes. 9×9 becomes 5×5 under a kernel of 5×5; full HD "
        "stays full HD under 3×3 with padding 1.",
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
            f"counts {dense.count_params():,} weights in the first case; the other two are only "
            "computed.",
        )
    ).text(
        "Both printed numbers hold for 4-byte weights, without biases, in powers of 1000. But the "
        "second is for three colour channels in and three out, (3 · 1920 · 1080)² weights; counted "
        "like the first, with one channel, full HD takes "
        f"{rows[1][2]}. In powers of 1024 the two are "
        f"{written.FLOAT32_BYTES * rows[0][1] / 2**10:.1f} KiB and "
        f"{written.FLOAT32_BYTES * rows[2][1] / 2**40:.1f} TiB."
    )
    assumed = "4 bytes a weight, no biases"
    return [
        Claim("dense layer, 9×9 → 5×5", "8.1 kB", rows[0][2], f"{assumed}, one channel"),
        Claim(
            "dense layer, full HD → full HD",
            "154.8 TB",
            rows[2][2],
            f"{assumed}, three channels",
        ),
    ]


def bytes_of(count: int) -> str:
    """8100 -> '8.1 kB': one decimal, powers of 1000."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def convolution(page: Report) -> list[Claim]:
    """The binary image under the ring kernel."""
    response = written.convolve(written.IMAGE, written.RING)
    layer = keras.layers.Conv2D(1, 3, use_bias=False)
    ours = by_layer(layer, written.IMAGE, [np.array(written.RING)[..., None, None]])
    page.section(
        "Convolution with a ring",
        "y_ij = Σ_mn K_mn x_(i+m, j+n)\n\nThe ring counts the neighbours that are 1. What "
        "networks call convolution is correlation: mathematics turns the kernel by 180° first. The "
        "ring looks the same either way, so here the two agree; with other kernels they do not.",
    ).figure(
        plots.matrices(
            {
                "image": plots.Matrix(written.IMAGE, [(0, 0, 3)]),
                "ring": plots.Matrix(written.RING),
                "response": plots.Matrix(response, [(0, 0, 1)]),
            },
            between=("∗", "="),
        ),
        name="ring",
        caption="The framed patch makes the framed number. Written out and keras.layers.Conv2D "
        f"differ by {np.abs(ours - response).max():g}.",
        alt=f"5 by 5 binary image, 3 by 3 ring, and the 3 by 3 response {response}.",
    )
    claims = []
    for place, printed in enumerate(written.RING_RESPONSE):
        row = [f"{v}" if p is not None else "…" for v, p in zip(ours[place], printed, strict=True)]
        row = " ".join(part.removesuffix(".0") for part in row)
        told = " ".join("…" if p is None else f"{p}" for p in printed)
        given = (
            f"the number not printed is {ours[place, -1]:g}" if None in printed else "as printed"
        )
        claims.append(Claim(f"ring response, row {place + 1}", told, row, given))
    return claims


def sizes(page: Report) -> list[Claim]:
    """The output-size formula, and the padding that keeps a size."""
    rows = [
        ("ring above", 5, 3, 1, 0),
        ("9×9 under 5×5", 9, 5, 1, 0),
        ("9×9 under 3×3, every second place", 9, 3, 2, 1),
        ("AlexNet's first layer", 227, 11, 4, 0),
        ("the same on 224 pixels", 224, 11, 4, 0),
    ]
    page.section(
        "Output size",
        "o = ⌊(i + 2 p − k) / s⌋ + 1\n\nfor input i, kernel k, padding p on each side, stride s. "
        "The floor matters: pixels at the end that do not fill a step are never looked at.",
    ).table(
        Table(
            ["example", *(Column(n, number="d") for n in ("i", "k", "s", "p", "o", "o in Keras"))],
            [(*row, written.output_size(*row[1:]), size_by_keras(*row[1:])) for row in rows],
        )
    )
    kept = {kernel: written.keeping_padding(kernel) for kernel in written.KEEPING}
    page.text(
        "With stride 1, p = (k − 1)/2 keeps the size. It needs an odd kernel: an even one has no "
        "middle, and Keras' padding='same' then pads one pixel more at the end than at the start. "
        "With a larger stride 'same' gives ⌈i/s⌉, and no p keeps the size of every image."
    ).table(
        Table(
            [Column(n, number="d") for n in ("kernel k", "padding p", "28 pixels become")],
            [(k, p, size_by_keras(28, k, 1, p)) for k, p in kept.items()],
        )
    )
    told, ours = (
        ", ".join(f"{k}→{p}" for k, p in table.items()) for table in (written.KEEPING, kept)
    )
    return [Claim("padding that keeps the size", told, ours, "stride 1, odd kernels")]


def size_by_keras(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Height that `keras.layers.Conv2D` gives a padded image."""
    layer = keras.layers.Conv2D(1, kernel, stride)
    return layer.compute_output_shape((None, *2 * (size + 2 * padding,), 1))[1]


def pooling(page: Report) -> list[Claim]:
    """Max, min and mean of 2 × 2 tiles."""
    image = written.POOLED_IMAGE
    pooled = {how: written.pool(image, 2, how) for how in POOLING}
    ours = {how: by_layer(layer(2), image) for how, layer in POOLING.items()}
    worst = max(np.abs(ours[how] - pooled[how]).max() for how in POOLING)
    page.section(
        "Pooling",
        "One number for each tile of 2 × 2. Keras has the largest and the mean; the smallest is "
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
        caption="The framed tile makes the framed numbers. Written out, and by MaxPooling2D, "
        f"MinPooling2D and AveragePooling2D: they differ by {worst:g}.",
        alt=f"4 by 4 image and its pooled tiles {pooled}.",
    )
    return [
        Claim(f"{how} pooling", matrix_text(told), matrix_text(ours[how]), "2 × 2 tiles, stride 2")
        for how, told in written.POOLED.items()
    ]


def by_layer(
    layer: keras.layers.Layer, image: written.Matrix, weights: list[np.ndarray] | None = None
) -> np.ndarray:
    """One channel of one image through a layer, (rows, columns)."""
    x = np.array(image, np.float32)[None, ..., None]
    layer.build(x.shape)
    if weights is not None:
        layer.set_weights(weights)
    return keras.ops.convert_to_numpy(layer(x))[0, ..., 0]


def matrix_text(matrix: written.Matrix) -> str:
    """[[8, 9], [5, 7]] -> '8 9 / 5 7'."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in matrix)


def alexnet(page: Report) -> list[Claim]:
    """AlexNet's parameters, layer by layer."""
    rows = written.alexnet()
    total = sum(row.parameters for row in rows)
    grouped, small = (
        sum(row.parameters for row in written.alexnet(**other))
        for other in ({"groups": 2}, {"size": 224})
    )
    dense = sum(row.parameters for row in rows if row.name.startswith("dense"))
    page.section(
        "AlexNet's parameters",
        "Weights and one bias an output: k · k · channels · filters + filters for a convolution, "
        "inputs · outputs + outputs for a dense layer. The sizes between follow from the formula "
        f"above. Of {total:,} parameters the three dense layers hold {dense / total:.0%}.",
    ).table(
        Table(
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
                for row, by_keras in zip(rows, counted_by_keras(rows), strict=True)
            ]
            + [("total", None, None, *totals(rows), None)],
            "227 × 227 pixels, three colours, 1000 classes.",
        )
    ).text(
        "62 million holds for one network in one piece. As published (Krizhevsky et al. 2012) the "
        "second, fourth and fifth convolution are cut in two groups that do not see each other, "
        f"for two graphics cards: {grouped:,}, the paper's 60 million. And the paper's images of "
        "224 pixels do not fit: (224 − 11)/4 + 1 = 54.25. With 227, or 224 and uneven padding, the "
        f"first map is 55 × 55; rounded down from 224 it is 54 × 54, and {small / 1e6:.1f} million "
        "parameters would remain."
    )
    return [
        Claim(
            "AlexNet's parameters",
            "62 million",
            f"{total / 1e6:.0f} million",
            f"{total:,}: no groups, 227 × 227 pixels, 1000 classes",
        )
    ]


def totals(rows: list[written.Row]) -> tuple[int, int, int]:
    """Weights, biases and parameters of all layers."""
    weights, biases = sum(row.weights for row in rows), sum(row.biases for row in rows)
    return weights, biases, weights + biases


def counted_by_keras(rows: list[written.Row]) -> list[int]:
    """Parameters of each row as Keras' layers count them, one built at a time."""
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
