"""Matrices with their numbers."""

import io

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import Matrix, matrices


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return matplotlib.image.imread(io.BytesIO(file.getvalue()))


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_every_number_of_a_matrix_is_written_in_its_cell():
    figure = matrices(
        {"a": Matrix([[1, 2.5], [3, 4]], [(0, 1, 1)]), "b": Matrix([[7]])}, between=("→",)
    )
    (axes,) = figure.axes
    assert words(axes) == ["1", "2.5", "3", "4", "a", "→", "7", "b", ""]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places["2.5"] == (1.5, 0.5) and places["3"] == (0.5, 1.5)
    assert places["→"] == (2.5, 1) and places["7"] == (3.5, 1)  # centred on the taller matrix
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # rows run down
    (frame,) = axes.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (1, 0, 1)
    assert np.ptp(drawn(figure)) > 0.5


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: matrices({}), "at least one"),
        (lambda: matrices({"a": Matrix([[1]])}, between=("=",)), "0 entries"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
