"""Hop by hop equals the whole clip, in Keras and in LiteRT with built-in ops only."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from zoo.spectrogram import PRESETS, FrontEnd, Spectrogram, StreamingSpectrogram

FRONT_ENDS = {name: replace(front, padding="causal") for name, front in PRESETS.items()} | {
    "pcen": replace(PRESETS["hearing_aid"], level="pcen"),
    "linear": replace(PRESETS["hearing_aid"], scale="linear", power=1, level="linear"),
    "no overlap": replace(PRESETS["hearing_aid"], hop_s=0.032, level="pcen"),
    "uneven": replace(PRESETS["yamnet"], padding="causal", hop_s=0.0111, level="pcen"),
}
CONVERTED = (*PRESETS, "pcen", "no overlap")
front_ends = pytest.mark.parametrize("name", FRONT_ENDS)


def clip(front_end: FrontEnd, seconds: float) -> np.ndarray:
    """Noise that swells and stops, (1, samples)."""
    samples = int(seconds * front_end.sample_rate_hz)
    swell = np.linspace(0, 0.3, samples) * (np.arange(samples) < 0.8 * samples)
    return (swell * np.random.default_rng(5).normal(size=(1, samples))).astype("float32")


def stream(step, layer: StreamingSpectrogram, waveform: np.ndarray) -> np.ndarray:
    """All frames of a waveform through `step`, carrying the state by name."""
    state, frames, size = layer.initial_state(len(waveform)), [], layer.hops * layer.front_end.hop
    for start in range(0, waveform.shape[1] // size * size, size):
        outputs = step(hop=waveform[:, start : start + size], **state)
        frames.append(np.asarray(outputs["frame"]))
        state = {name: outputs[f"{name}_next"] for name in state}
    return np.concatenate(frames, axis=1)


def streaming_step(layer: StreamingSpectrogram) -> keras.Model:
    shapes = {"hop": (layer.hops * layer.front_end.hop,), **layer.state_shapes}
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    return keras.Model(inputs, layer(inputs))


@front_ends
def test_streaming_equals_the_whole_clip(name):
    layer = StreamingSpectrogram(FRONT_ENDS[name])
    model = streaming_step(layer)
    step = tf.function(lambda **inputs: model(inputs))
    waveform = np.concatenate([clip(layer.front_end, 1.3), clip(layer.front_end, 1.3)[:, ::-1]])
    whole = Spectrogram(layer.front_end)(waveform).numpy()
    np.testing.assert_allclose(stream(step, layer, waveform), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["yamnet", "pcen", "no overlap"])
def test_several_hops_at_a_time_equal_the_whole_clip(name):
    layer = StreamingSpectrogram(FRONT_ENDS[name], hops=4)
    model = streaming_step(layer)
    step = tf.function(lambda **inputs: model(inputs))
    waveform = clip(layer.front_end, 1.3)
    whole = Spectrogram(layer.front_end)(waveform).numpy()
    frames = stream(step, layer, waveform)
    assert frames.shape[1] == whole.shape[1] // 4 * 4
    np.testing.assert_allclose(frames, whole[:, : frames.shape[1]], rtol=1e-5, atol=1e-5)


def test_streaming_step_comes_back_from_disk(tmp_path):
    layer = StreamingSpectrogram(FRONT_ENDS["pcen"])
    model = streaming_step(layer)
    model.save(tmp_path / "step.keras")
    loaded = keras.models.load_model(tmp_path / "step.keras")
    inputs = {"hop": clip(layer.front_end, 0.016), **layer.initial_state()}
    for name, value in model(inputs).items():
        assert value.shape == layer.compute_output_shape({"hop": (1, 256)})[name]
        np.testing.assert_array_equal(loaded(inputs)[name], value)


@pytest.mark.parametrize("padding", ["centred", "valid"])
def test_only_causal_front_ends_stream(padding):
    with pytest.raises(ValueError, match="padding='causal'"):
        StreamingSpectrogram(replace(PRESETS["hearing_aid"], padding=padding))


@pytest.fixture(scope="module")
def converted():
    """name -> (whole clip, one step) as TFLite; converted in a child, where a crash is an error."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_convert_all).result()


@pytest.mark.parametrize("name", CONVERTED)
def test_tflite_equals_keras(name, converted):
    front_end = PRESETS.get(name, FRONT_ENDS[name])
    interpreter = Interpreter(model_content=converted[name][0])
    assert not _flex(interpreter)
    waveform = clip(front_end, 0.7)
    (result,) = interpreter.get_signature_runner()(waveform=waveform).values()
    np.testing.assert_allclose(result, Spectrogram(front_end)(waveform), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", CONVERTED)
def test_tflite_streaming_equals_the_whole_clip(name, converted):
    layer = StreamingSpectrogram(FRONT_ENDS[name])
    interpreter = Interpreter(model_content=converted[name][1])
    assert not _flex(interpreter)
    waveform = clip(layer.front_end, 1.3)
    result = stream(interpreter.get_signature_runner(), layer, waveform)
    whole = Spectrogram(layer.front_end)(waveform)
    np.testing.assert_allclose(result, whole, rtol=1e-5, atol=1e-5)


def _flex(interpreter: Interpreter) -> list[str]:
    return [op["op_name"] for op in interpreter._get_ops_details() if "Flex" in op["op_name"]]


def _convert_all() -> dict[str, tuple[bytes, bytes]]:
    files = {}
    for name in CONVERTED:
        causal = FRONT_ENDS[name]
        front_end = PRESETS.get(name, causal)
        samples = int(0.7 * front_end.sample_rate_hz)
        whole = keras.Sequential([keras.Input((None,), name="waveform"), Spectrogram(front_end)])
        step = streaming_step(StreamingSpectrogram(causal))
        spec = {key: tf.TensorSpec((1, *x.shape[1:]), name=key) for key, x in step.input.items()}
        files[name] = (
            _convert(whole, tf.TensorSpec((1, samples), name="waveform")),
            _convert(step, spec),
        )
    return files


def _convert(model: keras.Model, signature) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, input_signature=[signature], verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()
