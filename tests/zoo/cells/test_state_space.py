"""The state-space black box: against SciPy's linear systems, and a fit of a nonlinear one."""

import keras
import numpy as np
import pytest
from scipy import signal

from zoo import presets
from zoo.cells import StateSpaceCell
from zoo.identification.response import Response
from zoo.identification.weights import fit_weights
from zoo.presets.state_space import linear_start
from zoo.recurrent import recurrent_layers

A = np.array([[0.8, 0.3], [-0.4, 0.7]])
B, C, D = np.array([[0.2], [1.0]]), np.array([[1.0, -0.5]]), np.array([[0.3]])
DT = 0.1


def features(u):
    """(loading, rate, dt) of one path, (1, time, 3)."""
    rate = np.diff(u, prepend=0.0) / DT
    return np.stack([u, rate, np.full(len(u), DT)], axis=-1)[None]


def linear_record(steps=200, seed=0):
    u = np.random.default_rng(seed).normal(size=steps)
    _, y, _ = signal.dlsim((A, B, C, D, DT), u)
    return features(5.0 * u), 3.0 * np.asarray(y)[None]


def test_the_linear_start_is_the_system_of_a_linear_record():
    x, y = linear_record()
    model = presets.material("state-space", order=2, units=3).build(x, y)
    cell = recurrent_layers(model)[0].cell
    cell.amplitudes.assign(np.zeros((3, 2)))
    poles = np.sort_complex(np.linalg.eigvals(np.asarray(cell.transition)))
    np.testing.assert_allclose(poles, np.sort_complex(np.linalg.eigvals(A)), atol=1e-5)
    other, truth = linear_record(seed=1)
    got = np.asarray(model(other.astype(np.float32))["prediction"])
    np.testing.assert_allclose(got, truth, atol=1e-4 * np.abs(truth).max())


def test_a_linear_start_takes_known_rows_only():
    x, y = linear_record()
    u, v = x[..., 0], y[..., 0].copy()
    counts = np.ones(u.shape, bool)
    counts[0, 50:60], v[0, 50:60] = False, np.nan
    transition, *_ = linear_start(u, np.where(counts, v, 99.0), counts, 2)
    assert np.trace(transition) == pytest.approx(np.trace(A), abs=1e-6)
    with pytest.raises(ValueError, match=r"needs more rows\. Got 3\."):
        linear_start(u[:, :5], v[:, :5], counts[:, :5], 2)


def test_a_step_is_its_formula():
    cell = StateSpaceCell(order=2, units=3, loading_size=2.0, response_size=5.0)
    cell.build((None, 3))
    rng = np.random.default_rng(0)
    cell.set_weights([rng.normal(size=w.shape) for w in cell.get_weights()])
    a, b, c, d, e, w, bias = (np.asarray(v) for v in cell.weights)
    s = rng.normal(size=(1, 2)).astype(np.float32)
    state, out = cell.step(
        keras.ops.convert_to_tensor([[4.0, 10.0, DT]]), cell.State(keras.ops.convert_to_tensor(s))
    )
    before, now = 1.5, 2.0  # (4 - 10 * 0.1) / 2 and 4 / 2
    hidden = s @ a + [[before, now]] @ b + np.tanh(np.append(s, before)[None] @ w + bias) @ e
    np.testing.assert_allclose(state.hidden, hidden, rtol=1e-5)
    np.testing.assert_allclose(out["response"], 5.0 * (hidden @ c + now * d), rtol=1e-5)


def test_a_stable_transition_bounds_the_state():
    cell = StateSpaceCell(order=2, units=3)
    cell.build((None, 3))
    cell.set_linear(0.9 * np.eye(2), np.zeros((2, 2)), np.ones(2), 0.0)
    cell.amplitudes.assign(100.0 * np.ones((3, 2)))
    state = cell.State(keras.ops.zeros((1, 2)))
    for _ in range(60):
        state, _ = cell.step(keras.ops.convert_to_tensor([[1.0, 0.0, 1.0]]), state)
    # |s| <= sum of 0.9^k times 3 units of 100
    assert np.abs(np.asarray(state.hidden)).max() <= 3 * 100.0 / (1 - 0.9)


def test_the_search_finds_a_saturating_spring():
    rng = np.random.default_rng(0)
    u = np.repeat(rng.normal(size=60), 5)
    y, s = np.zeros(len(u)), 0.0
    for k in range(1, len(u)):  # a relaxation towards a load, faster where the state is large
        s = 0.7 * s + 0.5 * np.tanh(u[k - 1] - 2.0 * s)
        y[k] = s
    x, y = features(u), y[None, :, None]
    model = presets.material("state-space", order=1, units=4).build(x, y)
    response = Response(model, x, None, "N")
    gap = response(response.start()) - y[0, :, 0]
    before = float(np.sqrt(np.mean(gap**2)))
    lines = []
    after = fit_weights(response, y, evaluations=60, say=lines.append)
    assert before > 0.1 * y.std() and after < 0.01 * before
    assert lines and lines[0].startswith("slope 20: residual ")
    got = np.asarray(model(x.astype(np.float32))["prediction"])
    assert np.sqrt(np.mean((got - y) ** 2)) == pytest.approx(after, abs=1e-5)


def test_more_weights_than_samples_are_refused():
    x, y = linear_record(steps=20)
    model = presets.material("state-space").build(x, y)
    with pytest.raises(ValueError, match="A fit of 115 weights needs more samples"):
        fit_weights(Response(model, x), y)
