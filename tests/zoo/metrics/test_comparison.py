"""A model that is worse than its simplest baseline is not exported unasked."""

import math

import pytest

from zoo.metrics.comparison import Comparison


@pytest.mark.parametrize(
    ("value", "is_higher_better", "is_worse"),
    [
        (0.4, False, False),
        (0.5, False, False),
        (9310.0, False, True),
        (math.nan, False, True),
        (0.6, True, False),
        (0.1, True, True),
        (math.nan, True, True),
    ],
)
def test_worse_is_worse_in_the_metrics_own_direction(value, is_higher_better, is_worse):
    comparison = Comparison("nRMSE", value, 0.5, "elastic", is_higher_better)
    assert comparison.is_worse == is_worse
    assert len(comparison.warnings) == is_worse
    comparison.require_better(force=True)
    if is_worse:
        with pytest.raises(ValueError, match=r"simplest baseline: .*, elastic 0.5.* --force"):
            comparison.require_better(force=False)
    else:
        comparison.require_better(force=False)
