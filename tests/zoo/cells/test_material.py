"""What the material cells promise, for random weights, states and steps, against closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.integrate import quad, solve_ivp

from zoo.cells import LMSCCell, MaxwellCell, PronyCell, RelaxationCell
from zoo.cells.material.closed import expm1_quotient, log1p_quotient
from zoo.data.loading import refine, walk
from zoo.data.maxwell import Material, stress_response
from zoo.recurrent import recurrent_layers, recurrent_model, step_model, view

ROWS = 256
DISSIPATIVE = {
    "maxwell": lambda **kw: MaxwellCell(substeps=3, **kw),
    "relaxation": lambda **kw: RelaxationCell(branches=2, substeps=2, **kw),
    "monotone": lambda **kw: RelaxationCell(branches=2, substeps=2, monotone=True, **kw),
    "prony": lambda **kw: PronyCell((1.0, 2.0, 0.5), (0.01, 1.0, 30.0), **kw),
}
CELLS = DISSIPATIVE | {
    "richardson": lambda **kw: MaxwellCell(substeps=1, richardson=True, **kw),
    "lmsc": lambda **kw: LMSCCell(units=4, width=5, time_scale=0.05, **kw),
}
EXACT_HOLDS = (*DISSIPATIVE, "richardson")
CONTRACTING = ("maxwell", "monotone", "prony")
every = pytest.mark.parametrize
# No shrinking: a smaller seed is not a simpler case.
seeds = settings(max_examples=5, deadline=None, derandomize=True, phases=[Phase.generate])


def built(make, seed=0, spread=1.5, **kw):
    """A cell with random weights around those it starts with."""
    cell = make(**kw)
    cell.build((None, 3))
    rng = np.random.default_rng(seed)
    cell.set_weights([w + spread * rng.normal(size=w.shape) for w in cell.get_weights()])
    return cell


def random_steps(cell, seed=0, rows=ROWS, dtype="float32"):
    """Inputs (rows, 3) and a state over many decades, both signs, zeros among them."""
    rng = np.random.default_rng(seed)

    def wide(size, low, high):
        values = 10 ** rng.uniform(low, high, size) * rng.choice([-1.0, 1.0], size)
        return np.where(rng.uniform(size=size) < 0.05, 0.0, values)

    x = np.stack([wide(rows, -2, 1), wide(rows, -4, 2), np.abs(wide(rows, -4, 1))], axis=-1)
    state = wide((rows, cell.state_size), -6, 1)
    if isinstance(cell, LMSCCell):
        state = np.tanh(state)
    return x.astype(dtype), cell.State(ops.convert_to_tensor(state.astype(dtype)))


def run(cell, rate, dt, state=None):
    """Every quantity of every step, name -> (paths, time, width), and the last state."""
    rate, dt = np.broadcast_arrays(rate, dt)
    x = np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1)
    if state is None:
        state = cell.State(ops.zeros((len(x), cell.state_size), cell.compute_dtype))
    steps, one = [], tf.function(cell.step) if x.shape[1] > 20 else cell.step
    for j in range(x.shape[1]):
        state, quantities = one(ops.convert_to_tensor(x[:, j], cell.compute_dtype), state)
        steps.append(quantities)
    return {k: np.stack([np.asarray(q[k]) for q in steps], axis=1) for k in steps[0]}, state


@every("name", DISSIPATIVE)
@seeds
@given(seed=st.integers(0, 10**6))
def test_dissipation_is_never_negative(name, seed):
    cell = built(DISSIPATIVE[name], seed)
    x, state = random_steps(cell, seed)
    state, quantities = cell.step(x, state)
    lost = np.asarray(quantities["dissipation"])
    assert np.isfinite(np.asarray(quantities["stress"])).all()
    assert (lost >= 0).all() and lost.max() > 0


@every("make", (lambda: MaxwellCell(substeps=1), lambda: RelaxationCell(substeps=1), PronyCell))
def test_no_negative_dissipation_in_a_million_steps(make):
    cell = built(make, seed=3, spread=0.5)
    x, state = random_steps(cell, 4, rows=1_000_000)
    least = np.inf
    for rows in np.array_split(np.arange(len(x)), 10):
        part = cell.State(*(field.numpy()[rows] for field in state))
        least = min(least, np.asarray(cell.step(x[rows], part)[1]["dissipation"]).min())
    assert least >= 0


def jacobians(cell, x, state):
    """∂s'/∂s by automatic differentiation, (rows, width), beside the quantity `memory`."""
    with tf.GradientTape() as tape:
        tape.watch(state[0])
        after, quantities = cell.step(x, state)
        total = tf.reduce_sum(after[0])  # branches do not meet
    return tape.gradient(total, state[0]).numpy(), quantities["memory"].numpy()


