"""Linear classifiers against closed forms and the conditions that their optimum fulfils."""

import numpy as np
import pytest

from zoo.baselines.linear import band_statistics, logistic_regression, ridge_classifier

RNG = np.random.default_rng(0)


def test_logistic_regression_separates_and_balances_at_its_optimum():
    labels = np.arange(60) % 3 == 0
    x = RNG.normal(size=(60, 4)) + labels[:, None] * np.array([3.0, 0, 0, 0])
    score = logistic_regression(x, labels)(x)
    assert score[labels].mean() > 0 > score[~labels].mean()
    # where the loss is least, the weighted mean of features and of probability balance
    p = 1 / (1 + np.exp(-score))
    share = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    assert share @ (p - labels) == pytest.approx(0, abs=1e-4)


def test_ridge_without_a_penalty_is_least_squares():
    labels = np.arange(50) % 3
    x = RNG.normal(size=(50, 4))
    design = np.column_stack([x, np.ones(50)])
    expected = design @ np.linalg.lstsq(design, np.eye(3)[labels], rcond=None)[0]
    np.testing.assert_allclose(ridge_classifier(x, labels, 3, ridge=0.0)(x), expected, atol=1e-6)


def test_a_large_penalty_leaves_the_shares_of_the_classes():
    labels = np.array([0, 0, 0, 1])
    score = ridge_classifier(RNG.normal(size=(4, 2)), labels, 2, ridge=1e9)
    np.testing.assert_allclose(score(np.ones((1, 2))), [[0.75, 0.25]], atol=1e-6)


def test_band_statistics_by_hand():
    spectrograms = np.array([[[0.0, 2.0, 10.0, 10.0], [4.0, 6.0, 10.0, 12.0]]])
    np.testing.assert_allclose(band_statistics(spectrograms), [[2, 4, 10, 11, 2, 2, 0, 1]])
    np.testing.assert_allclose(band_statistics(spectrograms, 2), [[3, 10.5, 2, 0.5]])
