"""Jacobians against closed forms and differences, their products against linear maps."""

import csv

import keras
import numpy as np
import pytest

from zoo import memory
from zoo.cells import GRUCell, LMSCCell, LSTMCell, MaxwellCell, SimpleRNNCell
from zoo.memory import StepJacobians, fading, lstm, record_states, run_cell
from zoo.memory.gradients import GradientNorms
from zoo.memory.material import material_log_memory, network_memory
from zoo.recurrent import recurrent_model


def loading(batch=2, steps=6, seed=0):
    rng = np.random.default_rng(seed)
    rate, dt = rng.normal(size=(batch, steps)), rng.uniform(0.05, 0.2, (batch, steps))
    return np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1)


def randomised(cell, x, seed=1):
    cell.build((x.shape[0], x.shape[-1]))
    rng = np.random.default_rng(seed)
    cell.set_weights([w + 0.4 * rng.standard_normal(w.shape) for w in cell.get_weights()])
    return cell


def stepped(cell, x, state):
    """The next state, by the cell's own call."""
    _, after = cell(x, list(state))
    after = after if isinstance(after, list | tuple) else [after]
    return np.concatenate([np.asarray(part) for part in after], axis=-1)


def by_differences(cell, run, step, size=1e-6):
    jacobian = np.empty((run.x.shape[1], run.width, run.width))
    for j in range(run.width):
        either = []
        for sign in (1, -1):
            state = run.states[step].copy()
            state[:, j] += sign * size
            either.append(stepped(cell, run.x[step], [state[:, p] for p in run.parts.values()]))
        jacobian[..., j] = (either[0] - either[1]) / (2 * size)
    return jacobian


@pytest.mark.parametrize(
    "make",
    [
        lambda: LSTMCell(4, dtype="float64"),
        lambda: GRUCell(4, dtype="float64"),
        lambda: GRUCell(4, reset_after=False, dtype="float64"),
        lambda: MaxwellCell(dtype="float64"),
        lambda: LMSCCell(3, dtype="float64"),
        lambda: keras.layers.LSTMCell(4, dtype="float64"),
        lambda: keras.layers.GRUCell(4, dtype="float64"),
    ],
)
def test_jacobians_are_those_of_finite_differences(make):
    x = loading()
    cell = randomised(make(), x)
    run = run_cell(cell, x)
    jacobians = StepJacobians(run)
    for step in (0, 3, 5):
        np.testing.assert_allclose(
            jacobians[step], by_differences(cell, run, step), atol=2e-8, rtol=1e-6
        )


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        ("tanh", lambda h: 1 - h**2),
        ("sigmoid", lambda h: h * (1 - h)),
        ("relu", lambda h: (h > 0).astype(float)),
    ],
)
def test_jacobian_of_a_simple_rnn_is_the_slope_times_its_matrix(activation, slope):
    x = loading()
    cell = randomised(SimpleRNNCell(5, activation=activation, dtype="float64"), x)
    run = run_cell(cell, x)
    after, recurrent = run.part("hidden"), np.asarray(cell.recurrent_kernel)
    expected = slope(after)[..., None] * recurrent.T
    np.testing.assert_allclose(StepJacobians(run).array(), expected, atol=1e-12)


def test_chunks_reversal_and_indices_give_the_same_jacobians():
    x = loading(batch=3, steps=7)
    run = run_cell(randomised(LSTMCell(3, dtype="float64"), x), x)
    whole = StepJacobians(run).array()
    assert whole.shape == (7, 3, 6, 6)
    small = StepJacobians(run, megabytes=1e-9)  # one row at a time
    np.testing.assert_allclose(np.stack(list(small)), whole, atol=1e-13)
    two_steps = StepJacobians(run, megabytes=6 * 16 * 36 * 8 / 2**20)
    np.testing.assert_allclose(np.stack(list(two_steps)), whole, atol=1e-13)
    np.testing.assert_allclose(np.stack(list(reversed(two_steps))), whole[::-1], atol=1e-13)
    np.testing.assert_allclose(small[-1], whole[-1], atol=1e-13)
    with pytest.raises(IndexError):
        small[7]
    with pytest.raises(ValueError, match="megabytes"):
        StepJacobians(run, megabytes=0)