@every("name", (*DISSIPATIVE, "richardson"))
@seeds
@given(seed=st.integers(0, 10**6))
def test_memory_is_the_jacobian(name, seed):
    cell = built(CELLS[name], seed, dtype="float64")
    x, state = random_steps(cell, seed, dtype="float64")
    jacobian, memory = jacobians(cell, x, state)
    np.testing.assert_allclose(memory, jacobian, rtol=1e-4, atol=1e-10)
    if name != "richardson":
        assert (jacobian >= 0).all()
        # Below, e^(−mL) underflows.
        gentle = (
            (np.abs(x[:, 1]) < 1) & (x[:, 2] < 1e-2) & (np.abs(np.asarray(state[0])) < 1).all(1)
        )
        assert (jacobian[gentle] > 0).all()
    if name in CONTRACTING:
        assert (jacobian <= 1 + 1e-9).all()


def test_without_monotone_two_histories_can_part():
    # γ = s^(−3) across the knots: with 1 − 3γt left of it, ∂s'/∂s is the power −2/3 of that.
    cell = RelaxationCell(dtype="float64")
    cell.build((None, 3))
    cell.bends.assign(-3.0 * np.ones(cell.bends.shape))
    x = np.array([[0.0, 0.0, 0.1]])
    jacobian, _ = jacobians(cell, x, cell.State(tf.constant([[0.8]], tf.float64)))
    assert jacobian.item() == pytest.approx((1 - 3 * 0.8**-3 * 0.1) ** (-2 / 3), rel=1e-6)
    assert jacobian > 1


@every("name", EXACT_HOLDS)
@seeds
@given(seed=st.integers(0, 10**6), cuts=st.integers(2, 7))
def test_a_hold_is_the_same_in_one_step_or_many(name, seed, cuts):
    cell = built(CELLS[name], seed, spread=0.7, dtype="float64")
    x, state = random_steps(cell, seed, dtype="float64")
    dt = x[:, 2:]
    once, _ = run(cell, np.zeros_like(dt), dt, state)
    share = np.random.default_rng(seed).dirichlet(np.ones(cuts), len(dt))
    often, _ = run(cell, np.zeros_like(share), share * dt, state)
    np.testing.assert_allclose(often["stress"][:, -1], once["stress"][:, 0], rtol=1e-6, atol=1e-9)


@every("name", CELLS)
def test_nothing_changes_when_nothing_moves(name):
    cell = built(CELLS[name], 1)
    x, state = random_steps(cell, 1)
    after, quantities = cell.step(np.zeros_like(x), state)
    np.testing.assert_allclose(after[0], state[0], rtol=1e-6)
    if "dissipation" in quantities:
        assert not np.asarray(quantities["dissipation"]).any()


@every("name", EXACT_HOLDS)
def test_a_stress_free_hold_stays_stress_free(name):
    cell = built(CELLS[name], 2)
    quantities, _ = run(cell, np.zeros((1, 3)), [[1e-3, 1.0, 1e3]])
    assert not quantities["stress"].any()


@every("name", EXACT_HOLDS)
def test_the_response_is_odd(name):
    cell = built(CELLS[name], 5)
    x, state = random_steps(cell, 5)
    plus, up = cell.step(x, state)
    minus, down = cell.step(x * np.array([-1, -1, 1], "float32"), cell.State(-state[0]))
    np.testing.assert_array_equal(minus[0], -np.asarray(plus[0]))
    np.testing.assert_array_equal(down["dissipation"], up["dissipation"])


@every("name", CELLS)
def test_the_strain_itself_is_not_read(name):
    cell = built(CELLS[name], 6)
    x, state = random_steps(cell, 6)
    np.testing.assert_array_equal(
        cell.step(x + np.array([5, 0, 0], "float32"), state)[0][0], cell.step(x, state)[0][0]
    )


