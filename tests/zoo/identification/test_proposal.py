"""Candidates are ranked by what they predict, on tests whose law is known."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from zoo import presets
from zoo.data import hysteresis
from zoo.data.maxwell import Material
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split
from zoo.identification.candidates import Candidate, candidates_for
from zoo.identification.proposal import (
    RankedLaw,
    _blocks,
    _needless,
    beyond_learnt,
    choose_law,
    held_out_folds,
    propose,
    rate_warning,
    simplest_form,
)
from zoo.identification.settings import RATE_INDEPENDENT
from zoo.stress.recommendation import recommend

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
    assert proposal.split.startswith("3 folds over 3 specimens; in 1 of 3 folds")
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


@pytest.mark.parametrize(
    ("groups", "said"),
    [("abc", "over 3 specimens"), ("aab", "over 2 specimens"), ("aaa", "over 3 tests of one")],
)
def test_what_is_held_out_is_said(groups, said):
    lines, data = [], replace(noisy(3, 40, 0.0), groups=np.array(list(groups)))
    with pytest.raises(ValueError, match="can be fitted"):
        propose(data, (), say=lines.append)
    assert said in lines[0]


def test_specimens_that_go_farthest_are_held_out_apart():
    data = noisy(7, 40, 0.0)
    sizes = np.array([1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0])
    x = data.x.copy()
    x[..., 0] *= (sizes / np.abs(x[..., 0]).max(axis=1))[:, None]
    data = replace(data, x=x, groups=np.array([f"s{k}" for k in range(7)]))
    folds = list(held_out_folds(data))
    held = [sorted(sizes[fold.any(axis=1)].tolist()) for fold in folds]
    assert held == [[2, 9], [1, 8], [7], [4], [3]]
    assert beyond_learnt(data, folds) == ""  # 9 is 1.125 times 8
    data.x[1] *= 1.5
    assert "1 of 5 folds the held-out strain goes up to 1.69 times" in beyond_learnt(data, folds)
    data.x[...] = 0
    assert beyond_learnt(data, folds) == ""


def test_a_bouc_wen_element_with_a_dashpot_depends_on_rate():
    assert not Candidate("bouc-wen").is_rate_independent
    assert Candidate("bouc-wen", has_time=False).is_rate_independent
    assert Candidate("chaboche").is_rate_independent
    assert not Candidate("solid").is_rate_independent


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


def ranked(name, parameters, held_out, fitted, effective=200):
    count = SimpleNamespace(count_params=lambda: parameters)
    result = SimpleNamespace(effective=effective, samples=200)
    law = SimpleNamespace(candidate=SimpleNamespace(name=name), model=count, result=result)
    return RankedLaw(law, fitted, held_out, (held_out,))  # pyright: ignore[reportArgumentType]


def test_of_laws_that_predict_alike_the_lowest_bic_is_chosen():
    # Schwarz: n ln(Σr²/n) + p ln n; with n = 200 a parameter more has to save 2.6 % of Σr²
    best = ranked("rich", 4, 0.0200, 0.0190)
    assert choose_law([best, ranked("plain", 3, 0.0202, 0.0191)]).law.candidate.name == "plain"
    assert choose_law([best, ranked("plain", 3, 0.0206, 0.0196)]) is best
    assert choose_law([best, ranked("plain", 2, 0.0230, 0.0190)]) is best  # predicts worse
    # residuals that are correlated are fewer samples: no call for parameters
    few = ranked("rich", 4, 0.0200, 0.0190, effective=20)
    assert choose_law([few, ranked("plain", 3, 0.0206, 0.0196)]).law.candidate.name == "plain"


def test_every_law_that_a_test_suits_is_a_candidate():
    def laws(strain, **names):
        time = 0.1 * np.arange(len(strain))
        x = np.stack([strain, np.gradient(strain, time), np.full_like(time, 0.1)], -1)[None]
        inputs = loading_inputs(names.get("loading", "strain"), names.get("unit", "-"))
        target = response_target(names.get("response", "stress"), "N")
        data = Split("t", x, 2 * x[..., :1], inputs, (target,), np.array([""]))
        return [each.law for each in candidates_for(data, has_time=names.get("has_time", True))]

    time = np.linspace(0, 10, 100)
    pulled = laws(0.005 * time)  # turns round nowhere
    assert pulled[-1] == "chaboche" and "bouc-wen" not in pulled
    noise = np.random.default_rng(0).normal(0, 5e-5, 100)  # turns often, by 0.1 % of the range
    assert laws(0.005 * time + noise) == pulled
    assert "chaboche" not in laws(0.01 * (5 - abs(time - 5)))  # once
    small, large = laws(0.01 * np.sin(time)), laws(0.5 * np.sin(time))
    assert {"chaboche", "prandtl-ishlinskii", "bouc-wen", "solid", "relaxation"} <= set(small)
    assert "yeoh" in large and "yeoh" not in small
    mount = {"loading": "displacement", "unit": "mm", "response": "force"}
    assert set(laws(np.sin(time), has_time=False, **mount)) == set(RATE_INDEPENDENT)
    assert set(laws(np.sin(time), has_time=False)) == {*RATE_INDEPENDENT} - {"bouc-wen-hardening"}
    assert "yeoh" not in laws(np.sin(time), **mount)
    turned = laws(np.sin(time), loading="force", unit="N", response="displacement")
    assert turned[0] == "bouc-wen-oscillator"
    magnet = laws(np.sin(time), loading="flux density", unit="T", response="field")
    assert "dynamic-prandtl" in magnet and not {"maxwell", "prony", "relaxation"} & set(magnet)


def test_a_relaxation_over_decades_is_tried_with_a_branch_a_decade():
    def solids(time):
        strain = np.minimum(time / 2, 1) * 0.01
        x = np.stack([strain, np.gradient(strain, time), np.diff(time, prepend=-0.1)], -1)[None]
        target = response_target("stress", "MPa")
        data = Split(
            "t", x, 2 * x[..., :1], loading_inputs("strain", "-"), (target,), np.array(["a"])
        )
        return max(each.branches or 0 for each in candidates_for(data) if each.law == "solid")

    assert solids(np.r_[np.linspace(0.05, 2, 40), 2 + np.logspace(-1, 4, 200)]) == 5
    assert solids(np.linspace(0, 100, 200)) == 3


def test_a_spring_beside_a_power_law_is_told_from_the_power_law_alone():
    """Eyring's flow of a polymer beside a spring, σ̇ = E (ε̇ − ε̇₀ sinh(σ/σ₀)), by SciPy."""
    stretched, paths = 0.06, []
    for rate in (1e-3, 1e-2):
        time = np.linspace(0, 2 * stretched / rate, 121)
        drive = np.where(time[1:] <= time[60], rate, -rate)
        flow, now = [0.0], [0.0]
        for k, v in enumerate(drive):
            span = time[k], time[k + 1]
            now = solve_ivp(
                lambda t, s, v=v: 1500 * (v - 2e-7 * np.sinh(s / 2)), span, now, "LSODA", rtol=1e-8
            ).y[:, -1]
            flow.append(now[0])
        strain = np.concatenate([[0.0], np.cumsum(drive * np.diff(time))])
        step = np.full(121, time[1])
        x = np.stack([strain, np.r_[0.0, drive], step], -1)
        paths.append((x, np.array(flow) + 60 * strain))
    x, y = (np.stack(each) for each in zip(*paths, strict=True))
    inputs, target = loading_inputs("strain", "-"), response_target("stress", "MPa")
    data = Split("t", x, y[..., None], inputs, (target,), np.array(["slow", "fast"]))
    proposal = propose(data, (Candidate("maxwell"), Candidate("power-solid")), starts=1)
    best, other = proposal.ranked
    assert best.law.candidate.law == "power-solid"
    assert best.fitted < 0.03 and best.fitted < 0.3 * other.fitted
    assert best.law.result.values["modulus_1"] == pytest.approx(1500, rel=0.05)
    assert best.law.result.values["modulus_0"] == pytest.approx(60, rel=0.15)


