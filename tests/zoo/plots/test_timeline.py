"""The timeline shows every class, and refuses what does not fit together."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.plots import (
    Timeline,
    delay_against_false_switches,
    found_over_time,
    shares_by_condition,
    timeline,
)

RNG = np.random.default_rng(0)
DATA = Timeline(
    samples=RNG.uniform(-1, 1, 8000),
    sample_rate_hz=1000,
    level_db=RNG.normal(size=(40, 6)),
    probabilities=np.eye(2)[[0] * 20 + [1] * 20],
    truth=np.array([0] * 18 + [1] * 22),
    programs=np.array([-1] * 5 + [0] * 20 + [1] * 15),
    classes=("speech", "speech_in_noise"),
)


def test_bars_stand_where_programs_run():
    *_, programs = timeline(DATA).axes
    bars = [(b.get_x(), b.get_width(), b.get_y() + b.get_height() / 2) for b in programs.patches]
    # 40 hops in 8 s: the truth first, then the program, from 1 s to 5 s and to 8 s
    expected = [(0, 3.6, 0), (3.6, 4.4, 1), (1, 4, 0), (5, 3, 1)]
    np.testing.assert_allclose(bars, expected, atol=1e-9)
    assert [label.get_text() for label in programs.get_yticklabels()] == [
        "speech",
        "speech in noise",
    ]


def test_without_a_truth_there_is_the_program_alone():
    *_, programs = timeline(replace(DATA, truth=None)).axes
    assert len(programs.patches) == 2


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="`programs` must have shape"):
        timeline(replace(DATA, programs=np.zeros(3)))
    with pytest.raises(ValueError, match="2 columns for 1 classes"):
        timeline(replace(DATA, classes=("speech",)))


def test_delay_falls_over_false_switches_in_one_line_a_method():
    curves = {"average": ([2.0, 0.5, 1.0], [0.6, 2.0, 1.2]), "hmm": ([0.4, 1.5], [1.8, 0.7])}
    figure = delay_against_false_switches(curves, (1.0, 1.2), max_false_per_min=1.0)
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [0.5, 1.0, 2.0])
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [2.0, 1.2, 0.6])
    assert "minute" in axes.get_xlabel()
    with pytest.raises(ValueError, match="as many delays as rates"):
        delay_against_false_switches({"average": ([1.0], [1.0, 2.0])})


def test_scenes_found_rise_with_time_to_their_share():
    figure = found_over_time({"speech": [1.0, 0.5, np.inf, 20.0], "music": [2.0]}, until_s=10.0)
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [0, 0.5, 0.5, 1, 1, 10])
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0, 0, 25, 25, 50, 50])
    assert {each.get_text() for each in axes.texts} >= {"speech", "music"}
    with pytest.raises(ValueError, match="delays of some scenes"):
        found_over_time({"speech": []})


def test_shares_are_written_as_percent_in_a_panel_each():
    shares = {"speech": [[0.1, 0.9]], "noise": [[0.25, 0.0]]}
    figure = shares_by_condition(shares, ["65"], ["0", "30"], ("level", "ratio"))
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [
        ["10", "90"],
        ["25", "0"],
    ]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["speech", "noise"]
    with pytest.raises(ValueError, match="expected shape"):
        shares_by_condition({"speech": [[0.1]]}, ["65"], ["0", "30"], ("level", "ratio"))
