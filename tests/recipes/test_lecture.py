"""Every number that the lecture prints, against the lecture, closed forms and SciPy."""

import base64
import io
import re
from contextlib import redirect_stderr, redirect_stdout
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import scipy.signal
import scipy.special
import soundfile

from recipes.lecture import __main__ as command
from recipes.lecture import examples, experiment, images, recurrent
from recipes.lecture.settings import Settings

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
NETWORKS = ("scenes-tiny", "scenes-alexnet")
SECTIONS = [
    "Recurrent neural network of two layers",
    "Derivatives of activations",
    "Gates of an LSTM",
    "Memory: dense layer against convolution",
    "Convolution with a ring",
    "Output size",
    "Pooling",
    "AlexNet's parameters",
    "Sound as an image",
    "Feature hierarchy",
    "Onset, harmonic and noise filters",
    "Printed results",
    "Statements that need a condition",
]


def layer(features, units):
    shapes = (units, features), (units, units), units
    return examples.Layer(*(RNG.normal(size=shape).tolist() for shape in shapes))


def transposed(weights):
    return [np.transpose(weights.kernel), np.transpose(weights.recurrent), np.array(weights.bias)]


# recurrence


@pytest.mark.parametrize(("features", "lower", "upper"), [(1, 1, 1), (2, 3, 2), (3, 2, 4)])
def test_two_layers_are_keras_own_on_top_of_each_other(features, lower, upper):
    first, second = layer(features, lower), layer(lower, upper)
    x = RNG.normal(size=(6, features))
    stack = [keras.layers.SimpleRNN(n, return_sequences=True) for n in (lower, upper)]
    h = x[None].astype(np.float32)
    outputs = []
    for keras_layer, weights in zip(stack, (first, second), strict=True):
        keras_layer.build(h.shape)
        keras_layer.set_weights(transposed(weights))
        h = keras_layer(h)
        outputs.append(np.array(h)[0])
    states = examples.two_layers(x.tolist(), first, second)
    for k, output in enumerate(outputs):
        np.testing.assert_allclose([state[k] for state in states], output, atol=2e-6)


def test_one_unit_by_hand():
    one, two = examples.Layer([[2.0]], [[0.5]], [0.1]), examples.Layer([[-1.0]], [[3.0]], [0.0])
    (h1, g1), (h2, g2) = examples.two_layers([[1.0], [0.0]], one, two)
    assert h1[0] == pytest.approx(np.tanh(2.1)) and g1[0] == pytest.approx(-np.tanh(h1[0]))
    assert h2[0] == pytest.approx(np.tanh(0.5 * h1[0] + 0.1))
    assert g2[0] == pytest.approx(np.tanh(-h2[0] + 3 * g1[0]))


def test_the_zoos_cells_are_the_formula():
    first, second = recurrent.draw_layer(RNG, 1), recurrent.draw_layer(RNG, 2)
    states = np.array(examples.two_layers(recurrent.PULSE, first, second))
    lower, upper, _ = recurrent.run_zoo_layers(first, second)
    np.testing.assert_allclose(lower, states[:, 0], atol=1e-6)
    np.testing.assert_allclose(upper, states[:, 1], atol=1e-6)


def test_a_steps_jacobian_is_its_finite_difference():
    weights, x = layer(2, 3), RNG.normal(size=2)
    before, tiny = RNG.uniform(-1, 1, 3), 1e-6

    def step(h):
        return np.tanh(examples.affine(weights, x, h))

    columns = [(step(before + d) - step(before - d)) / (2 * tiny) for d in tiny * np.eye(3)]
    jacobian = examples.state_jacobian(weights, step(before))
    np.testing.assert_allclose(jacobian, np.transpose(columns), atol=1e-8)


def test_the_gradient_fades_as_the_chain_rule_says_and_below_its_bound():
    first, second = recurrent.draw_layer(RNG, 1), recurrent.draw_layer(RNG, 2)
    hidden = [lower for lower, _ in examples.two_layers(recurrent.PULSE, first, second)]
    *_, jacobian = recurrent.run_zoo_layers(first, second)
    rows = recurrent.gradient_table(first, hidden, jacobian).rows
    _, chain, taped, bound = np.array(rows).T
    np.testing.assert_allclose(chain, taped, rtol=1e-4)
    assert np.all(chain <= bound)


# activations


