"""Prominence: tones that come and go stay, noise, colour, loudness and hum do not."""

import keras
import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from zoo.spectrogram import FrontEnd, Prominence, Spectrogram

RATE = 4000
FRONT = FrontEnd(
    sample_rate_hz=RATE,
    window_s=0.064,
    hop_s=0.04,
    n_fft=512,
    scale="linear",
    fmin_hz=60,
    fmax_hz=1060,
)
RNG = np.random.default_rng(0)


def prominence(waveform):
    return np.array(Prominence(16)(Spectrogram(FRONT)(waveform[None].astype("float32"))))[
        0, :, :, 0
    ]


def test_it_is_the_height_above_the_smoothed_spectrum_less_its_mean():
    x = RNG.normal(size=(2, 20, 50, 1)).astype("float32")
    smooth = uniform_filter1d(x.astype(float), 9, axis=2, mode="constant")
    smooth /= uniform_filter1d(np.ones(x.shape), 9, axis=2, mode="constant")  # only what is there
    above = x - smooth
    np.testing.assert_allclose(Prominence(4)(x), above - above.mean(1, keepdims=True), atol=1e-5)


def test_edges_that_are_repeated_are_those_of_scipy():
    x = RNG.normal(size=(2, 20, 50, 1)).astype("float32")
    above = x - uniform_filter1d(x.astype(float), 9, axis=2, mode="nearest")
    expected = above - above.mean(1, keepdims=True)
    np.testing.assert_allclose(Prominence(4, "nearest")(x), expected, atol=1e-5)


def test_a_tone_that_comes_and_goes_stands_out_and_hum_does_not():
    t = np.arange(4 * RATE) / RATE
    noise = 0.01 * RNG.normal(size=t.size)
    wheeze = 0.05 * np.sin(2 * np.pi * 400 * t) * ((t > 1) & (t < 1.4))
    hum = 0.2 * np.sin(2 * np.pi * 700 * t)
    height = prominence(noise + wheeze + hum)
    times, hz = FRONT.times_s(len(height)), FRONT.frequencies_hz
    time, band = np.unravel_index(height.argmax(), height.shape)
    assert 1 < times[time] < 1.4 and abs(hz[band] - 400) < 8
    assert height.max() > 20
    steady = (times > 0.3) & (times < 3.7)  # zeros beyond the ends end the hum as well
    assert abs(height[steady, np.abs(hz - 700).argmin()]).max() < 5  # of more than 30


def test_loudness_and_slow_colour_leave_no_trace():
    noise = 0.01 * RNG.normal(size=2 * RATE)
    np.testing.assert_allclose(prominence(noise), prominence(10 * noise), atol=2e-3)


def test_it_is_saved_with_its_settings(tmp_path):
    x = keras.Input((20, 50, 1))
    model = keras.Model(x, Prominence(4)(x))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    value = RNG.normal(size=(1, 20, 50, 1)).astype("float32")
    np.testing.assert_allclose(model(value), again(value))
    with pytest.raises(ValueError, match="1 or more"):
        Prominence(0)
