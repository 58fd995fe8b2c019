import inspect
import io
import subprocess
import sys

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text

from zoo import plots
from zoo.plots import (
    Loop,
    Trace,
    error_against_parameters,
    error_by_split,
    identified_fit,
    learning_curves,
    loops,
    number_rows,
    predicted_loops,
    states_over_time,
)
from zoo.plots.activations import Activation
from zoo.plots.binary import roc_curves
from zoo.plots.memory import Decay, fading, memory_of_material, task_errors
from zoo.plots.multiclass import reliability_diagram
from zoo.plots.states import order_by_phase
from zoo.plots.style import new_figure, percent, plain_numbers

TIME = 0.1 * np.arange(1, 81)
TRIANGLE = 1.5 - np.abs((TIME + 1.5) % 6.0 - 3.0)  # turns at 1.5, 4.5, 7.5 s
STRESS = np.sin(TIME)
LOADING, RESPONSE = Trace(TRIANGLE, "strain ε [-]"), Trace(STRESS, "stress σ [MPa]")
GATES = ("forget", "input", "output")
PHASES = np.random.default_rng(0).permutation(12) * 2 * np.pi / 12
SWING = np.sin(TIME[:, None] + PHASES)


def lstm_states():
    gates = {name: 0.5 + 0.4 * SWING for name in GATES}
    return {"cell": 3 * SWING, "hidden": SWING, "candidate": SWING, **gates}


def history(epochs=20):
    loss = 0.1 * 0.8 ** np.arange(epochs)
    return {"loss": loss, "val_loss": loss + 1e-4, "learning_rate": np.linspace(1e-3, 0, epochs)}


FIGURES = {
    "loops": lambda: loops({k: Loop(TRIANGLE, STRESS, 1.1 * STRESS) for k in "abcd"}),
    "states": lambda: states_over_time(TIME, LOADING, RESPONSE, lstm_states(), title="Layer 0"),
    "fit": lambda: identified_fit(TIME, TRIANGLE, STRESS, 1.1 * STRESS, title="E = 1 MPa"),
    "rates": lambda: predicted_loops({"1 /s": (TRIANGLE, STRESS), "2 /s": (TRIANGLE, 2 * STRESS)}),
    "curves": lambda: learning_curves(history()),
    "splits": lambda: error_by_split({"LSTM": {"walk": 0.01, "sine": 0.2}, "RNN": {"walk": 0.1}}),
    "size": lambda: error_against_parameters({"LSTM": (4641, 0.011), "GRU": (3521, 0.0086)}),
}


def png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def titles(axes) -> list[str]:
    return [axes.get_title(loc=side) for side in ("left", "right")]


def heat_maps(figure) -> dict[str, QuadMesh]:
    meshes = {}
    for axes in figure.axes:
        for mesh in axes.collections:
            if isinstance(mesh, QuadMesh) and axes.get_title(loc="left"):
                meshes[axes.get_title(loc="left")] = mesh
    return meshes


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_a_png_of_its_size_with_units_on_its_axes(name):
    figure = FIGURES[name]()
    assert isinstance(figure.canvas, FigureCanvasAgg)
    picture = matplotlib.image.imread(io.BytesIO(png(figure)))
    width, height = figure.get_size_inches() * figure.dpi
    assert picture.shape[:2] == pytest.approx((height, width), abs=1)
    assert picture[..., :3].std() > 0.02
    counted = ("epoch", "parameters", "12 units")
    for axes in figure.axes:
        for label in (axes.get_xlabel(), axes.get_ylabel()):
            assert label in ("", *counted) or "[" in label, f"{label!r} has no unit"


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_written_outside_the_figure(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width + 0.01 and box.y1 <= height + 0.01


def test_matplotlib_is_left_as_it_was_and_does_not_interfere():
    before = png(FIGURES["loops"]())
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "savefig.dpi": 50}):
        settings = dict(matplotlib.rcParams)
        assert png(FIGURES["loops"]()) == before
        assert dict(matplotlib.rcParams) == settings


