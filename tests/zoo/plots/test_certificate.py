import io

import matplotlib.image
import numpy as np
import pytest

from zoo.plots import ErrorCurve, extrapolation, refinement


def curve(errors=(1e-3, 2e-3, 4e-2), worst=2e-3):
    return ErrorCurve((0.5, 1.0, 4.0), errors, (0.5, 1.0), (0.5, 2.0), "time step Δt [s]", worst)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return matplotlib.image.imread(io.BytesIO(file.getvalue()))


def lines(axes):
    return [np.column_stack(line.get_data()) for line in axes.get_lines()]


def test_each_quantity_has_a_panel_with_its_range_and_threshold():
    figure = extrapolation({"time step": curve(), "rate": curve()}, threshold=0.05)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["time step", "rate"]
    axes = figure.axes[0]
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.5, 1.0))
    limit, model = lines(axes)
    np.testing.assert_allclose(limit, [[0.5, 0.05], [2.0, 0.05]])
    np.testing.assert_allclose(model, [[0.5, 1e-3], [1.0, 2e-3], [4.0, 4e-2]])
    # of the checked range, 0.5 to 2, as the certificate states; not the 4 % beyond it
    assert axes.get_title(loc="right") == "checked, worst 0.20 %"
    assert np.ptp(drawn(figure)) > 0.5


def test_a_range_that_begins_at_nothing_is_shaded_from_the_edge():
    figure = extrapolation({"length": curve()._replace(trained=(0.0, 1.0))}, threshold=0.05)
    (shade,) = figure.axes[0].patches
    assert shade.get_x() == pytest.approx(figure.axes[0].get_xlim()[0])


def test_a_range_of_one_value_is_still_shaded():
    figure = extrapolation({"rate": curve()._replace(trained=(1.0, 1.0))}, threshold=0.05)
    (shade,) = figure.axes[0].patches
    assert shade.get_x() < 1.0 < shade.get_x() + shade.get_width()


def test_no_answer_is_a_gap_and_an_exact_one_is_still_drawn():
    figure = extrapolation({"rate": curve((0.0, np.nan, np.inf), np.nan)}, threshold=0.05)
    axes = figure.axes[0]
    assert axes.get_title(loc="right") == "checked, not finite"
    errors = lines(axes)[-1][:, 1]
    assert errors[0] > 0 and np.isnan(errors[1:]).all()
    drawn(figure)


@pytest.mark.parametrize("values", [{2: 1e-3, 8: 3e-2}, {2: 0.0}, {2: np.nan, 4: np.nan}])
def test_refinement_shows_every_factor_and_the_threshold(values):
    figure = refinement(values, threshold=1e-2)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(k) for k in values]
    low, high = axes.get_ylim()
    assert low < 1e-2 < high
    drawn(figure)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="`curves`"):
        extrapolation({}, threshold=0.05)
    with pytest.raises(ValueError, match="`differences`"):
        refinement({}, threshold=1e-2)
