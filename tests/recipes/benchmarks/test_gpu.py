"""The GPU benchmark at its smallest sizes, on whatever device there is."""

import pytest

from recipes.benchmarks.gpu import experiment
from recipes.benchmarks.gpu.jobs import Row, Sizes
from recipes.benchmarks.gpu.settings import Settings

TINY = Settings(tiny=True)


def test_every_job_of_the_issue_has_rows_beside_its_peers():
    rows = [(row.what, row.who) for row in experiment.rows(TINY)]
    assert len({who for what, who in rows if what.startswith("LSTM 2x")}) >= 4
    for what in ("relaxation", "AlexNet", "scenes-alexnet", "log-mel", "shift", "masks"):
        assert any(name.startswith(what) for name, _ in rows), what
    assert Sizes().units == (32, 128) and Sizes().picture == 227


@pytest.mark.parametrize("who", ["zoo, every state, one op", "keras.layers.MelSpectrogram"])
def test_a_row_is_measured(who):
    row = next(row for row in experiment.rows(TINY) if row.who == who)
    _, median, span, rate = experiment.measure(row, TINY).split(" | ")[1:]
    assert float(median) > 0 and " to " in span and rate.endswith("|")


def test_a_row_that_fails_says_why_and_the_others_go_on():
    def build():
        raise MemoryError("none left")

    line = experiment.measure(Row("a", "b", 1, build), TINY)
    assert line == "| a | b | - | MemoryError: none left | |"
