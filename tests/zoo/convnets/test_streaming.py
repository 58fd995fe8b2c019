"""Streaming equals the whole clip hop by hop, also in an 8-bit file."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import export, presets
from zoo.convnets import (
    NETWORKS,
    config_of,
    front_end_of,
    layer_rows,
    restore_config,
    sound_model,
    standardize_of,
    streaming_model,
)
from zoo.convnets.streaming import meaning_of
from zoo.data.split import Quantity
from zoo.edge import graph
from zoo.export import formats
from zoo.spectrogram import PRESETS, FrontEnd, Prominence, Spectrogram, Standardize

FRONT = FrontEnd(8000, window_s=0.032, hop_s=0.016, mels=24, padding="causal")
RNG = np.random.default_rng(3)


def sound(name: str, front_end: FrontEnd = FRONT) -> keras.Model:
    """A preset with random weights, see `scrambled`."""
    return scrambled(presets.sound(name, 3, duration_s=None, front_end=front_end))


def scrambled(model: keras.Model) -> keras.Model:
    """The model with random weights that make its output differ from hop to hop."""
    keras.utils.set_random_seed(0)
    front_end = front_end_of(model)
    for weight in model.weights:
        if "gamma" in weight.path or "variance" in weight.path:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
        elif "seed" not in weight.path:
            weight.assign(weight + 0.1 * RNG.normal(size=weight.shape))
    standardize_of(model).mean.assign(np.full((front_end.bands, 1), -50.0))
    standardize_of(model).deviation.assign([15.0])
    return model


def clips(hop: int, hops: int = 12) -> np.ndarray:
    """Two clips of tones and noise that come and go."""
    time = np.arange(hop * hops)
    loud = np.sin(np.pi * time / time.size * np.array([[1], [3]])) ** 2
    tones = np.sin(time * np.array([[0.4], [1.9]]))
    return (0.3 * loud * (tones + RNG.normal(size=(2, time.size)))).astype(np.float32)


def streamed(step: keras.Model, waveform: np.ndarray, output: str = "probabilities") -> np.ndarray:
    """Outputs of every step, (batch, steps, classes)."""
    run = tf.function(lambda inputs: step(inputs))
    hop = step.input["waveform"].shape[1]
    states = {
        name: tf.zeros((len(waveform), *each.shape[1:]))
        for name, each in step.input.items()
        if name != "waveform"
    }
    outputs = []
    for start in range(0, waveform.shape[1], hop):
        out = run({"waveform": waveform[:, start : start + hop], **states})
        outputs.append(out[output].numpy())
        states = {name: out[f"{name}_next"] for name in states}
    return np.stack(outputs, axis=1)


def test_a_recurrent_network_streams_as_over_the_whole_clip():
    model = sound("crnn_hop")
    waveform = clips(FRONT.hop)
    whole = model(waveform)["probabilities"].numpy()
    assert whole.shape == (2, 12, 3) and whole.std(axis=1).min() > 1e-3
    np.testing.assert_allclose(streamed(streaming_model(model), waveform), whole, atol=1e-5)


def test_a_mean_over_time_is_at_every_block_that_of_the_clip_so_far():
    model = sound("residual_tiny_causal")
    step = streaming_model(model)
    block = step.input["waveform"].shape[1]
    assert block == 16 * FRONT.hop
    waveform = clips(block, hops=3)
    answers = streamed(step, waveform)
    for k in range(3):
        whole = model(waveform[:, : (k + 1) * block])["probabilities"]
        np.testing.assert_allclose(answers[:, k], whole, atol=1e-5)


def test_a_network_for_hearing_aids_keeps_its_budget():
    model = presets.sound("crnn_hop", 7, duration_s=None, front_end=PRESETS["hearing_aid"])
    step = streaming_model(model)
    hop = step.input["waveform"].shape[1]
    one = {name: (1, *each.shape[1:]) for name, each in step.input.items()}
    assert hop / 16_000 <= 0.016
    second = presets.sound("crnn_hop", 7, duration_s=1.024, front_end=PRESETS["hearing_aid"])
    assert 1e6 < sum(row.macs or 0 for row in layer_rows(second)) / 1.024 <= 5e6
    assert model.count_params() <= 64 * 1024  # a byte each
    assert sum(4 * np.prod(shape) for shape in one.values()) <= 64 * 1024


def test_the_products_of_a_memory_are_counted():
    model = presets.sound("crnn_hop", 7, duration_s=0.16, front_end=PRESETS["hearing_aid"])
    (macs,) = (row.macs for row in layer_rows(model) if row.name == "memory")
    assert macs == 10 * 4 * 32 * (32 + 32)


@pytest.mark.parametrize(
    ("name", "front_end", "message"),
    [
        ("residual_tiny", replace(FRONT, padding="centred"), "must be causal"),
        ("crnn_hop", replace(FRONT, level="pcen"), "smoother of PCEN"),
        ("crnn_hop", replace(FRONT, padding="centred"), "padding='causal'"),
    ],
)
def test_what_cannot_stream_is_refused(name, front_end, message):
    with pytest.raises(ValueError, match=message):
        streaming_model(presets.sound(name, 3, duration_s=None, front_end=front_end))


OWN = replace(
    NETWORKS["crnn_hop"], filters=(5, 6, 7, 8), kernels=((4, 5), *((3, 3),) * 3), recurrent=9
)


@pytest.mark.parametrize(
    ("name", "task"),
    [("mine", "regression"), ("crnn_hop", "multilabel"), ("alexnet_hop", "multiclass")],
)
def test_a_network_of_one_s_own_streams_with_its_own_config(name, task, tmp_path):
    front = [Spectrogram(FRONT, name="picture"), Standardize(name="sizes")]
    own = scrambled(sound_model(OWN, front, 2, task=task, name=name))
    own.save(tmp_path / "model.keras")
    model = restore_config(keras.saving.load_model(tmp_path / "model.keras"))
    assert (config_of(model), model.task, model.name) == (OWN, task, name)
    assert model.front == ("picture", "sizes")
    step, waveform = streaming_model(model), clips(FRONT.hop)
    output = "prediction" if task == "regression" else "probabilities"
    assert step.input["hidden"].shape == (None, 9)
    whole = own(waveform)[output].numpy()
    np.testing.assert_allclose(streamed(step, waveform, output), whole, atol=1e-5)


@pytest.mark.parametrize("place", [1, 2])
def test_a_front_end_with_other_layers_is_refused(place):
    front = [Spectrogram(FRONT), Standardize()]
    front.insert(place, Prominence(2))
    kinds = ", ".join(type(layer).__name__ for layer in front)
    with pytest.raises(ValueError, match=f"Received: {kinds}"):
        streaming_model(sound_model(OWN, front, 2))


def test_a_model_without_config_is_refused():
    with pytest.raises(ValueError, match="Expected a model from `image_model` or `sound_model`"):
        streaming_model(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))


def test_a_model_is_cut_behind_its_front_end_with_the_states_of_each():
    step = streaming_model(sound("crnn_hop"))
    front, network = formats.split_model(step, standardize_of(step).name)
    assert set(front.input) == {"waveform", "samples"}
    assert set(front.output) == {"features", "samples_next"}
    assert set(network.input) == {"features", *step.input} - {"waveform", "samples"}
    assert "hidden_next" in network.output and "samples_next" not in network.output
    inputs = {name: RNG.normal(size=(2, *each.shape[1:])) for name, each in step.input.items()}
    inputs = {name: tf.constant(value, tf.float32) for name, value in inputs.items()}
    features = front({name: inputs[name] for name in front.input})
    rest = {name: inputs[name] for name in network.input if name != "features"}
    result = network({"features": features["features"], **rest})
    expected = step(inputs)
    np.testing.assert_allclose(result["probabilities"], expected["probabilities"], atol=1e-6)
    np.testing.assert_array_equal(features["samples_next"], expected["samples_next"])


def test_the_8_bit_file_keeps_its_front_end_in_float(tmp_path):
    model = sound("crnn_hop")
    step = streaming_model(model)
    model.get_layer("memory").fused = False
    states = [name for name in step.input if name != "waveform"]
    described = {name: (Quantity(name, "-", meaning_of(name)),) for name in states}
    waveform = clips(FRONT.hop, hops=40)
    written = export.write(
        tmp_path / "ear",
        export.About(
            name="ear",
            task="scenes",
            description="random weights",
            quantities={
                **described,
                "waveform": (Quantity("waveform", "1", "sound"),),
                "probabilities": (Quantity("p", "-", "of a class"),),
            },
            metrics={"none": {"none": {"value": 0.0}}},
            limits=[],
            data_licence="none",
            provenance="none",
        ),
        export.Endpoints(model, step),
        {"rising": waveform[0], "swelling": waveform[1]},
        export.ExportOptions(
            files=(("step", "float32"), ("step", "int8")), front=standardize_of(model).name
        ),
    )
    # a front end in 8 bits is off by 10 dB; this is 8 bits behind it
    assert written["formats"]["step_int8.tflite"]["rms_share"] < 0.05
    signature = written["signatures"]["step"]
    assert signature["inputs"]["waveform"]["shape"] == [None, FRONT.hop]
    assert set(signature["outputs"]) == {"probabilities", *(f"{name}_next" for name in states)}
    content = (tmp_path / "ear" / "step_int8.tflite").read_bytes()
    names = [tensor.name for tensor in graph.read(content, "step").tensors]
    assert any("relu1" in name for name in names)
    assert not [name for name in names if ";" in name or name.startswith("functional")]
