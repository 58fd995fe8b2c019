"""A start from the measured past, against a play operator whose history is known."""

import numpy as np
import pytest

from zoo.edge.past import PastStart, with_preload

THRESHOLDS = np.array([0.2, 0.6])


def stops(x):
    """Response of two elastic–frictional elements from the virgin state, written as a loop."""
    stress = np.zeros((len(x), x.shape[1], 1))
    for path, rows in enumerate(x):
        element = np.zeros(2)
        for k, (_, rate, dt) in enumerate(rows[:, :3]):
            element = np.clip(element + rate * dt, -THRESHOLDS, THRESHOLDS)
            stress[path, k, 0] = element.sum()
    return stress


def record(first, changes):
    loading = np.array([first, *(first + np.cumsum(changes))])
    rate = np.append(0.0, np.diff(loading)) / 0.1
    return np.stack([loading, rate, np.full(len(loading), 0.1)], axis=-1)[None]


def test_the_past_tells_which_way_the_record_was_reached():
    x = record(0.4, 0.02 * np.ones(8))
    sizes = (-0.4, 0.0, 0.4)
    start = PastStart(seconds=0.3, preloads=sizes)
    given = start.rows(x[0, :, 2])
    assert given == 3
    for size in sizes:
        truth = stops(with_preload(x, np.array([size])))[..., 0]
        response = start.respond(stops, x, truth, given)
        np.testing.assert_allclose(response, truth, atol=1e-9)
        later = np.where(np.arange(9) < given, truth, np.nan)  # what follows is not read
        np.testing.assert_allclose(start.respond(stops, x, later, given), truth, atol=1e-9)
    assert np.abs(stops(x)[..., 0] - truth).max() > 0.3  # from the virgin state


def test_a_share_of_the_last_offset_stays():
    x = record(0.0, 0.05 * np.ones(9))
    truth = stops(x)[..., 0] + 0.5
    response = PastStart(0.4, kept=0.6).respond(stops, x, truth, 4)
    np.testing.assert_allclose(response, stops(x)[..., 0] + 0.3, atol=1e-9)


def test_factor_and_offset_come_from_the_past_and_a_position_counts_from_its_first_row():
    x = record(7.0, np.tile([0.05, -0.08, 0.1], 4))
    own = np.array(x)
    own[..., 0] -= 7.0

    def spring(values):
        return stops(values) + 0.3 * values[..., :1] ** 2

    truth = 2.5 * spring(own)[..., 0] - 4.0
    start = PastStart(0.5, has_factor=True, is_counted_from_first=True)
    np.testing.assert_allclose(start.respond(spring, x, truth, 5), truth, atol=1e-9)
    assert x[0, 0, 0] == 7.0  # the record itself stays


def test_an_entry_of_a_manifest_says_it_all():
    start = PastStart(1.875e-5, (-0.2, 0.0, 0.2), 0.41, False, False)
    assert PastStart.from_entry(start.entry()) == start
    with pytest.raises(ValueError, match="`start_from_past` lacks 'kept'"):
        PastStart.from_entry({"seconds": 1.0, "preloads": []})
    with pytest.raises(ValueError, match="`seconds` must be above 0"):
        PastStart(0.0)
    with pytest.raises(ValueError, match="A past of 9 rows leaves none of the 9 rows"):
        start.respond(stops, record(0.0, np.ones(8)), np.zeros((1, 9)), 9)
