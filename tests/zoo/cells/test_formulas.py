"""Steps of general cells against their formulas in NumPy, the time step in any column."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.linalg import expm

from zoo.cells import CfCCell, CoRNNCell, EMSCCell, LMSCCell, LMUCell, LRUCell, MinGRUCell
from zoo.cells.continuous import legendre_system

every = pytest.mark.parametrize
CELLS = {
    "cfc": lambda **kw: CfCCell(3, 4, **kw),
    "cornn": lambda **kw: CoRNNCell(3, **kw),
    "mingru": lambda **kw: MinGRUCell(3, **kw),
    "lru": lambda **kw: LRUCell(3, 2, **kw),
    "lmu": lambda **kw: LMUCell(3, 5, 2.0, **kw),
    "lmu, not recurrent": lambda **kw: LMUCell(3, 4, 2.0, recurrent=False, **kw),
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cfc(w, u, dt, past):
    z = np.concatenate([u, past["hidden"]], -1) @ w["backbone"] + w["backbone_bias"]
    heads = 1.7159 * np.tanh(0.666 * z) @ w["heads"] + w["heads_bias"]
    pace, shift, early, late = np.split(heads, 4, axis=-1)
    time = sigmoid(pace * dt + shift)
    return {"hidden": (1 - time) * np.tanh(early) + time * np.tanh(late), "time": time}


def cornn(w, u, dt, past):
    """Velocity from its implicit equation, solved by hand; then the position (Rusch 2021)."""
    y, v = past["position"], past["velocity"]
    gamma, epsilon = np.exp(w["log_stiffness"]), np.exp(w["log_damping"])
    force = np.tanh(np.concatenate([u, y, v], -1) @ w["kernel"] + w["bias"])
    v = (v + dt * (force - gamma * y)) / (1 + epsilon * dt + gamma * dt**2)
    return {"position": y + dt * v, "velocity": v}


def mingru(w, u, dt, past):
    k, candidate = np.split(u @ w["kernel"] + w["bias"], 2, axis=-1)
    gate = 1 - (1 - sigmoid(k)) ** dt
    hidden = (1 - gate) * past["hidden"] + gate * candidate
    return {"hidden": hidden, "candidate": candidate, "gate": gate}


def lru(w, u, dt, past):
    mu = -np.exp(w["log_decay"]) + 1j * np.exp(w["log_frequency"])
    real, imaginary = np.split(w["kernel"], 2, axis=-1)
    h = np.exp(mu * dt) * (past["real"] + 1j * past["imaginary"])
    h = h + np.exp(w["log_gain"]) * (np.exp(mu * dt) - 1) / mu * (u @ (real + 1j * imaginary))
    y = np.concatenate([h.real, h.imag], -1) @ w["readout"] + u @ w["skip"] + w["bias"]
    value, gate = np.split(y, 2, axis=-1)
    return {"output": value * sigmoid(gate), "real": h.real, "imaginary": h.imag}


def lmu(w, u, dt, past):
    """Its memory by SciPy's matrix exponential of the published system, the signal held."""
    signal = u @ w["encoder"]
    if "hidden_encoder" in w:
        signal = (
            signal + past["hidden"] @ w["hidden_encoder"] + past["memory"] @ w["memory_encoder"]
        )
    order = past["memory"].shape[-1]
    a, b = legendre_system(order)
    held = np.block([[a, b[:, None]], [np.zeros((1, order + 1))]])
    rows = np.concatenate([past["memory"], signal], axis=-1)
    turns = [expm(held * each / np.exp(w["log_window"])) for each in dt[:, 0]]
    memory = np.stack([(turn @ row)[:order] for turn, row in zip(turns, rows, strict=True)])
    total = u @ w["kernel"] + memory @ w["memory_kernel"] + w["bias"]
    if "recurrent_kernel" in w:
        total = total + past["hidden"] @ w["recurrent_kernel"]
    return {"hidden": np.tanh(total), "memory": memory}


FORMULAS = {"cfc": cfc, "cornn": cornn, "mingru": mingru, "lru": lru}
FORMULAS |= {"lmu": lmu, "lmu, not recurrent": lmu}


def built(cell, width=3, seed=0):
    """A cell with random weights, and these by their names."""
    cell.build((None, width))
    rng = np.random.default_rng(seed)
    cell.set_weights([w + 0.5 * rng.normal(size=w.shape) for w in cell.get_weights()])
    return cell, {each.name: np.asarray(each) for each in cell.weights}


def zero_state(cell, rows):
    return cell.State(*(ops.zeros((rows, cell.visible[f]), "float64") for f in cell.State._fields))


