"""Loading families keep the protocol; inputs are consistent; the answer is the material's."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from zoo.data import hysteresis
from zoo.data.hysteresis import PROTOCOL
from zoo.data.loading import FAMILIES, Loading
from zoo.data.maxwell import Material

PATHS, STEPS = 200, 200
RANGE = {"fine": (0.025 / 8, 0.1 / 8), "coarse": (0.1, 0.4)}
LENGTH = {"long": 2000, "fine": 1600, "coarse": 50}
NAMES = tuple(dict.fromkeys((*FAMILIES, *PROTOCOL)))


def load(name, seed=0, paths=PATHS, **settings) -> Loading:
    return hysteresis.load(name, paths=paths, seed=seed, **settings)


def pieces(rate):
    """Runs of equal rate in one path: rates and how many steps each lasts."""
    starts = np.flatnonzero(np.r_[True, np.abs(np.diff(rate)) > 1e-9])
    return rate[starts], np.diff(np.r_[starts, len(rate)])


def whole_pieces(name):
    """Rate, steps and dt of the pieces that end within their path."""
    loading = load(name)
    parts = []
    for rate, dt in zip(loading.rate, loading.dt, strict=True):
        rates, lasts = pieces(rate)
        parts.append(np.stack([rates, lasts, np.full(len(rates), dt[0])], axis=1)[:-1])
    return np.concatenate(parts).T


def spans(values, low, high, share=0.9):
    """Values lie in the range, log-uniform to the eye: they fill most of it, evenly in the log."""
    place = np.log(values / low) / np.log(high / low)
    assert place.min() >= -1e-9 and place.max() <= 1 + 1e-9
    assert np.ptp(place) > share and abs(np.median(place) - 0.5) < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_every_split_has_the_length_and_the_time_steps_of_the_protocol(name):
    loading = load(name)
    assert {part.shape for part in loading} == {(PATHS, LENGTH.get(name, STEPS))}
    assert all(part.dtype == np.float64 for part in loading)
    if name != "varied":
        np.testing.assert_allclose(loading.dt, np.repeat(loading.dt[:, :1], loading.dt.shape[1], 1))
        spans(loading.dt[:, 0], *RANGE.get(name, (0.025, 0.1)))


@pytest.mark.parametrize("name", NAMES)
def test_strain_is_where_the_rates_have_led(name):
    strain, rate, dt = load(name)
    before = np.pad(strain, ((0, 0), (1, 0)))[:, :-1]
    np.testing.assert_allclose(strain, before + rate * dt, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in PROTOCOL if name != "noise"])
def test_amplitudes_reach_two_and_no_further(name):
    size = np.abs(load(name).strain).max(axis=1)
    assert size.max() <= 2 + 1e-9 and size.max() > 1.9


def test_varied_overshoots_by_one_short_step_at_most():
    assert np.abs(load("varied").strain).max() <= 2 + 8.0 * 0.025


@pytest.mark.parametrize(
    ("name", "low", "high"), (("walk", 0.2, 8.0), ("long", 0.2, 8.0), ("multirate", 0.02, 20.0))
)
def test_walks_go_at_log_uniform_rates_rounded_to_whole_steps(name, low, high):
    rate, lasts, _ = whole_pieces(name)
    # Rounding n steps moves a rate by half a step in n; a piece of one step may be any slower.
    room = 1 + 0.5 / (lasts - 0.5)
    size = np.abs(rate)
    assert (size <= high * (1 + 0.5 / lasts) + 1e-9).all()
    assert (size[lasts > 1] * room[lasts > 1] >= low).all()
    long = lasts >= 5
    assert size[long].min() < 3 * low and np.ptp(np.log(size[long])) > 2


def test_walks_turn_at_points_uniform_in_two():
    """Turning points: mean 0, variance 4/3."""
    loading = load("walk", paths=1000)
    turns = loading.strain[:, :-1][np.abs(np.diff(loading.rate, axis=1)) > 1e-9]
    assert abs(turns.mean()) < 0.05 and np.var(turns) == pytest.approx(4 / 3, rel=0.05)
    assert np.histogram(turns, 8, (-2, 2))[0] == pytest.approx(len(turns) / 8, rel=0.2)


def test_multirate_meets_slow_and_fast_pieces_within_a_path():
    loading = load("multirate")
    ratio = [np.ptp(np.log(np.abs(pieces(rate)[0]))) for rate in loading.rate]
    assert np.median(ratio) > np.log(20)


def test_varied_changes_the_step_in_three_of_four_paths():
    loading = load("varied", dt_range=(0.003, 0.4))
    assert loading.dt.min() >= 0.003 and loading.dt.max() <= 0.4
    sizes = np.array([len(np.unique(np.round(dt, 12))) for dt in loading.dt])
    assert (sizes[np.arange(PATHS) % 4 != 0] > 3).mean() > 0.95
    largest = loading.dt[::4].max(axis=1, keepdims=True)
    assert (np.isclose(loading.dt[::4], largest)).mean() > 0.7, "but for the ends of pieces"
    inside = np.abs(loading.rate)
    assert inside.min() >= 0.2 - 1e-12 and inside.max() <= 8 + 1e-12, "rates are never rounded"


@pytest.mark.parametrize("name", ("triangle", "sine"))
def test_waves_start_at_zero_and_have_period_and_amplitude_of_the_protocol(name):
    """Every path is fitted by amplitude · shape(t / period), sampled."""
    loading = load(name, paths=60)
    shape = {
        "sine": lambda t: np.sin(2 * np.pi * t),
        "triangle": lambda t: np.abs((4 * t + 3) % 4 - 2) - 1,
    }[name]
    amplitudes, periods = [], []
    for strain, dt in zip(loading.strain, loading.dt[:, 0], strict=True):
        t = dt * np.arange(1, STEPS + 1)
        guess = np.exp(np.linspace(np.log(0.98), np.log(8.2), 4000))
        waves = shape(t / guess[:, None])
        size = waves @ strain / np.sum(waves**2, axis=1)
        error = np.abs(strain - size[:, None] * waves).max(axis=1)
        best = np.argmin(error)
        assert error[best] < 0.05 * size[best]
        amplitudes.append(size[best])
        periods.append(guess[best])
    assert min(amplitudes) > 0.49 and max(amplitudes) < 2.01 and np.ptp(amplitudes) > 1.2
    assert np.mean(amplitudes) == pytest.approx(1.25, abs=0.2)
    spans(np.clip(periods, 1, 8), 1, 8, share=0.85)


def test_relaxation_is_one_ramp_and_a_hold():
    strain, rate, dt = load("relaxation", paths=1000)
    holding = rate == 0
    assert (np.diff(holding.astype(int), axis=1) >= 0).all(), "once held, held for good"
    assert holding[:, -1].mean() > 0.9 and not holding[:, 0].any()
    done = holding[:, -1]
    end, speed, steps = strain[done, -1], rate[done, 0], (~holding[done]).sum(axis=1)
    assert np.abs(end).min() >= 0.5 and np.abs(end).max() <= 2
    assert 0.4 < (end > 0).mean() < 0.6, "either way"
    assert (np.abs(speed) <= 8 * (1 + 0.5 / steps)).all() and (np.abs(speed) >= 0.45).all()
    np.testing.assert_allclose(end, speed * steps * dt[done, 0], rtol=1e-9)


@pytest.mark.parametrize("steps", (40, 200))
def test_fine_coarse_and_walk_last_equally_long(steps):
    """dt ÷ 8 with 8 times the steps; dt × 4 with a quarter of them."""
    durations = {
        name: np.median(np.sum(load(name, paths=1000, steps=steps).dt, axis=1))
        for name in ("walk", "fine", "coarse")
    }
    assert durations["fine"] == pytest.approx(durations["walk"], rel=0.1)
    assert durations["coarse"] == pytest.approx(durations["walk"], rel=0.1)
    assert load("long", steps=steps).rate.shape[1] == 10 * steps


def test_fine_paths_are_walks_cut_into_eight():
    rate = load("fine").rate.reshape(PATHS, STEPS, 8)
    np.testing.assert_array_equal(rate, np.repeat(rate[..., :1], 8, axis=-1))


def test_refinement_shares_its_samples():
    coarse, fine = hysteresis.refinement(paths=20, seed=1, factor=8, steps=60)
    assert fine.x.shape == (20, 480, 3)
    np.testing.assert_allclose(fine.x[:, 7::8, 0], coarse.x[..., 0], atol=2e-6)
    np.testing.assert_allclose(fine.y[:, 7::8], coarse.y, atol=1e-6)
    np.testing.assert_allclose(fine.x[:, ::8, 1:] * [1, 8], coarse.x[..., 1:], rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "noise"])
def test_inputs_of_a_split_lead_from_one_sample_to_the_next(name):
    split = hysteresis.split(name, paths=20, seed=0)
    strain, rate, dt = np.moveaxis(split.x.astype(np.float64), -1, 0)
    before = np.pad(strain, ((0, 0), (1, 0)))[:, :-1]
    np.testing.assert_allclose(strain, before + rate * dt, atol=1e-6)
    assert split.x.dtype == split.y.dtype == np.float32
    assert split.y.shape == (*split.x.shape[:2], 1) and split.weight is None
    assert [q.unit for q in split.inputs] == ["-", "1/s", "s"]
    assert len(np.unique(split.groups)) == 20, "every path is its own specimen"


def radau(rate, dt, material):
    stress = [0.0]
    E, nu, sigma, m = (
        material.modulus_mpa,
        material.nu0_s,
        material.sigma0_mpa,
        material.exponent,
    )
    for r, t in zip(rate, dt, strict=True):
        law = solve_ivp(
            lambda _, s, r=r: E * r - s / nu * np.abs(s / sigma) ** (m - 1),
            (0, t),
            stress[-1:],
            method="Radau",
            rtol=1e-9,
            atol=1e-10 * sigma,
        )
        stress.append(law.y[0, -1])
    return np.array(stress[1:])


@pytest.mark.parametrize(
    ("name", "material"),
    (
        *((name, Material()) for name in NAMES),
        ("walk", Material(200.0, 2.0, 50.0, 5.0)),
        ("multirate", Material(3.0, 0.5, 1.0, 1.5)),
    ),
)
def test_stress_is_what_radau_finds(name, material):
    """Also for `noise`: its inputs are noisy, its answer is that of the clean path."""
    loading = load(name, seed=9, paths=2, steps=16)
    split = hysteresis.split(name, paths=2, seed=9, steps=16, material=material)
    for path in range(2):
        expected = radau(loading.rate[path, :48], loading.dt[path, :48], material)
        np.testing.assert_allclose(
            split.y[path, :48, 0], expected, rtol=1e-6, atol=1e-6 * material.sigma0_mpa
        )


def test_noise_is_one_percent_of_each_input_and_none_on_the_answer():
    split = hysteresis.split("noise", paths=PATHS, seed=0)
    clean = hysteresis.simulate("clean", load("noise"), Material())
    np.testing.assert_array_equal(split.y, clean.y)
    noise = (split.x - clean.x).astype(np.float64)
    rms = np.sqrt(np.mean(clean.x.astype(np.float64) ** 2, axis=(0, 1)))
    np.testing.assert_allclose(np.std(noise, axis=(0, 1)) / rms, 0.01, rtol=0.03)
    assert (np.abs(np.mean(noise, axis=(0, 1))) < 3e-4 * rms).all()
    assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.03
    assert split.x[..., 2].min() > 0, "time never runs backwards"


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_arrays_and_another_seed_others(name):
    first, again, other = (
        hysteresis.split(name, paths=5, seed=seed, steps=16) for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.y, again.y)
    for one in first.x:
        assert not any(np.allclose(one, two, atol=1e-4) for two in other.x)


def test_no_split_repeats_the_paths_of_another():
    """`long` and `noise` are walks, but not the walks that were trained on."""
    seen = set()
    for name in NAMES:
        for rate in load(name, paths=20, steps=40).rate[:, 0]:
            seen.add(float(rate))
    assert len(seen) == 20 * len(NAMES)


@pytest.mark.parametrize("name", ("walk", "triangle", "relaxation"))
@pytest.mark.parametrize("exponent", (1.0, 3.0))
def test_turning_the_loading_turns_the_answer(name, exponent):
    loading = load(name, paths=10, steps=50)
    turned = Loading(-loading.strain, -loading.rate, loading.dt)
    material = Material(exponent=exponent)
    there = hysteresis.simulate("there", loading, material)
    back = hysteresis.simulate("back", turned, material)
    np.testing.assert_allclose(back.y, -there.y, rtol=1e-6, atol=1e-9)


def test_the_protocol_holds_its_nine_splits():
    splits = hysteresis.protocol(paths=3, seed=0, steps=8)
    assert set(splits) == {
        *("walk", "triangle", "sine", "relaxation", "multirate"),
        *("long", "fine", "coarse", "noise"),
    }
    assert all(split.name == name and len(split.x) == 3 for name, split in splits.items())
    np.testing.assert_array_equal(
        splits["sine"].x, hysteresis.split("sine", paths=3, seed=0, steps=8).x
    )


def test_the_cycle_of_the_figures_is_a_triangle_from_zero():
    split = hysteresis.cycle()  # its defaults: 1.5, 4 s, two of them, steps of 0.05 s
    t = 0.05 * np.arange(1, 161)
    np.testing.assert_allclose(split.x[0, :, 0], 1.5 * (np.abs((t + 3) % 4 - 2) - 1), atol=1e-6)
    np.testing.assert_allclose(split.x[0, :, 2], 0.05)


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"one of walk, .*, noise\. Received: 'square'"):
        load("square")