def test_a_law_whose_constants_are_open_stands_back():
    limit = replace(ranked("limit", 8, 0.029, 0.028), open_share=0.75)
    plain = ranked("plain", 4, 0.037, 0.036)
    assert choose_law([limit, plain]) is plain
    assert choose_law([limit, ranked("plain", 4, 0.050, 0.036)]) is limit  # far worse
    assert choose_law([replace(limit, open_share=0.5), plain]).open_share == 0.5
    text = recommend(
        {"limit": {"held out": {"nrmse": 0.029}}, "plain": {"held out": {"nrmse": 0.037}}},
        {"limit": 8, "plain": 4},
        chosen="plain",
        passed_over="is passed over",
    ).text
    assert "Recommended: plain" in text and "nRMSE 2.9 % is passed over." in text


def test_a_law_whose_fit_is_that_of_one_that_it_contains_gives_way_to_it():
    x, y = np.zeros((1, 9, 3)), np.ones((1, 9, 1))
    x[..., 0] = x[..., 1] = x[..., 2] = np.linspace(0.1, 1, 9)

    def law(name, held_out, fitted, **settings):
        model = presets.material(name, **settings).build(x, y)
        weights = np.concatenate([np.ravel(w) for w in model.get_weights()])
        result = SimpleNamespace(found=SimpleNamespace(weights=weights))
        about = SimpleNamespace(model=model, result=result)
        return RankedLaw(about, fitted, held_out, ())  # pyright: ignore[reportArgumentType]

    wide = law("prony", 0.10, 0.0300, moduli=[1.0, 2.0], times=[1.0, 5.0])
    same = law("prony", 0.15, 0.0300, moduli=[1.0], times=[1.0])
    worse = replace(same, fitted=0.0301)
    other = law("maxwell", 0.15, 0.0300)  # of fewer weights, and not contained
    assert simplest_form(wide, [wide, same, other]) is same
    assert simplest_form(wide, [wide, worse, other]) is wide
    assert simplest_form(same, [wide, same]) is same