@pytest.mark.parametrize(
    ("name", "value", "largest"),
    [("tanh", np.tanh, 1.0), ("sigmoid", scipy.special.expit, 0.25), ("relu", None, 1.0)],
)
def test_derivatives_of_activations(name, value, largest):
    formula, slope = examples.ACTIVATIONS[name]
    value = value or (lambda a: np.where(a > 0, a, 0.0))
    points, tiny = np.linspace(-4.99, 4.99, 400), 1e-5  # not 0, where ReLU has no slope
    differences = (value(points + tiny) - value(points - tiny)) / (2 * tiny)
    np.testing.assert_allclose([formula(a) for a in points], value(points), atol=1e-15)
    np.testing.assert_allclose([slope(a) for a in points], differences, atol=1e-9)
    np.testing.assert_allclose(recurrent.keras_derivatives(name, points), differences, atol=1e-9)
    assert max(map(slope, points)) <= largest
    assert slope(1e-9) == pytest.approx(largest)


# LSTM


def test_an_lstm_step_after_step_is_keras_own():
    names = ("input", "forget", "candidate", "output")  # Keras' order
    gates = {name: layer(2, 3) for name in names}
    x = RNG.normal(size=(5, 2))
    keras_layer = keras.layers.LSTM(3, return_sequences=True, return_state=True)
    keras_layer.build((1, 5, 2))
    parts = zip(*(transposed(gates[name]) for name in names), strict=True)
    keras_layer.set_weights([np.concatenate(part, axis=-1) for part in parts])
    sequence, _, cell = keras_layer(x[None].astype(np.float32))
    hidden, memory = [0.0] * 3, [0.0] * 3
    for t, values in enumerate(x.tolist()):
        step = examples.lstm_step(values, hidden, memory, gates)
        hidden, memory = step.hidden, step.cell
        np.testing.assert_allclose(hidden, sequence[0, t], atol=2e-6)
    np.testing.assert_allclose(memory, cell[0], atol=2e-6)


def test_an_lstm_by_hand():
    zero = examples.Layer([[0.0]], [[0.0]], [0.0])
    step = examples.lstm_step(
        [1.0], [0.3], [2.0], dict.fromkeys(("input", "forget", "candidate", "output"), zero)
    )
    assert (step.forget, step.input, step.output, step.candidate) == ([0.5], [0.5], [0.5], [0.0])
    assert step.cell == [1.0] and step.hidden[0] == pytest.approx(0.5 * np.tanh(1.0))


def test_the_product_of_forget_gates_is_exact_for_one_step_only():
    names = ("input", "forget", "candidate", "output")
    gates = {name: recurrent.draw_layer(RNG, 1, scale=1.2) for name in names}
    cell, steps = recurrent.make_lstm_cell(gates), recurrent.run_plain_lstm(gates)
    rows, worst_slope = recurrent.direct_path(cell, steps)
    counts, direct, exact, difference = np.array(rows).T
    np.testing.assert_allclose(direct, np.cumprod([step.forget[0] for step in steps]))
    np.testing.assert_allclose(difference, exact - direct)
    assert abs(difference[0]) < 1e-7
    assert np.abs(difference[1:] / direct[1:]).max() > 0.01
    assert worst_slope < 1e-6
    # the exact one, by finite differences of the written step
    ends = []
    for start in (-1e-5, 1e-5):
        hidden, memory = [0.0, 0.0], [start, 0.0]
        for x in recurrent.PULSE[:3]:
            step = examples.lstm_step(x, hidden, memory, gates)
            hidden, memory = step.hidden, step.cell
        ends.append(memory[0])
    assert exact[2] == pytest.approx((ends[1] - ends[0]) / 2e-5, abs=1e-6)
    assert list(counts) == list(range(1, 9))


# memory


def test_a_dense_layer_from_9x9_to_5x5_takes_8_1_kB():
    dense = keras.layers.Dense(25, use_bias=False)
    dense.build((None, 81))
    assert examples.dense_weights(9 * 9, 5 * 5) == dense.count_params() == 2025
    assert 4 * 2025 == 8100 and images.format_bytes(8100) == "8.1 kB"
    assert images.format_bytes(4 * (2025 + 25)) == "8.2 kB"  # biases would show


def test_a_dense_layer_from_full_hd_to_full_hd_takes_154_8_tb_in_colour_only():
    pixels = 1920 * 1080
    colour = 4 * examples.dense_weights(3 * pixels, 3 * pixels)
    assert colour == 154_793_410_560_000 and images.format_bytes(colour) == "154.8 TB"
    assert images.format_bytes(colour + 4 * 3 * pixels) == "154.8 TB"  # biases do not show
    assert images.format_bytes(4 * examples.dense_weights(pixels, pixels)) == "17.2 TB"


def test_a_convolution_has_the_weights_that_keras_counts():
    conv = keras.layers.Conv2D(7, (3, 5), use_bias=False)
    conv.build((None, 20, 20, 4))
    assert examples.convolution_weights((3, 5), 4, 7) == conv.count_params() == 420


