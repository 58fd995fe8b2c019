"""Laws that are linear in their weights: NumPy's least squares, and starts that are known."""

import numpy as np
import pytest

from zoo import presets
from zoo.identification.linear import (
    LinearLaw,
    design_of,
    preload_candidates,
    set_linear_weights,
    solve_weights,
    with_preload,
)
from zoo.presets.covariates import with_covariates
from zoo.recurrent import predictor

SETTINGS = {"thresholds": (0.1, 0.3), "times": (0.05,), "amplitude": 1.0, "powers": 2}


def paths(count, steps, seed=0, covariate=None):
    rng = np.random.default_rng(seed)
    loading = np.cumsum(rng.normal(size=(count, steps)) * 0.15, axis=1)
    rate = np.diff(loading, axis=1, prepend=0.0) / 0.1
    x = np.stack([loading, rate, np.full(loading.shape, 0.1)], axis=-1)
    if covariate is not None:
        x = np.concatenate([x, np.broadcast_to(covariate[:, None, None], (*x.shape[:2], 1))], -1)
    return x.astype(np.float32)


def dynamic(x, *, names=()):
    preset = presets.material("dynamic-prandtl", **SETTINGS)
    preset = with_covariates(preset, names) if names else preset
    return preset.build(x, np.ones((*x.shape[:2], 1)))


def test_weights_are_those_of_numpy_and_give_the_response_of_the_model():
    covariate = np.array([20.0, 20.0, 50.0, 80.0])
    x = paths(4, 40, covariate=covariate)
    model = dynamic(x, names=("temperature",))
    design = design_of(model, x)
    rng = np.random.default_rng(1)
    truth = rng.normal(size=design.shape[-1])
    set_linear_weights(model, truth)
    y = predictor(model)(x)[..., 0]
    np.testing.assert_allclose(design @ truth, y, rtol=1e-3, atol=1e-4)

    noisy = y + 0.1 * rng.normal(size=y.shape)
    counts = np.ones(y.shape, bool)
    counts[1] = False
    found = solve_weights(design, noisy, counts, 0.0)
    size = np.sqrt(np.mean(noisy**2, axis=1))
    rows = np.concatenate([design[k] / size[k] for k in (0, 2, 3)]).astype(np.float64)
    right = np.concatenate([noisy[k] / size[k] for k in (0, 2, 3)])
    expected = np.linalg.lstsq(rows, right, rcond=None)[0]
    np.testing.assert_allclose(rows @ found, rows @ expected, atol=1e-4)


def test_a_given_past_tells_preload_and_offset():
    x = paths(6, 120)
    model = dynamic(x)
    sizes = preload_candidates(0.8, halvings=2)
    np.testing.assert_allclose(sizes, [-0.8, -0.4, -0.2, 0, 0.2, 0.4, 0.8])
    truth = np.array([1.0, 0.1, 0.05, 3.0, 2.0, 0.3, 0.2, 0.5, 0.1])
    true_preload = sizes[[0, 6, 2, 5, 3, 1]]
    y = design_of(model, with_preload(x, true_preload)) @ truth
    counts = np.ones(y.shape, bool)
    counts[:, :40] = False
    counts[4:] = False  # two paths are not learnt: their start is told by their past alone
    fit = LinearLaw(model, x, y, 40, sizes).fit(counts, ridge=1e-8)
    # The loading of 40 rows may wash a preload out; the response then does not depend on it.
    np.testing.assert_allclose(fit.fitted[:, 40:], y[:, 40:], atol=0.02 * np.abs(y).max())
    virgin = LinearLaw(model, x, y).fit(counts, ridge=1e-8)
    errors = [np.abs(each.fitted - y)[4:, :40].max() for each in (fit, virgin)]
    assert errors[0] < 0.2 * errors[1]


def test_a_shape_does_not_depend_on_factors_and_offsets_of_paths():
    x = paths(5, 80, seed=2)
    model = dynamic(x)
    truth = np.array([1.0, 0.1, 0.05, 3.0, 2.0, 0.3, 0.2, 0.5, 0.1])
    plain = design_of(model, x) @ truth
    y = plain * np.array([1.0, 2.0, 5.0, 0.5, 3.0])[:, None] + 0.2 * np.arange(5)[:, None]
    counts = np.ones(y.shape, bool)
    counts[4] = False
    shape = LinearLaw(model, x, y).fit_shape(counts, ridge=1e-8).fitted
    terms = np.stack([shape[4], np.ones(80)], axis=1)
    gap = terms @ np.linalg.lstsq(terms, y[4], rcond=None)[0] - y[4]
    blurred = LinearLaw(model, x, y).fit(counts, ridge=1e-8).fitted[4]
    terms[:, 0] = blurred
    other = terms @ np.linalg.lstsq(terms, y[4], rcond=None)[0] - y[4]
    assert np.std(gap) < 0.02 * np.std(y[4]) and np.std(gap) < 0.3 * np.std(other)


def test_other_laws_and_pasts_are_refused_in_one_line():
    x = paths(2, 20)
    maxwell = presets.material("maxwell").build(x, np.ones((2, 20, 1)))
    with pytest.raises(ValueError, match=r"`terms`\. Received: MaxwellCell"):
        design_of(maxwell, x)
    with pytest.raises(ValueError, match=r"0 to 19 rows\. Received: 20"):
        LinearLaw(dynamic(x), x, np.ones((2, 20)), 20)
