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
from zoo.convnets.open_set import OpenSet
from zoo.convnets.unknown_class import UnknownClass
from zoo.explain.clip import SMALLEST, ExplainedClip, compiled

STEPS = 32  # of integrated gradients
SMOOTHGRAD_COPIES = 24
SMOOTHGRAD_NOISE = 0.15  # of the range of the features
SEED = 0

Rule = Callable[[Any], Any]  # in place of a ReLU: the same values, another gradient
# features (batch, time, bands, channels), number of the class, row of an output over time or a
# negative number for the mean -> (batch,)
Score = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def gradient(clip: ExplainedClip, number: int) -> np.ndarray:
    """Gradient times input, (time, bands)."""
    return _times_input(clip, _mean_slope(clip, number, clip.features[None]))


def integrated_gradients(clip: ExplainedClip, number: int) -> np.ndarray:
    """Mean gradient on the straight line from the training mean, times input, (time, bands)."""
    shares = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
    copies = shares[:, None, None, None] * clip.features
    return _times_input(clip, _mean_slope(clip, number, copies))


def smoothgrad(clip: ExplainedClip, number: int) -> np.ndarray:
    """Mean gradient over noisy copies, times input, (time, bands)."""
    rng = np.random.default_rng(SEED)
    scale = SMOOTHGRAD_NOISE * np.ptp(clip.features)
    noise = scale * rng.normal(size=(SMOOTHGRAD_COPIES, *clip.features.shape))
    copies = (clip.features + noise).astype(np.float32)
    return _times_input(clip, _mean_slope(clip, number, copies))


def guided_backpropagation(clip: ExplainedClip, number: int) -> np.ndarray:
    """Gradient through active units, positive gradients only, times input, (time, bands)."""
    slope = _mean_slope(clip, number, clip.features[None], relu=_guided_relu)
    return _times_input(clip, slope)


def deconvolution(clip: ExplainedClip, number: int) -> np.ndarray:
    """Projection through transposed filters and switches, rectified, times input, (time, bands)."""
    slope = _mean_slope(clip, number, clip.features[None], relu=_rectified_relu)
    return _times_input(clip, slope)


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
    to_map = compiled(_submodel(start, maps[-1]))
    activations = to_map(tf.constant(clip.features[None], tf.float32)).numpy()
    slope = _mean_slope(clip, number, activations, start=maps[-1])
    places = (slope.mean(axis=(0, 1)) * activations[0]).sum(axis=-1)
    if clip.at is not None:  # a mean over time would else show maps that this output never saw
        places = np.where(np.abs(slope).sum(axis=-1) > 0, places, 0.0)
    zoom = np.divide(clip.features.shape[:2], places.shape)
    spread = ndimage.zoom(places, zoom, order=1, mode="nearest", grid_mode=True)
    return np.asarray(spread) / float(
        np.prod(zoom)
    )  # the sum over all points stays that over all places


