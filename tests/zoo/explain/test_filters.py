"""First filters stand at the bands and times of the front end, by librosa's mel scale."""

import keras
import librosa
import numpy as np
import pytest
from keras import layers

from zoo import plots
from zoo.explain.filters import first_filters
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

RATE = 8000


def model(front: FrontEnd, *, normalised: bool = False, pool: int = 1) -> keras.Model:
    waveform = keras.Input((RATE,), name="waveform")
    x = Spectrogram(front, name="spectrogram")(waveform)
    if pool > 1:
        x = layers.MaxPooling2D(pool)(x)
    x = Standardize(name="standardize", per_band=False)(x)
    x = layers.Conv2D(3, (4, 5), name="first", use_bias=not normalised)(x)
    if normalised:
        x = layers.BatchNormalization(name="norm")(x)
    y = layers.Dense(2, name="probabilities", activation="softmax")(
        layers.GlobalAveragePooling2D()(x)
    )
    return keras.Model(waveform, {"probabilities": y})


def test_edges_are_the_middles_between_the_peaks_of_mel_bands():
    front = FrontEnd(sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, mels=40, fmin_hz=60.0)
    result = first_filters(model(front))
    points = librosa.mel_frequencies(42, fmin=60.0, fmax=4000.0)
    edges = (points[:-1] + points[1:]) / 2
    assert result.spans_hz[0] == pytest.approx((edges[0], edges[5]))
    assert result.spans_hz[2] == pytest.approx((edges[-6], edges[-1]))
    assert result.edges_hz[0] < 1000 < result.edges_hz[-1]
    assert set(result.edges_hz.round(6)) <= set(edges.round(6))
    np.testing.assert_allclose(result.times_ms, [0, 16, 32, 48, 64])
    assert result.window_ms == 32


def test_bins_and_poolings_have_their_widths():
    front = FrontEnd(sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, scale="linear", fmin_hz=0)
    np.testing.assert_allclose(np.diff(first_filters(model(front)).edges_hz), 31.25)  # 8000 / 256
    pooled = first_filters(model(front, pool=2))
    np.testing.assert_allclose(np.diff(pooled.edges_hz), 62.5)
    np.testing.assert_allclose(np.diff(pooled.times_ms), 32)


def test_weights_are_those_behind_the_normalisation():
    front = FrontEnd(sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, mels=40)
    net = model(front, normalised=True)
    gamma, beta, mean, variance = np.array([2.0, -1.0, 0.5]), np.ones(3), np.ones(3), np.full(3, 4)
    net.get_layer("norm").set_weights([gamma, beta, mean, variance])
    kernel = net.get_layer("first").get_weights()[0][:, :, 0]
    expected = np.moveaxis(kernel * gamma / np.sqrt(4 + 1e-3), 2, 0)
    np.testing.assert_allclose(first_filters(net).weights, expected, rtol=1e-5)


def test_the_picture_has_hertz_milliseconds_and_one_scale():
    weights = np.random.default_rng(0).normal(size=(10, 4, 5))
    times_ms, edges_hz = 16.0 * np.arange(5), np.geomspace(900, 1200, 6)
    figure = plots.first_filters(weights, times_ms, edges_hz, [f"{k}" for k in range(10)])
    assert figure.axes[0].get_ylabel() == "frequency [Hz]"
    assert figure.axes[9].get_xlabel() == figure.axes[7].get_xlabel() == "time [ms]"
    meshes = [panel.collections[0] for panel in figure.axes[:10]]
    limit = np.abs(weights).max()
    assert {mesh.get_clim() for mesh in meshes} == {(-limit, limit)}
    corners = meshes[0].get_coordinates()
    np.testing.assert_allclose(corners[:, 0, 1], edges_hz)  # true widths
    assert figure.axes[-1].get_ylabel() == "response per standard deviation of level [-]"
    with pytest.raises(ValueError, match="`weights` must have shape"):
        plots.first_filters(weights, times_ms[1:], edges_hz, [f"{k}" for k in range(10)])
