"""An oscillator's test is told from a damper's, whichever column is called what."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from zoo.certificate.facts import ModelFacts
from zoo.data import measured
from zoo.data.inertia import force_as_loading, shows_inertia
from zoo.predictions import in_unit_of

MASS, DAMPING, STIFFNESS = 2.0, 10.0, 5e4  # of the Bouc–Wen benchmark


@pytest.fixture(scope="module")
def oscillator(tmp_path_factory):
    """Displacement [m] of a driven mass, by SciPy, sampled at 750 Hz."""
    time = np.arange(1500) / 750
    tones = 2 * np.pi * np.array([7.0, 19.0, 23.0, 31.0, 43.0])

    def force(t):
        return 20 * np.sin(np.multiply.outer(t, tones) + np.arange(5)).sum(axis=-1)

    def motion(t, state):
        return state[1], (force(t) - DAMPING * state[1] - STIFFNESS * state[0]) / MASS

    solution = solve_ivp(motion, (0, time[-1]), (0, 0), t_eval=time, rtol=1e-8, atol=1e-12)
    file = tmp_path_factory.mktemp("oscillator") / "test.csv"
    columns = np.stack([time, force(time), solution.y[0]], axis=1)
    np.savetxt(file, columns, delimiter=",", header="time_s,force_n,displacement_m", comments="")
    return file


def test_the_force_of_an_oscillator_is_the_loading(oscillator):
    data = measured.read_csv(oscillator)
    assert data.inputs[0].name == "displacement"
    assert shows_inertia(data)
    turned = force_as_loading(data)
    assert (turned.inputs[0].name, turned.inputs[0].unit) == ("force", "N")
    assert (turned.targets[0].name, turned.targets[0].unit) == ("displacement", "m")
    assert np.array_equal(turned.x[..., 0], data.y[..., 0])
    slope = np.diff(turned.x[0, :, 0]) / turned.x[0, 1:, 2]
    assert np.allclose(turned.x[0, 1:, 1], slope, rtol=1e-5)
    assert "mass times acceleration" in turned.notes[-1]
    assert not shows_inertia(turned)


@pytest.mark.parametrize("friction", [0.0, 50.0])
def test_a_damper_shows_none(tmp_path, friction):
    time = np.arange(1500) / 750
    position = 0.01 * np.sin(2 * np.pi * 3 * time) * (1 + 0.3 * np.sin(2 * np.pi * 0.7 * time))
    speed = np.gradient(position, time)
    force = 300 * speed + 2e3 * position + friction * np.tanh(speed / 0.01)
    rows = np.stack([time, position, force], axis=1)
    file = tmp_path / "damper.csv"
    np.savetxt(file, rows, delimiter=",", header="time_s,displacement_m,force_n", comments="")
    assert not shows_inertia(measured.read_csv(file))


def test_a_model_of_an_oscillator_reads_its_file_whichever_way(oscillator):
    data = measured.read_csv(oscillator)
    facts = ModelFacts("swing", unit="m", loading=("force", "N"), response="displacement")
    turned = in_unit_of(oscillator, data, [facts])
    assert np.array_equal(turned.x, force_as_loading(data).x)
    assert turned.notes[-1].startswith("swing takes a force")