def test_bytes_are_written_in_powers_of_a_thousand():
    sizes = [100, 999, 1000, 1_500_000, 2_000_000_000, 3e12]
    expected = ["100 B", "999 B", "1.0 kB", "1.5 MB", "2.0 GB", "3.0 TB"]
    assert [images.format_bytes(size) for size in sizes] == expected


# convolution


def test_the_ring_answers_as_printed():
    response = examples.convolve(examples.IMAGE, examples.RING)
    assert response == [[4, 4, 6], [6, 5, 4], [3, 4, 5]]
    turned = scipy.signal.convolve2d(examples.IMAGE, examples.RING, mode="valid")
    np.testing.assert_array_equal(response, turned)  # the ring is symmetric


def test_the_images_are_the_lectures():
    image = "1 0 1 1 0; 1 1 1 0 1; 0 0 0 1 1; 1 1 1 0 0; 0 0 1 1 0"
    pooled = "2 5 3 1; 4 8 9 1; 5 4 7 3; 0 4 1 2"
    ring = "1 1 1; 1 0 1; 1 1 1"
    shown = zip(
        (examples.IMAGE, examples.POOLED_IMAGE, examples.RING), (image, pooled, ring), strict=True
    )
    for ours, printed in shown:
        assert images.format_matrix(ours) == printed.replace(";", " /")


def test_convolution_is_correlation():
    image, kernel = RNG.normal(size=(6, 7)), RNG.normal(size=(2, 3))
    ours = examples.convolve(image.tolist(), kernel.tolist())
    np.testing.assert_allclose(ours, scipy.signal.correlate2d(image, kernel, mode="valid"))
    turned = scipy.signal.convolve2d(image, kernel, mode="valid")
    assert np.abs(np.array(ours) - turned).max() > 0.1
    by_keras = images.apply_layer(
        keras.layers.Conv2D(1, (2, 3), use_bias=False), image, [kernel[..., None, None]]
    )
    np.testing.assert_allclose(by_keras, ours, atol=1e-5)


# sizes


def test_the_output_size_is_the_number_of_places():
    for size, kernel, stride, padding in product(range(1, 10), range(1, 6), (1, 2, 3), range(3)):
        places = sum(
            start + kernel <= size + 2 * padding for start in range(0, size + 2 * padding, stride)
        )
        if places:
            assert examples.output_size(size, kernel, stride, padding) == places
        else:
            with pytest.raises(ValueError, match="must fit"):
                examples.output_size(size, kernel, stride, padding)


@pytest.mark.parametrize(("size", "kernel"), [(5, 3), (9, 5), (28, 7)])
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 2])
def test_the_output_size_is_keras(size, kernel, stride, padding):
    expected = images.keras_output_size(size, kernel, stride, padding)
    assert examples.output_size(size, kernel, stride, padding) == expected


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (7, 3)])
def test_the_padding_that_keeps_a_size(kernel, padding):
    assert examples.same_padding(kernel) == examples.SAME_PADDING[kernel] == padding
    for size in (7, 28, 224):
        assert examples.output_size(size, kernel, 1, padding) == size


@pytest.mark.parametrize("kernel", [2, 4, 0, -1])
def test_no_even_padding_keeps_a_size_under_an_even_kernel(kernel):
    with pytest.raises(ValueError, match="odd"):
        examples.same_padding(kernel)


# pooling


@pytest.mark.parametrize(
    ("how", "printed"),
    [
        ("max", [[8, 9], [5, 7]]),
        ("min", [[2, 1], [0, 1]]),
        ("mean", [[4.75, 3.5], [3.25, 3.25]]),
    ],
)
def test_pooling_as_printed(how, printed):
    np.testing.assert_array_equal(examples.POOLED[how], printed)
    np.testing.assert_array_equal(examples.pool(examples.POOLED_IMAGE, 2, how), printed)
    by_keras = images.apply_layer(images.POOLING[how](2), examples.POOLED_IMAGE)
    np.testing.assert_array_equal(by_keras, printed)


@pytest.mark.parametrize("how", ["max", "min", "mean"])
def test_pooling_is_numpys_over_tiles(how):
    image = RNG.normal(size=(6, 9))
    expected = getattr(image.reshape(2, 3, 3, 3), how)(axis=(1, 3))
    np.testing.assert_allclose(examples.pool(image.tolist(), 3, how), expected)


# AlexNet


def test_alexnet_has_62_million_parameters():
    rows = examples.alexnet()
    assert [row.parameters for row in rows if row.parameters] == [
        34_944,
        614_656,
        885_120,
        1_327_488,
        884_992,
        37_752_832,
        16_781_312,
        4_097_000,
    ]
    assert sum(row.parameters for row in rows) == 62_378_344
    assert [row.output[0] for row in rows[:8]] == [55, 27, 27, 13, 13, 13, 13, 6]
    assert images.totals(rows)[2] == 62_378_344