def test_states_of_a_model_are_followed_through_layers_and_wrappers():
    x = keras.random.normal((2, 5, 3), seed=1).numpy()
    inputs = keras.Input((None, 3))
    h = keras.layers.GRU(4, return_sequences=True, name="gru")(inputs)
    pair = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True, name="pair"))
    inner = keras.Sequential([keras.layers.SimpleRNN(2, return_sequences=True, name="simple")])
    both = pair(h)
    out = inner(both)
    model = keras.Model(inputs, [h, both, out])
    first, second, third = model(x)
    gru, forward, backward, simple = record_states(model, x)
    ahead = np.swapaxes(second, 0, 1)
    np.testing.assert_allclose(gru.part("hidden"), np.swapaxes(first, 0, 1), atol=1e-6)
    np.testing.assert_allclose(forward.part("hidden"), ahead[..., :3], atol=1e-6)
    np.testing.assert_allclose(backward.part("hidden")[::-1], ahead[..., 3:], atol=1e-6)
    np.testing.assert_allclose(simple.part("hidden"), np.swapaxes(third, 0, 1), atol=1e-6)
    assert "call" not in vars(model.layers[1])  # nothing is left behind


def test_visible_layers_are_followed_and_know_their_parts():
    x = loading().astype("float32")
    model = recurrent_model([LSTMCell(3), GRUCell(2)])
    outputs = model(x)
    lstm, gru = record_states(model, x)
    assert list(lstm.parts) == ["hidden", "cell"] and list(gru.parts) == ["hidden"]
    np.testing.assert_allclose(lstm.part("cell"), np.swapaxes(outputs["cell_0"], 0, 1), atol=1e-6)
    np.testing.assert_allclose(
        gru.part("hidden"), np.swapaxes(outputs["hidden_1"], 0, 1), atol=1e-6
    )


def test_masked_steps_stand_still():
    x = loading(steps=5)
    x[1, 3:] = 0
    inputs = keras.Input((None, 3), dtype="float64")
    h = keras.layers.Masking(dtype="float64")(inputs)
    layer = keras.layers.GRU(3, dtype="float64")
    model = keras.Model(inputs, layer(h))
    (run,) = record_states(model, x)
    np.testing.assert_allclose(run.states[-1], model(x), atol=1e-12)
    jacobians = StepJacobians(run).array()
    np.testing.assert_array_equal(jacobians[3:, 1], np.broadcast_to(np.eye(3), (2, 3, 3)))
    assert np.abs(jacobians[3:, 0] - np.eye(3)).max() > 0.1


def test_a_model_without_recurrence_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="recurrent layer"):
        record_states(model, np.zeros((1, 3), "float32"))


def turned(values, seed=0):
    """A matrix that is not normal, with these eigenvalues."""
    basis = np.random.default_rng(seed).standard_normal((len(values), len(values)))
    return basis @ np.diag(values) @ np.linalg.inv(basis)


def test_lyapunov_exponents_of_a_linear_map_are_its_eigenvalues():
    values = np.array([1.2, 0.8, 0.3])
    path = np.broadcast_to(turned(values), (400, 1, 3, 3))
    result = fading.lyapunov_exponents(path, transient=100)
    np.testing.assert_allclose(result[0], np.log(values), atol=1e-9)
    np.testing.assert_allclose(
        fading.lyapunov_exponents(path, count=1, transient=100)[0], np.log(1.2)
    )


def test_lyapunov_exponents_add_up_to_the_volume():
    rng = np.random.default_rng(3)
    path = rng.standard_normal((50, 2, 4, 4))
    volume = np.log(np.abs(np.linalg.det(path))).mean(axis=0)
    np.testing.assert_allclose(fading.lyapunov_exponents(path).sum(axis=-1), volume, rtol=1e-10)


