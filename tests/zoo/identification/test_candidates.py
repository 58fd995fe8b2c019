"""Candidate laws on a test whose law is known."""

import numpy as np
import pytest

from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.identification.candidates import CANDIDATES, Candidate, fit_candidates

TRUTH = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=3.0)


def test_the_true_law_fits_best_and_linear_ones_do_not():
    data = hysteresis.split("walk", paths=2, seed=3, steps=60, material=TRUTH)
    lines = []
    laws = fit_candidates(data, CANDIDATES[:2], starts=1, say=lines.append)
    assert list(laws) == ["prony, 1 branch", "maxwell"]
    residuals = [law.result.rmse for law in laws.values()]
    assert residuals[1] < 1e-3 < 0.1 < residuals[0]
    assert laws["maxwell"].result.values["exponent"] == pytest.approx(3, abs=0.01)
    predicted = laws["maxwell"].baseline.predict(data.x)
    np.testing.assert_allclose(predicted, data.y, atol=2e-3)
    assert laws["maxwell"].baseline.parameters == 3
    assert len(lines) == 2 and lines[1].startswith("maxwell: residual 0.0")


def test_a_law_that_cannot_be_fitted_is_left_out_in_one_line():
    data = hysteresis.split("walk", paths=1, seed=3, steps=5, material=TRUTH)
    lines = []
    laws = fit_candidates(data, [Candidate("prony", 3)], starts=1, say=lines.append)
    assert laws == {}
    (line,) = lines
    assert line.startswith("prony, 3 branches is left out: A fit of 6 weights needs more samples")


def test_options_name_covariates_and_shift():
    law = Candidate("solid", 2, covariates=("T [C]", "filler"), shared=True)
    assert law.options == "--law solid --branches 2 --covariate 'T [C]' --covariate filler --shift"
    assert law.name == "solid, 2 branches shifted by T [C], filler"