def test_laws_of_both_kinds_that_predict_alike_are_named():
    def proposal(viscous):
        laws = [ranked("chaboche", 8, 0.030, 0.02), ranked("prony", 4, viscous, 0.02)]
        laws.sort(key=lambda each: each.held_out)
        for each in laws:
            each.law.candidate = Candidate(each.law.candidate.name)
        return SimpleNamespace(ranked=laws, winner=laws[0].law)

    def test_of(response):
        rate = np.where(np.arange(40) < 10, 0.1, 0.0)
        x = np.stack([np.cumsum(rate), rate, np.ones(40)], -1)[None].astype(np.float32)
        y = response(x[..., :1], np.arange(40)[:, None] - 9.0).astype(np.float32)
        return Split("hold", x, y, loading_inputs(), (response_target(),), np.array([""]))

    steady = test_of(lambda strain, time: np.minimum(strain, 0.5))
    relaxing = test_of(lambda strain, time: strain * np.exp(-np.maximum(time, 0) / 20))
    line = rate_warning(proposal(0.037), steady)  # pyright: ignore[reportArgumentType]
    assert line is not None and "chaboche, which does not depend on rate, is 3 % off" in line
    assert "prony, which depends on rate, 3.7 %" in line
    assert rate_warning(proposal(0.037), relaxing) is None  # pyright: ignore[reportArgumentType]
    assert rate_warning(proposal(0.09), steady) is None  # pyright: ignore[reportArgumentType]
    line = rate_warning(proposal(0.025), steady)  # pyright: ignore[reportArgumentType]
    assert line is not None and "prony, which depends on rate, is 2.5 % off" in line


def test_a_second_learnt_curve_is_tried_where_the_first_one_helps():
    def law(candidate, held_out):
        each = ranked(candidate.name, 4, held_out, 0.02)
        each.law.candidate = candidate
        return each

    second = Candidate("relaxation", 2)
    maxwell, first = law(Candidate("maxwell"), 0.30), law(Candidate("relaxation", 1), 0.29)
    assert "no better than the power law" in _needless(second, [maxwell, first])
    assert not _needless(second, [maxwell, law(Candidate("relaxation", 1), 0.2)])
    assert not _needless(second, [maxwell])
    assert not _needless(Candidate("prony", 2), [maxwell, first])
