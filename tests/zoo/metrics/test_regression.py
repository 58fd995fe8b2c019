import numpy as np
import pytest

from zoo.metrics.regression import errors_by_split, nrmse, nrmse_quantile, self_consistency


def test_nrmse_is_root_mean_square_error_over_root_mean_square_truth():
    truth = np.array([[[3.0], [4.0]]])  # RMS sqrt(12.5)
    prediction = np.array([[[3.0], [5.0]]])  # RMS error sqrt(0.5)
    assert nrmse(truth, prediction) == pytest.approx(np.sqrt(0.5 / 12.5))


def test_predicting_nothing_scores_one():
    truth = np.random.default_rng(0).normal(size=(5, 7, 1))
    assert nrmse(truth, np.zeros_like(truth)) == pytest.approx(1.0)


def test_padded_steps_do_not_count():
    truth = np.array([[[3.0], [4.0], [9.0]]])
    prediction = np.array([[[3.0], [5.0], [-50.0]]])
    weight = np.array([[1.0, 1.0, 0.0]])
    assert nrmse(truth, prediction, weight) == pytest.approx(np.sqrt(0.5 / 12.5))
    assert nrmse_quantile(truth, prediction, weight) == pytest.approx(np.sqrt(0.5 / 12.5))


def test_quantile_over_paths_matches_numpy():
    rng = np.random.default_rng(1)
    truth, error = rng.normal(size=(40, 10, 1)), rng.normal(size=(40, 10, 1))
    error *= rng.uniform(0.1, 2.0, size=(40, 1, 1))
    per_path = np.sqrt((error**2).mean(axis=(1, 2)) / (truth**2).mean())
    assert nrmse_quantile(truth, truth + error) == pytest.approx(np.quantile(per_path, 0.95))


def test_errors_by_split_names_every_split():
    x = np.ones((2, 3, 3))
    splits = {"same": (x, x[..., :1], None), "double": (x, 2 * x[..., :1], None)}
    figures = errors_by_split(lambda x: x[..., :1], splits)
    assert figures["same"] == {"nrmse": 0.0, "nrmse_p95": 0.0}
    assert figures["double"]["nrmse"] == pytest.approx(0.5)


def test_self_consistency_compares_at_the_times_that_both_share():
    coarse, fine = np.zeros((1, 4, 3)), np.zeros((1, 8, 3))
    truth = np.full((1, 4, 1), 2.0)
    # A model that counts its steps: at shared times 2, 4, 6, 8 against 1, 2, 3, 4.
    count = lambda x: np.arange(1.0, x.shape[1] + 1).reshape(1, -1, 1)  # noqa: E731
    expected = np.sqrt(np.mean(np.arange(1, 5) ** 2)) / 2
    assert self_consistency(count, coarse, fine, 2, truth) == pytest.approx(expected)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"one shape.*\(1, 2, 1\) and \(1, 2\)"):
        nrmse(np.zeros((1, 2, 1)), np.zeros((1, 2)))
