"""Binary figures draw the numbers that they are given."""

import numpy as np
import pytest

from zoo.plots import binary as plots


def test_curves_are_drawn_from_corner_to_corner_and_named():
    curve = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.7, 1.0])
    band = np.array([0.0, 1.0]), np.array([0.0, 0.9]), np.array([0.1, 1.0])
    figure = plots.roc_curves({"network": curve}, band=band)
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), np.stack(curve, 1))
    assert [text.get_text() for text in figure.legends[0].texts] == ["network"]
    assert len(axes.collections) == 1


def test_every_clip_is_a_dot_in_the_column_of_its_group():
    groups = {
        "one": (np.array([0, 1, 1]), np.array([0.1, 0.6, 0.8])),
        "two": (np.array([0]), np.array([0.3])),
    }
    (axes,) = plots.scores_by_group(groups).axes
    dots = [line for line in axes.lines if line.get_marker() == "."]
    assert sorted(y for line in dots for y in line.get_ydata()) == [0.1, 0.3, 0.6, 0.8]
    means = [line.get_ydata()[0] for line in axes.lines if line.get_marker() != "."]
    np.testing.assert_allclose(means, [0.5, 0.3])


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        plots.scores_by_group({})