@every("name", CELLS)
def test_gradients_are_finite_at_zero_and_far_away(name):
    cell = built(CELLS[name], 7, spread=0.5)
    rate, dt, stress = np.meshgrid([0, 1, -300], [0, 1e-6, 10], [0, 1e-35, 1e-3, 50])
    x = tf.constant(np.stack([rate.ravel()] * 2 + [dt.ravel()], -1), tf.float32)
    state = cell.State(tf.constant(np.tile(stress.reshape(-1, 1), cell.state_size), tf.float32))
    with tf.GradientTape() as tape:
        tape.watch([x, state[0]])
        _, quantities = cell.step(x, state)
        total = sum(tf.reduce_sum(q) for q in quantities.values())
    for gradient in tape.gradient(total, [x, state[0], *cell.trainable_variables]):
        assert np.isfinite(np.asarray(gradient)).all()


def exact(cell_constants, rate, dt):
    """The simulator's stress for a cell's E, m, κ."""
    c = cell_constants
    return stress_response(rate, dt, Material(c["modulus"], c["kappa"], 1.0, c["exponent"]))


@every("exponent", (1.2, 3.0, 6.0))
def test_maxwell_is_second_order_and_fourth_with_richardson(exponent):
    rng = np.random.default_rng(0)
    loading = walk(rng, 20, 20, (0.02, 0.02), (1.0, 4.0))
    # Pass through zero where |s|^(m−1) is not smooth spoils the fourth order, so the path rises.
    for richardson, expected, factors in ((False, 2.0, (4, 8)), (True, 4.0, (1, 2))):
        if richardson and exponent < 3:
            continue
        rate = np.abs(loading.rate) if richardson else loading.rate
        cell = MaxwellCell(1.3, exponent, 0.7, substeps=1, richardson=richardson, dtype="float64")
        cell.build((None, 3))
        truth = exact({"modulus": 1.3, "exponent": exponent, "kappa": 0.7}, rate, loading.dt)
        errors = []
        for factor in factors:
            finer = refine(loading._replace(rate=rate), factor)
            stress = run(cell, finer.rate, finer.dt)[0]["stress"][:, factor - 1 :: factor, 0]
            errors.append(np.sqrt(np.mean((stress - truth) ** 2)))
        order = np.log2(errors[0] / errors[1])
        assert order == pytest.approx(expected, abs=0.1 if not richardson else 0.3)


def test_maxwell_substeps_are_shorter_steps():
    loading = walk(np.random.default_rng(1), 5, 20)
    one, four = (MaxwellCell(exponent=3.0, substeps=n, dtype="float64") for n in (1, 4))
    for cell in (one, four):
        cell.build((None, 3))
    finer = refine(loading, 4)
    many, _ = run(one, finer.rate, finer.dt)
    once, _ = run(four, loading.rate, loading.dt)
    np.testing.assert_allclose(once["stress"], many["stress"][:, 3::4], rtol=1e-9)
    total = many["dissipation"].reshape(5, 20, 4).sum(axis=-1)
    np.testing.assert_allclose(once["dissipation"][..., 0], total, rtol=1e-9)


@every("exponent", (0.5, 0.7, 0.999, 1.0, 1.001, 1.7, 3.0, 8.0))
def test_maxwell_relaxes_by_the_closed_form(exponent):
    kappa, s0, t = 0.6, np.array([1e-3, 0.4, 3.0, -2.0])[:, None], 1.7
    cell = MaxwellCell(2.0, exponent, kappa, stress_scale=0.5)
    cell.build((None, 3))
    quantities, _ = run(cell, np.zeros((4, 1)), t, cell.State(tf.constant(s0, tf.float32)))
    z = np.abs(s0) ** (exponent - 1) * t / kappa
    with np.errstate(divide="ignore"):  # with m < 1 the stress reaches zero
        log = np.log1p(np.maximum((exponent - 1) * z, -1.0)) / (exponent - 1 or 1.0)
    expected = s0 * np.exp(-z if exponent == 1 else -log)
    close = 5e-5
    np.testing.assert_allclose(quantities["stress"][:, 0], expected, rtol=close, atol=1e-12)
    lost = (s0**2 - expected**2) / (2 * 2.0)
    np.testing.assert_allclose(quantities["dissipation"][:, 0], lost, rtol=close, atol=1e-9)


