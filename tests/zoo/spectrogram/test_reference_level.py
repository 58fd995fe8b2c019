"""ReferenceLevel: the gain of a recording does not count, a click does not either."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from zoo import presets
from zoo.convnets import standardize_of
from zoo.spectrogram import ReferenceLevel

RATE = 8000
RNG = np.random.default_rng(0)


def tone(rms_db: float, samples: int = 8000) -> np.ndarray:
    """1 kHz, a whole number of periods in a frame of 20 ms; (1, samples)."""
    wave = np.sqrt(2) * np.sin(2 * np.pi * 1000 / RATE * np.arange(samples))
    return (10 ** (rms_db / 20) * wave)[None].astype(np.float32)


def level_db(x) -> float:
    return 10 * np.log10(np.mean(np.square(np.array(x, np.float64))))


@pytest.mark.parametrize("rms_db", [-3, -20, -43, -79])
def test_a_tone_of_any_level_comes_out_at_the_reference(rms_db):
    assert level_db(ReferenceLevel(RATE)(tone(rms_db))) == pytest.approx(-20, abs=1e-3)


def test_silence_stays_silence_and_the_gain_is_bounded():
    layer = ReferenceLevel(RATE, max_gain_db=60)
    np.testing.assert_array_equal(layer(np.zeros((1, 8000), np.float32)), 0)
    assert level_db(layer(tone(-100))) == pytest.approx(-40, abs=1e-3)


def test_a_click_changes_nothing_and_a_short_sound_is_heard():
    layer = ReferenceLevel(RATE)
    x = tone(-40)
    clicked = x.copy()
    clicked[0, 4000] = 1  # 17 dB above the tone, as the mean power of its frame
    np.testing.assert_allclose(layer.gain(clicked), layer.gain(x), rtol=1e-4)
    bark = np.zeros((1, 40_000), np.float32)
    bark[:, 8000:9600] = tone(-40, 1600)  # 0.2 s in 5 s
    np.testing.assert_allclose(layer.gain(bark), layer.gain(x), rtol=1e-4)


@pytest.mark.parametrize("samples", [1, 100, 161, 7999])
def test_clips_of_any_length(samples):
    x = RNG.normal(size=(2, samples)).astype(np.float32)
    fixed = ReferenceLevel(RATE)(x)
    inputs = keras.Input((None,))
    model = keras.Model(inputs, ReferenceLevel(RATE)(inputs))
    np.testing.assert_allclose(model(x), fixed, rtol=1e-6)
    assert fixed.shape == x.shape


@pytest.mark.parametrize("settings", [{"sample_rate_hz": 0}, {"max_gain_db": -1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="must be positive"):
        ReferenceLevel(**{"sample_rate_hz": RATE, **settings})


@pytest.mark.parametrize("name", ["residual_tiny", "alexnet_gap"])
def test_a_clip_classifier_predicts_the_same_at_any_level_and_in_tflite(name):
    model = presets.sound(name, 3, sample_rate_hz=RATE, duration_s=2.0)
    x = (0.3 * RNG.normal(size=(1, 16_000)) * np.linspace(0, 1, 16_000)).astype(np.float32)
    standardize_of(model).adapt(model.get_layer("trim")(model.get_layer("spectrogram")(x)))
    expected = model(x)["probabilities"]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    run = Interpreter(model_content=converter.convert()).get_signature_runner("serving_default")
    for gain in (1, 10, 0.1, 0.01):
        (answer,) = run(waveform=x * np.float32(gain)).values()
        np.testing.assert_allclose(answer, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["residual_tiny_causal", "crnn_hop"])
def test_a_model_that_streams_keeps_the_absolute_level(name):
    model = presets.sound(name, 3, sample_rate_hz=16_000, duration_s=1.0)
    assert not any(isinstance(layer, ReferenceLevel) for layer in model.layers)
