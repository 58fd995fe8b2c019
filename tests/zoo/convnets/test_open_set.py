"""The head with "unknown" as its last class, against NumPy."""

import keras
import numpy as np
import pytest

from zoo.convnets.open_set import SLOPE, OpenSet


@pytest.fixture
def layer():
    rng = np.random.default_rng(0)
    layer = OpenSet(3, 5)
    layer.build((None, 4))
    examples = rng.normal(size=(4, 5))
    examples /= np.linalg.norm(examples, axis=0)
    layer.set_weights([rng.normal(size=(4, 3)), rng.normal(size=3), examples, np.array([0.8])])
    return layer


def test_probabilities(layer):
    x = np.random.default_rng(1).normal(size=(6, 4)).astype("float32")
    kernel, bias, examples, threshold = (np.array(each) for each in layer.get_weights())
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    z = u @ kernel + bias
    familiarity = (u @ examples).max(axis=1)
    z = np.c_[z, z.max(axis=1) + SLOPE * (threshold - familiarity)]
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, rtol=2e-4)


def test_unknown_is_likeliest_below_the_threshold_only(layer):
    examples = np.array(layer.get_weights()[2]).T
    near = keras.ops.convert_to_numpy(layer(7 * examples))  # their length does not count
    far = keras.ops.convert_to_numpy(layer(-examples.mean(axis=0, keepdims=True)))
    assert (near.argmax(axis=1) != 3).all()
    assert far.argmax() == 3


def test_round_trip_of_the_settings(layer):
    assert OpenSet.from_config(layer.get_config()).get_config() == layer.get_config()
