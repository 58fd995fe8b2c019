"""What cells of solids, metals and friction promise, for random weights, against closed forms."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from zoo.cells import (
    BoucWenCell,
    BoucWenOscillatorCell,
    ChabocheCell,
    DamperCell,
    DynamicPrandtlCell,
    MullinsCell,
    PrandtlIshlinskiiCell,
    PronyCell,
    SolidCell,
    StateSpaceCell,
)
from zoo.cells.material.elastic import ENERGIES, KNOTS
from zoo.recurrent import recurrent_model, step_model

HYPERELASTIC = {e: lambda e=e, **kw: SolidCell(e, time=0.3, **kw) for e in ENERGIES}
RATE_INDEPENDENT = {
    "chaboche": lambda **kw: ChabocheCell(2, 2.0, 0.2, strain=0.3, **kw),
    "kinematic": lambda **kw: ChabocheCell(3, 2.0, 0.2, strain=0.3, isotropic=False, **kw),
    "prandtl": lambda **kw: PrandtlIshlinskiiCell(**kw),
    "stiffening": lambda **kw: PrandtlIshlinskiiCell(hardening=True, **kw),
    "bouc-wen": lambda **kw: BoucWenCell(2.0, 0.5, dashpot=False, **kw),
    "hardening": lambda **kw: BoucWenCell(2.0, 0.5, dashpot=False, size=0.3, **kw),
}
DISSIPATIVE = (
    HYPERELASTIC
    | RATE_INDEPENDENT
    | {
        "power": lambda **kw: SolidCell("neo-hooke", viscosity="power", time=0.3, **kw),
        "liquid": lambda **kw: SolidCell("yeoh", equilibrium=False, **kw),
        "dashpot": lambda **kw: BoucWenCell(2.0, 0.5, time=0.1, **kw),
        "damper": lambda **kw: DamperCell(2.0, 0.5, 0.4, 3.0, **kw),
        "mullins": lambda **kw: MullinsCell(modulus=2.0, time=0.3, scale=0.2, **kw),
    }
)
CELLS = DISSIPATIVE | {
    "oscillator": lambda **kw: BoucWenOscillatorCell(substeps=2, **kw),
    "dynamic": lambda **kw: DynamicPrandtlCell((0.1, 0.3), (0.05, 0.5), **kw),
}
BLACK_BOX = {"state-space": lambda **kw: StateSpaceCell(2, 3, **kw)}  # promises no physics
every = pytest.mark.parametrize
seeds = settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])


def built(make, seed=0, spread=0.7, **kw):
    """A cell with random weights around those it starts with."""
    cell = make(**kw)
    cell.build((None, 3))
    rng = np.random.default_rng(seed)
    cell.set_weights([w + spread * rng.normal(size=w.shape) for w in cell.get_weights()])
    return cell


def zero_state(cell, rows):
    widths = [cell.visible[field] for field in cell.State._fields]
    return cell.State(*(ops.zeros((rows, width), cell.compute_dtype) for width in widths))


def run(cell, strain, dt=1.0, state=None):
    """Every quantity after every step of paths of strain from 0, name -> (paths, time, width)."""
    strain = np.atleast_2d(np.asarray(strain, np.float64))
    rate = np.diff(strain, axis=1, prepend=0.0) / dt
    x = np.stack([strain, rate, np.broadcast_to(dt, strain.shape)], axis=-1)
    return run_inputs(cell, x, state)


def run_inputs(cell, x, state=None):
    state = zero_state(cell, len(x)) if state is None else state
    one, steps = tf.function(cell.step) if x.shape[1] > 100 else cell.step, []
    for j in range(x.shape[1]):
        state, quantities = one(ops.convert_to_tensor(x[:, j], cell.compute_dtype), state)
        steps.append({k: np.asarray(v) for k, v in quantities.items()})
    return {k: np.stack([q[k] for q in steps], axis=1) for k in steps[0]}


def zigzag(seed, paths=64, steps=10, size=0.5):
    """Random strains above −0.9, (paths, steps)."""
    values = np.random.default_rng(seed).normal(size=(paths, steps)) * size
    return np.maximum(values, -0.9)


@every("name", DISSIPATIVE)
@seeds
@given(seed=st.integers(0, 10**6))
def test_dissipation_and_energy_are_never_negative(name, seed):
    cell = built(DISSIPATIVE[name], seed)
    dt = 10 ** np.random.default_rng(seed).uniform(-3, 2, (64, 10))
    q = run(cell, zigzag(seed), dt)
    assert np.isfinite(q["stress"]).all()
    assert (q["dissipation"] >= 0).all() and q["dissipation"].max() > 0
    assert (q["energy"] >= 0).all()


@every("name", CELLS)
def test_nothing_changes_without_loading_and_the_response_is_odd_or_starts_at_zero(name):
    cell = built(CELLS[name], 1)
    rest = run(cell, np.zeros((2, 5)))
    assert not any(rest[key].any() for key in (next(iter(cell.visible)), *cell.State._fields))
    if isinstance(cell, SolidCell) and cell.energy != "linear":
        return  # tension and compression differ at finite strain
    if getattr(cell, "quadratic", None) is not None:
        return  # a spring that hardens to one side
    up, down = (run(cell, sign * zigzag(2), 0.05) for sign in (1, -1))
    output = next(iter(cell.visible))
    np.testing.assert_allclose(up[output], -down[output], rtol=1e-6, atol=1e-7)


@every("name", RATE_INDEPENDENT)
def test_the_answer_depends_on_the_path_and_not_on_the_time_it_takes(name):
    cell = built(RATE_INDEPENDENT[name], 3)
    slow, fast, odd = (run(cell, zigzag(4), dt)["stress"] for dt in (1.0, 2.0**-10, 0.037))
    np.testing.assert_array_equal(slow, fast)  # to the bit: such a rate times dt is exact
    np.testing.assert_allclose(odd, slow, rtol=1e-4, atol=1e-5)


@every("name", ("chaboche", "kinematic", "prandtl", "stiffening"))
def test_a_step_in_one_direction_equals_many(name):
    cell = built(RATE_INDEPENDENT[name], 5, dtype="float64")
    ends = zigzag(6, steps=8)
    whole = run(cell, ends)
    shares = np.arange(1, 6) / 5
    before = np.concatenate([np.zeros((len(ends), 1)), ends[:, :-1]], axis=1)
    cut = (before[..., None] + shares * (ends - before)[..., None]).reshape(len(ends), -1)
    parts = run(cell, cut)
    np.testing.assert_allclose(parts["stress"][:, 4::5], whole["stress"], rtol=1e-6, atol=1e-8)
    lost = parts["dissipation"].reshape(len(ends), 8, 5).sum(axis=2)
    np.testing.assert_allclose(lost, whole["dissipation"][..., 0], rtol=1e-5, atol=1e-8)


@seeds
@given(seed=st.integers(0, 10**6))
def test_an_inner_loop_of_prandtl_elements_closes_and_is_forgotten(seed):
    cell = built(RATE_INDEPENDENT["prandtl"], seed, dtype="float64")
    low, high = sorted(np.random.default_rng(seed).uniform(-0.6, 0.6, 2))
    plain = run(cell, [[1.0, low - 0.3, 0.7]])["stress"]
    # From −: up to `high`, down to `low` and up again closes a loop; passing −0.3 below wipes it.
    looped = run(cell, [[1.0, low, high, low, low - 0.3, 0.7]])["stress"]
    assert looped[0, 3, 0] == pytest.approx(looped[0, 1, 0], abs=1e-12)
    np.testing.assert_allclose(looped[0, 4:], plain[0, 1:], atol=1e-12)


def test_dynamic_prandtl_is_the_sum_of_its_closed_forms_in_one_step_or_many():
    cell = built(CELLS["dynamic"], 23, dtype="float64")
    ends = np.array([[0.4, 0.25, -0.5, 0.1]])
    dt = 0.2
    whole = run(cell, ends, dt)
    fine = np.interp(np.arange(1, 41) / 10, np.arange(5), [0, *ends[0]])
    parts = run(cell, [fine], dt / 10)
    weights = {name: np.asarray(each) for name, each in cell.parts.items()}
    rate = np.diff(ends[0], prepend=0.0) / dt
    for step, x in enumerate(ends[0]):
        # A stop is the elongation since the loading last passed its limits: x less the play.
        plays, past = np.zeros(2), ends[0][: step + 1]
        for now in past:
            plays = np.clip(plays, now - np.array(cell.thresholds), now + np.array(cell.thresholds))
        stops = x - plays
        times = np.array(cell.times)
        branches = sum(
            rate[k] * times * np.exp(-dt * (step - k) / times) * (1 - np.exp(-dt / times))
            for k in range(step + 1)
        )
        square = min(x**2, 4.0)
        expected = (
            weights["power"] @ [x, x**3, x**5, x**7]
            + weights["dashpot"][0] * times[0] * rate[step]
            + (weights["stop_stiffness"] + weights["stop_change"] * square) @ stops
            + (weights["branch_stiffness"] + weights["branch_change"] * square) @ branches
        )
        assert whole["stress"][0, step, 0] == pytest.approx(expected, rel=1e-10)
        assert parts["stress"][0, 10 * step + 9, 0] == pytest.approx(expected, rel=1e-9)


def test_a_damper_is_a_power_of_the_rate_at_the_end_of_a_step():
    # k x + c |v|^α sgn v of a sine, by its closed form; the rate within a step is half a step late.
    cell = DamperCell(2.0, 0.7, 0.35, 5.0, dtype="float64")
    cell.build((None, 3))
    errors = []
    for steps in (100, 200):
        time = np.arange(steps + 1) / steps
        x, v = 0.3 * np.sin(12 * time), 3.6 * np.cos(12 * time)
        q = run(cell, x[1:], 1 / steps)
        force = 2 * x + 0.7 / 5**0.35 * np.sign(v) * np.abs(v) ** 0.35
        fast = (np.abs(v) > 1)[3:]  # at zero rate the power has no slope
        errors.append(np.abs(q["stress"][0, 2:, 0] - force[3:])[fast].max())
        work = np.sum((force[1:] + force[:-1]) / 2 * np.diff(x)) - x[-1] ** 2
        assert q["dissipation"].sum() == pytest.approx(work, rel=0.05)
    assert errors[1] < 0.3 * errors[0] and errors[1] < 0.005 * np.abs(force).max()
    held = run_inputs(cell, np.array([[[0.1, 0.0, 0.0]]]), cell.State(*2 * [np.full((1, 1), 0.3)]))
    assert held["position"].item() == held["rate"].item() == 0.3  # Δt = 0: nothing changes


def test_rubber_softens_below_its_largest_stretch_and_loses_what_it_does_not_store():
    cell = MullinsCell(modulus=2.0, time=0.2, softening=0.4, scale=0.3, dtype="float64")
    cell.build((None, 3))
    c1, c2, c3 = (cell.constants()[name][0] for name in ("c1", "c2", "c3"))
    ends = [0, 0.6, 0, 0.6, 1.1, 0.2, 1.1]
    strain = np.concatenate([np.linspace(a, b, 101)[1:] for a, b in itertools.pairwise(ends)])
    q = run(cell, strain, 0.01)
    stretch = 1 + strain
    j = stretch**2 + 2 / stretch - 3
    energy = c1 * j + c2 * (2 * stretch + stretch**-2 - 3) + c3 * j**3
    spring = 2 * (stretch - stretch**-2) * (c1 + c2 / stretch + 3 * c3 * j**2)
    peak = np.maximum.accumulate(energy)
    softness = 0.4 * np.tanh((peak - energy) / (0.3 + 0.1 * peak))
    resting = q["equilibrium_stress"][0, :, 0]
    np.testing.assert_allclose(resting, (1 - softness) * spring, rtol=1e-9, atol=1e-12)
    assert resting[149] < 0.9 * resting[49]  # on the way back, at the same stretch
    np.testing.assert_allclose(resting[200:299], resting[198:99:-1], rtol=1e-9)  # reloading
    stress = np.concatenate([[0.0], q["stress"][0, :, 0]])
    work = np.sum((stress[1:] + stress[:-1]) / 2 * np.diff(strain, prepend=0))
    assert work == pytest.approx(q["dissipation"].sum() + q["energy"][0, -1, 0], rel=1e-3)


def test_prandtl_elements_are_a_sum_of_plays():
    # A play of width r follows x at a distance: p' = max(x − r, min(x + r, p)).
    cell = built(RATE_INDEPENDENT["prandtl"], 7, dtype="float64")
    x = zigzag(8, paths=3)
    weights = cell.constants()
    stress = weights["spring"] * x
    for threshold, stiffness in zip(cell.thresholds, weights["stiffness"], strict=True):
        play, values = np.zeros(3), []
        for now in x.T:
            play = np.maximum(now - threshold, np.minimum(now + threshold, play))
            values.append(now - play)
        stress = stress + stiffness * np.stack(values, axis=1)
    np.testing.assert_allclose(run(cell, x)["stress"][..., 0], stress, rtol=1e-9, atol=1e-12)


def monotonic(c, strain):
    """Stress of a virgin Chaboche material in tension, R(p) + Σ C/γ (1 − e^(−γp))."""

    def stress(p):
        back = sum(s / r * -np.expm1(-r * p) for s, r in zip(c["slopes"], c["rates"], strict=True))
        return c["yield_stress"] + c["saturation"] * -np.expm1(-c["speed"] * p) + back

    if c["modulus"] * strain <= c["yield_stress"]:
        return c["modulus"] * strain
    return stress(brentq(lambda p: stress(p) + c["modulus"] * (p - strain), 0, strain))


@every("dtype, rtol", [("float64", 1e-9), ("float32", 2e-5)])
@every("steps", (1, 7))
def test_chaboche_follows_the_monotonic_curve_in_closed_form(dtype, rtol, steps):
    for seed in range(4):
        cell = built(RATE_INDEPENDENT["chaboche"], seed, dtype=dtype)
        path = np.linspace(0, 1.5, steps + 1)[1:]
        expected = [monotonic(cell.constants(), strain) for strain in path]
        np.testing.assert_allclose(run(cell, path)["stress"][0, :, 0], expected, rtol=rtol)


def test_chaboche_cycles_reach_the_closed_form_of_armstrong_and_frederick():
    # Stabilised: Δσ/2 = R + C/γ tanh(γ Δεp/2) (Lemaitre and Chaboche 1990, section 5.4).
    cell = ChabocheCell(1, 200.0, 0.3, strain=0.01, isotropic=False, dtype="float64")
    cell.build((None, 3))
    q = run(cell, np.tile([0.01, -0.01], 60))
    plastic = abs(q["plastic_strain"][0, -1, 0])
    c = cell.constants()
    (slope,), (rate,) = c["slopes"], c["rates"]
    amplitude = c["yield_stress"] + slope / rate * np.tanh(rate * plastic / 2)
    assert abs(q["stress"][0, -1, 0]) == pytest.approx(amplitude, rel=1e-9)
    loop = np.concatenate([np.linspace(-0.01, 0.01, 401)[1:], np.linspace(0.01, -0.01, 401)[1:]])
    fine = run(cell, np.concatenate([np.tile([0.01, -0.01], 60), loop]))["stress"][0, -801:, 0]
    area = np.sum((fine[1:] + fine[:-1]) / 2 * np.diff(loop, prepend=-0.01))
    assert q["dissipation"][0, -2:].sum() == pytest.approx(area, rel=1e-3)


@seeds
@given(seed=st.integers(0, 10**6))
def test_chaboche_stays_within_yield_and_bounds(seed):
    cell = built(RATE_INDEPENDENT["chaboche"], seed, dtype="float64")
    q, law = run(cell, zigzag(seed)), cell.law()
    gap = np.abs(q["stress"] - q["back_stress"].sum(axis=-1, keepdims=True))
    radius = law.radius(tf.constant(q["plastic_path"])).numpy()
    assert (gap <= radius * (1 + 1e-6)).all() and (gap >= radius * (1 - 1e-6)).any()
    assert (np.abs(q["back_stress"]) <= (law.slopes / law.rates).numpy() * (1 + 1e-9)).all()
    assert (np.diff(q["plastic_path"], axis=1) >= 0).all()
    before = np.pad(q["energy"], ((0, 0), (1, 0), (0, 0)))[:, :-1]
    change = np.diff(zigzag(seed), axis=1, prepend=0)[..., None]
    # σ' Δε is no less than what is stored and lost: convex energy, hardening in the step.
    start = np.pad(q["stress"], ((0, 0), (1, 0), (0, 0)))[:, :-1]
    most = np.maximum(q["stress"] * change, start * change)
    assert (q["energy"] - before <= most + 1e-9).all()


def energy_of(name, c, stretch):
    """Energies as in textbooks, from I₁ and I₂."""
    i1, i2 = stretch**2 + 2 / stretch - 3, 2 * stretch + stretch**-2 - 3
    if name == "linear":
        return c["modulus"] * (stretch - 1) ** 2 / 2
    if name == "yeoh":
        return c["c1"] * i1 + c["c2"] * i1**2 + c["c3"] * i1**3
    more = sum(c.get(f"a{k + 1}", 0.0) * max(i1 - at, 0) ** 2 / 2 for k, at in enumerate(KNOTS))
    cubic = c.get("c3", 0.0) * i1**3
    return c["c1"] * i1 + c.get("c2", 0.0) * i2 + cubic + more


@every("energy", ENERGIES)
def test_a_solid_has_the_uniaxial_limits_of_its_energies(energy):
    cell = built(HYPERELASTIC[energy], 11, dtype="float64")
    c = cell.constants()
    for stretch in (0.5, 0.93, 1.0, 1.2, 2.1, 4.0):
        parts = [{k: v[i] for k, v in c.items() if k != "times"} for i in range(3)]
        h = 1e-5
        slopes = [
            (energy_of(energy, p, stretch + h) - energy_of(energy, p, stretch - h)) / (2 * h)
            for p in parts
        ]
        sudden = run(cell, [[stretch - 1]], 1e-12)
        relaxed = run(cell, [[stretch - 1, stretch - 1]], 1e9)
        assert sudden["stress"].item() == pytest.approx(sum(slopes), rel=1e-7, abs=1e-7)
        assert relaxed["stress"][0, 1, 0] == pytest.approx(slopes[0], rel=1e-7, abs=1e-7)
        stored = sum(energy_of(energy, p, stretch) for p in parts)
        assert sudden["energy"].item() == pytest.approx(stored, rel=1e-9, abs=1e-12)


@every("energy", ENERGIES)
def test_the_spring_of_a_solid_is_convex_and_its_measure_rises(energy):
    cell = built(HYPERELASTIC[energy], 12, dtype="float64")
    strain = tf.constant(np.linspace(-0.8, 6, 2000)[:, None])
    spring = cell.springs(strain)
    assert (np.diff(spring.stress.numpy(), axis=0) > 0).all()
    assert (np.diff(spring.measure.numpy(), axis=0) > 0).all() and (spring.slope.numpy() > 0).all()
    np.testing.assert_allclose(spring.stress, spring.measure * spring.slope, rtol=1e-9, atol=1e-12)


def test_a_linear_solid_is_a_prony_solid_with_a_spring():
    cell = SolidCell("linear", 2, 3.0, 0.5, dtype="float64")
    cell.build((None, 3))
    times = cell.constants()["times"]
    prony = PronyCell((1.0, 1.0), times, dtype="float64")
    prony.build((None, 3))
    strain, dt = zigzag(13), 0.2
    ours, theirs = run(cell, strain, dt), run(prony, strain, dt)
    np.testing.assert_allclose(ours["stress"][..., 0], theirs["stress"][..., 0] + strain, rtol=1e-9)
    np.testing.assert_allclose(ours["dissipation"], theirs["dissipation"], rtol=1e-9)


@every("viscosity", ("linear", "power"))
def test_a_solid_follows_its_differential_equation(viscosity):
    cell = built(
        lambda **kw: SolidCell("mooney-rivlin", 2, 3.0, 0.5, viscosity, substeps=4, **kw),
        14, 0.3, dtype="float64",
    )  # fmt: skip
    c, m = cell.constants(), float(cell.exponent())
    scale = np.sqrt(3.0 / 3)

    def springs(t):
        return [
            np.asarray(v)[0] for v in cell.springs(tf.constant([[0.8 * np.sin(t)]], tf.float64))
        ]

    def rhs(t, h):
        _, _, _, slope = springs(t)
        rate = slope[1:] * 0.8 * np.cos(t)
        return rate - h / np.asarray(c["times"]) * np.abs(h / scale) ** (m - 1)

    end = solve_ivp(rhs, (0, 3), [0.0, 0.0], "LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
    errors = []
    for steps in (50, 100):
        t = np.linspace(0, 3, steps + 1)[1:]
        q = run(cell, 0.8 * np.sin(t), 3 / steps)
        errors.append(np.abs(q["elastic_strain"][0, -1] - end).max())
        work = np.sum(
            (q["stress"][0, 1:, 0] + q["stress"][0, :-1, 0]) / 2 * np.diff(0.8 * np.sin(t))
        )
        books = q["energy"][0, -1, 0] - q["energy"][0, 0, 0] + q["dissipation"][0, 1:].sum()
        assert books == pytest.approx(work, rel=5e-3)
    assert errors[1] < 0.3 * errors[0] < 3e-3  # second order


@every("sharpness", (0.8, 1.0, 3.0))
def test_bouc_wen_follows_its_differential_equation_and_stays_bounded(sharpness):
    cell = BoucWenCell(2.0, 0.5, dashpot=False, dtype="float64")
    cell.build((None, 3))
    cell.log_sharpness.assign(np.log(sharpness))
    c = cell.constants()
    beta = c["modulus"] * c["shape"] / c["yield"] ** sharpness
    gamma = c["modulus"] * (1 - c["shape"]) / c["yield"] ** sharpness

    def rhs(t, z):
        v = np.cos(3 * t)
        decay = (
            beta * np.abs(v) * z * np.abs(z) ** (sharpness - 1) + gamma * v * np.abs(z) ** sharpness
        )
        return c["modulus"] * v - decay

    t = np.linspace(0, 6, 601)
    truth = solve_ivp(rhs, (0, 6), [1e-9], "LSODA", t_eval=t, rtol=1e-9, atol=1e-11).y[0]
    q = run(cell, np.sin(3 * t[1:]) / 3)
    # Below n = 1 the rate is not smooth at z = 0.
    assert np.abs(q["hysteretic"][0, :, 0] - truth[1:]).max() < (2e-3 if sharpness < 1 else 1e-4)
    assert np.abs(q["hysteretic"]).max() <= c["yield"] * 1.001


def test_the_oscillator_follows_its_differential_equation():
    cell = BoucWenOscillatorCell(2.0, 1.5, 0.02, substeps=2, dtype="float64")
    cell.build((None, 3))
    cell.asymmetry.assign(-0.6)
    c = cell.constants()
    t = np.linspace(0, 4, 401)
    force = 3 * np.sin(7 * t)

    def rhs(at, s):
        y, v, z = s
        u = np.interp(at, t, force)
        flow = c["slope"] * v - c["decay"] * abs(v) * z - c["asymmetry"] * v * abs(z)
        return [v, (u - c["damping"] * v - c["stiffness"] * y - z) / c["mass"], flow]

    truth = solve_ivp(rhs, (0, 4), [0, 0, 0], t_eval=t, rtol=1e-10, atol=1e-13, max_step=0.01).y[0]
    q = run(cell, force[1:], 4 / 400)
    assert np.abs(q["displacement"][0, :, 0] - truth[1:]).max() < 1e-4 * np.abs(truth).max()


@every("name", CELLS | BLACK_BOX)
def test_gradients_are_finite_at_rest_and_far_away(name):
    cell = built((CELLS | BLACK_BOX)[name], 15)
    strain, dt = np.meshgrid([0.0, 1e-3, 0.9, -0.9], [1e-6, 0.01, 10.0])
    strain, dt = strain.ravel(), dt.ravel()
    if name == "oscillator":
        dt = np.minimum(dt, 0.01)
    x = tf.constant(np.stack([strain, strain / dt, dt], -1), tf.float32)
    state = zero_state(cell, len(strain))
    with tf.GradientTape() as tape:
        tape.watch([x, *state])
        _, quantities = cell.step(x, state)
        total = sum(tf.reduce_sum(q) for q in quantities.values())
    for gradient in tape.gradient(
        total, [x, *state, *cell.trainable_variables], unconnected_gradients="zero"
    ):
        assert np.isfinite(np.asarray(gradient)).all()


@every("name", CELLS | BLACK_BOX)
def test_stepping_equals_the_sequence_and_survives_saving(name, tmp_path):
    strain = np.maximum(np.cumsum(0.1 * np.random.default_rng(16).normal(size=(3, 12)), 1), -0.6)
    dt = np.full(strain.shape, 0.05)
    x = np.stack([strain, np.diff(strain, axis=1, prepend=0) / dt, dt], -1).astype("float32")
    make = (CELLS | BLACK_BOX)[name]
    model = recurrent_model([make()], targets=None)
    whole = model(x)
    stepper = step_model(model)
    states = {
        k: np.zeros((3, v.shape[-1]), "float32") for k, v in stepper.input.items() if k != "x"
    }
    assert len(states) == len(make().State._fields)
    for j in range(12):
        out = stepper({"x": x[:, j], **states})
        states = {k: np.asarray(out[f"{k}_next"]) for k in states}
        np.testing.assert_allclose(out["prediction"], whole["prediction"][:, j], atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")(x)
    for key, values in whole.items():
        np.testing.assert_array_equal(again[key], values)


class AllSteps(keras.layers.Layer):
    """One step of every cell from rest: a conversion takes longer than all else here."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def build(self, *shapes):
        """The cells are built already."""

    def call(self, x):
        outputs = []
        for cell in self.cells:
            state = cell.State(
                *(
                    ops.zeros_like(x[:, :1]) + 0.05 * ops.ones((cell.visible[f],))
                    for f in cell.State._fields
                )
            )
            _, q = cell.step(x, state)
            outputs.append(ops.concatenate([q[k] for k in cell.visible], axis=-1))
        return ops.concatenate(outputs, axis=-1)


