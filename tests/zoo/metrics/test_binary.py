"""Binary metrics against SciPy, closed forms and small cases counted by hand."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import mannwhitneyu, norm

from zoo.metrics import binary

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("decimals", [12, 1])
def test_auc_is_the_u_statistic_of_mann_and_whitney_ties_and_all(decimals):
    labels = RNG.uniform(size=200) < 0.3
    scores = np.round(RNG.normal(size=200) + labels, decimals)
    u = mannwhitneyu(scores[labels], scores[~labels]).statistic
    expected = u / (labels.sum() * (~labels).sum())
    assert binary.auc(labels, scores) == pytest.approx(expected, rel=1e-12)


def test_auc_of_two_normal_distributions_is_the_closed_form():
    # P(X > Y) = Phi(d / sqrt 2) for unit deviations at a distance d
    labels = np.arange(40_000) % 2 == 1
    scores = RNG.normal(size=labels.size) + 1.2 * labels
    assert binary.auc(labels, scores) == pytest.approx(norm.cdf(1.2 / np.sqrt(2)), abs=0.01)


def test_one_class_has_no_auc_and_no_roc_curve():
    assert np.isnan(binary.auc(np.ones(3, bool), np.arange(3.0)))
    with pytest.raises(ValueError, match="both classes"):
        binary.roc(np.zeros(3, bool), np.arange(3.0))


def test_the_area_under_the_curve_is_auc():
    labels = RNG.uniform(size=100) < 0.4
    scores = np.round(RNG.normal(size=100) + labels, 1)
    false_positive, true_positive, thresholds = binary.roc(labels, scores)
    area = trapezoid(true_positive, false_positive)
    assert area == pytest.approx(binary.auc(labels, scores), rel=1e-12)
    assert (np.diff(thresholds) < 0).all() and false_positive[-1] == true_positive[-1] == 1.0
    for k in (1, 5, len(thresholds) - 1):
        rates = binary.rates(labels, scores >= thresholds[k])
        assert rates.sensitivity == pytest.approx(true_positive[k])
        assert 1 - rates.specificity == pytest.approx(false_positive[k])


def test_rates_counted_by_hand():
    rates = binary.rates(np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 0, 1]))
    assert rates == binary.Rates(sensitivity=2 / 3, specificity=1 / 2)
    assert rates.balanced_accuracy == pytest.approx(7 / 12)


def test_youden_threshold_lies_in_the_middle_of_the_gap():
    labels = np.array([0, 0, 1, 1])
    assert binary.youden_threshold(labels, np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)
    # higher for negatives: best to decide none positive
    reversed_scores = np.array([0.9, 0.8, 0.2, 0.1])
    threshold = binary.youden_threshold(labels, reversed_scores)
    assert threshold > 0.9 and np.nextafter(threshold, 0) == 0.9


@pytest.mark.parametrize("scores", [np.zeros(2), np.array([0.0, np.nan, 1.0])])
def test_scores_that_do_not_belong_are_refused(scores):
    with pytest.raises(ValueError, match="Received"):
        binary.auc(np.array([True, False, True]), scores)