def test_no_pyplot_and_no_display():
    code = "import sys, zoo.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loops_show_the_data_and_its_error():
    figure = loops({"walk": Loop(TRIANGLE, STRESS, 1.1 * STRESS), "sine": (STRESS, STRESS, STRESS)})
    walk, sine = figure.axes
    truth, predicted = walk.lines
    np.testing.assert_array_equal(truth.get_xydata(), np.column_stack([TRIANGLE, STRESS]))
    np.testing.assert_allclose(predicted.get_ydata(), 1.1 * STRESS)
    assert titles(walk) == ["walk", "nRMSE 10 %"]  # a tenth too stiff everywhere
    assert titles(sine) == ["sine", "nRMSE 0 %"]
    assert walk.get_xlim() == sine.get_xlim() and walk.get_ylim() == sine.get_ylim()


def test_loops_take_the_error_of_the_whole_split():
    (axes,) = loops({"walk": Loop(TRIANGLE, STRESS, STRESS)}, nrmse={"walk": 0.00524}).axes
    assert titles(axes)[1] == "nRMSE 0.52 %"


@pytest.mark.parametrize("families", range(1, 8))
def test_lowest_loop_of_every_column_has_a_strain_axis(families):
    figure = loops({str(k): Loop(TRIANGLE, STRESS, STRESS) for k in range(families)})
    assert len(figure.axes) == families
    figure.draw_without_rendering()
    for axes in figure.axes:
        below = any(
            other.get_position().x0 == pytest.approx(axes.get_position().x0)
            and other.get_position().y0 < axes.get_position().y0 - 0.01
            for other in figure.axes
        )
        assert (axes.get_xlabel() == "") == below
        assert any(label.get_visible() for label in axes.get_xticklabels()) != below


def test_fit_shows_the_residual_and_its_size():
    figure = identified_fit(TIME, TRIANGLE, STRESS, STRESS + 0.25, stress_label="stress τ [Pa]")
    (residual,) = (axes for axes in figure.axes if axes.get_ylabel().startswith("residual"))
    assert residual.get_ylabel() == "residual [Pa]"
    np.testing.assert_allclose(residual.lines[-1].get_ydata(), 0.25)
    assert titles(residual)[1] == "band: ± RMS = 0.25"


def test_rows_are_numbered_where_there_are_no_times():
    figure = number_rows(identified_fit(TIME, TRIANGLE, STRESS, STRESS))
    assert {axes.get_xlabel() for axes in figure.axes} == {"", "row", "strain ε [-]"}


def test_exact_fit_draws():
    assert png(identified_fit(TIME, TRIANGLE, STRESS, STRESS))


def test_heat_maps_hold_every_unit_once_in_one_order():
    maps = heat_maps(states_over_time(TIME, LOADING, RESPONSE, lstm_states()))
    assert set(maps) == set(lstm_states())
    order = [
        int(np.argmin(np.abs(SWING.T - row).sum(axis=1))) for row in maps["hidden"].get_array()
    ]
    assert order == order_by_phase(SWING).tolist() != sorted(order)
    for name, values in lstm_states().items():
        np.testing.assert_array_equal(maps[name].get_array(), values[:, order].T)


def test_colour_scales_are_zero_centred_or_shut_to_open():
    maps = heat_maps(states_over_time(TIME, LOADING, RESPONSE, lstm_states()))
    for name in GATES:
        assert maps[name].get_clim() == (0, 1)
    for name, swing in {"cell": 3, "hidden": 1, "candidate": 1}.items():
        low, high = maps[name].get_clim()
        assert low == -high
        assert high == pytest.approx(swing, rel=0.01)


def test_heat_map_column_covers_the_step_that_ends_at_its_time():
    time_s = np.array([0.1, 0.2, 0.4, 0.8])
    trace = Trace(time_s, "[-]")
    figure = states_over_time(time_s, trace, trace, {"hidden": np.eye(4, 5) - 0.5})
    corners = heat_maps(figure)["hidden"].get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [0, 0.1, 0.2, 0.4, 0.8], atol=1e-12)


def test_dotted_lines_mark_where_the_loading_turns():
    figure = states_over_time(TIME, LOADING, RESPONSE, {"hidden": SWING})
    dotted = [line for line in figure.axes[-2].lines if line.get_linestyle() != "-"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in dotted], [1.5, 4.5, 7.5])


def test_a_hold_is_no_turn():
    ramp = np.minimum(TIME, 2.0)
    figure = states_over_time(TIME, Trace(ramp, "[-]"), RESPONSE, {"hidden": SWING})
    assert not [line for line in figure.axes[-2].lines if line.get_linestyle() != "-"]