def test_norms_of_products_are_those_of_their_matrices():
    rng = np.random.default_rng(4)
    path = rng.standard_normal((6, 2, 4, 4))
    logs = fading.log_norms(path)
    part = fading.log_norms(path, slice(0, 2), slice(2, 4))
    product = np.eye(4)
    for lag in range(7):
        np.testing.assert_allclose(logs[lag, 0], np.log(np.linalg.norm(product, 2)), atol=1e-12)
        with np.errstate(divide="ignore"):
            expected = np.log(np.linalg.norm(product[:2, 2:], 2))
        np.testing.assert_allclose(part[lag, 0], expected, atol=1e-12)
        if lag < 6:
            product = product @ path[5 - lag, 0]


def test_norms_far_below_the_smallest_float_are_kept():
    path = np.broadcast_to(0.1 * np.eye(2), (1000, 1, 2, 2))
    np.testing.assert_allclose(fading.log_norms(path)[-1], 1000 * np.log(0.1), rtol=1e-12)


def test_spectra_of_a_known_matrix():
    matrix = np.array([[0.0, 2.0], [-0.5, 0.0]])  # eigenvalues ±i, singular values 2 and 0.5
    path = np.broadcast_to(matrix, (3, 1, 2, 2))
    np.testing.assert_allclose(fading.spectral_radius(path), 1.0)
    np.testing.assert_allclose(fading.singular_values(path)[0, 0], [2.0, 0.5])


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_fading_of_a_simple_rnn_stays_below_its_bound(activation):
    x = loading(steps=20)
    cell = randomised(SimpleRNNCell(4, activation=activation, dtype="float64"), x)
    logs = fading.log_norms(StepJacobians(run_cell(cell, x)))
    bound = fading.log_bound(np.asarray(cell.recurrent_kernel), activation, 20)
    assert np.all(logs <= bound[:, None] + 1e-9)
    size = np.linalg.svd(np.asarray(cell.recurrent_kernel))[1][0]
    slope = {"tanh": 1, "relu": 1, "sigmoid": 0.25}[activation]
    np.testing.assert_allclose(np.exp(bound[2]), (size * slope) ** 2)


@pytest.fixture(scope="module")
def recorded():
    x = loading(steps=8)
    cell = randomised(LSTMCell(3, dtype="float64"), x)
    return cell, run_cell(cell, x)


def test_gates_are_those_that_the_cell_shows(recorded):
    cell, run = recorded
    gates = lstm.compute_gates(run)
    for step in (0, 7):
        state = cell.State(*(run.states[step][:, part] for part in run.parts.values()))
        _, shown = cell.step(run.x[step], state)
        for name, values in gates._asdict().items():
            np.testing.assert_allclose(values[step], shown[name], atol=1e-12)


def test_the_direct_path_is_the_cell_block_and_the_remainder_the_rest(recorded):
    _, run = recorded
    gates, part = lstm.compute_gates(run), run.parts["cell"]
    jacobians = StepJacobians(run).array()
    diagonal = gates.forget[..., None] * np.eye(3)
    np.testing.assert_allclose(jacobians[:, :, part, part], diagonal, atol=1e-12)
    chain = gates.output * (1 - np.tanh(run.part("cell")) ** 2)
    np.testing.assert_allclose(lstm.hidden_cell_derivative(gates.output, run.part("cell")), chain)
    through = chain[..., None] * diagonal  # ∂h_t/∂C_{t−1} = (∂h_t/∂C_t)(∂C_t/∂C_{t−1})
    np.testing.assert_allclose(jacobians[:, :, run.parts["hidden"], part], through, atol=1e-12)

    direct = lstm.direct_log_norms(gates.forget)
    rest = lstm.remainder_log_norms(jacobians, run, gates.forget)
    full, straight = np.eye(6), np.ones(3)
    for lag, (jacobian, forget) in enumerate(
        zip(jacobians[::-1], gates.forget[::-1], strict=True), 1
    ):
        full, straight = full @ jacobian[0], straight * forget[0]
        np.testing.assert_allclose(direct[lag, 0], np.log(straight.max()), rtol=1e-12)
        if lag > 1:
            expected = np.linalg.norm(full[part, part] - np.diag(straight), 2)
            np.testing.assert_allclose(np.exp(rest[lag, 0]), expected, rtol=1e-9)
    assert np.all(np.isneginf(rest[:2]))


