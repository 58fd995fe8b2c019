"""The generalised standard material: potentials, steps and what they promise for any weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from zoo.cells import StandardCell

SCALES = {"modulus": 3.0, "strain": 0.5, "time": 2.0}


def built(seed=0, spread=0.7, **settings):
    """A cell in double precision with random weights around those it starts with."""
    cell = StandardCell(**{**SCALES, "dtype": "float64", **settings})
    cell.build((None, 3))
    rng = np.random.default_rng(seed)
    cell.set_weights([w + spread * rng.standard_normal(w.shape) for w in cell.get_weights()])
    return cell


def run(cell, strain, dt):
    """Quantities after every step of paths from rest, name -> (paths, time, width)."""
    rate = np.diff(strain, axis=1, prepend=0.0) / dt
    x = np.stack([strain, rate, np.broadcast_to(dt, strain.shape)], axis=-1)
    state = cell.State(ops.zeros((len(x), cell.branches), cell.compute_dtype))
    step, rows = tf.function(cell.step, reduce_retracing=True), []
    for j in range(x.shape[1]):
        state, quantities = step(ops.convert_to_tensor(x[:, j], cell.compute_dtype), state)
        rows.append({name: np.asarray(value) for name, value in quantities.items()})
    return {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}


def paths(seed, count=256, steps=6):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, steps)), 10 ** rng.uniform(-3, 3, (count, steps))


@pytest.mark.parametrize("steps", [1, 5])
def test_no_energy_is_created_and_none_negative_whatever_the_residual(steps, seed=0):
    """σ'Δε ≥ ψ' − ψ + D ≥ ψ' − ψ in every step, also where Newton's method is far from its end."""
    cell = built(seed, spread=1.5, steps=steps)
    strain, dt = paths(seed)
    q = run(cell, strain, dt)
    assert all(np.isfinite(each).all() for each in q.values())
    if steps == 1:
        assert q["residual"].max() > 0.1
    assert (q["dissipation"] >= 0).all() and q["dissipation"].max() > 0
    assert (q["energy"] >= 0).all()
    work = q["stress"][..., 0] * np.diff(strain, axis=1, prepend=0.0)
    stored = np.diff(q["energy"][..., 0], axis=1, prepend=0.0)
    surplus = work - stored - q["dissipation"][..., 0]
    assert surplus.min() > -1e-12 * q["energy"].max()


def test_stress_is_the_derivative_of_the_energy_and_the_drag_that_of_the_potential():
    cell = built(2)
    rng = np.random.default_rng(3)
    strain, internal, rate = (tf.constant(rng.standard_normal((20, width))) for width in (1, 2, 2))
    with tf.GradientTape() as tape:
        tape.watch([strain, internal, rate])
        energy, potential = cell.potentials(strain, internal, rate)
        total = tf.reduce_sum(energy) + tf.reduce_sum(potential)
    by_strain, by_internal, by_rate = tape.gradient(total, [strain, internal, rate])
    slopes = cell._slopes(strain / cell.strain, internal / cell.strain, curved=False)
    drag, _ = cell._drag(rate * (cell.time / cell.strain))
    unit = cell.modulus * cell.strain
    np.testing.assert_allclose(unit * slopes.stress, by_strain, rtol=1e-10)
    np.testing.assert_allclose(unit * slopes.internal, by_internal, rtol=1e-10)
    np.testing.assert_allclose(unit * drag, by_rate, rtol=1e-10)
    assert (potential.numpy() >= 0).all() and (energy.numpy() >= 0).all()


def test_a_step_minimises_energy_and_potential_together():
    """ψ(ε', α') + Δt Φ((α' − α)/Δt), convex: its gradient, of the potentials, is zero there."""
    cell = built(4, spread=0.4, steps=10)
    rng = np.random.default_rng(5)
    dt = np.array([[0.05], [20.0]])
    strain = ops.convert_to_tensor(rng.standard_normal((2, 1)))
    old = ops.convert_to_tensor(0.3 * rng.standard_normal((2, 2)))
    x = ops.concatenate([strain, 0.0 * strain, ops.convert_to_tensor(dt)], axis=-1)
    state, q = cell.step(x, cell.State(old))
    new = tf.convert_to_tensor(state.internal)
    with tf.GradientTape() as tape:
        tape.watch(new)
        energy, potential = cell.potentials(strain, new, (new - old) / dt)
        objective = energy + dt * potential
    np.testing.assert_allclose(tape.gradient(objective, new), np.zeros((2, 2)), atol=1e-12)
    assert np.asarray(q["residual"]).max() < 1e-12
    assert np.abs(np.asarray(new) - np.asarray(old)).min() > 1e-3


def test_without_learnt_parts_it_is_the_standard_linear_solid():
    """One branch, E₁(ε − α) = η α̇: backward Euler, α' = (α + k ε')/(1 + k), k = Δt E₁/η."""
    cell = built(0, 0.0, branches=1, hidden=1, steps=4, modulus=1.0, strain=1.0, time=1.0)
    values = {"log_spring": 2.0, "log_branches": 3.0, "log_viscosity": 0.6}
    for weight in cell.weights:
        number = values.get(weight.name, 1e-30 if weight.name.startswith("log") else 0.0)
        weight.assign(np.full(weight.shape, np.log(number) if number else 0.0))
    strain, dt = paths(6, count=3)
    q = run(cell, strain, dt)
    alpha = np.zeros(3)
    for j in range(strain.shape[1]):
        k = dt[:, j] * 3.0 / 0.6
        alpha = (alpha + k * strain[:, j]) / (1 + k)
        np.testing.assert_allclose(q["internal"][:, j, 0], alpha, rtol=1e-4, atol=2e-5)
        expected = 2.0 * strain[:, j] + 3.0 * (strain[:, j] - alpha)
        np.testing.assert_allclose(q["stress"][:, j, 0], expected, rtol=1e-4, atol=1e-3)


def test_rest_and_steps_of_no_time_change_nothing():
    cell = built(7, dtype="float32", steps=3)
    rest = run(cell, np.zeros((2, 4)), np.full((2, 4), 0.1))
    assert not rest["internal"].any() and not rest["stress"].any()
    state = cell.State(ops.convert_to_tensor([[0.2, -0.1]], "float32"))
    after, q = cell.step(ops.convert_to_tensor([[0.4, 0.0, 0.0]], "float32"), state)
    np.testing.assert_allclose(after.internal, state.internal, rtol=1e-7)
    assert np.isfinite(q["stress"]).all() and q["dissipation"].numpy().item() == 0.0


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="`branches` must be a whole number"):
        StandardCell(branches=0)
    with pytest.raises(ValueError, match="`strain` must be positive"):
        StandardCell(strain=0.0)


def test_a_cell_is_rebuilt_from_its_settings():
    cell = StandardCell(3, 5, 2.0, 0.1, 0.3, 4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert again.get_config() == cell.get_config()
