"""Files of weights by the names of layers: they come back, and those of others are refused."""

import keras
import numpy as np
import pytest

from zoo.distillation import load_weights, save_weights


def make_model(units=3, name="first"):
    x = keras.Input((4,))
    hidden = keras.layers.BatchNormalization(name="norm")(keras.layers.Dense(units, name=name)(x))
    return keras.Model(x, keras.layers.Dropout(0.5)(hidden))


def test_weights_come_back_by_the_names_of_layers(tmp_path):
    one, two = make_model(), make_model()
    save_weights(one, tmp_path / "weights.npz")
    load_weights(two, tmp_path / "weights.npz")
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make_model(units=5), r"expected weights of shape \(4, 5\) for the layer 'first', got"),
        (make_model(name="second"), r"for the layer 'second', got none\. Give a file of the same"),
    ],
)
def test_weights_of_other_layers_are_refused_and_change_nothing(other, message, tmp_path):
    save_weights(make_model(), tmp_path / "weights.npz")
    before = other.get_weights()
    with pytest.raises(ValueError, match=message) as raised:
        load_weights(other, tmp_path / "weights.npz")
    assert len(str(raised.value).splitlines()) == 1
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.npz").write_text("no weights")
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 cut short")
    for name in ("text.npz", "array.npy", "cut.npz"):
        with pytest.raises(ValueError, match="is no file of weights, expected") as raised:
            load_weights(make_model(), tmp_path / name)
        assert len(str(raised.value).splitlines()) == 1
