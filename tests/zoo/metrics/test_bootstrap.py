"""Bootstrap intervals against the normal distribution."""

import numpy as np
import pytest
from scipy import stats

from zoo.metrics.bootstrap import bootstrap_interval, resample_groups

RNG = np.random.default_rng(0)


def test_bootstrap_of_a_mean_equals_the_normal_interval():
    x = RNG.normal(size=400)
    result = bootstrap_interval(lambda rows: x[rows].mean(), np.arange(400), resamples=4000)
    low, high = stats.norm.interval(0.95, x.mean(), x.std() / np.sqrt(400))
    assert result.value == pytest.approx(x.mean())
    np.testing.assert_allclose([result.low, result.high], [low, high], atol=0.01)


def test_clips_of_a_group_are_drawn_together():
    # ten copies of each clip in one group: the doubt is that of the clips, not of the copies
    x = np.repeat(RNG.normal(size=50), 10)
    groups = np.repeat(np.arange(50), 10)
    together = bootstrap_interval(lambda rows: x[rows].mean(), groups, resamples=2000)
    low, high = stats.norm.interval(0.95, x.mean(), x.std() / np.sqrt(50))
    assert together.high - together.low == pytest.approx(high - low, rel=0.1)


def test_same_seed_same_interval():
    x = RNG.normal(size=20)
    first, second = (
        bootstrap_interval(lambda rows: x[rows].mean(), np.arange(20), resamples=50)
        for _ in range(2)
    )
    assert first == second


def test_a_resample_holds_whole_groups():
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    counts = {"a": 3, "b": 2, "c": 1}
    for rows in resample_groups(groups, resamples=20):
        times = {name: np.sum(groups[rows] == name) / count for name, count in counts.items()}
        assert sum(times.values()) == 3 and all(each == int(each) for each in times.values())


def test_no_clip_is_refused():
    with pytest.raises(ValueError, match="at least one clip"):
        bootstrap_interval(len, np.array([]))
