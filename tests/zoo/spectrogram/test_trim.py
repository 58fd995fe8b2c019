"""Trim cuts where librosa would, repeats what sounds, and leaves alone what sounds all along."""

from dataclasses import replace

import keras
import librosa
import numpy as np
import pytest

from zoo import presets
from zoo.convnets import standardize_of
from zoo.export.precision import measure_precisions
from zoo.spectrogram import FrontEnd, Spectrogram, Trim

RATE = 8000
FRONT = FrontEnd(sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, mels=16)
RNG = np.random.default_rng(0)


def spectrogram(first: int, last: int, frames: int = 50) -> np.ndarray:
    """Sound from one frame to another, in digital silence."""
    x = np.full((1, frames, 16, 1), -100.0)
    x[:, first : last + 1] = RNG.uniform(-30, -10, (1, last + 1 - first, 16, 1))
    return x.astype(np.float32)


@pytest.mark.parametrize(("first", "last"), [(0, 9), (7, 20), (40, 49), (3, 3), (0, 49)])
def test_what_sounds_is_repeated_over_the_whole_clip(first, last):
    x = spectrogram(first, last)
    expected = np.resize(x[0, first : last + 1], x.shape[1:])
    np.testing.assert_array_equal(Trim()(x)[0], expected)


def test_each_clip_of_a_batch_is_cut_by_itself():
    clips = [spectrogram(0, 9), spectrogram(30, 45), spectrogram(5, 49)]
    together = Trim()(np.concatenate(clips))
    for k, clip in enumerate(clips):
        np.testing.assert_array_equal(together[k], Trim()(clip)[0])


def test_pauses_and_silent_clips_stay():
    paused = spectrogram(0, 49)
    paused[:, 10:30] = -100
    np.testing.assert_array_equal(Trim()(paused), paused)
    silent = np.full((1, 50, 16, 1), -100, np.float32)
    np.testing.assert_array_equal(Trim()(silent), silent)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_clip(odd):
    whole, part = np.full((1, 50, 16, 1), odd, np.float32), spectrogram(10, 20)
    np.testing.assert_array_equal(Trim()(whole), whole)
    part[0, 12] = odd
    frames = np.array(Trim().frames(part))
    assert frames.min() >= 0 and frames.max() < 50


def test_loudness_decides_nothing():
    x = spectrogram(12, 30) + RNG.uniform(-20, 0, (1, 50, 16, 1)).astype(np.float32)
    np.testing.assert_array_equal(Trim(40).frames(x), Trim(40).frames(x - 30))


@pytest.mark.parametrize("range_db", [30.0, 60.0])
def test_it_cuts_where_librosa_cuts(range_db):
    t = np.arange(2 * RATE) / RATE
    swell = np.exp(-(((t - 1.1) / 0.25) ** 2))  # rises out of silence and falls back
    waveform = (0.5 * swell * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    _, (first, last) = librosa.effects.trim(
        waveform, top_db=range_db, frame_length=FRONT.window, hop_length=FRONT.hop
    )
    frames = np.array(Trim(range_db).frames(Spectrogram(FRONT)(waveform[None])))[0]
    # librosa uses a rectangular window, whose edges still count where those of Hann's do not
    assert abs(frames.min() - first / FRONT.hop) <= 1
    assert abs(frames.max() + 1 - last / FRONT.hop) <= 1


def test_it_is_saved_with_its_settings(tmp_path):
    x = keras.Input((50, 16, 1))
    model = keras.Model(x, Trim(25.0)(x))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.layers[-1].range_db == 25
    value = spectrogram(4, 20)
    np.testing.assert_array_equal(model(value), again(value))
    with pytest.raises(ValueError, match="positive"):
        Trim(0.0)


def test_a_file_with_built_in_operations_trims_as_well():
    x = waveform = keras.Input((RATE,), name="waveform")
    for layer in (Spectrogram(FRONT), Trim(name="normalise")):
        x = layer(x)
    x = keras.layers.Conv2D(4, 3, activation="relu")(x)
    x = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(waveform, {"probabilities": x})
    clips = np.zeros((4, RATE), np.float32)
    for clip, (first, last) in zip(
        clips, [(0, 2000), (3000, 3500), (6000, 8000), (0, 8000)], strict=True
    ):
        clip[first:last] = RNG.normal(size=last - first) * 0.1
    results = measure_precisions(
        model, clips, examples=clips, front="normalise", weights=("float32", "int8")
    )
    for name, worst in {"float32": 1e-5, "int8": 0.05}.items():
        differences = np.abs(results[name].predictions - model(clips)["probabilities"])
        assert differences.max() < worst, name


def test_a_classifier_of_whole_clips_trims_and_its_stream_does_not():
    whole = presets.sound("residual_tiny", 3, sample_rate_hz=RATE, duration_s=1.0)
    silence = np.zeros((1, RATE), np.float32)
    early, late = silence.copy(), silence.copy()
    early[:, 1280:3840] = late[:, 4320:6880] = RNG.normal(size=2560) * 0.1
    standardize_of(whole).adapt(whole.get_layer("spectrogram")(np.concatenate([early, late])))
    answers = [whole(x)["probabilities"] for x in (early, late)]
    np.testing.assert_allclose(*answers, atol=1e-6)
    causal = presets.sound("residual_tiny_causal", 3, sample_rate_hz=RATE, duration_s=1.0)
    assert "trim" not in [layer.name for layer in causal.layers]
    loud = replace(FRONT, level="pcen")  # has no decibels to measure in
    other = presets.sound("residual_tiny", 3, duration_s=1.0, front_end=loud)
    assert "trim" not in [layer.name for layer in other.layers]