@every("exponent", (0.5, 0.7, 1.0, 2.0, 4.0))
def test_maxwell_flows_steadily_and_dissipates_all_work(exponent):
    modulus, kappa, rate, dt = 1.5, 0.8, 2.5, 0.05
    cell = MaxwellCell(modulus, exponent, kappa, dtype="float64")
    cell.build((None, 3))
    quantities, _ = run(cell, np.full((1, 200 if exponent >= 1 else 1000), rate), dt)
    steady = (modulus * kappa * rate) ** (1 / exponent)
    assert quantities["stress"][0, -1, 0] == pytest.approx(steady, rel=1e-3)
    assert quantities["dissipation"][0, -1, 0] == pytest.approx(steady * rate * dt, rel=1e-3)
    gamma = steady ** (exponent - 1) / kappa
    assert quantities["relaxation_rate"][0, -1, 0] == pytest.approx(gamma, rel=1e-3)


@every("name", ("maxwell", "prony"))
def test_work_is_stored_or_dissipated(name):
    loading = walk(np.random.default_rng(2), 4, 30, (0.004, 0.004))
    cell = {"maxwell": MaxwellCell(exponent=3.0, dtype="float64")}.get(name)
    cell = cell or PronyCell((1.0, 0.5), (0.2, 3.0), dtype="float64")
    cell.build((None, 3))
    quantities, _ = run(cell, loading.rate, loading.dt)
    stress = quantities["stress"][..., 0]
    before = np.concatenate([np.zeros((4, 1)), stress[:, :-1]], axis=1)
    work = np.sum((before + stress) / 2 * loading.rate * loading.dt, axis=1)
    books = quantities["energy"][:, -1, 0] + quantities["dissipation"][..., 0].sum(axis=1)
    np.testing.assert_allclose(books, work, rtol=1e-3, atol=1e-6)


def test_maxwell_memory_is_the_memory_of_the_material():
    # ∂s_T/∂s_0 = exp(−m ∫ |s|^(m−1)/κ dt), in a hold: a power of the stress that is left.
    cell = MaxwellCell(1.0, 3.0, 1.0, substeps=1, dtype="float64")
    cell.build((None, 3))
    quantities, _ = run(cell, np.zeros((1, 1)), 2.0, cell.State(tf.constant([[1.5]], tf.float64)))
    integral, _ = quad(lambda t: 1.5**2 / (1 + 2 * 1.5**2 * t), 0, 2.0)
    assert quantities["memory"].item() == pytest.approx(np.exp(-3 * integral), rel=1e-9)


@every("exponent", (0.7, 3.5))
def test_maxwell_keeps_its_constants_whatever_the_scale(exponent):
    for scale in (1e-3, 1.0, 40.0):
        cell = MaxwellCell(2.5, exponent, 0.3, stress_scale=scale)
        cell.build((None, 3))
        assert cell.constants() == pytest.approx(
            {"modulus": 2.5, "exponent": exponent, "kappa": 0.3}, rel=1e-5
        )


@every("exponent", (0.5, 0.7, 0.9))
def test_maxwell_below_one_follows_the_exact_stress(exponent):
    loading = walk(np.random.default_rng(3), 10, 100, (0.02, 0.05), (0.5, 4.0))
    truth = exact({"modulus": 1.3, "exponent": exponent, "kappa": 0.7}, loading.rate, loading.dt)
    cell = MaxwellCell(1.3, exponent, 0.7)
    cell.build((None, 3))
    stress = run(cell, loading.rate, loading.dt)[0]["stress"][..., 0]
    assert np.sqrt(np.mean((stress - truth) ** 2) / np.mean(truth**2)) < 1e-3


