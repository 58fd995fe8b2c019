"""A law that contains another begins at that one's response and never ends above it."""

import functools
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Quantity, Split
from zoo.identification import fit
from zoo.identification.candidates import (
    CANDIDATES,
    FRICTION,
    LARGE,
    Candidate,
    candidate_preset,
)
from zoo.identification.fit import Search
from zoo.identification.nesting import SMALL, contained_weights
from zoo.identification.response import Response
from zoo.metrics.regression import rms

PRONY = [Candidate("prony", k) for k in (1, 2)]
SOLID = [Candidate("solid", k) for k in (1, 2)]  # further branches are added alike
CURVE = [Candidate("relaxation", k) for k in (1, 2)]
MOONEY = [Candidate("mooney-rivlin", k) for k in (1, 2)]
MAXWELL, POWER = Candidate("maxwell"), Candidate("power-solid")
POWERS = Candidate("power-solid", 2)
NEO_HOOKE, YEOH = Candidate("neo-hooke", 1), Candidate("yeoh", 1)
CONVEX, MULLINS = Candidate("convex", 1), Candidate("mullins", 1)
PLASTIC = [Candidate("armstrong-frederick"), *(Candidate("chaboche", k) for k in (1, 2))]
BOUC_WEN, HARDENING = Candidate("bouc-wen"), Candidate("bouc-wen-hardening")
OPERATOR = Candidate("prandtl-ishlinskii")
SHIFTED = [Candidate("solid", k, covariates=("T",), shared=True) for k in (1, 2)]
FREE = [Candidate("solid", k, covariates=("T",)) for k in (1, 2)]
SHIFTED_POWER = Candidate("power-solid", covariates=("T",), shared=True)

# What each law contains by its equations. Yeoh's energy has powers of I₁ − 3 alone and Mooney's the
# second invariant, so neither contains the other.
CONTAINED = {
    PRONY[1]: {PRONY[0]},
    SOLID[0]: {PRONY[0]},
    SOLID[1]: {*PRONY[:2], SOLID[0]},
    MAXWELL: {PRONY[0]},
    POWER: {PRONY[0], SOLID[0], MAXWELL},
    POWERS: {*PRONY, *SOLID, MAXWELL, POWER},
    CURVE[0]: {PRONY[0]},
    CURVE[1]: {*PRONY[:2], CURVE[0]},
    MOONEY[0]: {NEO_HOOKE},
    YEOH: {NEO_HOOKE},
    MOONEY[1]: {NEO_HOOKE, MOONEY[0]},
    CONVEX: {NEO_HOOKE, MOONEY[0]},
    MULLINS: {NEO_HOOKE, MOONEY[0]},
    PLASTIC[1]: {PLASTIC[0]},
    PLASTIC[2]: {*PLASTIC[:2]},
    HARDENING: {BOUC_WEN},
    SHIFTED[1]: {SHIFTED[0]},
    FREE[0]: {SHIFTED[0]},
    FREE[1]: {*SHIFTED, FREE[0]},
    SHIFTED_POWER: {SHIFTED[0]},
}
LAWS = [*PRONY, *SOLID, MAXWELL, POWER, POWERS, *CURVE, NEO_HOOKE, *MOONEY, YEOH, MULLINS, CONVEX]
LAWS += [*PLASTIC, BOUC_WEN, HARDENING, OPERATOR, *SHIFTED, *FREE, SHIFTED_POWER]
# Exact steps of linear branches, and Strang splitting of what is not linear: alike as steps shrink.
SPLIT = {MAXWELL, POWER, POWERS, *CURVE, SHIFTED_POWER}
SPLIT_ERROR = 0.01


class PlainResponse(Response):
    """The same, one set of weights after another and not compiled: a tenth of a second to trace."""

    def _histories(self, weights):
        if not hasattr(self, "loop"):
            self.loop = tf.function(self._one, autograph=False)
        self.set_cell_weights(np.asarray(weights, np.float64))
        return self.loop().numpy()[None]

    def slope(self, weights):
        """None, so that a search ends where it begins."""
        return np.zeros((int(self.counts.sum()), len(weights)))

    def _one(self):
        x = tf.constant(np.swapaxes(self.x, 0, 1))
        steps, paths, _ = x.shape
        state = tuple(tf.zeros((paths, width), x.dtype) for width in self._state_widths())
        history = tf.TensorArray(x.dtype, steps, element_shape=(paths, 1))

        def step(time, state, history):
            state, quantities = self.cell.step(x[time], self.cell.State(*state))
            return time + 1, tuple(state), history.write(time, quantities["stress"])

        *_, history = tf.while_loop(lambda time, *_: time < steps, step, (0, state, history))
        return tf.transpose(history.stack(), (1, 0, 2))


