"""Figures of classifiers against closed forms, counts by hand and SciPy."""

import numpy as np
import pytest
from scipy import stats

from zoo.metrics import multiclass as c

RNG = np.random.default_rng(0)
# Six clips of three classes: 0 0 | 1 1 1 | 2, told 0 1 | 1 1 2 | 2.
LABELS = np.array([0, 0, 1, 1, 1, 2])
TOLD = np.array([0, 1, 1, 1, 2, 2])


def sure(told: np.ndarray, confidence: float | np.ndarray, classes: int = 3) -> np.ndarray:
    """Probabilities with `confidence` in the class told, the rest shared out evenly."""
    confidence = np.broadcast_to(np.asarray(confidence, float), told.shape)[:, None]
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.arange(classes) == told[:, None], confidence, rest)


def test_counts_by_hand():
    p = sure(TOLD, 0.9)
    np.testing.assert_array_equal(c.confusion(LABELS, p), [[1, 1, 0], [0, 2, 1], [0, 0, 1]])
    assert c.accuracy(LABELS, p) == pytest.approx(4 / 6)
    np.testing.assert_allclose(c.f1(c.confusion(LABELS, p)), [2 / 3, 4 / 6, 2 / 3])
    assert c.macro_f1(LABELS, p) == pytest.approx(2 / 3)


def test_a_class_that_never_occurs_does_not_count():
    p = sure(TOLD, 0.9, classes=4)
    assert np.isnan(c.f1(c.confusion(LABELS, p))[3])
    assert c.macro_f1(LABELS, p) == pytest.approx(2 / 3)


def test_log_loss_of_chance_is_the_log_of_the_classes():
    assert c.log_loss(LABELS, np.full((6, 3), 1 / 3)) == pytest.approx(np.log(3))
    assert np.isfinite(c.log_loss(LABELS, sure(1 - np.minimum(LABELS, 1), 1.0)))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    # 4 of 6 right at a confidence of 0.9; then three clips at 0.5, of which none is right
    assert c.reliability(LABELS, sure(TOLD, 0.9)).error == pytest.approx(0.9 - 4 / 6)
    labels, told = np.append(LABELS, [0, 0, 0]), np.append(TOLD, [1, 1, 1])
    found = c.reliability(labels, sure(told, [0.9] * 6 + [0.5] * 3), bins=10)
    assert found.error == pytest.approx((6 * (0.9 - 4 / 6) + 3 * 0.5) / 9)
    np.testing.assert_array_equal(found.count, [0, 0, 0, 0, 3, 0, 0, 0, 6, 0])
    assert np.isnan(found.accuracy[0])


def test_labels_drawn_from_the_probabilities_are_calibrated():
    p = RNG.dirichlet([0.5, 0.5, 0.5], size=40_000)
    labels = (p.cumsum(axis=1) < RNG.uniform(size=(len(p), 1))).sum(axis=1)
    assert c.reliability(labels, p).error < 0.01
    assert c.temperature(labels, p) == pytest.approx(1.0, abs=0.03)


def test_temperature_finds_what_sharpened_the_probabilities():
    p = RNG.dirichlet([1.0, 1.0, 1.0], size=40_000)
    labels = (p.cumsum(axis=1) < RNG.uniform(size=(len(p), 1))).sum(axis=1)
    sharp = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    found = c.temperature(labels, sharp)
    assert found == pytest.approx(2.5, rel=0.03)
    np.testing.assert_allclose(c.tempered(sharp, 2.5), p, rtol=1e-6)


def test_temperature_of_two_classes_has_a_closed_form():
    # always 0.99 sure, right in 80 %: best is to say 0.8, so T = logit(0.99) / logit(0.8)
    told, labels = np.zeros(100, int), np.repeat([0, 1], [80, 20])
    expected = np.log(0.99 / 0.01) / np.log(0.8 / 0.2)
    assert c.temperature(labels, sure(told, 0.99, 2)) == pytest.approx(expected, rel=1e-4)


def test_abstaining_keeps_the_most_clips_at_the_accuracy_wanted():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5])
    right = np.array([1, 1, 0, 1, 1, 0], bool)
    p = sure(np.where(right, 0, 1), confidence)
    labels = np.zeros(6, int)
    # from the surest on: 1, 1, 2/3, (two at 0.6 together) 4/5, 4/6
    at = c.risk_coverage(labels, p)
    np.testing.assert_allclose(at[0], [0.9, 0.8, 0.7, 0.6, 0.5])
    np.testing.assert_allclose(at[1], np.array([1, 2, 3, 5, 6]) / 6)
    np.testing.assert_allclose(at[2], [1, 1, 2 / 3, 4 / 5, 4 / 6])
    assert c.abstention(labels, p, wanted=0.8) == c.Threshold(0.6, 5 / 6, 0.8)
    assert c.abstention(labels, p, wanted=0.95) == c.Threshold(0.8, 2 / 6, 1.0)
    assert c.abstention(labels, p, wanted=0.95, least=2) == c.Threshold(0.8, 2 / 6, 1.0)
    assert c.abstention(labels, p, wanted=0.95, least=3) is None
    assert c.abstention(1 + labels, sure(labels, confidence), wanted=0.5) is None


def test_bootstrap_of_a_mean_equals_the_normal_interval():
    x = RNG.normal(size=400)
    found = c.bootstrap(lambda rows: x[rows].mean(), np.arange(400), resamples=4000)
    low, high = stats.norm.interval(0.95, x.mean(), x.std() / np.sqrt(400))
    assert found.value == pytest.approx(x.mean())
    np.testing.assert_allclose([found.low, found.high], [low, high], atol=0.01)


def test_clips_of_a_group_are_drawn_together():
    # ten copies of each clip in one group: the doubt is that of the clips, not of the copies
    x = np.repeat(RNG.normal(size=50), 10)
    groups = np.repeat(np.arange(50), 10)
    together = c.bootstrap(lambda rows: x[rows].mean(), groups, resamples=2000)
    low, high = stats.norm.interval(0.95, x.mean(), x.std() / np.sqrt(50))
    assert together.high - together.low == pytest.approx(high - low, rel=0.1)


def test_same_seed_same_interval():
    x = RNG.normal(size=20)
    first, second = (
        c.bootstrap(lambda rows: x[rows].mean(), np.arange(20), resamples=50) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("labels", "p", "message"),
    [
        ([0, 1], np.full((3, 2), 0.5), "must belong together"),
        ([0, 2], np.full((2, 2), 0.5), "must lie from 0 to 1"),
        ([0, 1], np.full((2, 2), 0.4), "sum to one"),
        ([], np.zeros((0, 2)), "must belong together"),
    ],
)
def test_what_is_no_classification_is_refused(labels, p, message):
    with pytest.raises(ValueError, match=message):
        c.accuracy(np.array(labels, int), p)
    with pytest.raises(ValueError, match="`temperature` must be positive"):
        c.tempered(np.full((2, 2), 0.5), 0.0)
