import numpy as np
import pytest
from keras import ops

from zoo import presets
from zoo.cells.material.base import MaterialCell
from zoo.cells.material.maxwell import MaxwellState
from zoo.data import hysteresis
from zoo.data.maxwell import Material, stress_response
from zoo.identification import fit
from zoo.identification.fit import Search, fit_response, identify
from zoo.identification.response import Response
from zoo.recurrent import recurrent_model

TRUTH = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=3.0)
EXPECTED = {"modulus": 1.5, "exponent": 3.0, "kappa": 0.8 * 1.2**2}
STEPS = 60


class Rich:
    """A walk at many rates, exact stresses, one compiled response for all fits."""

    def __init__(self):
        self.data = hysteresis.split("walk", paths=2, seed=3, steps=STEPS, material=TRUTH)
        self.response = Response(
            presets.material("maxwell").build(self.data.x, self.data.y), self.data.x
        )
        self.first = self.response.start()

    def fit(self, noise=0.0, correlation=0.0, seed=0, starts=1):
        self.response.set_model_weights(self.first)
        even = np.random.default_rng(seed).normal(size=self.data.y.shape)
        for step in range(1, STEPS):
            even[:, step] = (
                correlation * even[:, step - 1] + np.sqrt(1 - correlation**2) * even[:, step]
            )
        return fit_response(self.response, self.data.y + noise * even, search=Search(starts=starts))


@pytest.fixture(scope="module")
def rich():
    return Rich()


@pytest.fixture(scope="module")
def exact(rich):
    return rich.fit(starts=3)


def half_widths(result):
    return np.array([(e.high - e.low) / 2 for e in result.estimates.values()])


def test_exact_data_give_exact_constants(exact):
    for name, expected in EXPECTED.items():
        assert exact.values[name] == pytest.approx(expected, rel=1e-3)


def test_a_perfect_fit_explains_everything(exact, rich):
    assert exact.r2 == pytest.approx(1.0, abs=1e-7)
    np.testing.assert_allclose(exact.fitted, rich.data.y[..., 0], atol=1e-3)


def test_starts_around_the_guess_arrive_at_one_place(exact):
    np.testing.assert_allclose(exact.found.starts, 1.0, rtol=1e-3)


def test_relaxation_time_is_kappa_at_the_stress_scale(exact, rich):
    scale = np.sqrt(np.mean(np.square(rich.data.y, dtype=float)))
    assert exact.values["time"] == pytest.approx(exact.values["kappa"] / scale**2, rel=1e-3)


def test_fitted_weights_are_put_into_the_model(rich):
    result = rich.fit(noise=0.01)
    begin = rich.response.model(rich.data.x[:, :8])["prediction"]
    np.testing.assert_allclose(begin[..., 0], result.fitted[:, :8], atol=1e-5)


def test_intervals_hold_the_truth_and_grow_with_the_noise(rich):
    quiet, loud = rich.fit(noise=0.004, seed=3), rich.fit(noise=0.016, seed=3)
    for name, expected in EXPECTED.items():
        assert loud.estimates[name].low < expected < loud.estimates[name].high
    np.testing.assert_allclose(half_widths(loud) / half_widths(quiet), 4.0, rtol=0.15)
    assert loud.rmse == pytest.approx(0.016, rel=0.2)


def test_interval_of_a_modulus_is_that_of_linear_regression():
    # Almost no time passes, so the stress is E times the strain: regression through the origin.
    rng = np.random.default_rng(0)
    rate, dt = rng.normal(size=(1, 40)), np.full((1, 40), 1e-6)
    strain = np.cumsum(rate * dt, axis=1)
    x = np.stack([strain, rate, dt], axis=-1)
    noise = 0.05 * np.sqrt(np.mean(strain**2)) * rng.normal(size=strain.shape)
    stress = 2.0 * strain + noise
    model = presets.material("prony", moduli=[1.0], times=[1e3]).build(x, stress[..., None])
    result = identify(model, x, stress[..., None], search=Search(starts=1))
    modulus = np.sum(strain * stress) / np.sum(strain**2)
    assert result.values["moduli_1"] == pytest.approx(modulus, rel=1e-3)
    assert any("elastic spring" in line for line in result.warnings)


