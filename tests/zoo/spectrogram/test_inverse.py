"""Inverse spectrograms: exact with phases, close without."""

from dataclasses import replace

import librosa
import numpy as np
import pytest

from zoo.spectrogram import (
    PRESETS,
    FrontEnd,
    Spectrogram,
    Standardize,
    griffin_lim,
    istft,
    reconstruct_magnitude,
    reconstruct_waveform,
    stft,
)

presets = pytest.mark.parametrize("name", PRESETS)


def chord(rate_hz: float, seconds: float = 1.0) -> np.ndarray:
    """Three gliding tones that come and go, (samples,)."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * (f * t + 40 * t**2)) for f in (220.0, 550.0, 1100.0))
    return (0.1 * tones * np.sin(np.pi * t / seconds)).astype("float32")


def distance(result: np.ndarray, expected: np.ndarray) -> float:
    return np.linalg.norm(result - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("padding", ["centred", "causal", "valid"])
@presets
def test_istft_is_exact_where_frames_reach(name, padding):
    front_end = replace(PRESETS[name], padding=padding)
    waveform = np.random.default_rng(0).normal(0, 0.1, 5000)
    result = istft(stft(waveform, front_end), front_end, 5000)
    assert result.shape == (5000,)
    # Frames end up to a hop before the clip does; a periodic Hann window starts with a zero.
    last = (front_end.frames(5000) - 1) * front_end.hop + front_end.window - front_end.zeros[0]
    first = 1 if padding == "valid" else 0
    np.testing.assert_allclose(result[first:last], waveform[first : min(last, 5000)], atol=1e-9)
    assert last > 5000 - front_end.hop
    assert not result[last:].any()


@presets
def test_stft_equals_librosa_phases_included(name):
    front_end = replace(PRESETS[name], padding="centred")
    waveform = np.random.default_rng(1).normal(0, 0.1, 5000)
    expected = librosa.stft(
        waveform,
        n_fft=front_end.fft_length,
        hop_length=front_end.hop,
        win_length=front_end.window,
    )
    np.testing.assert_allclose(stft(waveform, front_end), expected.T, atol=1e-12)


def test_istft_is_the_least_squares_solution():
    """Against the normal equations, written out as a matrix."""
    front_end = FrontEnd(
        sample_rate_hz=1600, window_s=0.025, hop_s=0.010, padding="valid", scale="linear"
    )
    rng = np.random.default_rng(2)
    analysis = np.stack([stft(unit, front_end).ravel() for unit in np.eye(120)], axis=1)
    spectrum = stft(rng.normal(size=120), front_end)
    spectrum = spectrum + 0.1 * (rng.normal(size=spectrum.shape) + 0j)
    # rfft keeps half of the bins: the others count again.
    twice = np.full(spectrum.shape, np.sqrt(2.0))
    twice[:, [0, -1]] = 1
    rows = twice.ravel()[:, None] * analysis
    target = (twice * spectrum).ravel()
    solution, *_ = np.linalg.lstsq(
        np.vstack([rows.real, rows.imag]), np.concatenate([target.real, target.imag]), rcond=None
    )
    reached = slice(1, 120 - (120 - 40) % 16)
    np.testing.assert_allclose(
        istft(spectrum, front_end, 120)[reached], solution[reached], atol=1e-9
    )


@presets
def test_griffin_lim_finds_a_waveform_of_this_magnitude(name):
    front_end = replace(PRESETS[name], padding="centred", hop_s=PRESETS[name].window_s / 4)
    magnitude = np.abs(stft(chord(front_end.sample_rate_hz), front_end))

    def misfit(**settings):
        result = griffin_lim(magnitude, front_end, int(front_end.sample_rate_hz), **settings)
        return distance(np.abs(stft(result, front_end)), magnitude)

    assert misfit(iterations=0) > 0.4
    assert misfit(iterations=60) < 0.1
    assert misfit(iterations=60) < misfit(iterations=60, momentum=0)


def test_griffin_lim_is_repeatable_by_its_seed():
    front_end = PRESETS["respiratory"]
    magnitude = np.abs(stft(chord(4000), front_end))
    first, again, other = (griffin_lim(magnitude, front_end, 4000, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert distance(other, first) > 0.01


@pytest.mark.parametrize("level", ["decibel", "log", "pcen", "linear"])
@pytest.mark.parametrize("power", [1, 2])
@presets
def test_levels_and_bands_are_undone(name, power, level):
    """The bands of the reconstructed magnitude are those of the spectrogram."""
    front_end = replace(PRESETS[name], power=power, level=level)
    rng = np.random.default_rng(3)
    waveform = rng.normal(0, 0.1, (1, int(front_end.sample_rate_hz))).astype("float32")
    spectrogram = Spectrogram(front_end)(waveform)
    standardize = Standardize()
    standardize.adapt(spectrogram)
    magnitude = reconstruct_magnitude(
        standardize(spectrogram)[0], front_end, standardize, iterations=300
    )
    bands = np.square(magnitude) if power == 2 else magnitude
    expected = Spectrogram(replace(front_end, level="linear"))(waveform)[0, ..., 0]
    assert distance(bands @ front_end.mel_weights(), expected) < 5e-3


def test_linear_bins_come_back_exactly():
    front_end = replace(PRESETS["respiratory"], scale="linear", fmin_hz=0)
    waveform = chord(4000)
    spectrogram = Spectrogram(front_end)(waveform[None])[0]
    expected = np.abs(stft(waveform, front_end))
    assert distance(reconstruct_magnitude(spectrogram, front_end), expected) < 1e-5


@presets
def test_a_mel_spectrogram_sounds_like_its_waveform(name):
    """What was loud comes back within 3 dB, and nothing clicks at the ends."""
    front_end = replace(PRESETS[name], hop_s=PRESETS[name].window_s / 4)
    waveform = chord(front_end.sample_rate_hz)
    spectrogram = Spectrogram(front_end)(waveform[None])[0]
    result = reconstruct_waveform(spectrogram, front_end, samples=waveform.size)
    assert result.shape == waveform.shape
    again = Spectrogram(front_end)(result[None].astype("float32"))[0]
    unit = 1.0 if front_end.level == "decibel" else 0.115  # nepers for a decibel
    loud = spectrogram.numpy() > spectrogram.numpy().max() - 25 * unit
    assert np.abs(again - spectrogram)[loud].mean() < 3 * unit
    assert np.abs(result).max() < 2 * np.abs(waveform).max()


def test_a_spectrogram_of_another_front_end_is_refused():
    with pytest.raises(ValueError, match=r"\(time, 64\)"):
        reconstruct_magnitude(np.zeros((10, 40)), PRESETS["yamnet"])
