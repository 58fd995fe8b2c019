"""Units of tensors follow loading and response of the data."""

from types import SimpleNamespace

import numpy as np

from zoo import presets
from zoo.certificate.certify import OF_A_FORCE, without_energy
from zoo.certificate.checks import Certificate
from zoo.certificate.limits import LIMITS, Check
from zoo.data.quantities import axis_label, loading_inputs, relation, response_target
from zoo.identification.constants import constants_of
from zoo.recurrent import step_model, view
from zoo.stress.exporting import tensor_quantities


def units_of(law, loading, response):
    """Tensor -> units of a law on made-up data."""
    time = np.linspace(0, 6, 60)
    x = np.stack([np.sin(time), np.cos(time), np.full(60, 0.1)], -1)[None].astype(np.float32)
    model = presets.material(law).build(x, 0.5 * x[..., :1], None)
    train = SimpleNamespace(inputs=loading_inputs(*loading), targets=(response_target(*response),))
    trained = SimpleNamespace(model=model, experiment=SimpleNamespace(train=train))
    quantities = tensor_quantities(trained, view(model, fused=False), step_model(model))  # pyright: ignore
    return {name: [each.unit for each in q] for name, q in quantities.items()}, model


def test_an_oscillator_has_the_units_of_force_and_displacement():
    units, _ = units_of("bouc-wen-oscillator", ("force", "N"), ("displacement", "m"))
    assert units["x"] == ["N", "N/s", "s"] and units["prediction"] == ["m"]
    assert units["displacement_0"] == ["m"] and units["velocity_0"] == ["m/s"]
    assert units["hysteretic_0"] == ["N"]


def test_constants_of_a_damper_are_forces_over_displacements():
    units, model = units_of("bouc-wen", ("displacement", "mm"), ("force", "N"))
    assert units["hysteretic_0"] == ["N"] and units["position_0"] == ["mm"]
    cell = model.layers[-1].cell
    named = {each.name: each.unit for each in constants_of(cell, "N", "mm")[0]}
    assert named["modulus"] == "N/mm" and named["yield"] == "N" and named["sharpness"] == "-"
    assert named["dashpot"] == "s N/mm"
    assert {each.unit for each in constants_of(cell, "MPa")[0]} == {"MPa", "-", "s MPa"}


def test_texts_follow_the_quantities():
    inputs, target = loading_inputs("flux density", "T"), response_target("field", "A/m")
    assert axis_label(inputs[0]) == "flux density B [T]" and axis_label(target) == "field H [A/m]"
    assert relation(inputs, (target,)) == "flux density, flux density rate and time step to field"
    strain = relation(loading_inputs(), (response_target(),))
    assert strain == "strain, strain rate and time step to stress"


def test_a_displacement_from_a_force_is_not_judged_as_a_force():
    checks = tuple(Check(name, 1.0, limit.threshold, "") for name, limit in LIMITS.items())
    left = without_energy(Certificate(checks, {}, {})).checks
    skipped = [each.name for each in left if each.value is None]
    assert sorted(skipped) == sorted(OF_A_FORCE) and all(
        each.passed is None for each in left if each.name in OF_A_FORCE
    )
