import dataclasses
import json
import math

import numpy as np
import pytest

from zoo import certificate
from zoo.certificate import measures
from zoo.data import hysteresis, probes
from zoo.data.maxwell import Material, stress_response
from zoo.metrics import regression

TRAINED = probes.TrainedRange(steps=24)
TAU = 0.7  # [s]
NEEDS_TRUTH = ["loop area", "in range", "length", "rate", "amplitude", "time step"]


def linear_maxwell(x):
    """σ' = e^(−Δt/τ) σ + τ (1 − e^(−Δt/τ)) ε̇, exact on straight pieces; E = 1."""
    rate, dt = np.float64(x[..., 1]), np.float64(x[..., 2])
    stress, now = np.empty(rate.shape), np.zeros(len(x))
    for step in range(x.shape[1]):
        decay = np.exp(-dt[:, step] / TAU)
        now = decay * now + TAU * (1 - decay) * rate[:, step]
        stress[:, step] = now
    return stress[..., None].astype(np.float32)


def power_law(x):
    return stress_response(x[..., 1], x[..., 2], Material())[..., None]


def elastic(x):
    return x[..., :1]


def negative_viscosity(x):
    return x[..., :1] - 0.45 * x[..., 1:2]


def counting(x):
    return x[..., :1] + 0.01 * np.arange(1, x.shape[1] + 1)[None, :, None]


def loading(trained=TRAINED, paths=5):
    short, long, ramp = probes.ramps_and_holds(trained, times=4)
    cycles, period = probes.triangles(trained)
    beyond = probes.beyond(trained, paths=paths, seed=1)
    return certificate.Probes(
        walks=probes.walks(trained, paths=paths, seed=0),
        holds=certificate.Hold(short, long, ramp, probes.HOLD_FACTOR),
        cycles=certificate.Cycles(cycles, period),
        beyond=beyond,
    )


LOADING = loading()


def certified(law, truth=linear_maxwell, modulus=1.0):
    return certificate.run_checks(law, LOADING, truth=truth, modulus=modulus)


def values(result):
    return {check.name: check.value for check in result.checks}


def by_result(result, passed):
    return [check.name for check in result.checks if check.passed is passed]


def straight(rates, dt):
    rate = np.array([rates], float)
    return np.stack([np.cumsum(rate * dt, axis=1), rate, np.full_like(rate, dt)], -1)


@pytest.mark.parametrize("law", [linear_maxwell, power_law], ids=["linear", "power law"])
def test_an_exact_material_passes_every_check(law):
    result = certified(lambda x: law(x).astype(np.float32), truth=law)
    assert by_result(result, True) == list(certificate.LIMITS)
    assert result.passed
    errors = [values(result)[name] for name in ("self-consistency", *NEEDS_TRUTH)]
    assert max(errors) < 3e-6  # single precision


def test_a_wrong_law_of_the_right_kind_fails_only_against_the_truth():
    result = certified(linear_maxwell, truth=power_law)
    assert by_result(result, False) == NEEDS_TRUTH
    assert not result.passed


def test_an_elastic_law_is_self_consistent_and_does_not_dissipates():
    result = certified(elastic)
    result = values(result)
    for name in ("causality", "self-consistency", "hold growth", "hold in longer steps"):
        assert result[name] == 0
    assert result["negative dissipation"] == 0
    assert result["cycle work"] < 1e-7
    assert result["loop area"] == pytest.approx(1, abs=1e-6)  # it encloses nothing
    net, exchanged, change = measures.cycle_work(LOADING.cycles, elastic(LOADING.cycles.x))
    np.testing.assert_allclose(net, 0, atol=1e-7)
    np.testing.assert_allclose(change, 0, atol=1e-6)
    amplitude = np.abs(LOADING.cycles.x[..., 0]).max(axis=1)
    np.testing.assert_allclose(exchanged, 2 * amplitude**2, rtol=1e-5)  # 4 × A²/2


def test_against_an_elastic_truth_loop_area_is_skipped():
    result = certified(elastic, truth=elastic)
    (check,) = (check for check in result.checks if check.name == "loop area")
    assert check.passed is None and "enclose no area" in check.meaning
    assert result.passed


def test_a_law_that_makes_energy_fails_the_audit_of_dissipation():
    result = certified(negative_viscosity)
    failed = by_result(result, False)
    assert {"cycle work", "negative dissipation"} <= set(failed)
    # Sum of −η ε̇² Δt by the trapezium; of the 4q steps of a cycle, two follow a turn and give 0.
    rate, dt = np.abs(LOADING.cycles.x[:, 0, 1]), LOADING.cycles.x[:, 0, 2]
    expected = -0.45 * rate**2 * dt * (LOADING.cycles.period - 2)
    net, exchanged, _ = measures.cycle_work(LOADING.cycles, negative_viscosity(LOADING.cycles.x))
    np.testing.assert_allclose(net, expected, rtol=1e-4)
    assert values(result)["cycle work"] == pytest.approx((-expected / exchanged).max(), rel=1e-4)