def test_a_maxwell_cell_of_an_old_file_keeps_its_weights_and_constants():
    # Its exponent was 1.0001 + softplus(w); log(e - 1) is where softplus is 1.
    cell = MaxwellCell.from_config({"modulus": 2.0, "exponent": 3.0, "kappa": 0.3})
    cell.build((None, 3))
    cell.raw_exponent.assign(np.log(np.e - 1))
    assert cell.constants()["exponent"] == pytest.approx(2.0001, rel=1e-6)
    again = MaxwellCell.from_config(cell.get_config())
    again.build((None, 3))
    again.set_weights(cell.get_weights())
    assert again.constants() == cell.constants()


@every("slope", (0.2, 2.0))
def test_relaxation_contains_the_power_law_between_its_knots(slope):
    cell = RelaxationCell(
        time=0.7, stress_scale=2.0, knots=(1e-3, 0.1, 1.0, 3.0), substeps=4, dtype="float64"
    )
    cell.build((None, 3))
    cell.bends.assign(np.full(cell.bends.shape, slope))
    law = MaxwellCell(
        1.0, 1 + slope, 0.7 * 2.0**slope, stress_scale=2.0, substeps=4, dtype="float64"
    )
    law.build((None, 3))
    loading = walk(np.random.default_rng(3), 8, 60, (0.05, 0.2))
    ours, theirs = (run(c, loading.rate, loading.dt)[0] for c in (cell, law))
    for name in ("stress", "dissipation"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


@seeds
@given(seed=st.integers(0, 10**6))
def test_relaxation_holds_as_its_differential_equation(seed):
    cell = built(
        lambda **kw: RelaxationCell(knots=(0.1, 0.4, 1.0, 2.0), **kw), seed, dtype="float64"
    )
    log_gamma = np.asarray(cell.curve().log_rates)[0]
    at = np.log([0.1, 0.4, 1.0, 2.0])
    top = np.asarray(cell.curve().slopes)[0, -1]

    def fall(_, s):
        x = np.log(s)
        extra = top * np.maximum(x - at[-1], 0)
        return -np.exp(np.interp(x, at, log_gamma) + extra) * s

    s0 = np.array([0.05, 0.3, 0.9, 1.7, 2.5])
    time = 1.5 / np.exp(log_gamma).max()
    truth = [solve_ivp(fall, (0, time), [s], "Radau", rtol=1e-8, atol=1e-12).y[0, -1] for s in s0]
    hold = run(cell, np.zeros((5, 1)), time, cell.State(tf.constant(s0[:, None])))[0]
    np.testing.assert_allclose(hold["stress"].ravel(), truth, rtol=1e-5)


def test_relaxation_branches_add_up():
    cell = built(lambda **kw: RelaxationCell(branches=3, **kw), 8)
    x, state = random_steps(cell, 8)
    _, quantities = cell.step(x, state)
    total = np.asarray(quantities["branch_stress"]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(quantities["stress"], total, rtol=1e-5, atol=1e-6)


@every("dt", (1e-3, 0.3, 5.0, 200.0))
def test_prony_is_exact_on_ramps(dt):
    moduli, times, rate = np.array([1.0, 2.0, 0.5]), np.array([0.01, 1.0, 30.0]), 1.7
    cell = PronyCell(moduli.tolist(), times.tolist())
    cell.build((None, 3))
    h0 = np.array([0.4, -1.0, 2.0])
    quantities, _ = run(cell, np.array([[rate]]), dt, cell.State(tf.constant(h0[None], tf.float32)))

    def branch(t):
        return h0 * np.exp(-t / times) + moduli * times * rate * -np.expm1(-t / times)

    np.testing.assert_allclose(quantities["branch_stress"][0, 0], branch(dt), rtol=2e-5)
    lost = sum(
        quad(
            lambda t, i=i: branch(t)[i] ** 2 / (moduli[i] * times[i]),
            0,
            dt,
            points=[min(5 * times[i], dt / 2)],
            limit=400,
        )[0]
        for i in range(3)
    )
    assert quantities["dissipation"].item() == pytest.approx(lost, rel=1e-4)


def test_lmsc_stays_bounded_and_agrees_with_itself_to_first_order():
    cell = built(lambda **kw: LMSCCell(units=4, width=5, **kw), 9, spread=0.5, dtype="float64")
    x, state = random_steps(cell, 9, dtype="float64")
    after, quantities = cell.step(x, state)
    assert np.abs(after[0]).max() <= 1
    assert np.abs(quantities["stress"]).max() <= np.abs(cell.readout).sum()
    loading, ends = walk(np.random.default_rng(9), 8, 10, (0.02, 0.02)), []
    for factor in (8, 16, 32):
        finer = refine(loading, factor)
        ends.append(run(cell, finer.rate, finer.dt)[0]["stress"][:, factor - 1 :: factor])
    order = np.log2(np.linalg.norm(ends[1] - ends[0]) / np.linalg.norm(ends[2] - ends[1]))
    assert order == pytest.approx(1.0, abs=0.15)


def test_quotients_match_numpy_to_float32():
    z = np.concatenate([-np.geomspace(1e-9, 0.99, 300), [0.0], np.geomspace(1e-9, 1e6, 300)])
    safe = np.where(z == 0, 1.0, z)
    expected = np.where(z == 0, 1.0, np.log1p(safe) / safe)
    np.testing.assert_allclose(log1p_quotient(z.astype("float32")), expected, rtol=2e-6)
    y = np.concatenate([-np.geomspace(1e-9, 80, 300), [0.0], np.geomspace(1e-9, 39, 300)])
    safe = np.where(y == 0, 1.0, y)
    expected = np.where(y == 0, 1.0, np.expm1(safe) / safe)
    np.testing.assert_allclose(expm1_quotient(y.astype("float32")), expected, rtol=3e-6)


@every("name", CELLS)
def test_stepping_equals_the_sequence_and_survives_saving(name, tmp_path):
    loading = walk(np.random.default_rng(10), 3, 12)
    x = np.stack(loading, axis=-1).astype("float32")
    model = recurrent_model([CELLS[name]()], targets=None)
    rng = np.random.default_rng(11)
    model.set_weights([w + 0.3 * rng.normal(size=w.shape) for w in model.get_weights()])
    whole = model(x)
    assert np.abs(whole["prediction"]).max() > 1e-3

    stepper = step_model(model)
    state_name = next(k for k in stepper.input if k != "x")
    state = np.zeros((3, stepper.input[state_name].shape[-1]), "float32")
    for j in range(12):
        out = stepper({"x": x[:, j], state_name: state})
        state = np.asarray(out[f"{state_name}_next"])
        np.testing.assert_allclose(out["prediction"], whole["prediction"][:, j], atol=1e-6)

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")(x)
    for key, values in whole.items():
        np.testing.assert_array_equal(again[key], values)
    shown = view(model, show=lambda cell: cell.visible)(x)
    assert {f"{q}_0" for q in recurrent_layers(model)[0].cell.visible} <= set(shown)
    np.testing.assert_allclose(shown["stress_0"], whole["prediction"], rtol=1e-6)


@every("name", CELLS)
def test_a_cell_fits_under_keras_own_layer(name):
    x = np.stack(walk(np.random.default_rng(12), 2, 5), axis=-1).astype("float32")
    assert keras.layers.RNN(CELLS[name](), return_sequences=True)(x).shape == (2, 5, 1)


@every(
    "make, message",
    [
        (lambda: MaxwellCell(modulus=-1.0), "`modulus` must be positive. Received: modulus=-1.0."),
        (lambda: MaxwellCell(kappa=float("nan")), "`kappa` must be positive"),
        (lambda: MaxwellCell(exponent=0.4), "`exponent` must lie between 0.5 and 20"),
        (lambda: MaxwellCell(min_exponent=0.3), "`min_exponent` must lie between 0.5 and 20"),
        (lambda: MaxwellCell(substeps=0), "`substeps` must be a whole number, 1 or more"),
        (lambda: RelaxationCell(knots=(1.0, 0.5)), "`knots` must be positive and increasing"),
        (lambda: RelaxationCell(branches=0), "`branches` must be a whole number"),
        (lambda: PronyCell((1.0,), (1.0, 2.0)), "one number for each branch"),
        (lambda: PronyCell((1.0,), (0.0,)), "`times` must be positive"),
        (lambda: LMSCCell(time_scale=0.0), "`time_scale` must be positive"),
        (lambda: MaxwellCell().build((None, 5)), "MaxwellCell reads .* 3 features. Received: 5"),
        (lambda: MaxwellCell(show=("strain",)), "`show` must name at least one quantity"),
    ],
)
def test_bad_settings_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
