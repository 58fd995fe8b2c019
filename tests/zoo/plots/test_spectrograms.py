"""Spectrograms: axes, ranges, and bands that are not evenly spaced."""

import io
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import SpectrogramImage, spectrograms, waveform_and_spectrogram


def sound(frames=6, bands=4, **settings):
    level = np.arange(frames * bands, dtype=float).reshape(frames, bands)
    times_s, frequencies_hz = 0.1 * np.arange(frames), 500.0 * np.arange(bands)
    return SpectrogramImage(level, times_s, frequencies_hz, "power [dB]", **settings)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return matplotlib.image.imread(io.BytesIO(file.getvalue()))


def test_a_pixel_lies_at_its_time_and_frequency():
    figure = waveform_and_spectrogram(np.linspace(-1, 1, 600), 1000, sound())
    wave, picture, _ = figure.axes
    np.testing.assert_allclose(wave.lines[0].get_xdata()[[0, -1]], [0, 0.599])
    (image,) = picture.images
    np.testing.assert_allclose(image.get_extent(), [-0.05, 0.55, -0.25, 1.75])  # s, kHz
    np.testing.assert_array_equal(image.get_array(), sound().level.T)
    assert picture.get_xlim() == wave.get_xlim() == (0, 0.6)


def test_uneven_bands_have_equal_height_and_their_frequency_as_label():
    figure = spectrograms({"mel": sound(bands=5, is_banded=True)})
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
        (lambda: spectrograms({}), "at least one"),
        (lambda: spectrograms({"a": replace(sound(), times_s=[0.0])}), "time, frequency"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