def test_time_constants_of_a_constant_gate():
    forget = np.broadcast_to(np.array([0.5, 0.9, 1.0]), (10, 1, 3))
    expected = [-0.1 / np.log(0.5), -0.1 / np.log(0.9), np.inf]
    np.testing.assert_allclose(lstm.time_constants(forget, 0.1)[0], expected)


def test_saturation_counts_both_ends():
    assert lstm.gate_saturation(np.array([0.05, 0.5, 0.95, 0.99])) == (0.25, 0.5)


def test_gates_of_something_else_are_refused():
    x = loading()
    with pytest.raises(ValueError, match="LSTM"):
        lstm.compute_gates(run_cell(GRUCell(2, dtype="float64"), x))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_memory_of_a_material_below_linear_is_finite_where_its_stress_is_zero(sign):
    """∫ m |σ|^(m−1)/κ dt of σ = 3 t from rest is (3 t)^m/(3 κ), though |σ|^(m−1) has no bound."""
    time = np.linspace(0, 2, 5)
    dt = np.diff(time, prepend=time[0])
    log = material_log_memory(3 * sign * time, dt, exponent=0.5, kappa=4.0)
    np.testing.assert_allclose(log, (np.sqrt(3 * time) - np.sqrt(6)) / 12, rtol=1e-12)
    crossing = material_log_memory(3 * sign * (time - 1), dt, exponent=0.5, kappa=4.0)
    np.testing.assert_allclose(crossing[0], -2 * np.sqrt(3) / 12, rtol=1e-12)
    held = material_log_memory(np.full(5, 4.0 * sign), dt, exponent=0.5, kappa=4.0)
    np.testing.assert_allclose(held, 0.5 / 2 / 4 * (time - 2), atol=1e-15)


def test_material_memory_at_constant_stress_and_in_relaxation():
    dt = np.full(400, 0.01)
    held = material_log_memory(np.full(400, 0.5), dt, exponent=3.0, kappa=2.0)
    np.testing.assert_allclose(held[100], -3 / 2 * 0.25 * 2.99, rtol=1e-12)
    # relaxation ds/dt = −s³: s = s0/√(1 + 2 s0² t), so ∂s/∂s0 = (1 + 2 s0² t)^(−3/2)
    time = 0.01 * np.arange(400)
    relaxed = material_log_memory(0.8 / np.sqrt(1 + 1.28 * time), dt, exponent=3.0)
    np.testing.assert_allclose(relaxed[0], -1.5 * np.log(1 + 1.28 * time[-1]), rtol=1e-4)
    assert relaxed[-1] == 0


def test_network_memory_of_the_exact_material_is_the_materials():
    """The Maxwell cell solves the law: its answer to a step in strain is the closed form."""
    steps = 80
    time = 0.02 * np.arange(1, steps + 1)
    rate = 2 * np.cos(2 * time)
    x = np.stack([np.cumsum(rate * 0.02), rate, np.full(steps, 0.02)], axis=-1)
    cell = MaxwellCell(1.0, 3.0, 1.0, substeps=2, show=("stress",), dtype="float64")
    layer = keras.layers.RNN(cell, return_sequences=True, dtype="float64")
    result = network_memory(layer, x)
    stress = np.asarray(layer(x[None]))[0, :, 0]
    exact = np.exp(material_log_memory(stress, x[:, 2], exponent=3.0))
    # the increment comes in the middle of its step
    np.testing.assert_allclose(result[1:], np.sqrt(exact[1:] * exact[:-1]), rtol=2e-2)


