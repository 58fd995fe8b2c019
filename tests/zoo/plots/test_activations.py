"""Activation functions beside their derivatives."""

import io

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import Activation, activations

POINTS = np.linspace(-2, 2, 9)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return matplotlib.image.imread(io.BytesIO(file.getvalue()))


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_a_function_stands_beside_its_slope():
    figure = activations(POINTS, {"tanh": Activation(np.tanh(POINTS), 1 - np.tanh(POINTS) ** 2)})
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), np.tanh(POINTS))
    np.testing.assert_allclose(right.lines[0].get_ydata(), 1 - np.tanh(POINTS) ** 2)
    assert words(left) == words(right) == ["tanh"]
    assert np.ptp(drawn(figure)) > 0.5


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: activations(POINTS, {}), "at least one"),
        (lambda: activations(POINTS, {"a": Activation(POINTS, POINTS[1:])}), "must have shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
