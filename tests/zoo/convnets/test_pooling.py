import doctest
from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import minimum_filter

import zoo.convnets.pooling
from zoo.convnets.pooling import BandStatistics, MinPooling2D, TimeQuantile

RNG = np.random.default_rng(0)
SIZES = [(1, 1), (2, 3), (5, 7), (6, 6), (9, 4)]
WINDOWS = [(2, None), (3, 1), (3, 2), ((2, 3), (3, 1)), (1, 2)]  # pool_size, strides


def image(height, width, channels=2):
    return RNG.normal(size=(3, height, width, channels)).astype(np.float32)


def by_hand(x, pool_size, strides, padding):
    """The minimum over what of each window lies inside the image, with TensorFlow's 'same'."""
    pool = np.broadcast_to(pool_size, 2)
    step = pool if strides is None else np.broadcast_to(strides, 2)
    size = np.array(x.shape[1:3])
    if padding == "valid":
        before, places = np.zeros(2, int), (size - pool) // step + 1
    else:
        places = -(-size // step)
        before = np.maximum((places - 1) * step + pool - size, 0) // 2
    y = np.empty((x.shape[0], *places, x.shape[3]), x.dtype)
    for i, j in np.ndindex(*places):
        first = np.array([i, j]) * step - before
        (top, left), (end, right) = np.maximum(first, 0), first + pool
        y[:, i, j] = x[:, top:end, left:right].min(axis=(1, 2))
    return y


CASES = [
    (size, pool_size, strides, padding)
    for size, (pool_size, strides), padding in product(SIZES, WINDOWS, ("valid", "same"))
    if padding == "same" or np.all(np.array(size) >= pool_size)  # it must fit at least once
]


@pytest.mark.parametrize(("size", "pool_size", "strides", "padding"), CASES)
def test_every_window_gives_its_smallest_value(size, pool_size, strides, padding):
    x = image(*size)
    layer = MinPooling2D(pool_size, strides, padding)
    y = by_hand(x, pool_size, strides, padding)
    np.testing.assert_array_equal(layer(x), y)
    assert layer.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("pool_size", "strides"), WINDOWS)
def test_it_is_the_maximum_turned_upside_down(pool_size, strides, padding):
    x = image(7, 8)
    largest = keras.layers.MaxPooling2D(pool_size, strides, padding)
    smallest = MinPooling2D(pool_size, strides, padding)
    np.testing.assert_array_equal(smallest(x), -np.array(largest(-x)))
    np.testing.assert_array_equal(-np.array(smallest(-x)), largest(x))
    assert smallest.compute_output_shape((None, 7, 8, 2)) == largest.compute_output_shape(
        (None, 7, 8, 2)
    )


def test_a_sliding_window_is_scipys_minimum_filter():
    x = image(9, 11, channels=1)
    filtered = minimum_filter(x[1, ..., 0], size=(3, 5), mode="constant", cval=np.inf)
    np.testing.assert_array_equal(
        MinPooling2D((3, 5), strides=1, padding="same")(x)[1, ..., 0], filtered
    )


def test_padding_counts_for_nothing():
    x = np.full((1, 3, 3, 1), 5.0, np.float32)  # zeros at the edge would win
    np.testing.assert_array_equal(MinPooling2D(2, padding="same")(x), np.full((1, 2, 2, 1), 5.0))


def test_the_lectures_image():
    x = np.array([[2, 5, 3, 1], [4, 8, 9, 1], [5, 4, 7, 3], [0, 4, 1, 2]], np.float32)
    np.testing.assert_array_equal(MinPooling2D()(x[None, ..., None])[0, ..., 0], [[2, 1], [0, 1]])


def test_channels_may_come_first():
    x = image(6, 5)
    first = MinPooling2D(2, data_format="channels_first")(x.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(np.transpose(first, (0, 2, 3, 1)), MinPooling2D(2)(x))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
def test_integers_are_exact_at_both_ends_of_their_range(dtype):
    ends = np.iinfo(dtype)
    x = RNG.choice([ends.min, ends.min + 1, 0, 1, ends.max], size=(2, 5, 5, 1)).astype(dtype)
    x[0, :2, :2, 0] = ends.min
    x[0, :2, 2:4, 0] = ends.max
    y = np.array(MinPooling2D(2)(tf.constant(x)))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, by_hand(x, 2, None, "valid"))