def test_a_network_that_answers_with_the_last_stress_alone_has_the_same_memory():
    keras.utils.set_random_seed(0)
    x = keras.Input((None, 3))
    every = keras.layers.Dense(1)(keras.layers.GRU(4, return_sequences=True)(x))
    model, last = keras.Model(x, every), keras.Model(x, every[:, -1])
    path = np.random.default_rng(0).random((7, 3)).astype(np.float32)
    np.testing.assert_allclose(network_memory(last, path), network_memory(model, path), rtol=1e-5)


def linear_model(**clipping):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones", name="readout")]
    )
    model.compile(keras.optimizers.SGD(1e-3, **clipping), "mse", jit_compile=False)
    return model


def test_gradient_norms_are_those_of_the_closed_form(tmp_path):
    x = np.array([[1.0, 2.0], [0.5, -1.0]], "float32")
    y = np.array([[1.0], [1.0]], "float32")
    model = linear_model(global_clipnorm=1.0)
    model.fit(x, y, verbose=0)  # a train function that was traced before must not hide gradients
    kernel, bias = (np.asarray(w, np.float64) for w in model.get_weights())
    error = 2 * (x @ kernel + bias - y) / 2
    expected = np.sqrt(np.sum((x.T @ error) ** 2) + np.sum(error) ** 2)
    norms = GradientNorms(tmp_path / "gradients.csv")
    apply = model.optimizer.apply
    model.fit(x, y, verbose=0, epochs=2, callbacks=[norms])
    assert model.optimizer.apply == apply
    assert norms.layers == ("readout",) and norms.norms.shape == (2, 1)
    np.testing.assert_allclose(norms.norms[0, 0], expected, rtol=1e-5)
    rows = list(csv.reader((tmp_path / "gradients.csv").read_text().splitlines()))
    assert rows[0] == ["step", "loss", "clipped", "all", "readout"] and len(rows) == 3
    np.testing.assert_allclose(float(rows[1][4]), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("clipping", "share"),
    [({}, 0.0), ({"clipnorm": 5.0}, 0.5), ({"global_clipnorm": 5.0}, 1.0), ({"clipvalue": 9}, 0.5)],
)
def test_clipping_events_are_counted(clipping, share):
    # prediction 3 x, target 0, x = (1, 1): bias gradient 4, kernel gradient (12, 12) at x = (3, 3)
    x, y = np.array([[3.0, 3.0]], "float32"), np.array([[4.0]], "float32")
    norms = GradientNorms()
    linear_model(**clipping).fit(x, y, verbose=0, callbacks=[norms])
    np.testing.assert_allclose(norms.norms[0, 0], np.sqrt(2 * 12**2 + 4**2), rtol=1e-5)
    assert norms.clipped.tolist() == [share]


def test_gradient_norms_reach_tensorboard(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    import tensorflow as tf

    x, y = np.array([[3.0, 3.0]], "float32"), np.array([[4.0]], "float32")
    norms = GradientNorms(tensorboard=tmp_path)
    model = linear_model(global_clipnorm=1.0)
    for _ in range(2):  # a second fit writes as well
        model.fit(x, y, verbose=0, callbacks=[norms])
    scalars = []
    for file in sorted(tmp_path.iterdir()):
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            values = tf.compat.v1.Event.FromString(record).summary.value
            scalars += [(value.tag, float(tf.make_ndarray(value.tensor))) for value in values]
    assert [tag for tag, _ in scalars] == ["gradient norm/readout", "gradient clipped"] * 2
    np.testing.assert_allclose(scalars[0][1], np.sqrt(2 * 12**2 + 4**2), rtol=1e-5)
    assert scalars[1][1] == 1.0


def test_without_tensorboard_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    norms = GradientNorms(tensorboard=tmp_path / "board")
    x, y = np.array([[3.0, 3.0]], "float32"), np.array([[4.0]], "float32")
    linear_model().fit(x, y, verbose=0, callbacks=[norms])
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and "pip install tensorboard" in message
    assert norms.norms.shape == (1, 1) and not (tmp_path / "board").exists()


def test_the_package_says_what_it_offers():
    assert all(hasattr(memory, name) for name in memory.__all__)