def test_share_of_negative_dissipation_equals_the_one_counted_by_hand():
    # Up to 1 in ten steps, back in ten. Only the first step and the one after the turn change the
    # rate; in both more is stored than put in. In the fifth, stress changes sign: not checked.
    x = straight([1.0] * 10 + [-1.0] * 10, 0.1)
    stress = negative_viscosity(x)
    assert stress[0, 3, 0] < 0 < stress[0, 4, 0]
    assert measures.negative_dissipation(x, stress, 1.0) == pytest.approx(2 / 19)
    assert measures.negative_dissipation(x, elastic(x), 1.0) == 0


def test_a_wrong_modulus_shows_as_dissipation_where_there_is_none():
    x = straight([1.0] * 10 + [-1.0] * 10, 0.1)
    # D = σ̄ Δε (1 − E/E'), E' = 1/2 stores twice: lost on the way up, result on the way down.
    assert measures.negative_dissipation(x, elastic(x), 0.5) == pytest.approx(1 / 2)


def test_a_learnt_modulus_is_not_held_against_a_passive_model():
    assert values(certified(lambda x: 1.01 * linear_maxwell(x)))["negative dissipation"] == 0


@pytest.mark.parametrize("factor", certificate.FACTORS)
def test_a_law_that_counts_steps_is_inconsistent_by_the_amount_computed_by_hand(factor):
    # At shared times the counts are j and factor · j, j = 1 … n.
    n = LOADING.walks.shape[1]
    expected = 0.01 * (factor - 1) * math.sqrt((n + 1) * (2 * n + 1) / 6)
    result = certified(counting, truth=elastic)
    size = np.sqrt(np.mean(LOADING.walks[..., 0] ** 2))
    assert result.refinement[factor] == pytest.approx(expected / size, rel=1e-5)
    assert "self-consistency" in by_result(result, False)


def test_a_hold_in_longer_steps_changes_a_counting_law_by_the_amount_computed_by_hand():
    holds = LOADING.holds
    n = holds.longer.shape[1] - holds.ramp.max()
    lag = 0.01 * (holds.factor - 1) * math.sqrt((n + 1) * (2 * n + 1) / 6)
    start = holds.x[np.arange(len(holds.ramp)), holds.ramp - 1, 0] + 0.01 * holds.ramp
    expected = lag / np.sqrt(np.mean(start**2))
    result = measures.hold_change(counting(holds.x), counting(holds.longer), holds)
    assert result == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("stress", "growth"),
    [
        ([0.5, 2.0, 1.5, 1.0], 0.0),
        ([0.5, 2.0, 1.5, 2.5], 1.0),
        ([-0.5, -2.0, -2.0, -3.0], 1.0),
        ([0.5, 2.0, 0.5, -1.0], 0.5),  # relaxes through zero and grows on the other side
    ],
)
def test_growth_in_a_hold_is_the_rise_above_an_earlier_value(stress, growth):
    result = measures.hold_growth(np.array(stress)[None, :, None], np.array([2]))
    assert result == pytest.approx(growth / 2.0)


def test_a_hold_that_grows_fails():
    def creeping(x):  # σ = ε (1 + 0.01 t)
        return x[..., :1] * (1 + 0.01 * np.cumsum(x[..., 2:], axis=1))

    result = certified(creeping)
    assert "hold growth" in by_result(result, False)
    x, ramp = LOADING.holds.x, LOADING.holds.ramp
    end, dt = np.abs(x[:, -1, 0]), x[0, 0, 2]
    growth = 0.01 * end * dt * (x.shape[1] - ramp)
    start = end * (1 + 0.01 * dt * ramp)
    expected = growth.max() / np.sqrt(np.mean(start**2))
    assert values(result)["hold growth"] == pytest.approx(expected, rel=1e-4)


def test_a_law_that_uses_future_input_is_not_causal():
    def centred(x):
        return np.cumsum(x[:, ::-1, :1], axis=1)[:, ::-1]

    assert "causality" in by_result(certified(centred), False)


