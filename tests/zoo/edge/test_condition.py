"""What spoils a block of samples: clipping by runs at full scale, and what is no number."""

import numpy as np
import pytest

from zoo.edge import condition
from zoo.edge.condition import Condition, Inspector, bridge, is_silent, level_dbfs

RUN = condition.MIN_CLIPPED_RUN
FULL = condition.FULL_SCALE


def block(*values):
    """(samples, 1) float32."""
    return np.array(values, np.float32)[:, None]


def test_a_block_below_full_scale_is_returned_as_it_is():
    x = block(0.1, -0.5, 0.9)
    samples, faults = Inspector().process(x)
    assert samples is x and faults == {}


@pytest.mark.parametrize("cuts", [(), (3,), (2, 4, 5)])
def test_a_run_at_full_scale_is_clipped_wherever_blocks_are_cut(cuts):
    """The last good value stands in its place; a run one sample shorter is the signal's own."""
    short = [FULL] * (RUN - 1)
    x = block(0.5, *[-FULL] * RUN, 0.25, *short, 0.125, *[FULL] * (RUN + 2))
    inspector, samples, places, start = Inspector(), [], [], 0
    pieces = np.split(x, cuts)
    for done in (*(inspector.process(piece) for piece in pieces), inspector.finish()):
        samples.append(done.samples)
        places.extend(start + done.faults.get(Condition.CLIPPED, np.zeros(0, int)))
        assert not len(done.faults.get(Condition.NOT_FINITE, ()))
        start += len(done.samples)
    clipped = [*range(1, 1 + RUN), *range(len(x) - RUN - 2, len(x))]
    expected = x.copy()
    expected[1 : 1 + RUN], expected[len(x) - RUN - 2 :] = 0.5, 0.125
    assert places == clipped
    np.testing.assert_array_equal(np.concatenate(samples), expected)


def test_what_is_no_number_or_beyond_full_scale_is_spoilt_by_itself():
    x = np.array([[0.5, 0.25], [np.nan, 0.5], [0.125, 1.5], [0.0, -np.inf]], np.float32)
    inspector, samples = Inspector(), []
    places = {Condition.CLIPPED: [], Condition.NOT_FINITE: []}
    for done in (inspector.process(x), inspector.finish()):
        for fault, found in done.faults.items():
            places[fault] += [len(np.concatenate([*samples, x[:0]])) + k for k in found]
        samples.append(done.samples)
    expected = [[0.5, 0.25], [0.5, 0.5], [0.125, 0.5], [0.0, 0.5]]
    np.testing.assert_array_equal(np.concatenate(samples), expected)
    assert places == {Condition.CLIPPED: [2, 3], Condition.NOT_FINITE: [1, 3]}


def test_the_first_sample_of_a_stream_has_silence_before_it():
    samples, faults = Inspector().process(block(np.nan, 0.5))
    np.testing.assert_array_equal(samples, block(0.0, 0.5))
    assert list(faults[Condition.NOT_FINITE]) == [0] and list(faults)[-1] == Condition.NOT_FINITE


def test_the_end_of_a_stream_without_samples_that_wait_is_empty():
    inspector = Inspector()
    inspector.process(block(0.1))
    assert inspector.finish().samples.shape == (0, 1) and inspector.finish().faults == {}


def test_levels_of_square_and_sine():
    square = np.tile([1.0, -1.0], 100)
    assert level_dbfs(square) == pytest.approx(0.0, abs=1e-9)
    assert level_dbfs(0.1 * square) == pytest.approx(-20.0)
    sine = np.sin(2 * np.pi * np.arange(1000) / 100)
    assert level_dbfs(sine) == pytest.approx(10 * np.log10(0.5))
    assert level_dbfs(np.zeros(5)) == -np.inf
    assert is_silent(np.full(7, 0.3)) and not is_silent(0.01 * sine)


def test_a_bridge_is_half_of_each_side_in_the_middle_and_starts_as_what_was():
    """Equal power: cos² + sin² = 1; times the two sides reversed, so that it continues both."""
    n = 64
    before, after = np.linspace(0, 1, n, dtype=np.float32), np.full(n, -0.5, np.float32)
    found = bridge(before, np.zeros(n, np.float32))
    angle = np.pi / 2 * (np.arange(n) + 0.5) / n
    np.testing.assert_allclose(found, np.cos(angle) * before[::-1], atol=1e-6)
    np.testing.assert_allclose(
        bridge(np.zeros(n, np.float32), after), np.sin(angle) * after[::-1], atol=1e-6
    )
