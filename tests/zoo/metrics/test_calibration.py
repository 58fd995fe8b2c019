"""Calibration and selective prediction against closed forms and counts by hand."""

import numpy as np
import pytest
import scipy.stats
from scipy.optimize import brentq

from zoo.metrics import calibration

RNG = np.random.default_rng(0)
# Six clips of three classes: 0 0 | 1 1 1 | 2, predicted 0 1 | 1 1 2 | 2.
LABELS = np.array([0, 0, 1, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 2, 2])


def one_confidence(
    predicted: np.ndarray, confidence: float | np.ndarray, classes: int = 3
) -> np.ndarray:
    """Probabilities with `confidence` in the predicted class, the rest shared out evenly."""
    confidence = np.broadcast_to(np.asarray(confidence, float), predicted.shape)[:, None]
    rest = (1 - confidence) / (classes - 1)
    return np.where(np.arange(classes) == predicted[:, None], confidence, rest)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    # 4 of 6 right at a confidence of 0.9; then three clips at 0.5, of which none is right
    assert calibration.reliability(LABELS, one_confidence(PREDICTED, 0.9)).ece == pytest.approx(
        0.9 - 4 / 6
    )
    labels, predicted = np.append(LABELS, [0, 0, 0]), np.append(PREDICTED, [1, 1, 1])
    result = calibration.reliability(
        labels, one_confidence(predicted, [0.9] * 6 + [0.5] * 3), bins=10
    )
    assert result.ece == pytest.approx((6 * (0.9 - 4 / 6) + 3 * 0.5) / 9)
    np.testing.assert_array_equal(result.count, [0, 0, 0, 0, 3, 0, 0, 0, 6, 0])
    assert np.isnan(result.accuracy[0])


def test_a_confidence_rounded_above_one_counts_in_the_last_bin():
    p = np.array([[1 + 1e-7, 0.0], [0.0, 1 + 1e-7]])
    np.testing.assert_array_equal(calibration.reliability([0, 1], p, bins=4).count, [0, 0, 0, 2])


@pytest.mark.parametrize("labels", [np.array([True, False]), np.array([[True, False, True]])])
def test_scores_of_other_shapes_are_refused(labels):
    with pytest.raises(ValueError, match=r"must be \(clips,\) both"):
        calibration.fit_logistic_scaling(labels, np.array([0.1, 0.2, 0.3]))


def test_labels_drawn_from_the_probabilities_are_calibrated():
    p = RNG.dirichlet([0.5, 0.5, 0.5], size=40_000)
    labels = (p.cumsum(axis=1) < RNG.uniform(size=(len(p), 1))).sum(axis=1)
    assert calibration.reliability(labels, p).ece < 0.01
    assert calibration.fit_temperature(labels, p) == pytest.approx(1.0, abs=0.03)


def test_temperature_finds_what_sharpened_the_probabilities():
    p = RNG.dirichlet([1.0, 1.0, 1.0], size=40_000)
    labels = (p.cumsum(axis=1) < RNG.uniform(size=(len(p), 1))).sum(axis=1)
    sharp = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    result = calibration.fit_temperature(labels, sharp)
    assert result == pytest.approx(2.5, rel=0.03)
    np.testing.assert_allclose(calibration.apply_temperature(sharp, 2.5), p, rtol=1e-6)


@pytest.mark.parametrize("repeats", [1, 10, 100])
def test_temperature_of_two_classes_has_a_closed_form(repeats):
    # Always 0.99 sure: T solves n z (s(z) - accuracy) = ln T with z = logit(0.99) / T, where the
    # slope of the loss is that of the prior. For T = 3 the accuracy is s(z) - ln 3 / (n z), and
    # with n beyond bounds s(z), the log loss alone.
    z = np.log(0.99 / 0.01) / 3
    clips = 100 * repeats
    correct = round(clips * (1 / (1 + np.exp(-z)) - np.log(3) / (clips * z)))
    labels = np.repeat([0, 1], [correct, clips - correct])
    result = calibration.fit_temperature(labels, one_confidence(np.zeros(clips, int), 0.99, 2))
    z, share = np.log(0.99 / 0.01) / result, correct / clips
    assert clips * z * (1 / (1 + np.exp(-z)) - share) == pytest.approx(np.log(result), rel=1e-2)
    assert result == pytest.approx(3.0, abs=3 / np.sqrt(clips))


@pytest.mark.parametrize("clips", [1, 6, 100])
def test_a_few_clips_that_are_all_right_hardly_sharpen(clips):
    # 0.8, 0.1, 0.1 at temperature T: mean confidence 8^(1/T) / (8^(1/T) + 2) <= (n + 1) / (n + 2)
    labels = np.arange(clips) % 3
    result = calibration.fit_temperature(labels, one_confidence(labels, 0.8))
    bound = np.log(8) / np.log(2 * (clips + 1))
    assert result == pytest.approx(min(1.0, bound) if clips > 3 else 1.0, rel=1e-3)
    one_wrong = calibration.apply_temperature(np.array([[0.8, 0.1, 0.1]]), result)[0, 1]
    assert -np.log(one_wrong) < 1e-3 + np.log(max(10, 2 * (clips + 2)))  # not 52 nats