@pytest.mark.parametrize("policy", ["float16", "mixed_float16", "float64"])
def test_it_computes_in_the_precision_that_maxpooling_would(policy):
    x = image(4, 4).astype(np.float64)
    smallest = MinPooling2D(2, dtype=policy)(x)
    assert smallest.dtype == keras.layers.MaxPooling2D(2, dtype=policy)(x).dtype
    assert smallest.dtype == policy.removeprefix("mixed_")
    expected = by_hand(x.astype(policy.removeprefix("mixed_")), 2, None, "valid")
    np.testing.assert_array_equal(smallest, expected)


def test_the_gradient_goes_to_the_smallest_value_alone():
    x = tf.constant(RNG.permutation(35).reshape(1, 5, 7, 1).astype(np.float32))  # no ties
    weight = RNG.normal(size=(1, 3, 4, 1)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(weight * MinPooling2D(2, padding="same")(x))
    expected = np.zeros((5, 7), np.float32)
    for i, j in np.ndindex(3, 4):
        tile = x[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, 0].numpy()
        row, column = np.unravel_index(tile.argmin(), tile.shape)
        expected[2 * i + row, 2 * j + column] = weight[0, i, j, 0]
    np.testing.assert_array_equal(tape.gradient(total, x)[0, ..., 0], expected)


def test_it_is_saved_and_read(tmp_path):
    settings = {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}
    model = keras.Sequential(
        [keras.Input((None, None, 2)), keras.layers.Conv2D(2, 3), MinPooling2D(**settings)]
    )
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    x = image(8, 9)
    np.testing.assert_array_equal(again(x), model(x))
    config = again.layers[-1].get_config()
    assert {name: config[name] for name in settings} == settings
    assert config["name"] == model.layers[-1].name
    assert keras.saving.get_registered_name(MinPooling2D) == "zoo>MinPooling2D"


def test_it_is_exported_with_any_size(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 1)), MinPooling2D(3, 2, "same")])
    assert model.output_shape == (None, None, None, 1)
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model")
    x = image(7, 4, channels=1)
    np.testing.assert_array_equal(served.serve(x), by_hand(x, 3, 2, "same"))


def test_it_needs_no_operation_that_tflite_has_not_built_in():
    layer = MinPooling2D(2, padding="same")
    traced = tf.function(layer).get_concrete_function(tf.TensorSpec((1, 6, 5, 1)))
    kinds = {operation.type for operation in traced.graph.get_operations()}
    assert kinds == {"Placeholder", "Neg", "MaxPool", "Identity"}


def test_it_is_no_maximum():
    assert not isinstance(MinPooling2D(), keras.layers.MaxPooling2D)


@pytest.mark.parametrize(
    "wrong", [{"pool_size": 0}, {"padding": "valid "}, {"strides": (1, 2, 3)}], ids=str
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        MinPooling2D(**wrong)


def test_the_docstrings_example_runs():
    result = doctest.testmod(zoo.convnets.pooling)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("q", [0.0, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("time", [2, 11, 38])
def test_a_quantile_over_time_is_that_of_numpy(q, time):
    x = np.round(RNG.normal(size=(3, time, 2)), 1).astype(np.float32)  # with equal values
    expected = np.quantile(x, q, axis=1)
    np.testing.assert_allclose(np.array(TimeQuantile(q)(x)), expected, atol=1e-5)


def test_a_quantile_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        TimeQuantile(1.2)


def test_statistics_of_parts_of_the_frequency_axis_are_those_of_numpy():
    x = RNG.normal(size=(3, 7, 8, 5)).astype(np.float32)
    parts = x.reshape(3, 7, 4, 2, 5).mean(axis=3)
    mean = parts.mean(axis=1)
    expected = np.concatenate([mean, np.abs(parts - mean[:, None]).mean(axis=1)], axis=-1)
    layer = BandStatistics(4)
    np.testing.assert_allclose(np.array(layer(x)), expected.reshape(3, 40), atol=1e-4)
    assert layer.compute_output_shape((None, 7, 8, 5)) == (None, 40)
    again = BandStatistics.from_config(layer.get_config())
    assert again.bands == 4


def test_parts_that_do_not_divide_the_axis_are_refused():
    with pytest.raises(ValueError, match="multiple of `bands`, 4"):
        BandStatistics(4)(np.zeros((1, 3, 6, 2), np.float32))
    with pytest.raises(ValueError, match="1 or more"):
        BandStatistics(0)