def test_correlated_noise_widens_intervals_and_is_named(rich):
    even, correlated = rich.fit(noise=0.02), rich.fit(noise=0.02, correlation=0.8)
    assert correlated.effective < 0.3 * correlated.samples
    assert (half_widths(correlated)[:3] > 1.2 * half_widths(even)[:3]).all()
    assert any("neighbouring residuals" in line for line in correlated.warnings)
    assert not any("neighbouring residuals" in line for line in even.warnings)


def test_a_rich_test_draws_only_the_remark_on_kappa(rich):
    warnings = rich.fit(noise=0.005, starts=2).warnings
    assert [line[:25] for line in warnings] == ["no test determines ν0 and"]


def test_one_rate_draws_a_warning():
    dt = np.full((1, STEPS), 0.1)
    rate = np.where(np.arange(STEPS) // 10 % 2, -0.5, 0.5)[None]
    x = np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1)
    y = stress_response(rate, dt, TRUTH)[..., None]
    result = identify(presets.material("maxwell").build(x, y), x, y, search=Search(starts=1))
    assert any("only about one rate" in line for line in result.warnings)


def test_prony_recovers_modulus_and_time_of_a_linear_ramp():
    modulus, time, rate, dt = 2.0, 0.7, 1.5, 0.1
    t = dt * np.arange(1, 41)
    x = np.stack([rate * t, np.full(40, rate), np.full(40, dt)], axis=-1)[None]
    y = (modulus * rate * time * (1 - np.exp(-t / time)))[None, :, None]
    model = presets.material("prony", moduli=[1.0], times=[1.0]).build(x, y)
    result = identify(model, x, y, search=Search(starts=2))
    assert result.values["moduli_1"] == pytest.approx(modulus, rel=1e-5)
    assert result.values["times_1"] == pytest.approx(time, rel=1e-5)


def test_weightless_samples_are_not_compared(rich):
    y, weight = rich.data.y.copy(), np.ones(rich.data.x.shape[:2])
    y[:, 50:], weight[:, 50:] = 99.0, 0.0
    spoiled = Response(
        presets.material("maxwell").build(rich.data.x, y, weight), rich.data.x, weight
    )
    result = fit_response(spoiled, y, search=Search(starts=1))
    assert result.samples == 100
    assert result.values["exponent"] == pytest.approx(3.0, rel=1e-3)