@pytest.mark.parametrize(
    ("states", "panels"),
    [(("hidden",), 3), (("hidden", "candidate", "update", "reset"), 6)],
    ids=["SimpleRNN", "GRU"],
)
def test_other_cells_get_the_panels_they_have(states, panels):
    values = {k: 0.5 + 0.4 * SWING if k in ("update", "reset") else SWING for k in states}
    figure = states_over_time(TIME, LOADING, RESPONSE, values)
    assert sorted(heat_maps(figure)) == sorted(states)
    assert sum(bool(axes.get_title(loc="left")) for axes in figure.axes) == panels


def test_few_units_are_lines():
    figure = states_over_time(TIME, LOADING, RESPONSE, {"stress [MPa]": SWING[:, :3]})
    panel = figure.axes[-1]
    for line, values in zip(panel.lines, SWING.T[:3], strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert [text.get_text() for text in panel.texts] and not heat_maps(figure)


@pytest.mark.parametrize("state", [np.zeros((80, 6)), np.ones((80, 1)), -np.eye(80, 9)])
def test_a_state_that_stands_still_is_drawn(state):
    assert png(states_over_time(TIME, LOADING, RESPONSE, {"hidden": state}))


def test_order_by_phase_follows_the_phase_round_the_circle():
    phases = PHASES[order_by_phase(SWING)]
    steps = np.diff(phases) % (2 * np.pi)
    one = 2 * np.pi / 12
    assert np.allclose(steps, one) or np.allclose(steps, 2 * np.pi - one)


def test_units_at_rest_come_last():
    values = SWING.copy()
    values[:, [2, 7]] = 0.3
    order = order_by_phase(values)
    assert set(order[-2:]) == {2, 7} and sorted(order) == list(range(12))


def test_learning_curves_mark_the_best_epoch():
    history = {"loss": [1, 0.5, 0.2, 0.1], "val_loss": [1, 0.3, 0.4, 0.6]}
    (axes,) = learning_curves(history).axes
    assert axes.get_yscale() == "log"
    assert titles(axes)[1] == "best: 0.3 after epoch 2"
    marks = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert marks == [[[2, 0.3]]]


def test_learning_curves_mark_nothing_where_nothing_was_chosen():
    history = {"loss": [1, 0.5, 0.2], "val_loss": [1, 0.3, 0.4]}
    (axes,) = learning_curves(history, held_out="held out").axes
    assert titles(axes)[1] == "" and not [x for x in axes.lines if x.get_marker() == "o"]
    assert [text.get_text() for text in axes.texts] == ["training", "held out"]


def test_learning_curves_of_training_alone():
    assert len(learning_curves({"loss": [1.0, 0.5]}).axes) == 1


def test_names_of_lines_that_end_together_do_not_overlap():
    figure = learning_curves({"loss": [1, 0.1], "val_loss": [1, 0.1001]})
    figure.draw_without_rendering()
    first, second = (text.get_window_extent() for text in figure.axes[0].texts)
    assert not first.overlaps(second)


def test_error_by_split_puts_each_mean_on_its_row():
    errors = {"LSTM": {"walk": [0.01, 0.03], "fine": 0.4}, "elastic": {"fine": 1.5}}
    (axes,) = error_by_split(errors).axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["walk", "fine"]
    dots = [tuple(line.get_xydata()[0]) for line in axes.lines if line.get_marker() != "None"]
    np.testing.assert_allclose(dots, [(0.02, 0), (0.4, 1), (1.5, 1)])
    assert [0.01, 0.03] in [line.get_xdata().tolist() for line in axes.lines]
    assert [text.get_text() for text in axes.texts] == ["0.02", "0.4"]


def test_staircase_joins_the_models_that_no_smaller_one_beats():
    points = {"a": (10, 0.5), "b": (100, 0.1), "beaten": (200, 0.3), "c": (1000, 0.02)}
    (axes,) = error_against_parameters(points).axes
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [points[k] for k in "abc"])


