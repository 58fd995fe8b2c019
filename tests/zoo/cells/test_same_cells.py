"""Cells answer as they did: the same settings and weights give the same stress in later versions.

Saved models hold settings and weights alone, and the weights before training decide what a training
ends in. `same_cells.json` has both and the moments of every quantity on fixed paths; what is right
about them is tested elsewhere in this folder. Who changes a law on purpose writes the file anew,
`python -m tests.zoo.cells.test_same_cells`, and trains its models again.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells
from zoo.cells.material.elastic import ENERGIES

FILE = Path(__file__).with_name("same_cells.json")
MATERIAL = {
    **{f"solid {e}": lambda e=e: cells.SolidCell(e, 2, 2.0, 0.3, **D) for e in ENERGIES},
    "solid power": lambda: cells.SolidCell(viscosity="power", branches=3, modulus=2.0, **D),
    "liquid": lambda: cells.SolidCell("yeoh", equilibrium=False, substeps=1, **D),
    "chaboche": lambda: cells.ChabocheCell(3, 2.0, 0.2, strain=0.3, **D),
    "kinematic": lambda: cells.ChabocheCell(2, 2.0, 0.2, strain=0.3, isotropic=False, **D),
    "prandtl": lambda: cells.PrandtlIshlinskiiCell(modulus=2.0, **D),
    "stiffening": lambda: cells.PrandtlIshlinskiiCell((0.1, 0.3), 2.0, hardening=True, **D),
    "dynamic": lambda: cells.DynamicPrandtlCell((0.1, 0.3), (0.05, 0.5), 0.4, 3.0, 3, **D),
    "bouc-wen": lambda: cells.BoucWenCell(2.0, 0.5, dashpot=False, substeps=2, **D),
    "dashpot": lambda: cells.BoucWenCell(2.0, 0.5, time=0.1, substeps=2, **D),
    "damper": lambda: cells.DamperCell(2.0, 0.5, 0.4, 0.7, **D),
    "mullins": lambda: cells.MullinsCell(modulus=2.0, time=0.3, scale=0.2, **D),
    "oscillator": lambda: cells.BoucWenOscillatorCell(2.0, 0.7, 0.3, substeps=2, **D),
    "maxwell": lambda: cells.MaxwellCell(2.0, 3.0, 0.7, 0.4, 2, **D),
    "richardson": lambda: cells.MaxwellCell(2.0, 0.7, 1.5, 0.4, 2, richardson=True, **D),
    "prony": lambda: cells.PronyCell((2.0, 0.5), (0.1, 3.0), **D),
    "relaxation": lambda: cells.RelaxationCell(2, 2.0, 0.3, 0.5, substeps=2, **D),
    "monotone": lambda: cells.RelaxationCell(1, 2.0, 0.3, 0.5, (0.2, 1.0), True, **D),
    "standard": lambda: cells.StandardCell(3, 5, 2.0, 0.2, 0.3, 4, **D),
    "lmsc": lambda: cells.LMSCCell(4, 5, 0.5, 0.2, 3.0, **D),
}
D = {"dtype": "float64"}
GENERAL = {
    "cfc": lambda: cells.CfCCell(4, **D),
    "cornn": lambda: cells.CoRNNCell(4, 0.3, 0.8, **D),
    "emsc": lambda: cells.EMSCCell(4, 5, 2, **D),
    "lmu": lambda: cells.LMUCell(3, **D),
    "lmu, not recurrent": lambda: cells.LMUCell(3, 5, 7.0, recurrent=False, dt_index=0, **D),
    "lru": lambda: cells.LRUCell(4, 3, dt_index=1, **D),
    "mingru": lambda: cells.MinGRUCell(4, pass_dt=True, **D),
    "rnn": lambda: cells.SimpleRNNCell(4, **D),
    "gru": lambda: cells.GRUCell(4, **D),
    "gru, reset before": lambda: cells.GRUCell(4, reset_after=False, **D),
    "lstm": lambda: cells.LSTMCell(4, **D),
}
CASES = MATERIAL | GENERAL


def answers(name):
    """Weights before training, and moments of every quantity over paths and steps."""
    keras.utils.set_random_seed(1)
    cell, rng = CASES[name](), np.random.default_rng(2)
    cell.build((None, 3))
    found = {f"weights {n}": rounded(w) for n, w in enumerate(cell.get_weights())}
    cell.set_weights([w + 0.4 * rng.normal(size=w.shape) for w in cell.get_weights()])
    # an explicit step of the oscillator is stable while it is short
    longest = -1 if name == "oscillator" else 1
    strain, dt = rng.uniform(-0.6, 1.0, (6, 3)), 10 ** rng.uniform(-2, longest, (6, 3))
    dt[0, 2] = 0.0
    rate = np.diff(strain, axis=1, prepend=0.0) / np.maximum(dt, 0.01)
    x = np.stack([strain, rate, dt], -1)
    x = np.abs(x) if name in GENERAL else x  # in some of them another column is the time step
    widths = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    state = cell.State(*(ops.zeros((6, width), "float64") for width in widths))
    steps = []
    for j in range(3):
        state, quantities = cell.step(ops.convert_to_tensor(x[:, j]), state)
        steps.append({key: np.asarray(value) for key, value in quantities.items()})
    for key in steps[0]:
        values = np.stack([each[key] for each in steps])
        ramp = np.linspace(0.5, 1.0, values.size).reshape(values.shape)
        found[key] = rounded([values.sum(), (ramp * values).sum(), np.square(values).sum()])
    return found


def rounded(values):
    return [float(f"{value:.7g}") for value in np.ravel(values)]


@pytest.mark.parametrize("name", CASES)
def test_a_cell_answers_as_it_did(name):
    expected, found = json.loads(FILE.read_text())[name], answers(name)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        # what Newton's steps leave over depends on the rounding of a version and a processor
        atol = 1e-5 if key == "residual" else 1e-9
        np.testing.assert_allclose(found[key], values, rtol=1e-5, atol=atol, err_msg=key)


if __name__ == "__main__":
    content = {name: answers(name) for name in CASES}
    FILE.write_text(json.dumps(content, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    sys.exit(0)