def test_cycles_that_never_settle_are_not_certified():
    def drifting(x):
        return linear_maxwell(x) * np.exp(0.05 * np.arange(x.shape[1]))[None, :, None]

    (check,) = (c for c in certified(drifting).checks if c.name == "cycle work")
    assert check.passed is None
    assert "no cycle is steady" in check.meaning


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_range_of_one_side_is_not_left_to_the_other(side):
    x = straight([0.5 * side] * 8 + [-0.5 * side] * 7, 0.1)
    trained = probes.TrainedRange.of(x)
    assert trained.ends == pytest.approx((0.0, 0.4) if side > 0 else (-0.4, 0.0))
    probe = loading(dataclasses.replace(trained, steps=24), paths=6)
    paths = [probe.walks, probe.holds.x, probe.holds.longer, probe.cycles.x]
    paths += [x for sweep in probe.beyond.values() for x in sweep.paths.values()]
    for path in paths:
        assert (side * path[..., 0]).min() >= -1e-5
    assert (side * probe.walks[..., 0]).max() <= 0.4 + 1e-5
    cycles = probe.cycles
    peaks = cycles.x[np.arange(len(cycles.period)), cycles.period // 2 - 1, 0]
    np.testing.assert_allclose(peaks, side * np.tile([0.1, 0.2, 0.4], 2), rtol=1e-4)
    ends = np.take_along_axis(cycles.x[..., 0], cycles.period[:, None] - 1, axis=1)
    np.testing.assert_allclose(ends, 0, atol=1e-6)
    # a model that fails in the other direction only is none of the certificate's business
    result = certificate.run_checks(
        lambda x: np.where(side * x[..., :1] < -1e-4, np.nan, elastic(x)), probe
    )
    assert result.passed


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (-0.9, 1.0, None),
        (-0.5, 1.0, (-0.5, 1.0)),
        (-0.02, 1.0, (0.0, 1.0)),
        (-1.0, 0.0, (-1.0, 0.0)),
    ],
)
def test_offset_and_noise_make_no_second_side(low, high, ends):
    strain = np.array([[0.0, high, low, 0.0] * 4])
    rate = np.diff(strain, prepend=0.0) / 0.1
    x = np.stack([strain, rate, np.full_like(strain, 0.1)], -1)
    assert probes.TrainedRange.of(x).strain == ends


@pytest.mark.parametrize(
    ("strain", "told"),
    [
        (None, "strain to -1.2 (trained within ±1)"),
        ((0.0, 1.0), "strain to -1.2 (trained from 0 to 1)"),
        ((-0.5, 1.0), "strain to -1.2 (trained from -0.5 to 1)"),
        ((-1.2, 0.0), "strain to 0.5 (trained from -1.2 to 0)"),
    ],
)
def test_either_side_of_the_trained_strain_is_told(strain, told):
    size = max(map(abs, strain or (1.0,)))
    trained = probes.TrainedRange(
        steps=8, amplitude=size, rates=(1.0, 99.0), dt_s=(0.1, 0.1), strain=strain
    )
    assert trained.excess(straight([5.0, -17.0], 0.1)) == [told]
    inside = [0.5 * end / 0.1 for end in trained.ends]
    assert trained.excess(straight([inside[0], -inside[0], inside[1]], 0.1)) == []


def test_covariates_beyond_training_are_told_and_units_are_those_of_the_loading():
    force = straight([100.0, -100.0] * 4, 0.1)
    x = np.concatenate([np.repeat(force, 2, 0), np.ones((2, 8, 1))], -1)
    x[0, :, 3], x[1, :, 3] = 20.0, 60.0
    trained = probes.TrainedRange.of(x)
    assert trained == probes.TrainedRange.from_entry(trained.entry())
    assert trained.covariates == ((20.0, 60.0),)
    names = ("force", "N"), ("temperature",)
    assert trained.excess(x, *names) == []
    x[..., :2] *= 3
    x[1, :, 3] = 150
    assert trained.excess(x, *names) == [
        "force to 30 N (trained from 0 to 10 N)",
        "rates to 300 N/s (trained to 100 N/s)",
        "temperature 150 (trained from 20 to 60)",
    ]


def test_a_range_must_hold_rest():
    with pytest.raises(ValueError, match="must hold strain 0"):
        probes.TrainedRange(amplitude=1.0, strain=(0.2, 1.0))


@pytest.mark.parametrize("answer", [np.nan, 0.0, np.inf])
def test_a_model_without_an_answer_fails_and_its_entry_is_json(answer):
    result = certified(lambda x: np.full_like(x[..., :1], answer), truth=None)
    assert not result.passed
    assert "self-consistency" in by_result(result, False)
    entry = result.entry()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert entry["self-consistency"] == {"value": None, "threshold": 1e-2, "passed": False}


def test_without_a_true_law_what_needs_it_is_skipped_and_says_so():
    result = certified(linear_maxwell, truth=None, modulus=None)
    assert by_result(result, None) == ["negative dissipation", *NEEDS_TRUTH]
    assert all(c.meaning.startswith("skipped: ") for c in result.checks if c.passed is None)
    assert result.passed and result.beyond == {}
    assert list(values(result)) == list(certificate.LIMITS)


