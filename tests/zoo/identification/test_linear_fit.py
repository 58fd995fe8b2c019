"""Fits in closed form over folds: NumPy's least squares, and laws that are known."""

import numpy as np
import pytest

from tests.zoo.identification.test_linear import dynamic, paths
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split
from zoo.identification.candidates import Candidate
from zoo.identification.fit import Search
from zoo.identification.linear import design_of, with_preload
from zoo.identification.linear_fit import LinearFolds, Moments, rows_of_past
from zoo.identification.proposal import propose
from zoo.identification.response import Response
from zoo.recurrent import predictor

TRUTH = np.array([1.0, 0.1, 0.05, 3.0, 2.0, 0.3, 0.2, 0.5, 0.1])


def damper(count, noise, seed=0):
    x = paths(count, 60, seed)
    x[..., 0] = np.sin(x[..., 0])  # all of one amplitude: none is an extrapolation
    x[..., 1] = np.diff(x[..., 0], axis=1, prepend=0.0) / x[..., 2]
    y = design_of(dynamic(x), x) @ TRUTH
    y = y + noise * np.std(y) * np.random.default_rng(1).normal(size=y.shape)
    inputs, target = loading_inputs("displacement", "mm"), response_target("force", "N")
    groups = np.array([str(k) for k in range(count)])
    return Split("t", x, y[..., None].astype(np.float32), inputs, (target,), groups)


def test_moments_give_the_weights_and_the_rest_of_numpy():
    rng = np.random.default_rng(0)
    design, y = rng.normal(size=(50, 4)), rng.normal(size=50)
    moments = Moments(design.T @ design, design.T @ y, float(y @ y), 50)
    expected, (left,), *_ = np.linalg.lstsq(design, y, rcond=None)
    weights = moments.solve(0.0)
    np.testing.assert_allclose(weights, expected, rtol=1e-9)
    assert moments.squares_left(weights) == pytest.approx(left)
    assert np.linalg.norm(moments.solve(1.0)) < np.linalg.norm(expected)


def test_a_fold_that_is_left_out_has_no_part_in_its_prediction():
    data = damper(4, noise=0.0)
    folds = [np.arange(4)[:, None] == np.full((1, 60), k) for k in range(4)]
    response = Response(dynamic(data.x), data.x, None, "mm")
    law = LinearFolds(response, data, folds)
    before = law.weights(2)
    np.testing.assert_allclose(law.fit(2).fitted, data.y[..., 0], atol=0.02)
    changed = data.y.copy()
    changed[2] *= -5
    other = LinearFolds(response, Split(**{**vars(data), "y": changed}), folds)
    np.testing.assert_allclose(other.weights(2), before, rtol=1e-6, atol=1e-9)
    assert np.abs(other.weights() - law.weights()).max() > 0.1


def test_a_linear_law_is_compared_without_a_search():
    data = damper(4, noise=0.05)
    proposal = propose(data, (Candidate("dynamic-prandtl"), Candidate("prony", 1)), starts=1)
    best = proposal.ranked[0]
    assert best.law.candidate.law == "dynamic-prandtl"
    assert 0.04 < best.fitted < best.held_out < 0.12  # the noise is 5 % of the deviation
    fitted = best.law.response.model(data.x)["prediction"]
    error = np.asarray(fitted)[..., 0] - data.y[..., 0]
    assert np.sqrt(np.mean(error**2) / np.mean(data.y**2)) == pytest.approx(best.fitted, rel=1e-3)


def test_records_that_do_not_begin_at_rest_start_from_their_past():
    data = damper(6, noise=0.0)
    x = data.x[:, :40] * np.float32([0.3, 0.3, 1.0])  # friction elements keep what was before
    preload = np.abs(x[..., 0]).max() * np.array([1.0, -1.0, 0.5, -0.5, 1.0, -0.5])
    y = (design_of(dynamic(x), with_preload(x, preload)) @ TRUTH)[..., None].astype(np.float32)
    weight = np.ones(x.shape[:2], np.float32)
    weight[:, :10] = 0
    data = Split(**{**vars(data), "x": x, "y": y, "weight": weight})
    counts = weight > 0
    folds = [counts & (np.arange(6)[:, None] % 3 == k) for k in range(3)]

    def held_out(given):
        law = LinearFolds(Response(dynamic(x), x, weight, "mm"), data, folds, given)
        parts = [law.fit(k).fitted[fold] - y[..., 0][fold] for k, fold in enumerate(folds)]
        return np.sqrt(np.mean(np.concatenate(parts) ** 2) / np.mean(y[counts] ** 2)), law

    from_rest, _ = held_out(0)
    error, law = held_out(rows_of_past(data))
    assert error < 0.5 * from_rest
    fit = law.fit()
    result, start = law.describe(fit, data, Search(1)), law.start(fit)
    assert start.rows(x[0, :, 2]) == 10
    answer = start.respond(predictor(law.response.model), x, y[..., 0], 10)
    np.testing.assert_allclose(answer, fit.fitted, rtol=1e-3, atol=1e-3 * np.abs(y).max())
    np.testing.assert_allclose(result.fitted, answer, rtol=1e-3, atol=1e-3 * np.abs(y).max())