def test_learnt_relaxation_finds_the_power_law():
    data = hysteresis.split("walk", paths=2, seed=2, steps=STEPS, material=TRUTH)
    knots = (0.3, 0.8, 1.6)
    model = presets.material("relaxation", knots=knots, substeps=2).build(data.x, data.y)
    result = identify(model, data.x, data.y, search=Search(starts=1, ridge=1e-3))
    (curve,) = result.curves
    middle = (curve.stress > 0.5) & (curve.stress < 1.2)
    expected = curve.stress**2 / EXPECTED["kappa"]  # γ = |σ|^(m−1)/κ
    np.testing.assert_allclose(curve.rate[middle], expected[middle], rtol=0.1)
    assert (curve.low <= curve.rate).all() and (curve.rate <= curve.high).all()
    assert result.r2 > 0.999


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, y: (x[..., :2], y, None), "`x` must be finite"),
        (lambda x, y: (x, y[:, :-1], None), "`y` must be finite"),
        (lambda x, y: (x, y * np.nan, None), "`y` must be finite"),
        (lambda x, y: (x, y, np.zeros(x.shape[:2])), "count at least one sample"),
        (lambda x, y: (x, y, np.eye(*x.shape[:2])), "more samples"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(rich, spoil, message):
    x, y, weight = spoil(rich.data.x, rich.data.y)
    with pytest.raises(ValueError, match=message) as error:
        identify(rich.response.model, x, y, weight, search=Search(starts=1))
    assert "\n" not in str(error.value)


def test_a_gated_model_is_refused(rich):
    model = presets.recurrent("rnn", layers=1, units=2).build(rich.data.x, rich.data.y)
    with pytest.raises(ValueError, match="one material cell"):
        identify(model, rich.data.x, rich.data.y)


class Spring(MaterialCell):
    """A cell of one's own, of one modulus: σ' = σ + E Δε."""

    State = MaxwellState

    def __init__(self, show=None, **kwargs):
        super().__init__(**kwargs)
        self.state_size = 1
        self.set_visible({"stress": 1}, show)

    def make_weights(self):
        self.log_modulus = self.log_weight("log_modulus", 1.0)

    def step(self, x, state):
        stress = state.stress + ops.exp(self.log_modulus) * x[:, 1:2] * x[:, 2:3]
        return MaxwellState(stress), {"stress": stress}


def test_a_cell_without_physical_names_is_refused_before_any_fit(rich, monkeypatch):
    model = recurrent_model([Spring()], targets=None)
    monkeypatch.setattr(fit, "least_squares", None)  # no search begins
    with pytest.raises(ValueError, match=r"Received: Spring, whose weights have no physical names"):
        identify(model, rich.data.x, rich.data.y)


def prony_test(moduli, times, start, noise=0.0, starts=1):
    """Fit of `start` to exact stress of other branches: σ = Σ E τ ε̇ (1 − e^(−t/τ)) by steps."""
    data = hysteresis.split("walk", paths=2, seed=4, steps=STEPS)
    rate, dt = np.float64(data.x[..., 1]), np.float64(data.x[..., 2])
    stress = np.zeros(rate.shape)
    for modulus, time in zip(moduli, times, strict=True):
        now = np.zeros(len(rate))
        for step in range(STEPS):
            decay = np.exp(-dt[:, step] / time)
            now = decay * now + modulus * time * (1 - decay) * rate[:, step]
            stress[:, step] += now
    stress += noise * np.random.default_rng(0).normal(size=stress.shape)
    model = presets.material("prony", moduli=start[0], times=start[1]).build(
        data.x, stress[..., None]
    )
    return identify(model, data.x, stress[..., None], search=Search(starts=starts))


def assert_possible(result):
    """No impossible statistic: correlations within ±1 and 1 on the diagonal, intervals around."""
    np.testing.assert_array_equal(np.diag(result.correlation), 1.0)
    assert not (np.abs(result.correlation) > 1).any()
    for k, e in enumerate(result.estimates.values()):
        if e.is_determined:
            assert e.low <= e.value <= e.high
        else:
            assert np.isnan([e.low, e.high]).all()
            assert np.isnan(np.delete(result.correlation[k], k)).all()


def test_branches_that_coincide_are_named_and_have_no_interval():
    result = prony_test([2.0], [0.7], ([0.7, 1.3], [0.7, 0.7]))
    assert_possible(result)
    assert not any(result.estimates[f"moduli_{k}"].is_determined for k in (1, 2))
    (line,) = (line for line in result.warnings if "coincide" in line)
    assert line.startswith("branches 1 and 2 coincide (τ1 = 0.7")
    assert "data determine the sum E1 + E2 = 2 MPa only" in line


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_too_many_branches_give_no_impossible_statistics(noise):
    result = prony_test([2.0], [0.7], ([1.0] * 3, [0.07, 0.7, 7.0]), noise, starts=2)
    assert_possible(result)
    assert not all(e.is_determined for e in result.estimates.values())


def test_a_spring_has_a_modulus_and_no_relaxation_time():
    result = prony_test([2.0, 0.5], [0.7, 1e7], ([1.0, 1.0], [0.5, 1e3]), noise=0.01)
    assert_possible(result)
    assert result.estimates["moduli_2"].is_determined
    assert not result.estimates["times_2"].is_determined
    assert any("branch 2 does not relax" in line for line in result.warnings)


def test_every_law_gives_possible_statistics_for_one_rate():
    dt = np.full((1, STEPS), 0.1)
    rate = np.where(np.arange(STEPS) // 10 % 2, -0.5, 0.5)[None]
    x = np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1)
    y = stress_response(rate, dt, TRUTH)[..., None]
    knots = {"knots": (0.3, 1.0), "substeps": 1, "branches": 2}
    for law, settings, ridge in (("maxwell", {}, 0), ("prony", {}, 0), ("relaxation", knots, 0.01)):
        model = presets.material(law, **settings).build(x, y)
        assert_possible(identify(model, x, y, search=Search(starts=1, ridge=ridge)))


@pytest.mark.parametrize("exponent", [0.5, 0.7, 1.0])
def test_exponents_down_to_a_half_are_found(exponent):
    truth = Material(modulus_mpa=1.5, nu0_s=0.8, sigma0_mpa=1.2, exponent=exponent)
    data = hysteresis.split("walk", paths=2, seed=3, steps=STEPS, material=truth)
    model = presets.material("maxwell").build(data.x, data.y)
    result = identify(model, data.x, data.y, search=Search(starts=2))
    assert result.values["exponent"] == pytest.approx(exponent, abs=0.01)
    assert result.values["kappa"] == pytest.approx(truth.kappa, rel=0.01)
    assert any("cannot be told from 1" in line for line in result.warnings) == (exponent == 1)
    assert any("lower end of its range" in line for line in result.warnings) == (exponent == 0.5)
    assert_possible(result)


def profiled(noise, moduli, times, start, seed=0):
    """As `prony_test`, with profiled intervals."""
    data = hysteresis.split("walk", paths=2, seed=4, steps=STEPS)
    stress = sum(
        modulus * linear_stress(np.float64(data.x), time)
        for modulus, time in zip(moduli, times, strict=True)
    )
    stress = stress + noise * np.random.default_rng(seed).normal(size=stress.shape)
    model = presets.material("prony", moduli=start[0], times=start[1]).build(
        data.x, stress[..., None]
    )
    response = Response(model, data.x)
    plain = fit_response(response, stress[..., None], search=Search(starts=1))
    search = Search(starts=1, profile=True)
    return plain, fit.describe_fit(response, stress[..., None], plain.found, search=search)


def linear_stress(x, time):
    """Of a branch of modulus 1, exact by steps."""
    stress, now = np.zeros(x.shape[:2]), np.zeros(len(x))
    for step in range(x.shape[1]):
        decay = np.exp(-x[:, step, 2] / time)
        now = decay * now + time * (1 - decay) * x[:, step, 1]
        stress[:, step] = now
    return stress


def test_profiled_intervals_of_a_small_noise_are_the_asymptotic_ones():
    plain, result = profiled(0.01, [2.0], [0.7], ([1.0], [1.0]))
    for one, other in zip(plain.estimates.values(), result.estimates.values(), strict=True):
        assert (other.low, other.high) == pytest.approx((one.low, one.high), rel=5e-4)
        assert other.value == pytest.approx(one.value, rel=1e-6)
    assert "by profile likelihood" in result.intervals


def test_the_end_of_a_profile_is_where_the_sum_of_squares_has_risen_by_the_threshold():
    # Two constants: the profile over τ has a closed form, E by linear regression.
    _, result = profiled(0.3, [2.0], [0.7], ([1.0], [1.0]), seed=3)
    data = hysteresis.split("walk", paths=2, seed=4, steps=STEPS)
    stress = 2.0 * linear_stress(np.float64(data.x), 0.7)
    stress = (stress + 0.3 * np.random.default_rng(3).normal(size=stress.shape)).ravel()

    def cost(time):
        unit = linear_stress(np.float64(data.x), time).ravel()
        return np.sum((stress - unit * (unit @ stress) / (unit @ unit)) ** 2)

    e = result.estimates["times_1"]
    assert e.is_determined
    lowest = cost(e.value)
    expected = 1.9803**2 * lowest / 118  # t of 118 degrees of freedom
    for end in (e.low, e.high):
        assert cost(end) - lowest == pytest.approx(expected, rel=0.1)


def test_a_relaxation_time_beyond_the_test_has_a_lower_end_only():
    plain, result = profiled(0.02, [2.0, 0.5], [0.7, 1e7], ([1.0, 1.0], [0.5, 1e3]))
    assert np.isnan(plain.estimates["times_2"].low)
    e = result.estimates["times_2"]
    assert e.high == np.inf and 1.0 < e.low < 1e4
    assert e.is_bounded and not e.is_determined
    (line,) = (line for line in result.warnings if "one end only" in line)
    assert line.startswith(f"τ2 has one end only: at least {e.low:.3g} s")
    assert result.estimates["moduli_1"].low < 2.0 < result.estimates["moduli_1"].high