def test_alexnet_in_two_groups_has_60_965_224_parameters():
    assert sum(row.parameters for row in examples.alexnet(groups=2)) == 60_965_224


def test_alexnet_on_224_pixels_would_lose_a_row_and_twelve_million_parameters():
    rows = examples.alexnet(224)
    assert rows[0].output[0] == 54 and rows[7].output == (5, 5, 256)
    lost = 62_378_344 - sum(row.parameters for row in rows)
    assert lost == (36 - 25) * 256 * 4096
    with pytest.raises(ValueError, match="must fit"):
        examples.alexnet(size=40)


# the page


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the command prints, on both streams, and the page that it writes."""
    folder = tmp_path_factory.mktemp("lecture")
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        assert command.main(["--out", str(folder), "--seed", "3"]) == 0
    return SimpleNamespace(
        table=out.getvalue(), progress=err.getvalue(), path=folder / "report.html"
    )


def test_every_printed_number_comes_out(run):
    lines = run.table.strip().splitlines()[2:]
    assert len(lines) == 10
    assert all(re.search(r"  yes  ", line) for line in lines)
    for number in ("8.1 kB", "154.8 TB", "4 4 6", "6 5 4", "3 4 …", "3→1, 5→2, 7→3", "62 million"):
        assert re.search(rf"  {re.escape(number)} +{re.escape(number)}  ", run.table)
    networks = [f"{what} of {name}" for what in ("features", "filters") for name in NETWORKS]
    assert run.progress.splitlines() == [*networks, f"report: {run.path}"]
    assert "Of 10 printed results 10 agree" in run.path.read_text()


def test_the_page_has_every_section_and_every_figure(run):
    page = run.path.read_text()
    assert re.findall(r"<h2>(.*?)</h2>", page) == [s.replace("'", "&#x27;") for s in SECTIONS]
    figures = re.findall(r'<figure id="(\w+)">', page)
    of_networks = [
        f"{what}_{name}".replace("-", "_") for what in ("hierarchy", "filters") for name in NETWORKS
    ]
    assert figures == ["activations", "ring", "pooling", "sound", "front_ends", *of_networks]
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    for name, picture in zip(figures, pictures, strict=True):
        assert base64.b64decode(picture) == run.path.with_name(f"{name}.png").read_bytes()
    assert "python -m recipes.lecture --seed 3" in page


def test_the_patches_that_excite_a_filter_can_be_heard(run):
    players = re.findall(r'audio/ogg;base64,([^"]+)', run.path.read_text())
    assert len(players) == (4 + 3) * 2  # layers of both networks, filters
    sound, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(players[0])))
    # nine patches of 0.1 to 0.6 s, half as long at the edge of a clip; ten pauses of 0.15 s
    assert 9 * 0.05 + 1.5 < len(sound) / rate_hz < 9 * 0.6 + 1.6
    assert 0.3 < np.abs(sound).max() < 0.7


def test_the_page_has_no_raw_markup_and_a_square_is_no_layer(run):
    body = re.sub(r"base64,[^\"]+", "", run.path.read_text()).split("<body>")[1]
    assert "`" not in body and "_{" not in body and "^" not in body
    assert not re.search(r"(?<![a-z])h²", body)  # a square of h, unless it is tanh²
    assert "h⁽²⁾<sub>t−1</sub>" in body and "h<sub>t</sub>²" in body


def test_the_page_needs_no_network_and_fits_into_a_mail(run):
    assert run.path.stat().st_size < 5e6
    page = re.sub(r"base64,[^\"]+", "", run.path.read_text())
    assert not re.search(r"https?:|<script[^>]* src|<link|@import|url\(", page)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', page))


def test_the_page_says_what_does_not_hold_as_printed(run):
    page = run.path.read_text()
    doubts = page[page.index("<h2>Statements that need a condition</h2>") :]
    for word in ("17.2 TB", "three channels in and out", "60,965,224", "227", "odd kernels"):
        assert word in doubts


def test_a_number_that_differs_is_marked():
    claims = [examples.Claim("a", "8.1 kB", "8.2 kB", "-"), examples.Claim("b", "1", "1", "-")]
    assert [row[3] for row in experiment.claim_table(claims).rows] == ["NO", "yes"]


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="--seed must be 0 or more"):
        Settings(seed=-1)


@pytest.mark.parametrize("seed", ["x", "1.5"])
def test_a_mistyped_seed_is_one_line(seed, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["--seed", seed])
    assert caught.value.code == 2
    assert "--seed" in capsys.readouterr().err.splitlines()[-1]
