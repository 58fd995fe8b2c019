"""Spectrograms by NumPy and SciPy: the layer's, and librosa's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import librosa
import numpy as np
import pytest

from zoo.spectrogram import PRESETS, Spectrogram, Standardize
from zoo.spectrogram.arrays import array_function

FRONT_ENDS = PRESETS | {
    "wide transform": replace(PRESETS["hearing_aid"], n_fft=1024, power=1, scale="htk", norm=None),
    "linear scale": replace(
        PRESETS["respiratory"], scale="linear", level="linear", fmin_hz=100.0, fmax_hz=900.0
    ),
    "logarithm of magnitudes": replace(PRESETS["respiratory"], power=1, level="log", floor=1e-3),
}


def sound(front_end, seconds=1.3, seed=0):
    """Noise over 100 dB and a second half of digital silence."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * front_end.sample_rate_hz)
    level = 10.0 ** rng.uniform(-5, 0, (1 + samples // 500, 1))
    x = (level * rng.uniform(-1, 1, (len(level), 500))).ravel()[:samples]
    x[samples // 2 :] = 0.0
    return x.astype(np.float32)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_an_array_has_the_spectrogram_of_the_layer(name):
    layer = Spectrogram(FRONT_ENDS[name])
    function = array_function(layer)
    for seed, seconds in ((0, 1.3), (1, 0.7), (0, 1.3)):  # memory of another length in between
        x = sound(layer.front_end, seconds, seed)
        expected = np.asarray(layer(x[None]))[0]
        actual = function(x)
        assert actual.dtype == np.float32 and actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-5)


def test_it_is_librosas_default_mel_spectrogram():
    x = sound(PRESETS["librosa"])
    power = librosa.feature.melspectrogram(y=x.astype(float), sr=22_050, pad_mode="constant")
    expected = librosa.power_to_db(power, top_db=None).T
    actual = array_function(Spectrogram(PRESETS["librosa"]))(x)[..., 0]
    np.testing.assert_allclose(actual, expected, atol=1e-3)


def test_several_threads_may_call_it_at_once():
    function = array_function(Spectrogram(PRESETS["hearing_aid"]))
    clips = [sound(PRESETS["hearing_aid"], seed=seed) for seed in range(8)]
    alone = [function(clip) for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(function, clips))
    np.testing.assert_array_equal(together, alone)


def test_other_front_ends_are_left_to_the_graph():
    settings = PRESETS["hearing_aid"]
    waveform = keras.Input((16_000,))
    plain = keras.Model(waveform, Spectrogram(settings)(waveform))
    assert array_function(plain) is not None
    scaled = keras.Model(waveform, Standardize()(Spectrogram(settings)(waveform)))

    class Louder(Spectrogram):
        def call(self, waveform):
            return super().call(2.0 * waveform)

    pcen = Spectrogram(replace(settings, level="pcen"))
    for other in (scaled, Louder(settings), pcen, np.square, keras.Sequential([])):
        assert array_function(other) is None


def test_a_waveform_shorter_than_a_frame_is_refused_as_by_the_layer():
    layer = Spectrogram(PRESETS["yamnet"])
    short = np.zeros(100, np.float32)
    for call in (array_function(layer), lambda x: layer(x[None])):
        with pytest.raises(ValueError, match=r"must fill one frame\. Received: 100 samples"):
            call(short)
