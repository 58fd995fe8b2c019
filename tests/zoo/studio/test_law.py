"""The exact law in the page against the closed form; in Node."""

import numpy as np
import pytest

from tests.zoo.studio.node import run_module
from zoo.data.maxwell import Material, stress_response


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_the_exact_law_begins_at_rest_for_every_exponent(exponent, tmp_path):
    constants = {"modulus_mpa": 2.0, "nu0_s": 0.7, "sigma0_mpa": 1.3, "exponent": exponent}
    rate = [1.0, 1.0, -2.0, -1.0, 0.0]
    main = """import { advanceStress } from "./law.js";
const answer = ({ rate, constants }) => {
  let stress = 0;
  return rate.map((each) => (stress = advanceStress(stress, each, 0.05, constants)));
};
"""
    stress = run_module(main, tmp_path, {"rate": rate, "constants": constants})
    exact = stress_response(np.array([rate]), np.full((1, 5), 0.05), Material(**constants))[0]
    np.testing.assert_allclose(stress, exact, atol=1e-4)