def test_a_step_in_tflite_is_the_step_in_keras_and_has_no_select(tmp_path):
    names = ("mooney-rivlin", "convex", "power", "chaboche", "stiffening", "dashpot", "oscillator")
    names += ("state-space",)
    layer = AllSteps([built((CELLS | BLACK_BOX)[name], 17, 0.3) for name in names])
    rng = np.random.default_rng(18)
    strain, dt = rng.uniform(-0.4, 0.6, 40), np.where(np.arange(40) % 5, 0.01, 0.0)
    x = np.stack([strain, rng.normal(size=40), dt], -1).astype(np.float32)
    tensors = keras.Input((3,), name="x")
    model = keras.Model(tensors, layer(tensors))
    model.export(
        str(tmp_path),
        input_signature=[tf.TensorSpec(x.shape, name="x")],
        verbose=False,
    )
    content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path)).convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    used = {op["op_name"] for op in interpreter._get_ops_details()}
    assert not {"SELECT", "SELECT_V2"} & used
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    actual = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    expected = np.asarray(model(x))
    np.testing.assert_allclose(actual, expected, rtol=2e-4, atol=2e-6)


@every(
    "make, message",
    [
        (lambda: SolidCell("rubber"), "`energy` must be one of linear, .* Received: 'rubber'"),
        (lambda: SolidCell(viscosity="cubic"), "`viscosity` must be one of linear, power"),
        (lambda: SolidCell(branches=0), "`branches` must be a whole number"),
        (lambda: ChabocheCell(yield_stress=0.0), "`yield_stress` must be positive"),
        (lambda: PrandtlIshlinskiiCell((0.2, 0.1)), "`thresholds` must be positive and increasing"),
        (lambda: DynamicPrandtlCell(times=(1.0, 0.1)), "`times` must be positive and increasing"),
        (lambda: BoucWenCell(modulus=-1.0), "`modulus` must be positive"),
        (lambda: BoucWenCell(size=-1.0), "`size` must be 0 or positive"),
        (lambda: DamperCell(exponent=0.0), "`exponent` must be positive"),
        (lambda: MullinsCell(softening=1.0), "`softening` must lie between 0 and 1"),
        (lambda: MullinsCell(equilibrium=False), "The equilibrium spring is what softens"),
        (lambda: BoucWenOscillatorCell(frequency=0.0), "`frequency` must be positive"),
    ],
)
def test_bad_settings_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_hold_of_a_solid_is_the_same_in_one_step_or_many():
    for viscosity in ("linear", "power"):
        cell = built(lambda **kw: SolidCell(viscosity=viscosity, **kw), 19, dtype="float64")  # noqa: B023
        start = run(cell, [[0.7]], 0.01)
        state = cell.State(tf.constant(start["elastic_strain"][:, 0]))
        once = run_inputs(cell, np.array([[[0.7, 0.0, 3.0]]]), state)["stress"]
        often = run_inputs(cell, np.tile([[[0.7, 0.0, 0.3]]], (1, 10, 1)), state)["stress"]
        assert often[0, -1, 0] == pytest.approx(once.item(), rel=1e-9)


def test_dissipation_of_a_relaxing_solid_is_the_integral_over_the_hold():
    cell = SolidCell("linear", 1, 2.0, 0.7, dtype="float64")
    cell.build((None, 3))
    state = cell.State(tf.constant([[0.9]], tf.float64))
    lost = run_inputs(cell, np.array([[[0.0, 0.0, 1.3]]]), state)["dissipation"].item()
    expected, _ = quad(lambda t: (0.9 * np.exp(-t / 0.7)) ** 2 / 0.7, 0, 1.3)
    assert lost == pytest.approx(expected, rel=1e-9)