def only_cell(cells, features=3, name="", **settings):
    """In place of a model: what the response and the presets use of it."""
    cells[0].build((None, features))
    return SimpleNamespace(layers=[SimpleNamespace(cell=cells[0])], name=name)


@functools.cache
def made(law):
    """A response of a law with drawn weights: the response, the weights, and what it answers."""
    dt = 0.05
    time = dt * np.arange(24)
    strain = 0.3 * np.sin(4 * time) * np.minimum(time / 0.5, 1)
    path = np.stack([strain, np.diff(strain, prepend=0) / dt, np.full_like(time, dt)], -1)
    x = np.stack([path, path * [0.7, 0.7, 1.0]])
    stress = 2 * x[..., :1] + 0.3 * np.sign(x[..., 1:2])
    inputs = loading_inputs("strain", "-")
    if law.covariates:
        levels = np.broadcast_to(np.array([20.0, 60.0])[:, None, None], (2, len(time), 1))
        x, inputs = np.concatenate([x, levels], -1), (*inputs, Quantity("T", "C", "temperature"))
    target = response_target("stress", "MPa")
    data = Split("made", x, stress, inputs, (target,), np.array(["a", "b"]))
    # The cell alone: a Keras model around it takes most of a second.
    with (
        mock.patch("zoo.presets.scales.recurrent_model", only_cell),
        mock.patch("zoo.presets.covariates.recurrent_model", only_cell),
    ):
        model = candidate_preset(law, data).build(x, stress, None)
    response = PlainResponse(model, x)
    first = response.start()
    weights = first + 0.2 * np.random.default_rng(3).normal(size=len(first))
    return response, weights, response(weights)


@pytest.mark.parametrize("law", CONTAINED, ids=lambda law: law.name)
def test_a_law_responds_as_each_one_that_it_contains(law):
    response, own, _ = made(law)
    for narrower in LAWS:
        other, weights, answer = made(narrower)
        found = contained_weights(response.cell, other.cell, weights)
        if narrower not in CONTAINED[law]:
            assert found is None or narrower == law, narrower.name
            continue
        assert found is not None and found.shape == own.shape, narrower.name
        error = rms(response(found) - answer) / rms(answer)
        assert error < (SPLIT_ERROR if law in SPLIT - {narrower} else 1e-6), narrower.name


@pytest.mark.parametrize("law", CONTAINED, ids=lambda law: law.name)
def test_a_fit_does_not_end_above_a_law_that_it_contains(law):
    response, _, _ = made(law)
    for narrower in CONTAINED[law]:
        other, weights, answer = made(narrower)
        absent = contained_weights(response.cell, other.cell, weights)
        small = contained_weights(response.cell, other.cell, weights, SMALL)
        assert absent is not None and small is not None
        noise = 1e-3 * rms(answer) * np.random.default_rng(0).normal(size=answer.shape)
        size = np.full(len(answer), rms(answer))
        target = (answer + noise) / size
        search = Search(1, 0, law.ridge, contained=(small, absent))
        fits = fit._fits(response, target, size, search, lambda line: None)
        cost = min(each.cost for each in fits)
        held = np.sum((law.ridge * (absent - response.start())) ** 2)
        above = SPLIT_ERROR**2 * len(answer) if law in SPLIT - {narrower} else 1e-9
        assert cost <= 0.5 * (np.sum((noise / size) ** 2) + held + above), narrower.name


def test_contained_laws_are_fitted_before_those_that_contain_them():
    for laws in ([*CANDIDATES], [*LARGE], [*FRICTION, HARDENING], [*SHIFTED, SHIFTED_POWER, *FREE]):
        for place, law in enumerate(laws):
            assert not CONTAINED.get(law, set()) & {*laws[place:]}
    few = {each for each in CANDIDATES if (each.branches or 1) < 3}
    assert {*few, *LARGE, *FRICTION} <= {*LAWS}  # a new candidate has to be told here
