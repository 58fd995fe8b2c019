"""Evidence from gradients of the log-odds: of the network as it is, or with other rules at ReLUs.

Each function gives the evidence of single points of the standardized features x [nat], where 0 is
the training mean: to first order the fall of the log-odds s when the point is set to the mean.

    gradient               x ∂s/∂x                                  (Simonyan et al. 2014)
    integrated gradients   x ∫ ∂s/∂x(αx) dα over α from 0 to 1; sums to s(x) - s(0)
                                                                     (Sundararajan et al. 2017)
    SmoothGrad             x E[∂s/∂x(x + noise)]                     (Smilkov et al. 2017)
    guided backpropagation x ∂s/∂x with ReLU passing positive gradients of active units only
                                                                          (Springenberg et al. 2015)
    deconvolution          x times the projection by transposed filters and pooling switches,
                           rectified on the way down        (Zeiler and Fergus 2014, section 2.1)
    Grad-CAM               sum over channels k of A_k mean(∂s/∂A_k), A the last map
                                                                      (Selvaraju et al. 2017)
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import ndimage

from zoo.convnets.model import standardize_of
from zoo.explain.clip import SMALLEST, ExplainedClip

STEPS = 32  # of integrated gradients
SMOOTHGRAD_COPIES = 24
SMOOTHGRAD_NOISE = 0.15  # of the range of the features
SEED = 0

Score = Callable[[tf.Tensor], tf.Tensor]  # features (batch, time, bands, channels) -> (batch,)


def gradient(clip: ExplainedClip, number: int) -> np.ndarray:
    """Gradient times input, (time, bands)."""
    return _times_input(clip, _gradients(differentiable(clip, number), clip.features[None]))


def integrated_gradients(clip: ExplainedClip, number: int) -> np.ndarray:
    """Mean gradient on the straight line from the training mean, times input, (time, bands)."""
    shares = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
    copies = shares[:, None, None, None] * clip.features
    return _times_input(clip, _gradients(differentiable(clip, number), copies))


def smoothgrad(clip: ExplainedClip, number: int) -> np.ndarray:
    """Mean gradient over noisy copies, times input, (time, bands)."""
    rng = np.random.default_rng(SEED)
    scale = SMOOTHGRAD_NOISE * np.ptp(clip.features)
    noise = scale * rng.normal(size=(SMOOTHGRAD_COPIES, *clip.features.shape))
    copies = (clip.features + noise).astype(np.float32)
    return _times_input(clip, _gradients(differentiable(clip, number), copies))


def guided_backpropagation(clip: ExplainedClip, number: int) -> np.ndarray:
    """Gradient through active units, positive gradients only, times input, (time, bands)."""
    score = differentiable(clip, number, relu=_guided_relu)
    return _times_input(clip, _gradients(score, clip.features[None]))


def deconvolution(clip: ExplainedClip, number: int) -> np.ndarray:
    """Projection through transposed filters and switches, rectified, times input, (time, bands)."""
    score = differentiable(clip, number, relu=_rectified_relu)
    return _times_input(clip, _gradients(score, clip.features[None]))


def grad_cam(clip: ExplainedClip, number: int) -> np.ndarray:
    """Weighted sum of the channels of the last map, at the size of the features, (time, bands).

    Raises:
        ValueError: a network without a map of more than one place.
    """
    layers = clip.model.layers
    behind = layers[layers.index(standardize_of(clip.model)) + 1 :]
    maps = [
        layer.output
        for layer in behind
        if len(layer.output.shape) == 4 and (layer.output.shape[2] or 0) > 1
    ]
    if not maps:
        raise ValueError("Grad-CAM needs a convolutional network, with a map before its head.")
    start = standardize_of(clip.model).output
    activations = _submodel(start, maps[-1])(clip.features[None], training=False)
    activations = tf.convert_to_tensor(activations)
    score = differentiable(clip, number, start=maps[-1])
    with tf.GradientTape() as tape:
        tape.watch(activations)
        value = score(activations)
    weights = tf.reduce_mean(tape.gradient(value, activations), axis=(1, 2), keepdims=True)
    places = tf.reduce_sum(weights * activations, axis=-1)[0].numpy()
    zoom = np.divide(clip.features.shape[:2], places.shape)
    spread = ndimage.zoom(places, zoom, order=1, mode="nearest", grid_mode=True)
    return np.asarray(spread) / float(
        np.prod(zoom)
    )  # the sum over all points stays that over all places


def differentiable(
    clip: ExplainedClip,
    number: int,
    *,
    start: keras.KerasTensor | None = None,
    relu: Callable[[Any], Any] | None = None,
) -> Score:
    """Log-odds of a class, or a predicted value, as a function of TensorFlow tensors.

    The logits in front of a softmax or sigmoid are used where there are any, since the gradient of
    a probability near 1 is lost in rounding.

    Args:
        clip: with the model.
        number: of the class.
        start: tensor of the model that the function takes; None: the standardized features.
        relu: in place of every ReLU, see `with_relu_rule`.
    """
    model = clip.model
    start = standardize_of(model).output if start is None else start
    output = model.output[clip.output]
    layer = next(each for each in model.layers if each.output is output)
    over_time = len(output.shape) == 3
    activation = getattr(layer, "activation", None)
    known = keras.activations.softmax, keras.activations.sigmoid, keras.activations.linear
    has_logits = isinstance(layer, keras.layers.Dense) and activation in known and not over_time
    inner = _submodel(start, layer.input if has_logits else output)
    if relu is not None:
        twin = _with_relu_rule(inner, relu)
        twin.set_weights(inner.get_weights())  # which may have changed since it was made
        inner = twin

    def score_of_output(x: tf.Tensor) -> tf.Tensor:
        value = inner(x, training=False)
        value = (tf.reduce_mean(value, axis=1) if over_time else value)[:, number]
        if not clip.is_classifier:
            return value
        p = tf.clip_by_value(value, SMALLEST, 1 - SMALLEST)
        return tf.math.log(p) - tf.math.log1p(-p)

    def score_of_logits(x: tf.Tensor) -> tf.Tensor:
        logits = tf.matmul(inner(x, training=False), layer.kernel)
        if layer.use_bias:
            logits = logits + layer.bias
        if activation is not keras.activations.softmax:
            return logits[:, number]
        others = tf.concat([logits[:, :number], logits[:, number + 1 :]], axis=1)
        return logits[:, number] - tf.reduce_logsumexp(others, axis=1)

    return score_of_logits if has_logits else score_of_output


@lru_cache(maxsize=16)
def _submodel(start: keras.KerasTensor, end: keras.KerasTensor) -> keras.Model:
    """The layers between two tensors of a model, with its weights."""
    return keras.Model(start, end)


def with_relu_rule(network: keras.Model, relu: Callable[[Any], Any]) -> keras.Model:
    """A copy of a network with another gradient at its ReLUs.

    Args:
        network: with layers `ReLU` and dense or convolutional layers with that activation.
        relu: function in their place, with the same values.
    """

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation(relu, name=layer.name)
        twin = type(layer).from_config(layer.get_config())
        if getattr(layer, "activation", None) is keras.activations.relu:
            twin.activation = relu
        return twin

    clone = keras.models.clone_model(network, clone_function=copy)
    clone.set_weights(network.get_weights())
    return clone


_with_relu_rule = lru_cache(maxsize=16)(with_relu_rule)


@tf.custom_gradient
def _guided_relu(x: tf.Tensor) -> Any:
    return tf.nn.relu(x), lambda slope: tf.nn.relu(slope) * tf.cast(x > 0, slope.dtype)


@tf.custom_gradient
def _rectified_relu(x: tf.Tensor) -> Any:
    return tf.nn.relu(x), tf.nn.relu


def _gradients(score: Score, features: np.ndarray) -> np.ndarray:
    """Mean over the batch of the gradient of each score, (time, bands, channels)."""
    x = tf.convert_to_tensor(features)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_mean(score(x))
    return tape.gradient(value, x).numpy().sum(axis=0)


def _times_input(clip: ExplainedClip, slope: np.ndarray) -> np.ndarray:
    return (slope * clip.features).sum(axis=-1)