@lru_cache(maxsize=32)
def differentiable(
    model: keras.Model,
    output: str,
    *,
    start: keras.KerasTensor | None = None,
    relu: Rule | None = None,
) -> Score:
    """Log-odds of a class, or a predicted value, as a function of TensorFlow tensors.

    The logits in front of a softmax or sigmoid are used where there are any, since the gradient of
    a probability near 1 is lost in rounding.

    Args:
        model: with one layer `Standardize`.
        output: its name, "probabilities" or "prediction".
        start: tensor of the model that the function takes; None: the standardized features.
        relu: in place of every ReLU, see `with_relu_rule`.
    """
    start = standardize_of(model).output if start is None else start
    end = model.output[output]
    layer = next(each for each in model.layers if each.output is end)
    over_time = len(end.shape) == 3
    activation = getattr(layer, "activation", None)
    known = keras.activations.softmax, keras.activations.sigmoid, keras.activations.linear
    is_dense = isinstance(layer, keras.layers.Dense) and activation in known
    has_logits = (is_dense or isinstance(layer, OpenSet | UnknownClass)) and not over_time
    inner = _submodel(start, layer.input if has_logits else end)
    forward = inner if relu is None else _with_rule_and_weights(inner, relu)

    def score_of_output(x: tf.Tensor, number: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
        value = forward(x, training=False)
        if over_time:
            mean, row = tf.reduce_mean(value, axis=1), tf.gather(value, tf.maximum(at, 0), axis=1)
            value = tf.where(at < 0, mean, row)
        value = tf.gather(value, number, axis=1)
        if output != "probabilities":
            return value
        p = tf.clip_by_value(value, SMALLEST, 1 - SMALLEST)
        return tf.math.log(p) - tf.math.log1p(-p)

    def score_of_logits(x: tf.Tensor, number: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
        del at  # one output a clip
        seen = forward(x, training=False)
        if is_dense:
            logits = tf.matmul(seen, layer.kernel)
            logits = logits + layer.bias if layer.use_bias else logits
        else:
            logits = layer.logits(seen)
        chosen = tf.gather(logits, number, axis=1)
        if is_dense and activation is not keras.activations.softmax:
            return chosen
        last = tf.shape(logits)[1] - 1
        is_other = tf.range(last + 1) != number
        if not is_dense:  # "unknown" is no rival of a class, see `ExplainedClip.score`
            is_other &= (tf.range(last + 1) != last) | (number == last)
        return chosen - tf.reduce_logsumexp(tf.boolean_mask(logits, is_other, axis=1), axis=1)

    return score_of_logits if has_logits else score_of_output


def _with_rule_and_weights(inner: keras.Model, relu: Rule) -> Callable[..., tf.Tensor]:
    """`with_relu_rule`, whose weights follow those of the network, which may change."""
    twin = with_relu_rule(inner, relu)

    def forward(x: tf.Tensor, training: bool = False) -> tf.Tensor:
        for own, trained in zip(twin.weights, inner.weights, strict=True):
            own.assign(trained)
        return twin(x, training=training)

    return forward


@lru_cache(maxsize=16)
def _submodel(start: keras.KerasTensor, end: keras.KerasTensor) -> keras.Model:
    """The layers between two tensors of a model, with its weights."""
    return keras.Model(start, end)


def with_relu_rule(network: keras.Model, relu: Rule) -> keras.Model:
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


@tf.custom_gradient
def _guided_relu(x: tf.Tensor) -> Any:
    return tf.nn.relu(x), lambda slope: tf.nn.relu(slope) * tf.cast(x > 0, slope.dtype)


@tf.custom_gradient
def _rectified_relu(x: tf.Tensor) -> Any:
    return tf.nn.relu(x), tf.nn.relu


def _mean_slope(
    clip: ExplainedClip,
    number: int,
    x: np.ndarray,
    *,
    start: keras.KerasTensor | None = None,
    relu: Rule | None = None,
) -> np.ndarray:
    """Mean over the batch `x` of the gradients of the score, (time, bands, channels)."""
    slope = _compiled_slope(clip.model, clip.output, start, relu)
    at = -1 if clip.at is None else clip.at
    return slope(tf.constant(x, tf.float32), tf.constant(number), tf.constant(at)).numpy()


@lru_cache(maxsize=32)
def _compiled_slope(
    model: keras.Model, output: str, start: keras.KerasTensor | None, relu: Rule | None
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """`_mean_slope` as one graph: 4 ms instead of 60 for a clip of `residual_tiny`."""
    score = differentiable(model, output, start=start, relu=relu)
    shape = (standardize_of(model).output if start is None else start).shape
    scalar = tf.TensorSpec((), tf.int32)

    @tf.function
    def slope(x: tf.Tensor, number: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_mean(score(x, number, at))
        return tf.reduce_sum(tape.gradient(value, x), axis=0)

    features = tf.TensorSpec((None, *shape[1:]), tf.float32)
    return slope.get_concrete_function(features, scalar, scalar)


def _times_input(clip: ExplainedClip, slope: np.ndarray) -> np.ndarray:
    return (slope * clip.features).sum(axis=-1)