def test_names_of_close_points_cover_neither_dots_nor_each_other():
    points = {f"model {k}": (1000 * 1.3**k, 0.01 * 1.05**k) for k in range(4)}
    points["far away"] = (1e6, 1.0)
    figure = error_against_parameters(points)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the leader lines
    assert sorted(text.get_text() for text in axes.texts) == sorted(points)
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
        assert not box.count_contains(axes.transData.transform(list(points.values())))


def test_names_at_the_edge_stay_inside():
    points = {"a long name at the left": (10, 1.0), "a long name at the right": (1e5, 0.1)}
    figure = error_against_parameters(points)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for text in axes.texts:
        box = Text.get_window_extent(text)
        assert axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.00524, "0.52 %"), (0.13, "13 %"), (1.318, "132 %"), (2e-6, "0.00020 %"), (0, "0 %")],
)
def test_percent_has_two_digits_and_no_exponent(fraction, text):
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((0.005, 2), ["0.01", "0.1", "1"]),
        ((100, 20000), ["100", "1,000", "10,000"]),
        ((1e-6, 0.1), ["$10^{-6}$", "$10^{-5}$", "$10^{-4}$"]),
        ((0.15, 0.45), ["0.2", "0.3", "0.4"]),
    ],
)
def test_logarithmic_axes_are_labelled_plainly(limits, labels):
    axes = new_figure(2).subplots()
    axes.set(xscale="log", xlim=limits)
    plain_numbers(axes.xaxis)
    axes.figure.draw_without_rendering()
    texts = [t.get_text() for t in axes.get_xticklabels() + axes.get_xticklabels(minor=True)]
    places = np.concatenate([axes.get_xticks(), axes.get_xticks(minor=True)])
    shown = [text for place, text in sorted(zip(places, texts, strict=True))
             if text and limits[0] <= place <= limits[1]]  # fmt: skip
    assert shown[: len(labels)] == labels


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: loops({}), "`families`"),
        (lambda: loops({"walk": (TRIANGLE, STRESS[:, None], STRESS)}), r"\(80, 1\)"),
        (lambda: loops({"walk": (TRIANGLE, STRESS, STRESS[:9])}), r"\(9,\)"),
        (lambda: identified_fit(TIME[:9], TRIANGLE, STRESS, STRESS), r"\(80,\)"),
        (lambda: states_over_time(TIME, LOADING, RESPONSE, {}), "`states`"),
        (lambda: states_over_time(TIME, LOADING, RESPONSE, {"cell": SWING[None]}), "`cell`"),
        (lambda: learning_curves({"val_loss": [1.0]}), "`loss`"),
        (lambda: learning_curves({"loss": [1.0, 2.0], "val_loss": [1.0]}), "`val_loss`"),
        (lambda: error_by_split({}), "`errors`"),
        (lambda: error_against_parameters({"exact": (3, 0.0)}), "logarithmic"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda names: plots.activations(TIME, {n: Activation(STRESS, STRESS) for n in names}),
        lambda names: plots.predicted_loops(dict.fromkeys(names, (TIME, STRESS))),
        lambda names: roc_curves(dict.fromkeys(names, (TIME / 8, TIME / 8))),
        lambda names: reliability_diagram(dict.fromkeys(names, (np.ones(2),) * 3)),
        lambda names: fading({"": {n: Decay(-TIME) for n in names}}),
        lambda names: memory_of_material(TIME, STRESS, dict.fromkeys(names, STRESS)),
        lambda names: task_errors(dict.fromkeys(names, 1 + TIME), baseline=1.0),
    ],
)
def test_more_curves_than_colours_are_all_drawn(draw):
    names = [f"curve {k}" for k in range(8)]
    figure = draw(names)
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert texts.issuperset(names)


def test_every_function_that_makes_a_figure_has_the_house_style():
    functions = {name: getattr(plots, name) for name in plots.__all__}
    making = {
        name: function
        for name, function in functions.items()
        if inspect.isfunction(function) and function.__annotations__.get("return") is Figure
    }
    making.pop("number_rows")  # it changes a figure
    assert len(making) > 20
    assert [name for name, each in making.items() if not hasattr(each, "__wrapped__")] == []


def test_a_character_that_the_font_lacks_is_drawn_without_a_warning(tmp_path):
    figure = new_figure(1.0)
    figure.suptitle("⏰")
    figure.savefig(tmp_path / "x.png")  # a warning would be an error here
    assert (tmp_path / "x.png").stat().st_size > 0
