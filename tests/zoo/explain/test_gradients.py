"""Gradient methods: equal to occlusion where the log-odds are a sum; adjoint; complete."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from zoo.convnets import ConvNet, embedding_model, sound_model, standardize_of
from zoo.convnets.unknown_class import add_unknown_class
from zoo.explain import explain, gradients
from zoo.explain.clip import open_clip
from zoo.explain.methods import POINT_METHODS, evidence_of
from zoo.names import EXPLANATIONS
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

RATE, SECONDS = 8000, 0.8
FRONT = FrontEnd(
    sample_rate_hz=RATE, window_s=0.032, hop_s=0.016, scale="linear", fmin_hz=500, fmax_hz=3500
)
CLASSES = ("a", "b", "c")
RNG = np.random.default_rng(0)


def front() -> list[keras.layers.Layer]:
    return [
        Spectrogram(FRONT, name="spectrogram"),
        Standardize(name="standardize", per_band=False),
    ]


def noise(seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=round(RATE * SECONDS)).astype(np.float32)


def standardized(model: keras.Model) -> keras.Model:
    standardize_of(model).mean.assign([[-40.0]])
    standardize_of(model).deviation.assign([20.0])
    return model


def linear() -> keras.Model:
    """Log-odds of "b" are a weighted sum of the standardized spectrogram."""
    waveform = x = keras.Input((round(RATE * SECONDS),), name="waveform")
    for layer in front():
        x = layer(x)
    x = layers.Flatten()(x)
    y = layers.Dense(2, activation="softmax", name="probabilities")(x)
    return standardized(keras.Model(waveform, {"probabilities": y}))


@pytest.fixture(scope="module")
def convnet() -> keras.Model:
    keras.utils.set_random_seed(0)
    config = ConvNet(
        filters=(4, 6, 6),
        kernels=((5, 5), (3, 3), (3, 3)),
        strides=((2, 2), (1, 1), (1, 1)),
        paddings=((2, 2), (1, 1), (1, 1)),
        groups=(1, 1, 1),
        pools=((3, 2), None, None),
        separable=(False, True, False),
        normalisation="batch",
        residual=True,
        dense=(),
        dropout=0.0,
    )
    return standardized(sound_model(config, front(), 3, samples=round(RATE * SECONDS)))


@pytest.mark.parametrize("method", ["gradient", "integrated-gradients", "smoothgrad"])
def test_of_a_sum_every_method_gives_what_occlusion_gives(method):
    model, waveform = linear(), noise()
    settings = {"label": "b", "patch_s": 0.1}
    expected = explain(model, waveform, ("a", "b"), **settings)
    result = explain(model, waveform, ("a", "b"), method=method, **settings)
    np.testing.assert_allclose(result.evidence, expected.evidence, atol=2e-3)
    assert result.method == method


@pytest.mark.parametrize("method", ["occlusion", "gradient", "integrated-gradients"])
def test_the_class_unknown_is_no_rival_of_the_others(method, convnet):
    width = embedding_model(convnet).output.shape[-1]
    whole = add_unknown_class(convnet, np.eye(width)[:3], 0.9)
    settings = {"label": "b", "patch_s": 0.1, "method": method}
    expected = explain(convnet, noise(), CLASSES, **settings)
    result = explain(whole, noise(), (*CLASSES, "unknown"), **settings)
    np.testing.assert_allclose(result.evidence, expected.evidence, atol=1e-4)
    own = explain(whole, noise(), (*CLASSES, "unknown"), **settings | {"label": "unknown"})
    assert np.abs(own.evidence).max() > 0


def test_integrated_gradients_sum_to_the_change_of_the_log_odds(convnet):
    clip = open_clip(convnet, noise())
    points = gradients.integrated_gradients(clip, 1)
    zero = np.zeros_like(clip.features)
    change = np.diff(clip.score(np.stack([zero, clip.features]), 1))[0]
    assert points.sum() == pytest.approx(change, rel=0.03, abs=2e-3)


def test_guided_gradients_are_plain_ones_where_no_relu_is_crossed():
    model = linear()
    clip = open_clip(model, noise())
    plain = gradients.gradient(clip, 1)
    np.testing.assert_allclose(gradients.guided_backpropagation(clip, 1), plain, rtol=1e-5)
    np.testing.assert_allclose(gradients.deconvolution(clip, 1), plain, rtol=1e-5)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (gradients._guided_relu, [0.0, 0.0, 0.0, 2.0]),  # active, and a positive slope
        (gradients._rectified_relu, [0.0, 2.0, 0.0, 2.0]),  # a positive slope
    ],
)
def test_relu_rules_pass_what_was_published(rule, expected):
    x = tf.constant([-1.0, -1.0, 1.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = rule(x)
    np.testing.assert_array_equal(y, [0, 0, 1, 1])
    slope = tape.gradient(y, x, output_gradients=tf.constant([-2.0, 2.0, -2.0, 2.0]))
    np.testing.assert_array_equal(slope, expected)


def test_the_copy_with_another_rule_has_the_same_output(convnet):
    clip = open_clip(convnet, noise())
    copy = gradients.with_relu_rule(clip.network, gradients._rectified_relu)
    np.testing.assert_allclose(
        copy(clip.features[None])["probabilities"],
        clip.network(clip.features[None])["probabilities"],
        atol=1e-6,
    )


LINEAR = (
    layers.ZeroPadding2D,
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.BatchNormalization,
    layers.MaxPooling2D,
    layers.Add,
    layers.GlobalAveragePooling2D,
    layers.Dense,
)


def test_the_projection_of_every_linear_layer_is_its_transpose(convnet):
    """<A x, y> = <x, A' y> to 1e-5 of |A x| |y|, with the switches of max pooling held.

    A x is the layer less its value at 0, so offsets are no part of it. The Dense layer is taken
    without its softmax.
    """
    clip = open_clip(convnet, noise())
    checked = []
    for layer in clip.network.layers:
        if not isinstance(layer, LINEAR):
            continue
        if isinstance(layer, layers.Dense):
            inputs, trained = [layer.input], layer
            layer = layers.Dense(trained.units)
            layer.build(inputs[0].shape)
            layer.set_weights(trained.get_weights())
        else:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        check_adjoint(layer, [(1, *(n or 1 for n in each.shape[1:])) for each in inputs])
        checked.append(type(layer).__name__)
    # A strided convolution, a pooling, a separable and a full convolution with shortcuts.
    counts = {name: checked.count(name) for name in checked}
    assert counts["Conv2D"] == 3
    assert counts["DepthwiseConv2D"] == counts["MaxPooling2D"] == 1
    assert counts["BatchNormalization"] == 4
    assert counts["Add"] == counts["Dense"] == counts["GlobalAveragePooling2D"] == 1


def test_the_projection_of_a_block_with_its_shortcut_is_its_transpose(convnet):
    add = convnet.get_layer("add3")
    start = add.input[0] if "relu" in add.input[0].name or "pool" in add.input[0].name else None
    start = add.input[1] if start is None else start
    block = keras.Model(start, add.output)  # padding, convolution, normalisation and the shortcut
    assert {"conv3", "norm3", "add3"} <= {layer.name for layer in block.layers}
    check_adjoint(block, [(1, *(n or 1 for n in start.shape[1:]))])


def check_adjoint(layer, shapes: list[tuple[int, ...]]) -> None:
    """Compare <A x, y> with <x, A' y>, A' by the gradient, for random x and y."""
    x = [tf.constant(RNG.normal(size=shape), tf.float32) for shape in shapes]

    def apply(values):
        return layer(values if len(values) > 1 else values[0])

    with tf.GradientTape() as tape:
        tape.watch(x)
        image = apply(x)
    at_zero = apply([tf.zeros_like(each) for each in x])
    y = tf.constant(RNG.normal(size=image.shape), tf.float32)
    back = tape.gradient(image, x, output_gradients=y)
    left = np.vdot(np.float64(image - at_zero), np.float64(y))
    right = sum(np.vdot(np.float64(a), np.float64(b)) for a, b in zip(x, back, strict=True))
    scale = np.linalg.norm(image - at_zero) * np.linalg.norm(y)
    assert abs(left - right) <= 1e-5 * scale


@pytest.mark.parametrize("method", EXPLANATIONS)
def test_every_method_explains_a_convnet_in_one_form(convnet, method):
    result = explain(convnet, noise(), CLASSES, method=method, patch_s=0.1)
    assert result.evidence.shape == result.level.shape
    assert np.isfinite(result.evidence).all()
    assert np.ptp(result.evidence) > 0
    at_s, at_hz = result.strongest
    assert 0 <= at_s <= SECONDS
    assert 500 <= at_hz <= 3500


def test_a_regression_is_explained_in_its_own_unit():
    keras.utils.set_random_seed(1)
    config = ConvNet(
        filters=(4,),
        kernels=((3, 3),),
        strides=((1, 1),),
        paddings=((1, 1),),
        groups=(1,),
        pools=(None,),
        separable=(False,),
        normalisation="none",
        dense=(),
        dropout=0.0,
    )
    model = standardized(
        sound_model(config, front(), 1, samples=round(RATE * SECONDS), task="regression")
    )
    clip = open_clip(model, noise())
    patch = (4, 4)
    tried = evidence_of(clip, 0, patch)
    estimated = evidence_of(clip, 0, patch, "integrated-gradients")
    assert np.corrcoef(tried.ravel(), estimated.ravel())[0, 1] > 0.8
    assert explain(model, noise(), ["snr_db"]).label == "snr_db"


def test_an_unknown_method_is_refused(convnet):
    with pytest.raises(ValueError, match="`method` must be one of occlusion, gradient"):
        explain(convnet, noise(), CLASSES, method="lime")
    assert ("occlusion", *POINT_METHODS) == EXPLANATIONS
