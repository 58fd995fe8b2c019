"""Multiclass figures draw the numbers that they are given."""

import numpy as np
import pytest

from zoo.plots import multiclass as plots


def test_confusion_writes_every_count_that_is_not_zero():
    (axes,) = plots.confusion_matrix(np.array([[5, 0], [2, 7]]), ["rain", "sea"]).axes
    assert {(t.get_position(), t.get_text()) for t in axes.texts} == {
        ((0, 0), "5"),
        ((0, 1), "2"),
        ((1, 1), "7"),
    }
    np.testing.assert_allclose(axes.images[0].get_array(), [[1, 0], [2 / 9, 7 / 9]])


def test_reliability_leaves_out_empty_bins_and_names_the_error():
    curve = np.array([0.2, np.nan, 0.8]), np.array([0.3, np.nan, 0.7]), np.array([4, 0, 16])
    figure = plots.reliability_diagram({"as trained": curve}, {"as trained": 0.08})
    _, line = figure.axes[0].lines
    np.testing.assert_allclose(line.get_xydata(), [[0.2, 0.3], [0.8, 0.7]])
    assert figure.legends[0].get_texts()[0].get_text() == "as trained, ECE 8.0 %"


def test_accuracy_coverage_marks_the_chosen_threshold():
    figure = plots.accuracy_coverage(np.array([0.5, 1.0]), np.array([1.0, 0.75]), chosen=(0.5, 1.0))
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.lines[1].get_xydata(), [[0.5, 1.0]])
    assert axes.get_title(loc="right") == "threshold: 50 % covered, 100 % correct"


def test_intervals_span_low_to_high():
    (axes,) = plots.intervals({"a": (0.8, 0.7, 0.9), "b": (0.5, 0.4, 0.6)}).axes
    np.testing.assert_allclose(axes.lines[2].get_xdata(), [0.4, 0.6])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="`matrix` must have shape"):
        plots.confusion_matrix(np.zeros((2, 3)), ["a", "b"])
    with pytest.raises(ValueError, match="`figures` must hold at least one"):
        plots.intervals({})
