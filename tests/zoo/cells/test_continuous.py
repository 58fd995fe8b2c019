"""Scans over time, and what cells in continuous time promise, against NumPy and SciPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.integrate import solve_ivp

from zoo.cells import CfCCell, CoRNNCell, EMSCCell, LMUCell, LRUCell, MinGRUCell
from zoo.cells import scan as scan_module
from zoo.cells.continuous import legendre_system
from zoo.cells.scan import linear_scan
from zoo.recurrent import VisibleRNN, predictor, recurrent_model, view

every = pytest.mark.parametrize
SCANNED = {
    "lru": LRUCell,
    "mingru": MinGRUCell,
    "lmu": lambda units, **kw: LMUCell(units, recurrent=False, **kw),
}
CELLS = SCANNED | {"cfc": CfCCell, "cornn": CoRNNCell, "lmu-recurrent": LMUCell}


def paths(count=4, steps=17, seed=0):
    """Two features and Δt in the middle, float32; Δt varies from step to step."""
    rng = np.random.default_rng(seed)
    first, last = rng.normal(size=(2, count, steps))
    return np.stack([first, rng.uniform(0.05, 2.0, (count, steps)), last], -1).astype("float32")


def stack(name, seed=1):
    """Two cells on one another, with random weights."""
    cells = [CELLS[name](5, dt_index=1, pass_dt=True), CELLS[name](4)]
    model = recurrent_model(cells)
    rng = np.random.default_rng(seed)
    model.set_weights([w + 0.2 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def recurrence(kind, steps, seed=0):
    """Decay, drive and initial state, complex128 or float64."""
    rng = np.random.default_rng([seed, steps])
    decay = rng.uniform(0.3, 1.0, (2, steps, 3))
    drive, initial = rng.normal(size=decay.shape), rng.normal(size=(2, 3))
    if kind == "complex":
        decay = decay * np.exp(1j * rng.uniform(-1, 1, decay.shape))
        drive, initial = drive + 1j * rng.normal(size=drive.shape), initial * (1 - 2j)
    return decay, drive, initial


def parts(values):
    values = (values.real, values.imag) if np.iscomplexobj(values) else (values,)
    return tuple(tf.constant(each, tf.float32) for each in values)


def loop(decay, drive, state):
    """By definition, in the arithmetic that comes in."""
    states = []
    for step in range(decay.shape[1]):
        state = decay[:, step] * state + drive[:, step]
        states.append(state)
    return states


@every("kind", ["real", "complex"])
@every("steps", [1, 2, 7, 64])
def test_a_scan_is_the_loop(kind, steps):
    arrays = recurrence(kind, steps)
    expected = np.stack(loop(*arrays), axis=1)
    arguments = [parts(each) for each in arrays]
    count = len(arguments[0])
    sequence = (tf.TensorSpec((None, None, 3)),) * count
    unknown = tf.function(
        linear_scan, input_signature=[sequence, sequence, (tf.TensorSpec((None, 3)),) * count]
    )
    for scan in (linear_scan, unknown):  # of a known and of an unknown number of steps
        states = np.asarray(scan(*arguments))
        actual = states[0] + 1j * states[1] if count == 2 else states[0]
        np.testing.assert_allclose(actual, expected, atol=2e-6)


@every("kind", ["real", "complex"])
def test_the_gradient_of_a_scan_is_that_of_the_loop(kind):
    arrays = [tf.constant(each) for each in recurrence(kind, 7)]
    weights = np.random.default_rng(5).normal(size=(2, 7, 3))

    def gradients(run):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            states = tf.cast(weights, arrays[0].dtype) * run()
            # an uneven function of both parts
            loss = tf.reduce_sum(tf.math.real(states) ** 2 + tf.sin(tf.math.imag(states)))
        return tape.gradient(loss, arrays)

    def scan():
        split = [
            (tf.math.real(each), tf.math.imag(each)) if kind == "complex" else (each,)
            for each in arrays
        ]
        states = linear_scan(*split)
        return tf.complex(*states) if kind == "complex" else states[0]

    expected = gradients(lambda: tf.stack(loop(*arrays), axis=1))
    for actual, reference in zip(gradients(scan), expected, strict=True):
        np.testing.assert_allclose(actual, reference, atol=1e-12)


def test_the_gradient_of_a_scan_is_another_scan_so_that_its_tree_is_not_kept(monkeypatch):
    calls, solve = [], scan_module._solve

    def count(*arrays, backward=False):
        calls.append(backward)
        return solve(*arrays, backward)

    monkeypatch.setattr(scan_module, "_solve", count)
    arrays = [parts(each) for each in recurrence("real", 8)]
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        total = tf.reduce_sum(linear_scan(*arrays)[0])
    assert calls and not any(calls)
    forward = len(calls)
    tape.gradient(total, arrays)
    assert calls[forward:] == [True] * forward


def test_a_recurrence_has_one_part_or_two():
    x = ops.ones((1, 2, 3))
    with pytest.raises(ValueError, match="one part each, or two") as error:
        linear_scan((x,), (x, x), (x[:, 0],))
    assert "\n" not in str(error.value)


@every("name", SCANNED)
def test_a_scanned_model_answers_as_step_by_step(name):
    keras.utils.set_random_seed(0)  # weights of some seeds are 0.7e-6 apart
    model, x = stack(name), paths(2, 11)
    looped = view(model, fused=False)
    whole, stepped = model(x), looped(x)
    for key, values in whole.items():
        np.testing.assert_allclose(values, stepped[key], atol=1e-6, err_msg=key)
    np.testing.assert_allclose(predictor(model)(x), stepped["prediction"], atol=1e-6)
    in_training = tf.function(lambda: model(x, training=True)["prediction"])()  # through XLA
    np.testing.assert_allclose(in_training, stepped["prediction"], atol=1e-6)


@every("name", CELLS)
def test_a_stack_survives_saving_and_passes_the_time_step_on(name, tmp_path):
    model, x = stack(name), paths()
    outputs = model(x)
    np.testing.assert_array_equal(outputs["output_0"][..., -1], x[..., 1])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")(x)
    for key, values in outputs.items():
        np.testing.assert_array_equal(again[key], values)


@every("name", SCANNED)
def test_a_cut_step_is_the_step(name):
    cell = stack(name).layers[1].cell
    x = paths(steps=1)
    tenths = np.repeat(x, 10, axis=1) * np.array([1.0, 0.1, 1.0], "float32")
    layer = VisibleRNN(cell, return_sequences=False)
    whole, cut = layer(x), layer(tenths)
    for key in cell.State._fields:
        np.testing.assert_allclose(whole[key], cut[key], atol=1e-6)
        assert np.abs(whole[key]).max() > 1e-3


@every("name", ["lru", "mingru", "cornn"])
def test_a_step_of_no_time_changes_nothing(name):
    cell, rng = stack(name).layers[1].cell, np.random.default_rng(2)
    x = paths(steps=1)[:, 0] * np.array([1.0, 0.0, 1.0], "float32")
    state = [rng.normal(size=(4, cell.visible[field])) for field in cell.State._fields]
    after, _ = cell.step(x, cell.State(*(ops.convert_to_tensor(s, "float32") for s in state)))
    np.testing.assert_allclose(after, np.asarray(state, np.float32), rtol=1e-7)


def test_the_linear_recurrent_unit_starts_in_its_ring_with_the_published_gain():
    cell = LRUCell(64, ring=(0.5, 0.9), max_phase=0.3)
    cell.build((None, 3))
    values = {each.name: np.asarray(each, np.float64) for each in cell.weights}
    mu = -np.exp(values["log_decay"]) + 1j * np.exp(values["log_frequency"])
    radius = abs(np.exp(mu))
    assert 0.5 < radius.min() < 0.6 and 0.85 < radius.max() < 0.9
    assert np.angle(np.exp(mu)).min() > 0 and np.angle(np.exp(mu)).max() < 0.3
    gain = np.exp(values["log_gain"]) * abs(np.expm1(mu) / mu)
    np.testing.assert_allclose(gain, np.sqrt(1 - radius**2), rtol=1e-5)


def test_the_memory_delays_its_input_by_its_window():
    # Padé's approximation of a delay (Voelker et al. 2019): s(t − θ) = Σ m_i P_i(1) = Σ m_i
    cell = LMUCell(1, order=6, window=8.0, recurrent=False)
    time = np.arange(1, 201) * 0.25
    signal = np.sin(0.3 * (time - 0.125))  # held, in the middle of the step
    x = np.stack([signal, np.full(200, 0.25)], axis=-1)[None].astype("float32")
    layer = VisibleRNN(view_of_memory(cell))
    memory = np.asarray(layer(x)["memory"])[0] / np.asarray(cell.encoder).item()
    expected = np.sin(0.3 * (time - 8.0))
    assert np.abs(memory.sum(-1) - expected)[100:].max() < 5e-3
    a, b = legendre_system(2)
    np.testing.assert_array_equal(a, [[-1, -1], [3, -3]])  # by hand from the paper's formula
    np.testing.assert_array_equal(b, [1, -3])


def view_of_memory(cell):
    cell.build((None, 2))
    return cell.showing(("memory",))


def test_oscillators_follow_their_equation_to_first_order_and_stay_bounded():
    cell = stack("cornn").layers[1].cell
    kernel, bias, log_stiffness, log_damping = (np.asarray(w, float) for w in cell.get_weights())
    features = np.array([0.4, -1.0])

    def equation(_, state):
        force = np.tanh(np.concatenate([features, state]) @ kernel + bias)
        position, velocity = np.split(state, 2)
        pull = np.exp(log_stiffness) * position + np.exp(log_damping) * velocity
        return np.concatenate([velocity, force - pull])

    exact = solve_ivp(equation, (0, 4), np.zeros(10), rtol=1e-10, atol=1e-12).y[:5, -1]
    errors = []
    for steps in (32, 64):
        x = np.tile(np.asarray([features[0], 4 / steps, features[1]], np.float32), (1, steps, 1))
        position = VisibleRNN(cell, return_sequences=False)(x)["position"]
        errors.append(np.abs(position[0] - exact).max())
    assert errors[1] < 0.1 and errors[0] / errors[1] == pytest.approx(2.0, abs=0.2)
    long = np.tile(np.asarray([features[0], 1e4, features[1]], np.float32), (1, 60, 1))
    assert np.abs(VisibleRNN(cell)(long)["position"]).max() < 2 * np.exp(-log_stiffness.min())


def test_emsc_follows_its_curve_to_second_order():
    """Against SciPy's integrator, along a step of constant direction."""
    keras.utils.set_random_seed(0)
    cell = EMSCCell(units=4, width=5, stretch_scale=0.3, time_scale=0.1, dtype="float64")
    cell.build((None, 3))
    rng = np.random.default_rng(3)
    cell.set_weights([w + 0.3 * rng.normal(size=w.shape) for w in cell.get_weights()])
    x = np.array([[0.4, 2.0, 0.2]])  # (strain, rate, dt): Δε = 0.4
    start = rng.uniform(-0.5, 0.5, (1, 4))

    def equation(_, hidden):
        direction, strain, dt = cell.direction_of(ops.convert_to_tensor(x))
        _, by_strain, by_time, target = cell.coefficients(
            ops.convert_to_tensor(hidden[None]), direction
        )
        return np.asarray((by_strain * strain + by_time * dt) * (target - hidden))[0]

    exact = solve_ivp(equation, (0, 1), start[0], rtol=1e-9, atol=1e-11).y[:, -1]
    errors = []
    for substeps in (12, 24):
        cell.substeps = substeps
        state = cell.State(ops.convert_to_tensor(start))
        errors.append(np.abs(np.asarray(cell.step(x, state)[0][0])[0] - exact).max())
    assert np.abs(exact - start).max() > 0.1
    assert errors[1] < 1e-3 and errors[0] / errors[1] == pytest.approx(4.0, abs=0.8)


@every(
    "make, message",
    [
        (lambda: LRUCell(3, ring=(0.9, 0.5)), "`ring` must rise between 0 and 1"),
        (lambda: LRUCell(3, states=0), "`states` must be a whole number, 1 or more"),
        (lambda: LMUCell(3, order=9), "`order` must be at most 8. Received: order=9."),
        (lambda: CoRNNCell(3, damping=0.0), "`damping` must be positive"),
        (lambda: CfCCell(0), "`units` must be a whole number, 1 or more"),
        (lambda: EMSCCell(substeps=0), "`substeps` must be a whole number, 1 or more"),
        (lambda: MinGRUCell(3, dt_index=5).build((None, 3)), "the time step in column 5. Received"),
        (lambda: MinGRUCell(3).build((None, 1)), "at least one feature and the time step"),
    ],
)
def test_bad_settings_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
