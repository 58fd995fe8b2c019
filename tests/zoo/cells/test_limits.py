"""Limits and closed forms of laws of materials: every term of stress, energy and dissipation."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad
from scipy.optimize import brentq

from tests.zoo.cells.test_solids import run, run_inputs
from zoo.cells import (
    BoucWenCell,
    BoucWenOscillatorCell,
    ChabocheCell,
    DynamicPrandtlCell,
    MaxwellCell,
    PrandtlIshlinskiiCell,
    PronyCell,
    RelaxationCell,
    SolidCell,
    StandardCell,
)
from zoo.cells.material.chaboche import ChabocheState, return_mapping
from zoo.cells.material.standard import RATES, solve

every = pytest.mark.parametrize


def assign(cell, **logs):
    """Build a cell and set weights by the values whose logarithms they are."""
    cell.build((None, 3))
    for name, value in logs.items():
        weight = getattr(cell, f"log_{name}")
        weight.assign(np.broadcast_to(np.log(value), weight.shape))
    return cell


def metal():
    """E = 2, σ_y = 0.2, Q = 0.05, b = 4; ΣC/γ = 0.3 + 0.2, so that the stress ends at 0.75."""
    cell = ChabocheCell(2, dtype="float64")
    slopes = {"slopes": [3.0, 8.0], "rates": [10.0, 40.0]}
    return assign(cell, modulus=2.0, **{"yield": 0.2}, saturation=0.05, speed=4.0, **slopes)


def overrun(q):
    """∫₀^q (1 − e^(−s))² ds, which dissipation of exponential hardening adds up to."""
    return q - 2 * -np.expm1(-q) - np.expm1(-2 * q) / 2


@every("sign", (1, -1))
def test_newton_of_chaboche_starts_on_the_asymptote_and_rises_to_the_root(sign):
    # (|σ_trial| − ΣC/γ − σ_y − Q)/E by hand: (4.75 − 0.5 − 0.2 − 0.05)/2 = 2, (0.85 − 0.75)/2
    pulls = np.array([4.75, 0.85, 0.3, 0.1])
    back, path = np.array([0.1, -0.05]), 0.3

    def excess(p, pull):
        hardened = sum(
            a * np.exp(-g * p) - c / g * np.expm1(-g * p)
            for a, c, g in zip(back, (3.0, 8.0), (10.0, 40.0), strict=True)
        )
        return pull - 2 * p - hardened - 0.2 + 0.05 * np.expm1(-4 * (path + p))

    roots = [brentq(excess, 0, 9, (pull,)) if excess(0, pull) > 0 else 0.0 for pull in pulls]
    state = ChabocheState(
        tf.zeros((4, 1), tf.float64),
        tf.constant(np.tile(sign * back, (4, 1))),
        tf.constant(np.full((4, 1), path)),
    )
    law, trial = metal().law(), tf.constant(sign * pulls[:, None])
    sizes = []
    for iterations in range(9):
        size, direction = return_mapping(trial, state, law, iterations)
        sizes.append(np.asarray(size)[:, 0])
        assert (np.asarray(direction)[:, 0] == sign).all()
    np.testing.assert_allclose(sizes[0], [2.0, 0.05, 0.0, 0.0], rtol=1e-12, atol=1e-15)
    assert (np.diff(sizes, axis=0) >= -1e-15).all()
    np.testing.assert_allclose(sizes[-1], roots, rtol=1e-12, atol=1e-15)
    assert roots[2] > 0 and roots[3] == 0.0
    for size, after, pull in zip(sizes[0][:3], sizes[1], pulls, strict=False):
        slope = (excess(size + 1e-6, pull) - excess(size - 1e-6, pull)) / 2e-6
        assert after == pytest.approx(size - excess(size, pull) / slope, rel=1e-7)


@every("strain", (0.05, 0.13, 0.4, 30.0))
def test_tension_of_a_virgin_metal_has_every_term_of_its_closed_form(strain):
    c, g = np.array([3.0, 8.0]), np.array([10.0, 40.0])

    def parts(p):
        return 0.2 - 0.05 * np.expm1(-4 * p), -c / g * np.expm1(-g * p)

    def gap(p):
        radius, back = parts(p)
        return 2 * (strain - p) - radius - back.sum()

    p = brentq(gap, 0, strain, xtol=1e-15) if gap(0) > 0 else 0.0
    stress, back = 2 * (strain - p), parts(p)[1]
    q = {name: np.squeeze(each) for name, each in run(metal(), [[strain]]).items()}
    for name, expected in {
        "stress": stress,
        "plastic_strain": p,
        "plastic_path": p,
        "back_stress": back,
        "energy": stress**2 / 4 + (back**2 / (2 * c)).sum(),
        "dissipation": 0.2 * p
        + 0.05 * (p + np.expm1(-4 * p) / 4)
        + (c / g**2 * overrun(g * p)).sum(),
    }.items():
        np.testing.assert_allclose(q[name], expected, rtol=1e-7, atol=1e-12, err_msg=name)
    if strain == 30.0:  # everything is saturated
        assert q["stress"] == pytest.approx(0.75, rel=1e-12)


def test_bouc_wen_of_sharpness_one_has_every_term_of_its_closed_form():
    cell = assign(BoucWenCell(dtype="float64"), modulus=2.0, spring=0.3, dashpot=0.7, sharpness=1.0)
    cell.log_yield.assign(np.log(0.5))
    cell.raw_shape.assign(np.log(3.0))  # θ = 1/2 + 3/8
    up, back, dt = 0.4, 0.05, 0.2
    q = {k: v[0, :, 0] for k, v in run(cell, [[up, up - back]], dt).items()}
    top = 0.5 * -np.expm1(-2.0 * up / 0.5)
    # Unloading from z > 0: dz = −A |dx| − (β − γ) z |dx|, with β − γ = A (2θ − 1)/z₀ = 3.
    z = top * np.exp(-3 * back) + 2.0 / 3 * np.expm1(-3 * back)
    assert z > 0
    np.testing.assert_allclose(q["hysteretic"], [top, z], rtol=1e-9)
    position, rate = np.array([up, up - back]), np.array([up, -back]) / dt
    np.testing.assert_allclose(q["position"], position, rtol=1e-12)
    stress = 0.3 * position + 0.7 * rate + [top, z]
    np.testing.assert_allclose(q["stress"], stress, rtol=1e-9)
    energy = 0.3 * position**2 / 2 + np.square([top, z]) / (2 * 2.0)
    np.testing.assert_allclose(q["energy"], energy, rtol=1e-9)
    # ∫ z (dx − dz/A): in tension z²/z₀ dx, in unloading 3 z²/A |dx| with z as above.
    falling = quad(lambda s: 1.5 * ((top + 2.0 / 3) * np.exp(-3 * s) - 2.0 / 3) ** 2, 0, back)[0]
    lost = np.array([0.5**2 / 2 * overrun(2.0 * up / 0.5), falling])
    np.testing.assert_allclose(q["dissipation"], lost + 0.7 * rate**2 * dt, rtol=1e-7)


def test_a_hardening_spring_beside_bouc_wen_stores_the_work_of_its_force():
    plain, spring = (
        assign(BoucWenCell(dashpot=False, size=size, dtype="float64"), modulus=2.0, spring=0.3)
        for size in (0.0, 0.5)
    )
    spring.quadratic.assign(-0.6)
    spring.log_hardening.assign(np.log(0.4))
    cubic = 0.6**2 / 3 + 0.4
    assert spring.constants()["cubic"] == pytest.approx(cubic)
    at = np.array([0.2, 0.7, -0.4])
    before, after = (
        {k: v[0, :, 0] for k, v in run(cell, [at]).items()} for cell in (plain, spring)
    )
    u = at / 0.5
    added = 0.3 * at * (-0.6 * u + cubic * u**2)
    np.testing.assert_allclose(after["stress"] - before["stress"], added, rtol=1e-9)
    work = [
        quad(lambda s: 0.3 * s * (-0.6 * s / 0.5 + cubic * (s / 0.5) ** 2), 0, e)[0] for e in at
    ]
    np.testing.assert_allclose(after["energy"] - before["energy"], work, rtol=1e-9)
    np.testing.assert_array_equal(after["dissipation"], before["dissipation"])
    reach = np.linspace(-3, 3, 601)
    assert (1 + 2 * -0.6 * reach + 3 * cubic * reach**2 > 0).all()


def test_bouc_wen_of_sharpness_two_is_a_hyperbolic_tangent_and_ends_at_its_yield():
    cell = BoucWenCell(dashpot=False, substeps=12, dtype="float64")
    assign(cell, modulus=2.0, sharpness=2.0)
    cell.log_yield.assign(np.log(0.5))
    x, signs = np.array([0.2, 0.5, 2.0]), np.array([[1], [-1]])
    z = run(cell, signs * x)["hysteretic"][..., 0]
    np.testing.assert_allclose(z, signs * 0.5 * np.tanh(2.0 * x / 0.5), rtol=3e-3)
    assert np.abs(z[:, -1]) == pytest.approx(0.5, rel=1e-5)


def oscillator(decay, asymmetry, damping=0.6):
    """m = 2, c, k = 3, α = 5; γ, and δ in units of 1/size = 1/0.5."""
    cell = BoucWenOscillatorCell(size=0.5, dtype="float64")
    assign(cell, mass=2.0, damping=damping, stiffness=3.0, slope=5.0, decay=decay)
    cell.asymmetry.assign(asymmetry)
    return cell


def push(cell, force, steps, dt=0.01):
    """A force that is there at once and stays."""
    return run_inputs(cell, np.tile([[[force, 0.0, dt]]], (1, steps, 1)))


def test_an_oscillator_without_decay_is_linear():
    q = push(oscillator(1e-30, 0.0), 4.0, 60)
    t, mass, damping, stiffness = 0.01 * np.arange(1, 61), 2.0, 0.6, 3.0 + 5.0
    fall, natural = damping / (2 * mass), stiffness / mass
    turn = np.sqrt(natural - fall**2)
    swing = np.cos(turn * t) + fall / turn * np.sin(turn * t)
    y = 4.0 / stiffness * (1 - np.exp(-fall * t) * swing)
    v = 4.0 / stiffness * np.exp(-fall * t) * natural / turn * np.sin(turn * t)
    np.testing.assert_allclose(q["displacement"][0, :, 0], y, rtol=1e-6)
    np.testing.assert_allclose(q["velocity"][0, :, 0], v, rtol=1e-6)
    np.testing.assert_allclose(q["hysteretic"][0, :, 0], 5.0 * y, rtol=1e-6)


@every("sign", (1, -1))
def test_the_element_of_an_oscillator_follows_the_way_alone(sign):
    # In one direction dz = α dy − (γ + δ) z dy for motion up, and the mirror of it for one down.
    q = push(oscillator(2.0, -0.7), sign * 40.0, 30)
    y = q["displacement"][0, :, 0]
    assert (sign * np.diff(y) > 0).all() and abs(y[-1]) > 0.5
    total = 2.0 - 0.7 / 0.5
    expected = sign * 5.0 / total * -np.expm1(-total * np.abs(y))
    np.testing.assert_allclose(q["hysteretic"][0, :, 0], expected, rtol=1e-6)


@every("hardening", (False, True))
def test_prandtl_elements_have_every_term_and_the_loss_of_a_loop(hardening):
    cell = PrandtlIshlinskiiCell((0.1, 0.3, 0.8), hardening=hardening, dtype="float64")
    assign(cell, stiffness=[2.0, 3.0, 0.5], spring=0.7, **({"hardening": 1.5} if hardening else {}))
    w, r, cubic = np.array([2.0, 3.0, 0.5]), np.array([0.1, 0.3, 0.8]), 1.5 * hardening
    q = {k: v[0] for k, v in run(cell, [[0.5, -0.5, 0.5]]).items()}
    stop = np.minimum(r, 0.5)
    assert q["stress"][0, 0] == pytest.approx(w @ stop + 0.7 * 0.5 + cubic * 0.5**3)
    stored = w @ stop**2 / 2 + 0.7 * 0.5**2 / 2 + cubic * 0.5**4 / 4
    assert q["energy"][0, 0] == pytest.approx(stored)
    slipped = np.maximum(0.5 - r, 0)
    assert q["dissipation"][0, 0] == pytest.approx(w @ (r * slipped))
    # Masing (1926): each half of the loop is the first loading, twice as large.
    assert q["dissipation"][1:].sum() == pytest.approx(4 * w @ (r * slipped))
    np.testing.assert_allclose(q["stop"][2], [0.1, 0.3, 0.5], atol=1e-12)


def test_dynamic_prandtl_has_every_term_also_beyond_the_bound_of_its_stiffness():
    cell = DynamicPrandtlCell((0.1, 9.0), (0.5, 2.0), 0.4, 3.0, 3, dtype="float64")
    cell.build((None, 3))
    x, dt = 1.2, 0.3  # three amplitudes: (x/X)² = 9, of which 4 count
    q = {k: v[0, 0] for k, v in run(cell, [[x]], dt).items()}
    rate, times = x / dt, np.array([0.5, 2.0])
    stop, branch = np.array([0.1, x]), rate * times * -np.expm1(-dt / times)
    powers = [x, x**3 / 0.4**2, x**5 / 0.4**4]
    terms = [*powers, 0.5 * rate, *stop, *(4 * stop), *branch, *(4 * branch)]
    np.testing.assert_allclose(q["terms"], 3.0 * np.array(terms), rtol=1e-9)
    assert q["stress"].item() == pytest.approx(3.0 * x)  # c₁ = E₀, all else begins at 0
    inner = run(cell, [[0.2]], dt)["terms"][0, 0]  # (x/X)² = 1/4, below the bound
    np.testing.assert_allclose(inner[6:8], 3.0 * np.array([0.1, 0.2]) / 4, rtol=1e-12)


@every("equilibrium", (True, False))
def test_a_power_law_of_a_solid_relaxes_by_its_closed_form(equilibrium):
    cell = SolidCell("neo-hooke", 1, 2.0, 1.0, "power", equilibrium, dtype="float64")
    springs = [0.4, 0.3] if equilibrium else [0.3]
    cell.build((None, 3))
    cell.log_coefficients["c1"].assign(np.log(springs))
    cell.log_relaxation.assign([np.log(0.6)])
    cell.raw_power.assign(np.log(np.expm1(1.3)))  # m = 2.3
    h, stretch, t = np.array([0.9, -0.4]), 1.5, 0.8
    state = cell.State(tf.constant(h[:, None]))
    q = run_inputs(cell, np.tile([[[stretch - 1, 0.0, t]]], (2, 1, 1)), state)
    q = {k: v[:, 0, 0] for k, v in q.items()}
    size = np.sqrt(2.0 / (1 + equilibrium))
    left = (1 + 1.3 * (np.abs(h) / size) ** 1.3 * t / 0.6) ** (-1 / 1.3)
    np.testing.assert_allclose(q["elastic_strain"], h * left, rtol=1e-7)
    np.testing.assert_allclose(q["memory"], left**2.3, rtol=1e-7)
    np.testing.assert_allclose(q["dissipation"], h**2 * (1 - left**2) / 2, rtol=1e-7)
    resting = 2 * 0.4 * (stretch - stretch**-2) * equilibrium
    np.testing.assert_allclose(q["equilibrium_stress"], resting, rtol=1e-9)
    first = stretch**2 + 2 / stretch - 3
    slope = 0.3 * 2 * (stretch - stretch**-2) / np.sqrt(2 * 0.3 * first)  # dg/dλ, g² = 2 W
    np.testing.assert_allclose(q["stress"], resting + h * left * slope, rtol=1e-7)
    stored = 0.4 * first * equilibrium + (h * left) ** 2 / 2
    np.testing.assert_allclose(q["energy"], stored, rtol=1e-7)


def test_liquids_store_the_square_of_their_stress_over_twice_the_modulus():
    strain, dt = np.array([[0.3, 0.1]]), 0.4
    cell = assign(MaxwellCell(exponent=3.0, dtype="float64"), modulus=1.7)
    q = run(cell, strain, dt)
    np.testing.assert_allclose(q["energy"], q["stress"] ** 2 / 3.4, rtol=1e-12)
    assert cell.constants()["modulus"] == pytest.approx(1.7)
    moduli = np.array([1.7, 0.4])
    branched = (
        PronyCell((1.0, 1.0), (0.5, 3.0), dtype="float64"),
        RelaxationCell(2, time=0.5, dtype="float64"),
    )
    for cell in branched:
        q = run(assign(cell, moduli=moduli), strain, dt)
        stored = (q["branch_stress"] ** 2 / (2 * moduli)).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(q["energy"], stored, rtol=1e-12)
        np.testing.assert_allclose(q["stress"][..., 0], q["branch_stress"].sum(-1), rtol=1e-12)


def test_the_potentials_of_a_standard_material_are_their_formulas():
    cell = StandardCell(2, 3, modulus=3.0, strain=0.5, time=2.0, dtype="float64")
    cell.build((None, 3))
    rng = np.random.default_rng(0)
    cell.set_weights([w + 0.6 * rng.normal(size=w.shape) for w in cell.get_weights()])
    w = {each.name: np.asarray(each) for each in cell.weights}
    strain, internal, rate = (rng.normal(size=(4, width)) for width in (1, 2, 2))
    energy, potential = cell.potentials(*map(tf.constant, (strain, internal, rate)))
    e, a, v = strain / 0.5, internal / 0.5, rate * 2.0 / 0.5
    z, b = np.concatenate([e, a], axis=-1) @ w["directions"], w["offsets"]
    units = np.log1p(np.exp(z + b)) - np.log1p(np.exp(b)) - z / (1 + np.exp(-b))
    squares = np.exp(w["log_branches"]) * (e - a) ** 2 + np.exp(w["log_hardening"]) * a**2
    psi = np.exp(w["log_spring"]) * e[:, 0] ** 2 / 2 + squares.sum(-1) / 2
    psi = psi + units @ np.exp(w["log_heights"])
    np.testing.assert_allclose(energy[:, 0], 3.0 * 0.5**2 * psi, rtol=1e-9)
    r = 10.0 ** np.arange(-2, RATES - 2)
    friction = np.exp(w["log_friction"]) * r**2 * (np.sqrt(1 + (v[..., None] / r) ** 2) - 1)
    phi = (friction.sum(-1) + np.exp(w["log_viscosity"]) * v**2 / 2).sum(-1)
    np.testing.assert_allclose(potential[:, 0], 3.0 * 0.5**2 / 2.0 * phi, rtol=1e-7)


def test_newton_of_a_standard_material_solves_with_the_second_derivatives_of_its_potentials():
    cell = StandardCell(3, 4, 1.0, 1.0, 1.0, 1, dtype="float64")
    cell.build((None, 3))
    rng = np.random.default_rng(1)
    cell.set_weights([w + 0.6 * rng.normal(size=w.shape) for w in cell.get_weights()])
    strain, old = tf.constant([[0.7]], tf.float64), tf.constant(rng.normal(size=(1, 3)))
    rate, time = tf.zeros((1, 3), tf.float64), 0.4
    with tf.GradientTape() as outer:
        outer.watch(rate)
        with tf.GradientTape() as tape:
            tape.watch(rate)
            energy, potential = cell.potentials(strain, old + time * rate, rate)
            total = energy / time + potential
        residual = tape.gradient(total, rate)
    jacobian = outer.jacobian(residual, rate)[0, :, 0]
    expected = -np.linalg.solve(jacobian, residual[0])
    first = cell._newton(strain, old, tf.constant([[time]], tf.float64))
    np.testing.assert_allclose(first[0], expected, rtol=1e-9)
    factor = np.array([[2.0, 0, 0, 0], [0.5, 1, 0, 0], [-1, 3, 1.5, 0], [0.3, -0.2, 4, 1]])
    matrix, right = factor @ factor.T, np.array([1.0, -2, 3, 4])
    rows = [[tf.constant([[matrix[i, j]]]) for j in range(i + 1)] for i in range(4)]
    solution = solve(rows, tf.constant(right[None]))
    np.testing.assert_allclose(solution[0], np.linalg.solve(matrix, right), rtol=1e-9)
