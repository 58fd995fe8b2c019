import io

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import (
    Activation,
    Matrix,
    SoundImage,
    activations,
    matrices,
    spectrograms,
    waveform_and_spectrogram,
)

POINTS = np.linspace(-2, 2, 9)


def sound(frames=6, bands=4, **settings):
    level = np.arange(frames * bands, dtype=float).reshape(frames, bands)
    times_s, frequencies_hz = 0.1 * np.arange(frames), 500.0 * np.arange(bands)
    return SoundImage(level, times_s, frequencies_hz, "power [dB]", **settings)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return matplotlib.image.imread(io.BytesIO(file.getvalue()))


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_a_function_stands_beside_its_slope():
    figure = activations(POINTS, {"tanh": Activation(np.tanh(POINTS), 1 - np.tanh(POINTS) ** 2)})
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), np.tanh(POINTS))
    np.testing.assert_allclose(right.lines[0].get_ydata(), 1 - np.tanh(POINTS) ** 2)
    assert words(left) == words(right) == ["tanh"]
    assert np.ptp(drawn(figure)) > 0.5


def test_every_number_of_a_matrix_is_written_in_its_cell():
    figure = matrices(
        {"a": Matrix([[1, 2.5], [3, 4]], [(0, 1, 1)]), "b": Matrix([[7]])}, between=("→",)
    )
    (axes,) = figure.axes
    assert words(axes) == ["1", "2.5", "3", "4", "a", "→", "7", "b", ""]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places["2.5"] == (1.5, 0.5) and places["3"] == (0.5, 1.5)
    assert places["→"] == (2.5, 1) and places["7"] == (3.5, 1)  # centred on the taller matrix
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # rows run down
    (frame,) = axes.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (1, 0, 1)
    assert np.ptp(drawn(figure)) > 0.5


def test_a_pixel_lies_at_its_time_and_frequency():
    figure = waveform_and_spectrogram(np.linspace(-1, 1, 600), 1000, sound())
    wave, picture, _ = figure.axes
    np.testing.assert_allclose(wave.lines[0].get_xdata()[[0, -1]], [0, 0.599])
    (image,) = picture.images
    np.testing.assert_allclose(image.get_extent(), [-0.05, 0.55, -0.25, 1.75])  # s, kHz
    np.testing.assert_array_equal(image.get_array(), sound().level.T)
    assert picture.get_xlim() == wave.get_xlim() == (0, 0.6)


def test_uneven_bands_are_counted_and_named_by_their_frequency():
    figure = spectrograms({"mel": sound(bands=5, counted=True)})
    axes = figure.axes[0]
    assert axes.images[0].get_extent()[2:] == [-0.5, 4.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "0.5", "1", "1.5", "2"]


def test_a_row_shares_its_time_axis_and_rows_do_not():
    figure = spectrograms({"a": sound(6), "b": sound(4), "c": sound(9)})
    limits = {axes.get_title(loc="left"): axes.get_xlim() for axes in figure.axes[:3]}
    assert limits["a"] == limits["b"] == pytest.approx((-0.05, 0.55))
    assert limits["c"] == pytest.approx((-0.05, 0.85))
    assert np.ptp(drawn(figure)) > 0.5


def test_a_range_bounds_the_colours():
    image = spectrograms({"a": sound(range=(3.0, 9.0))}).axes[0].images[0]
    assert image.get_clim() == (3.0, 9.0)
    assert spectrograms({"a": sound()}).axes[0].images[0].get_clim() == (0.0, 23.0)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: activations(POINTS, {}), "at least one"),
        (lambda: activations(POINTS, {"a": Activation(POINTS, POINTS[1:])}), "must have shape"),
        (lambda: matrices({}), "at least one"),
        (lambda: matrices({"a": Matrix([[1]])}, between=("=",)), "0 entries"),
        (lambda: spectrograms({}), "at least one"),
        (lambda: spectrograms({"a": sound()._replace(times_s=[0.0])}), "time, frequency"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
