"""Every precision of a model, asked about the same clips."""

import keras
import numpy as np
import pytest

from zoo.export.precision import measure_precisions

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A front end whose floor float16 takes for zero, and a network behind it."""
    keras.utils.set_random_seed(0)
    x = waveform = keras.Input((64,), name="waveform")
    x = keras.ops.log10(keras.ops.maximum(x * x, 1e-10))
    x = keras.layers.Reshape((8, 8, 1), name="normalise")(x)
    x = keras.layers.Conv2D(300, 3, activation="relu")(x)
    x = keras.layers.Conv2D(16, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(3, activation="softmax", name="probabilities")(x)
    return keras.Model(waveform, {"probabilities": x})


def test_files_answer_as_the_model_does_and_less_precision_is_smaller(model):
    x = RNG.normal(size=(12, 64)).astype("float32")
    x[:, :5] = 0  # digital silence
    expected = model(x)["probabilities"].numpy()
    weights = ("float32", "float16", "int8")
    results = measure_precisions(model, x, examples=x, front="normalise", weights=weights)
    assert set(results) == set(weights)
    for name, worst in {"float32": 1e-6, "float16": 1e-3, "int8": 0.03}.items():
        assert results[name].predictions.shape == (12, 3) and results[name].seconds > 0
        assert np.abs(results[name].predictions - expected).max() < worst, name
    assert np.abs(results["int8"].predictions - expected).max() > 0  # it is another arithmetic
    assert results["int8"].bytes < results["float16"].bytes < results["float32"].bytes
