"""AlexNet counted by hand, its relatives within their budgets, streams equal to whole clips."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from zoo import folders, presets
from zoo.convnets import (
    NETWORKS,
    ConvNet,
    ResponseNormalisation,
    config_of,
    front_end_of,
    image_model,
    initial_states,
    layer_rows,
    output_layer_of,
    output_size,
    sound_model,
    spectrogram_of,
    split_model,
    streaming_network,
)
from zoo.convnets.config import first_layers
from zoo.edge import counting, graph
from zoo.export import formats
from zoo.models import load_keras_model
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

# Output, and parameters as window x channels in x channels out + offsets; Krizhevsky et al. 2012.
ALEXNET = {
    "conv1": ((55, 55, 96), 11 * 11 * 3 * 96 + 96),
    "pool1": ((27, 27, 96), 0),
    "conv2": ((27, 27, 256), 5 * 5 * 96 * 256 + 256),
    "pool2": ((13, 13, 256), 0),
    "conv3": ((13, 13, 384), 3 * 3 * 256 * 384 + 384),
    "conv4": ((13, 13, 384), 3 * 3 * 384 * 384 + 384),
    "conv5": ((13, 13, 256), 3 * 3 * 384 * 256 + 256),
    "pool5": ((6, 6, 256), 0),
    "dense6": ((4096,), 6 * 6 * 256 * 4096 + 4096),
    "dense7": ((4096,), 4096 * 4096 + 4096),
    "probabilities": ((1000,), 4096 * 1000 + 1000),
}
# A narrow network of the same kind, for what has to run.
SMALL = ConvNet(
    filters=(4, 6, 6),
    kernels=((5, 5), (3, 3), (3, 3)),
    strides=((2, 2), (1, 1), (1, 1)),
    paddings=((2, 2), (1, 1), (1, 1)),
    groups=(1, 1, 1),
    pools=((3, 2), None, (2, 2)),
    separable=(False, True, True),
    normalisation="batch",
    residual=True,
    dense=(),
)
RNG = np.random.default_rng(0)


def scrambled(model: keras.Model) -> keras.Model:
    """Random weights everywhere, moving averages too, so that nothing is one or zero by default."""
    model.set_weights(
        [RNG.uniform(0.1, 0.6, w.shape) - 0.3 * (w.ndim > 1) for w in _weights(model)]
    )
    return model


def _weights(model):
    return model.get_weights()


@pytest.fixture(scope="module")
def alexnet():
    return image_model(NETWORKS["alexnet"], (227, 227, 3), 1000)


def test_alexnet_is_the_paper_s_layer_by_layer(alexnet):
    layers = {row.name: (row.output, row.parameters) for row in layer_rows(alexnet)}
    assert {name: layers[name] for name in ALEXNET} == ALEXNET
    assert sum(parameters for _, parameters in layers.values()) == 62_378_344
    assert alexnet.count_params() == 62_378_344


def test_groups_of_two_halve_the_inputs_of_three_layers():
    grouped = image_model(NETWORKS["alexnet_groups"], (227, 227, 3), 1000)
    layers = {row.name: (row.output, row.parameters) for row in layer_rows(grouped)}
    halved = {
        "conv2": ((27, 27, 256), 5 * 5 * 48 * 256 + 256),
        "conv4": ((13, 13, 384), 3 * 3 * 192 * 384 + 384),
        "conv5": ((13, 13, 256), 3 * 3 * 192 * 256 + 256),
    }
    assert {name: layers[name] for name in ALEXNET} == {**ALEXNET, **halved}
    assert grouped.count_params() == 60_965_224


def test_multiply_accumulates_are_places_times_window(alexnet):
    macs = {row.name: row.macs for row in layer_rows(alexnet)}
    assert macs["conv1"] == 55 * 55 * 96 * 11 * 11 * 3
    assert macs["dense6"] == 9216 * 4096
    assert macs["pool1"] is None


def test_multiply_accumulates_of_layers_are_those_of_the_tflite_file():
    folder = folders.find("scenes-tiny")
    layers = layer_rows(load_keras_model(folder)[0])
    convolutions = [row.macs for row in layers if row.kind in ("Conv2D", "DepthwiseConv2D")]
    file = graph.read((folder / "model.tflite").read_bytes(), "model.tflite")
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D")
    operators = tuple(each for each in file.operators if each.name in kinds)
    assert len(operators) == len(convolutions) == 9
    file = replace(file, operators=operators)
    assert counting.multiply_accumulates(file) == sum(convolutions) > 1_000_000


@pytest.mark.parametrize(
    ("size", "window", "stride", "zeros", "places"),
    [
        (227, 11, 4, 0, 55),
        (55, 3, 2, 0, 27),
        (27, 5, 1, 2, 27),
        (64, 11, 4, 5, 16),
        (7, 7, 3, 0, 1),
    ],
)
def test_output_size_counts_the_places_of_a_window(size, window, stride, zeros, places):
    assert output_size(size, window, stride, zeros) == places
    line = range(-zeros, size + zeros - window + 1, stride)  # where the window can stand
    assert len(line) == places


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="A window of 5 does not fit on 4 places"):
        output_size(4, 5)


@pytest.mark.parametrize("causal", [False, True])
def test_built_sizes_follow_the_formula(causal):
    model = image_model(replace(SMALL, causal=causal), (40, 33, 1), 3)
    size, layers = (40, 33), {row.name: row for row in layer_rows(model)}
    for name, window, stride, zeros in (
        ("conv1", 5, 2, 2),
        ("pool1", 3, 2, 0),
        ("depthwise2", 3, 1, 1),
        ("depthwise3", 3, 1, 1),
        ("pool3", 2, 2, 0),
    ):
        # causal: all zeros before, as many as the window is longer than its step
        time = output_size(size[0] + (window - stride if causal else 2 * zeros), window, stride)
        size = (time, output_size(size[1], window, stride, zeros))
        assert layers[name].output[:2] == size


def test_response_normalisation_equals_tensorflow_s():
    import tensorflow as tf

    x = 30 * RNG.normal(size=(2, 3, 4, 7)).astype(np.float32)
    expected = tf.nn.local_response_normalization(x, depth_radius=2, bias=2, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(ResponseNormalisation()(x), expected, rtol=1e-5)


def test_a_separable_residual_layer_equals_numpy():
    config = replace(
        SMALL,
        filters=(2,),
        kernels=((3, 3),),
        strides=((1, 1),),
        paddings=((1, 1),),
        groups=(1,),
        pools=(None,),
        separable=(True,),
        normalisation="none",
    )
    model = image_model(config, (4, 5, 2), 1, task="regression")
    weights = [RNG.normal(size=w.shape) for w in model.get_weights()]
    model.set_weights(weights)
    depth, depth_bias, mix, mix_bias, last, last_bias = weights
    x = RNG.normal(size=(1, 4, 5, 2))
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    filtered = np.einsum("bijcuv,uvc->bijc", windows, depth[..., 0]) + depth_bias
    mixed = np.maximum(filtered, 0) @ mix[0, 0] + mix_bias + x
    expected = np.maximum(mixed, 0).mean(axis=(1, 2)) @ last + last_bias
    np.testing.assert_allclose(model(x)["prediction"], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters", "macs_per_s"),
    [
        ("alexnet_gap", 1e6, 50e6),
        ("residual_tiny", 128e3, 30e6),
        ("residual_tiny_causal", 128e3, 30e6),
    ],
)
def test_small_relatives_stay_within_their_budget(name, parameters, macs_per_s):
    model = presets.sound(name, 10, duration_s=5.0)
    assert model.count_params() <= parameters
    assert sum(row.macs or 0 for row in layer_rows(model)) <= 5 * macs_per_s
    assert model.output["probabilities"].shape == (None, 10)


def test_alexnet_spectrogram_keeps_convolutions_and_poolings():
    paper, here = NETWORKS["alexnet"], NETWORKS["alexnet_spectrogram"]
    same = ("filters", "kernels", "strides", "pools", "dense")
    assert all(getattr(paper, name) == getattr(here, name) for name in same)
    without = sound_model(
        replace(here, dense=()),
        [Spectrogram(FrontEnd(16_000, 0.032, 0.02, mels=64)), Standardize()],
        10,
    )
    windows = 11 * 11 * 96 + 25 * 96 * 256 + 9 * (256 * 384 + 384 * 384 + 384 * 256)
    batch = 4 * (96 + 256 + 384 + 384 + 256)
    assert without.count_params() == windows + batch + (256 * 10 + 10) + (64 + 1)


@pytest.fixture(scope="module")
def small_sound():
    front = FrontEnd(sample_rate_hz=8000, window_s=0.032, hop_s=0.016, mels=16)
    model = sound_model(
        SMALL, [Spectrogram(front, name="spectrogram"), Standardize(name="standardize")], 3
    )
    return scrambled(model)


def test_a_clip_gets_the_same_prediction_alone_and_in_a_batch(small_sound):
    x = RNG.normal(size=(3, 4000)).astype(np.float32)
    together = small_sound(x)["probabilities"]
    np.testing.assert_allclose(np.sum(together, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(small_sound(x[1:2])["probabilities"], together[1:2], rtol=1e-4)


def test_a_sound_model_is_read_back_from_a_file(small_sound, tmp_path):
    small_sound.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = RNG.normal(size=(1, 4000)).astype(np.float32)
    np.testing.assert_allclose(again(x)["probabilities"], small_sound(x)["probabilities"])


def test_a_compiled_model_is_saved_for_export_with_its_config(tmp_path):
    model = image_model(SMALL, (16, 16, 1), 2)
    model.compile("adam", loss={"probabilities": "categorical_crossentropy"})
    assert "zoo.registration" in formats.save_keras(tmp_path / "model.keras", model)
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert config_of(again) == SMALL and not again.compiled
    with pytest.raises(ValueError, match="which carries its config"):
        config_of(keras.models.clone_model(model))


def test_training_the_network_behind_the_front_end_trains_the_whole(small_sound):
    front, part = split_model(small_sound)
    assert front.output is small_sound.get_layer("spectrogram").output
    x = RNG.normal(size=(2, 4000)).astype(np.float32)
    before = small_sound(x)["probabilities"]
    np.testing.assert_allclose(part(front(x))["probabilities"], before, rtol=1e-5)
    kernel = part.get_layer("conv1").kernel
    kernel.assign(-kernel)
    after = small_sound(x)["probabilities"]
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(part(front(x))["probabilities"], after, rtol=1e-5)
    kernel.assign(-kernel)


@pytest.mark.parametrize(
    ("task", "name", "loss"),
    [
        ("multiclass", "probabilities", "sparse_categorical_crossentropy"),
        ("multilabel", "probabilities", "binary_crossentropy"),
        ("regression", "prediction", "mse"),
    ],
)
def test_every_head_lowers_its_loss_on_one_batch(task, name, loss):
    keras.utils.set_random_seed(0)
    model = image_model(replace(SMALL, dropout=0.0), (16, 16, 1), 2, task=task)
    x = RNG.normal(size=(8, 16, 16, 1)).astype(np.float32)
    y = {"multiclass": np.arange(8) % 2, "multilabel": np.eye(2)[np.arange(8) % 2]}.get(
        task, RNG.normal(size=(8, 2))
    )
    model.compile(keras.optimizers.Adam(1e-2), loss={name: loss}, run_eagerly=True)
    history = model.fit(x, {name: y}, epochs=6, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]


@pytest.fixture(scope="module")
def causal():
    config = replace(SMALL, causal=True)
    return config, scrambled(image_model(config, (None, 16, 1), 3))


def test_a_causal_network_does_not_depend_on_later_rows(causal):
    config, model = causal
    inside = keras.Model(model.input, model.get_layer("pool3").output)
    x = RNG.normal(size=(1, 6 * config.block, 16, 1)).astype(np.float32)
    later = x.copy()
    later[:, 3 * config.block :] += 5
    first, second = np.asarray(inside(x)), np.asarray(inside(later))
    assert first.shape[1] == 6
    np.testing.assert_array_equal(first[:, :3], second[:, :3])
    assert np.abs(first[:, 3:] - second[:, 3:]).min(axis=(0, 2)).max() > 1e-3


def test_streaming_equals_the_whole_clip_at_every_block(causal):
    config, model = causal
    stream = streaming_network(config, (16, 1), 3, weights_from=model)
    x = RNG.normal(size=(2, 5 * config.block, 16, 1)).astype(np.float32)
    states = initial_states(stream, batch=2)
    assert states["conv1_rows"].shape == (2, 5 - 2, 16, 1)
    for end in range(config.block, x.shape[1] + 1, config.block):
        states = {name: ops.convert_to_tensor(state) for name, state in states.items()}
        out = stream({"features": ops.convert_to_tensor(x[:, end - config.block : end]), **states})
        expected = model(x[:, :end])["probabilities"]
        np.testing.assert_allclose(out["probabilities"], expected, atol=1e-5)
        states = {name: out[f"{name}_next"] for name in states}


def test_a_bounded_memory_forgets(causal):
    config, model = causal
    stream = streaming_network(config, (16, 1), 3, weights_from=model, memory=1)
    x = RNG.normal(size=(1, config.block, 16, 1)).astype(np.float32)
    states = initial_states(stream)
    fresh = stream({"features": x, **states})["average_next"]
    states |= {"average": states["average"] + 100, "count": states["count"] + 9}
    np.testing.assert_allclose(stream({"features": x, **states})["average_next"], fresh, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernels": ((3, 3),)}, "`kernels` must have one entry a convolution, 3"),
        ({"filters": (4, 0, 6)}, "must be 1 or more"),
        ({"normalisation": "layer"}, "`normalisation` must be"),
        ({"dropout": 1.0}, "`dropout` must lie in 0 to below 1"),
        ({"causal": True, "strides": ((9, 1),) * 3}, "must not be shorter than its stride"),
        ({"bands": 2, "causal": True}, "`bands` must be 0 or more, and 0 with"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="too small for pooling 5"):
        image_model(NETWORKS["alexnet"], (40, 40, 3), 10)
    with pytest.raises(ValueError, match="`samples` must be given"):
        sound_model(NETWORKS["alexnet_spectrogram"], [], 10)
    with pytest.raises(ValueError, match="`task` must be one of"):
        image_model(SMALL, (40, 40, 3), 10, task="class")
    with pytest.raises(ValueError, match="must be causal"):
        streaming_network(SMALL, (16, 1), 3)
    with pytest.raises(ValueError, match="`name` must be one of"):
        presets.sound("alexnet", 10)


def test_old_names_of_networks_build_what_they_are_called_now():
    for name in ("alexnet_hop", "alexnet_tiny", "alexnet_tiny_causal"):
        assert presets.sound(name, 3, duration_s=None).name in NETWORKS


def test_layers_of_a_model_are_found_by_what_they_are(small_sound):
    assert output_layer_of(small_sound) is small_sound.layers[-1]
    assert spectrogram_of(small_sound) is small_sound.layers[1]
    assert front_end_of(small_sound).mels == 16
    assert config_of(small_sound) is SMALL
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for accessor in (config_of, spectrogram_of, front_end_of, split_model):
        with pytest.raises(ValueError, match=r"config|A sound model has one layer"):
            accessor(other)


def test_the_first_convolutions_are_those_of_the_whole_network():
    whole = image_model(replace(SMALL, dense=()), (32, 32, 1), 4, task="embedding")
    part = image_model(first_layers(config_of(whole), 2), (32, 32, 1), 5)
    for layer in (each for each in part.layers[:-1] if each.weights):
        layer.set_weights(whole.get_layer(layer.name).get_weights())
    x = np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype(np.float32)
    name = "relu2"
    outputs = [keras.Model(m.input, m.get_layer(name).output)(x) for m in (whole, part)]
    np.testing.assert_array_equal(*outputs)
    assert part.output["probabilities"].shape == (None, 5)
    for count in (0, 4):
        with pytest.raises(ValueError, match="between 1 and 3"):
            first_layers(SMALL, count)