def test_a_few_clips_that_are_all_wrong_stay_within_what_is_plausible():
    labels = np.arange(6) % 3
    result = calibration.fit_temperature(labels, one_confidence((labels + 1) % 3, 0.8))
    assert 1 < result < np.e**2


def test_logistic_scaling_of_two_groups_has_a_closed_form():
    # scores 0.5 and 0.73: logits 0 and 1, where half and 9 in 10 are positive, 10,000 clips each
    scores = np.repeat([0.5, 1 / (1 + np.exp(-1))], 10_000)
    labels = np.concatenate([np.arange(10_000) < 5_000, np.arange(10_000) < 9_000])
    result = calibration.fit_logistic_scaling(labels, scores)
    assert result.offset == pytest.approx(0.0, abs=0.01)
    assert result.slope == pytest.approx(np.log(9), rel=0.01)
    calibrated = result.apply(scores)
    assert calibrated[[0, -1]] == pytest.approx([0.5, 0.9], abs=2e-3)
    assert calibrated.mean() == pytest.approx(labels.mean(), abs=1e-3)  # the prior


def test_clips_of_one_group_count_as_one():
    scores = np.array([0.2, 0.6, 0.3, 0.8, 0.4, 0.6])
    labels = np.array([0, 1, 0, 1, 1, 0], bool)
    once = calibration.fit_logistic_scaling(labels, scores)
    again = np.repeat(np.arange(6), 50)
    repeated = calibration.fit_logistic_scaling(labels[again], scores[again], again)
    assert (repeated.slope, repeated.offset) == pytest.approx((once.slope, once.offset), abs=1e-4)
    alone = calibration.fit_logistic_scaling(labels[again], scores[again])
    assert abs(alone.slope - 1) > abs(once.slope - 1)  # the prior counts for less


def test_logistic_scaling_of_separable_scores_stays_finite():
    scores = np.array([0.2, 0.3, 0.7, 0.8])
    result = calibration.fit_logistic_scaling(scores > 0.5, scores)
    assert 0.5 < result.slope < np.e**2  # targets are 3 in 4, not 1
    assert 0.05 < result.apply(scores)[0] < 0.5 < result.apply(scores)[-1] < 0.95
    with pytest.raises(ValueError, match="either class"):
        calibration.fit_logistic_scaling(np.ones(4, bool), scores)


def test_the_abstention_threshold_has_the_largest_coverage_of_its_accuracy():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5])
    is_correct = np.array([1, 1, 0, 1, 1, 0], bool)
    p = one_confidence(np.where(is_correct, 0, 1), confidence)
    labels = np.zeros(6, int)
    # from the most confident on: 1, 1, 2/3, (two at 0.6 together) 4/5, 4/6
    at = calibration.risk_coverage(labels, p)
    np.testing.assert_allclose(at[0], [0.9, 0.8, 0.7, 0.6, 0.5])
    np.testing.assert_allclose(at[1], np.array([1, 2, 3, 5, 6]) / 6)
    np.testing.assert_allclose(at[2], [1, 1, 2 / 3, 4 / 5, 4 / 6])
    threshold = calibration.abstention_threshold
    at_95 = calibration.AbstentionThreshold(0.8, 2 / 6, 1.0)
    at_80 = calibration.AbstentionThreshold(0.6, 5 / 6, 0.8)
    assert threshold(labels, p, min_accuracy=0.8) == at_80
    assert threshold(labels, p, min_accuracy=0.95) == at_95
    assert threshold(labels, p, min_accuracy=0.95, min_clips=2) == at_95
    assert threshold(labels, p, min_accuracy=0.95, min_clips=3) is None
    assert threshold(1 + labels, one_confidence(labels, confidence), min_accuracy=0.5) is None


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="`temperature` must be positive"):
        calibration.apply_temperature(np.full((2, 2), 0.5), temperature)


def test_the_prior_of_a_scale_is_log_normal():
    logs = np.array([0.0, 0.3, -1.2])
    penalty = np.array([calibration._scale_penalty(log) for log in logs])
    density = scipy.stats.norm(scale=calibration.LOG_SCALE_DEVIATION).logpdf(logs)
    np.testing.assert_allclose(penalty - penalty[0], density[0] - density, atol=1e-12)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_offset_of_scores_that_say_nothing_is_where_the_derivative_is_zero(grouped):
    """At scores of 1/2 the loss is w Σ(ln(1 + e^b) - t b) + (b / D)² / 2, D the prior's deviation.

    Its derivative w (n σ(b) - Σ t) + b / D² is zero at the offset; Platt's targets are 10/11 for
    nine positives, 1/3 for one negative; of two groups w = 2/10 and targets (1.8 + 1)/(1.8 + 2).
    """
    labels = np.array([True] * 9 + [False])
    groups = np.arange(10) // 5 if grouped else None
    weight = 0.2 if grouped else 1.0
    positives, negatives = 9 * weight, weight
    total = 9 * (positives + 1) / (positives + 2) + 1 / (negatives + 2)

    def derivative(b):
        return weight * (10 / (1 + np.exp(-b)) - total) + b / calibration.OFFSET_DEVIATION**2

    found = calibration.fit_logistic_scaling(labels, np.full(10, 0.5), groups)
    assert found.offset == pytest.approx(brentq(derivative, -10, 10), abs=1e-4)
    assert found.slope == pytest.approx(1.0, abs=1e-6)
