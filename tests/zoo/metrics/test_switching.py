"""Switches, false switches, delays and accuracy of sequences that were counted by hand."""

import numpy as np
import pytest

from zoo.metrics.switching import (
    NO_PROGRAM,
    pool_metrics,
    scene_errors,
    settled_recalls,
    switching_metrics,
)

# 12 hops of half a second: four of class 0, four of class 1, four of class 0
TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])


def metrics_of(*programs):
    return switching_metrics(TRUTH, np.array(programs), 0.5)


def test_a_decision_that_follows_every_change():
    metrics = metrics_of(NO_PROGRAM, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0)
    assert (metrics.switches, metrics.false_switches) == (3, 0)
    assert metrics.delays_s == (0.5, 1.0, 0.5)
    assert metrics.accuracy == 8 / 12 and metrics.coverage == 11 / 12
    assert metrics.minutes == 0.1 and metrics.switches_per_min == 30


def test_an_unstable_decision():
    # to 0; to 2, false, and back; to 1, to none, false, and to 1 again; never to 0 again
    metrics = metrics_of(0, 2, 0, 0, 1, NO_PROGRAM, 1, 1, 1, 1, 1, 1)
    assert (metrics.switches, metrics.false_switches) == (6, 2)
    assert metrics.delays_s == (0.0, 0.0, np.inf)
    assert metrics.delay_s(0.5) == 0.0 and metrics.delay_s(0.9) == np.inf


def test_leaving_a_wrong_program_to_abstain_is_no_false_switch():
    metrics = metrics_of(0, 0, 0, 0, 0, NO_PROGRAM, NO_PROGRAM, 2, 2, NO_PROGRAM, NO_PROGRAM, 0)
    assert (metrics.switches, metrics.false_switches) == (5, 1)  # only 2 is false
    assert metrics.delays_s == (0.0, np.inf, 1.5)


def test_sequences_are_pooled_by_their_length():
    first = metrics_of(*TRUTH)
    second = switching_metrics(np.zeros(4, int), np.full(4, NO_PROGRAM), 0.5)
    both = pool_metrics([first, second])
    assert both.accuracy == both.coverage == 12 / 16
    assert both.delays_s == (0.0, 0.0, 0.0, np.inf)
    assert both.minutes == pytest.approx(8 / 60)


@pytest.mark.parametrize("programs", [np.zeros(3), np.zeros((12, 1))])
def test_other_lengths_are_refused(programs):
    with pytest.raises(ValueError, match="one entry for every hop"):
        switching_metrics(TRUTH, programs, 0.5)
    with pytest.raises(ValueError, match="at least one"):
        pool_metrics([])


def test_recalls_leave_out_the_time_after_each_change():
    # of the last two of four hops in each scene: 0 right once of two and twice of two, 1 never
    programs = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0])
    recalls = settled_recalls([(TRUTH, programs)], 3, 0.5, settle_s=1.0)
    np.testing.assert_array_equal(recalls, [0.75, 0.0, np.nan])
    doubled = settled_recalls([(TRUTH, programs), (TRUTH, TRUTH)], 2, 0.5, settle_s=1.0)
    np.testing.assert_array_equal(doubled, [0.875, 0.5])
    # by default two seconds, which are the four hops of each scene here
    assert np.isnan(settled_recalls([(TRUTH, programs)], 2, 0.5)).all()
    np.testing.assert_array_equal(settled_recalls([(TRUTH, TRUTH)], 2, 0.7), [1.0, 1.0])


def test_the_share_of_scenes_never_found():
    assert metrics_of(0, 2, 0, 0, 1, NO_PROGRAM, 1, 1, 1, 1, 1, 1).missed_share == 1 / 3


def test_a_scene_is_wrong_with_known_boundaries_where_its_mean_says_another_class():
    truth = np.array([0, 0, 0, 1, 1, 1, 0])
    first = np.array([0.1, 0.8, 0.8, 0.9, 0.3, 0.4, 0.2])
    probabilities = np.stack([first, 1 - first], axis=1)
    # means of the first class: 0.57, 0.53 (right is the second), 0.2
    np.testing.assert_array_equal(scene_errors(truth, probabilities), [False, True, True])
    # without the first hop of each: 0.8, 0.35; the last scene has no other hop
    np.testing.assert_array_equal(scene_errors(truth, probabilities, 1), [False, False, True])
    with pytest.raises(ValueError, match="one row for every hop"):
        scene_errors(truth, probabilities[:3])