def test_refined_paths_are_the_same_paths():
    x = probes.walks(TRAINED, paths=3, seed=2)
    fine = certificate.refine(x, 4)
    assert fine.shape == (3, 4 * x.shape[1], 3)
    np.testing.assert_allclose(fine[:, 3::4, 0], x[..., 0], atol=1e-6)
    np.testing.assert_allclose(
        np.cumsum(fine[..., 1] * fine[..., 2], axis=1), fine[..., 0], atol=2e-6
    )


def test_the_worst_error_is_that_of_the_checked_range():
    errors = {0.5: 7.0, 1.0: 1.0, 2.0: 2.0, 4.0: 3.0, 8.0: 9.0}
    assert certificate.ErrorSweep(errors, (1, 2), (1, 4), "s").worst == 3.0
    assert math.isnan(certificate.ErrorSweep(errors | {2.0: np.nan}, (1, 2), (1, 4), "s").worst)


def test_a_model_that_fails_far_outside_its_range_only_is_not_failed_for_it():
    # Right up to twice the longest Δt, which is 0.2 s, and zero beyond.
    result = certified(lambda x: linear_maxwell(x) * (x[..., 2:] < 0.25))
    assert result.passed
    errors = list(result.beyond["time step"].errors.values())
    assert max(errors[:-1]) < 1e-6 and errors[-1] == pytest.approx(1)


def test_refinement_of_arrays_equals_that_of_the_simulator():
    coarse, fine = hysteresis.refinement(paths=4, seed=2, factor=8, steps=30)

    def midpoint(x):  # of the linear solid: it errs with Δt
        stress, now = [], 0.0
        for rate, dt in np.moveaxis(np.float64(x[..., 1:]), 1, 0).transpose(0, 2, 1):
            now = (now * (1 - dt / 2) + rate * dt) / (1 + dt / 2)
            stress.append(now)
        return np.stack(stress, axis=1)[..., None]

    expected = regression.self_consistency(midpoint, coarse.x, fine.x, 8, coarse.y)
    refined = certificate.refine(coarse.x, 8)
    result = regression.self_consistency(midpoint, coarse.x, refined, 8, coarse.y)
    assert expected > 1e-4
    assert result == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_probes_stay_in_the_range_they_are_for(scale):
    trained = probes.TrainedRange(64, 2 * scale, (0.2 * scale, 8 * scale), (0.025, 0.1))
    probe = loading(trained, paths=4)
    for x in (probe.walks, probe.holds.x, probe.cycles.x):
        assert np.abs(x[..., 0]).max() <= trained.amplitude * 1.001
        assert np.abs(x[..., 1]).max() <= trained.rates[1] * 1.6  # whole steps round a rate
        assert trained.dt_s[0] * 0.999 <= x[..., 2].min() <= x[..., 2].max() <= 0.1 * 1.001
        np.testing.assert_allclose(
            np.cumsum(x[..., 1] * x[..., 2], axis=1), x[..., 0], atol=1e-4 * scale
        )
    cycles = probe.cycles
    peaks = cycles.x[np.arange(len(cycles.period)), cycles.period // 4 - 1, 0]
    np.testing.assert_allclose(peaks, np.tile([0.5, 1.0, 2.0], 2) * scale, rtol=1e-5)
    times = [x[0, :, 2].sum() for x in probe.beyond["time step"].paths.values()]
    np.testing.assert_allclose(times, 64 * 0.05, rtol=0.1)  # one duration


def test_a_range_is_read_off_training_data_and_survives_json():
    x = straight([0.0] * 4 + [2.0] * 6 + [-0.5] * 10, 0.1).repeat(3, axis=0)
    trained = probes.TrainedRange.of(x)
    assert trained.strain == (0.0, pytest.approx(1.2))
    assert trained.steps == 20
    assert trained.amplitude == pytest.approx(1.2)
    assert trained.rates == pytest.approx((0.5, 2.0))
    assert trained.dt_s == pytest.approx((0.1, 0.1))
    assert probes.TrainedRange.from_entry(json.loads(json.dumps(trained.entry()))) == trained


def test_no_range_can_be_read_off_data_at_rest():
    with pytest.raises(ValueError, match="must move"):
        probes.TrainedRange.of(straight([0.0] * 9, 0.1))


@pytest.mark.parametrize("entry", [{}, {"steps": 200}, [], None, {"steps": "many"}])
def test_a_broken_range_is_refused_in_one_line(entry):
    with pytest.raises(ValueError) as caught:
        probes.TrainedRange.from_entry(entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"steps": 3}, {"amplitude": 0.0}, {"rates": (2.0, 1.0)}])
def test_an_impossible_range_is_refused(wrong):
    with pytest.raises(ValueError, match="trained range"):
        dataclasses.replace(TRAINED, **wrong)
