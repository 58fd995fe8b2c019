"""Warnings on constants: a line for each while they are few, one line where they are many."""

import numpy as np
import pytest

from zoo.identification.constants import Constant, Estimate
from zoo.identification.diagnostics import warn_of_constants


@pytest.mark.parametrize(("count", "lines"), [(3, 3), (12, 1)])
def test_many_uncertain_constants_are_one_line(count, lines):
    names = [f"w{k}" for k in range(count)]
    estimates = {
        name: Estimate(Constant(name, name, "N", "stiffness"), 2.0, 0.5, 4.0) for name in names
    }
    x = np.stack([np.sin(np.arange(50.0)), np.cos(np.arange(50.0)), np.ones(50)], -1)[None]
    said = [each for each in warn_of_constants(estimates, np.eye(count), x) if "uncertain" in each]
    assert len(said) == lines and all(any(name in each for each in said) for name in names)
