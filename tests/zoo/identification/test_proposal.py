"""Candidates are ranked by what they predict, on tests whose law is known."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.identification.candidates import Candidate
from zoo.identification.proposal import _blocks, held_out_folds, propose

TRUTH = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=3.0)
FEW = (Candidate("prony", 1), Candidate("maxwell"), Candidate("prony", 2))


def noisy(paths, steps, noise, **material):
    data = hysteresis.split(
        "walk", paths=paths, seed=5, steps=steps, material=replace(TRUTH, **material)
    )
    even = np.random.default_rng(0).normal(size=data.y.shape)
    return replace(data, y=(data.y + noise * even).astype(np.float32))


def test_the_true_law_wins_over_laws_with_more_constants():
    lines = []
    proposal = propose(noisy(1, 160, 0.01), FEW, starts=1, say=lines.append)
    assert proposal.winner.candidate == Candidate("maxwell")
    assert proposal.winner.result.values["exponent"] == pytest.approx(3, abs=0.1)
    assert proposal.split == "4 folds over blocks of one specimen"
    best = proposal.ranked[0]
    size = np.sqrt(np.mean(noisy(1, 160, 0.0).y ** 2))
    assert best.held_out == pytest.approx(0.01 / size, rel=0.2)  # the noise
    assert best.held_out < 0.2 * proposal.ranked[1].held_out
    assert len(best.folds) == 4 and lines[0].startswith("3 laws, 4 folds")


def test_of_a_linear_solid_the_fewest_constants_win():
    proposal = propose(noisy(3, 60, 0.02, exponent=1.0), FEW, starts=1)
    assert proposal.split == "3 folds over 3 specimens"
    assert proposal.choice.name == "prony, 1 branch"
    assert "hardly better" in proposal.choice.text or proposal.ranked[0].law is proposal.winner
    # the weights of the winner are those of the whole test, not of the last fold
    data = noisy(3, 60, 0.02, exponent=1.0)
    predicted = proposal.winner.baseline.predict(data.x)[..., 0]
    np.testing.assert_allclose(predicted, proposal.winner.result.fitted, atol=1e-4)


def test_every_counted_sample_is_held_out_once():
    for paths in (1, 2, 7):
        data = noisy(paths, 40, 0.0)
        weight = np.ones(data.x.shape[:2], np.float32)
        weight[:, :3] = 0
        folds = list(held_out_folds(replace(data, weight=weight)))
        assert len(folds) == {1: 4, 2: 2, 7: 5}[paths]
        np.testing.assert_array_equal(np.sum(folds, axis=0), weight)


def test_blocks_are_cut_at_turning_points():
    rate = np.where(np.arange(80) // 9 % 2, -1.0, 1.0)
    blocks = _blocks(rate, np.arange(80))
    assert blocks[0][0] == 0 and blocks[-1][1] == 80
    for (_, end), (start, _) in itertools.pairwise(blocks):
        assert start == end and start % 9 == 0


def test_a_spring_in_parallel_makes_it_a_solid():
    data = noisy(2, 80, 0.01, exponent=1.0)
    solid = replace(data, y=(data.y + 0.5 * data.x[..., :1]).astype(np.float32))
    laws = (Candidate("prony", 1), Candidate("solid", 1))
    assert propose(data, laws, starts=1).choice.name == "prony, 1 branch"
    proposal = propose(solid, laws, starts=1)
    assert proposal.choice.name == "solid, 1 branch"
    assert proposal.ranked[0].held_out < 0.2 * proposal.ranked[1].held_out