@every("column", (0, 1, -1, -2))
@every("name", CELLS)
def test_steps_are_the_formula_whatever_column_has_the_time_step(name, column):
    cell, weights = built(CELLS[name](dt_index=column, pass_dt=True, dtype="float64"))
    rng = np.random.default_rng(1)
    state, past = zero_state(cell, 4), {k: np.zeros((4, n)) for k, n in cell.visible.items()}
    for u, dt in zip(rng.normal(size=(2, 4, 2)), rng.uniform(0.1, 2, (2, 4, 1)), strict=True):
        place = column % 3
        x = np.concatenate([u[:, :place], dt, u[:, place:]], axis=-1)
        state, quantities = cell.step(ops.convert_to_tensor(x), state)
        past = FORMULAS[name](weights, u, dt, past)
        for key, expected in past.items():
            actual = np.asarray(quantities[key])[:, : expected.shape[-1]]
            np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-9, err_msg=key)
        output = np.concatenate([next(iter(past.values())), dt], axis=-1)
        np.testing.assert_allclose(quantities["output"], output, rtol=1e-8, atol=1e-9)


@every("width, column, cuts", [(2, 0, 0), (2, 1, 0), (4, 0, 0), (4, -1, 0), (4, 1, 1), (4, -2, 1)])
def test_the_time_step_is_cut_out_and_at_an_end_nothing_is_joined(width, column, cuts):
    # A part without columns would have to be joined on a device too.
    cell, _ = built(MinGRUCell(2, dt_index=column), width)
    x = np.arange(3.0 * width, dtype=np.float32).reshape(3, width)
    features, dt = cell.split_dt(ops.convert_to_tensor(x))
    np.testing.assert_array_equal(features, np.delete(x, column, axis=1))
    np.testing.assert_array_equal(dt[:, 0], x[:, column])
    graph = tf.function(cell.split_dt).get_concrete_function(tf.TensorSpec(x.shape)).graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("ConcatV2") == cuts


@every("width, column", [(3, 3), (3, -4), (2, 2), (1, 0), (1, -1)])
def test_there_is_such_a_column_and_a_feature_beside_it(width, column):
    with pytest.raises(ValueError, match=f"in column {column}. Received: {width} columns"):
        CfCCell(2, dt_index=column).build((None, width))


def features_of(w, hidden, direction):
    """Two layers of products of tanh (LMSC)."""
    z = np.concatenate([hidden, direction], axis=-1)
    for layer in (0, 1):
        pair = np.tanh(z @ w[f"features_kernel_{layer}"] + w[f"features_bias_{layer}"])
        left, right = np.split(pair, 2, axis=-1)
        z = left * right
    return z


def coefficients(w, hidden, direction):
    z = features_of(w, hidden, direction)
    a, b, target = (
        z @ w[f"{name}_kernel"] + w.get(f"{name}_bias", 0.0)
        for name in ("stretch_rate", "time_rate", "target")
    )
    return np.exp(a), np.exp(b), np.tanh(target)


@every("name", ("lmsc", "emsc"))
def test_self_consistent_cells_are_their_formulas(name):
    """One explicit substep (LMSC), or two by the midpoint (EMSC)."""
    scales = {"stretch_scale": 0.3, "time_scale": 0.2, "stress_scale": 7.0, "dtype": "float64"}
    substeps = 2 if name == "emsc" else 1
    cell = LMSCCell(3, 4, **scales) if name == "lmsc" else EMSCCell(3, 4, substeps, **scales)
    cell, w = built(cell)
    rng = np.random.default_rng(1)
    rate, dt, hidden = rng.normal(size=(5, 1)), rng.uniform(0.1, 1, (5, 1)), rng.normal(size=(5, 3))
    x = np.concatenate([rate, rate, dt], axis=-1)
    _, quantities = cell.step(ops.convert_to_tensor(x), cell.State(ops.convert_to_tensor(hidden)))
    along = np.concatenate([rate * dt / 0.3, dt / 0.2], axis=-1)
    direction = along / np.linalg.norm(along, axis=-1, keepdims=True)
    strain, time = np.abs(along[:, :1]) / substeps, along[:, 1:] / substeps
    total = 0.0
    for _ in range(substeps):
        a, b, target = coefficients(w, hidden, direction)
        at = hidden
        if name == "emsc":
            at = hidden - np.expm1(-(a * strain + b * time) / 2) * (target - hidden)
            a, b, target = coefficients(w, at, direction)
        pace = a * strain + b * time
        hidden = hidden - np.expm1(-pace) * (target - hidden)
    total = substeps * pace  # of the last substep, over the whole step
    expected = {"stress": 7.0 * hidden @ w["readout"], "hidden": hidden, "target": target}
    expected |= {"rate": total, "features": features_of(w, at, direction)}
    for key, values in expected.items():
        np.testing.assert_allclose(quantities[key], values, rtol=1e-8, atol=1e-9, err_msg=key)
