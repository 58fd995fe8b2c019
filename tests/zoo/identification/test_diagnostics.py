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


def test_a_signed_constant_whose_interval_holds_zero_is_no_other_than_zero():
    # ± 0.03 about 0.004 is a narrow interval of a share, though wide by the value.
    share = Constant("quadratic", "κ2", "-", "share", False, -np.inf)
    x = np.stack([np.sin(np.arange(50.0)), np.cos(np.arange(50.0)), np.ones(50)], -1)[None]
    lines = warn_of_constants({"quadratic": Estimate(share, 0.004, -0.03, 0.04)}, np.eye(1), x)
    assert "κ2 cannot be told from 0: 0.004 with an interval from -0.03 to 0.04 -" in lines
    assert not any("uncertain" in line for line in lines)


def test_a_branch_whose_time_is_zero_is_a_dashpot_and_is_not_compared(recwarn):
    made = [
        Estimate(Constant(f"{name}_{k}", f"{symbol}{k}", unit, ""), value, np.nan, np.nan)
        for name, symbol, unit, values in (
            ("moduli", "E", "MPa", (1e9, 1.0)),
            ("times", "τ", "s", (0.0, 1.0)),
        )
        for k, value in enumerate(values, 1)
    ]
    x = np.ones((1, 20, 3))
    warn_of_constants({e.constant.name: e for e in made}, np.eye(4), x)
    assert not recwarn.list


@pytest.mark.parametrize(("interval", "told"), [((0.8, 11.9), "may be"), ((4.0, 5.0), "")])
def test_an_exponent_that_is_not_determined_is_no_proof_of_linearity(interval, told):
    exponent = Constant("exponent", "m", "-", "exponent", positive=False, least=0.5)
    x = np.ones((1, 20, 3))
    lines = warn_of_constants({"exponent": Estimate(exponent, 4.7, *interval)}, np.eye(1), x)
    linear = [line for line in lines if "linear" in line]
    assert bool(linear) == bool(told) and all(told in line for line in linear)
