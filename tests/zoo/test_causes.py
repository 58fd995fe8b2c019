"""The cause of what Keras and TensorFlow raise, in one line."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo.causes import cause_of
from zoo.models.stress import open_model


@keras.saving.register_keras_serializable("tests")
class Multiplies(keras.layers.Layer):
    """A matrix that does not fit; only the graph notices."""

    def call(self, x):
        return ops.matmul(x, ops.ones((4, 1)))

    def compute_output_shape(self, shape):
        return (*shape[:-1], 1)


@keras.saving.register_keras_serializable("tests")
class Reshapes(keras.layers.Layer):
    """A shape that does not fit."""

    def call(self, x):
        return ops.reshape(x, (-1, 7, 1))

    def compute_output_shape(self, shape):
        return (*shape[:-1], 1)


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    """A layer whose configuration does not rebuild it."""

    def __init__(self, units):
        super().__init__()

    def call(self, x):
        return x[..., :1]


def model_of(layer):
    x = keras.Input((None, 3))
    return keras.Model(x, layer(x))


MULTIPLIES = "Matrix size-incompatible: In[0]: [{rows},3], In[1]: [4,1]"


@pytest.mark.parametrize(
    ("layer", "cause"),
    [
        (Multiplies, MULTIPLIES.format(rows=10)),
        (
            Reshapes,
            "Input to reshape is a tensor with 30 values, but the requested shape requires a "
            "multiple of 7",
        ),
        (lambda: Forgetful(3), "Forgetful.__init__() got an unexpected keyword argument"),
    ],
    ids=["matrix", "shape", "configuration"],
)
def test_a_model_that_fails_is_refused_with_the_cause(layer, cause, tmp_path):
    model_of(layer()).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"own\.keras: ") as error:
        open_model(tmp_path / "own.keras")
    assert cause in str(error.value)
    assert "\n" not in str(error.value)


def test_the_cause_names_the_layer():
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        model_of(Multiplies())(np.zeros((1, 5, 3), np.float32))
    assert cause_of(error.value) == f"Multiplies.call(): {MULTIPLIES.format(rows=5)}"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("one line."), "one line"),
        (ValueError("first\nsecond"), "first"),
        (KeyError(), "KeyError"),
    ],
    ids=["one line", "several", "nothing"],
)
def test_other_errors_say_their_first_line(error, cause):
    assert cause_of(error) == cause
