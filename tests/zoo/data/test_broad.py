"""Loading over decades, and walks changed by one thing at a time."""

import numpy as np
import pytest

from zoo.data import broad, hysteresis
from zoo.data.changed_loading import changed_loading
from zoo.data.loading import Loading, integrate
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange


@pytest.fixture(scope="module")
def paths() -> Loading:
    return broad.broad(np.random.default_rng(0), 600)


def test_broad_is_piecewise_linear_from_its_offset(paths):
    start = paths.strain[:, 0] - paths.rate[:, 0] * paths.dt[:, 0]
    np.testing.assert_allclose(
        np.diff(paths.strain, axis=1), (paths.rate * paths.dt)[:, 1:], atol=1e-9
    )
    shifted = np.abs(start) > 1e-12
    assert 0.25 < shifted.mean() < 0.42  # a third
    assert np.abs(start).max() <= 2


def test_broad_covers_decades_of_step_rate_and_hold(paths):
    assert paths.dt.min() < 1e-5
    assert paths.dt.max() == pytest.approx(0.8, rel=0.05)
    moving = np.abs(paths.rate[paths.rate != 0])
    assert moving.min() < 1e-3
    assert 10 < moving.max() <= 20
    held = np.where(paths.rate == 0, paths.dt, 0.0).sum(axis=1)
    assert held.max() > 60  # [s], within one path
    assert 0.25 < (held > 0).mean() < 0.6


def test_the_relative_weight_makes_paths_of_any_size_count_alike():
    stress = np.array([[1.0, -1.0], [0.1, -0.1], [1e-6, -1e-6]])
    weight = broad.relative_weight(stress, small_rms=0.001)
    share = (weight * stress**2).mean(axis=1)
    assert share[1] == pytest.approx(share[0], rel=0.02)
    assert share[2] < 1e-5 * share[0]  # a path of no load has no relative error to speak of
    assert weight.mean() == pytest.approx(1.0)


def test_a_staircase_has_steps_and_holds():
    loading = broad.staircase(np.random.default_rng(0), 50)
    assert np.abs(loading.strain).max() <= 2 + 1e-9
    assert 0.5 < (loading.rate == 0).mean() < 0.95
    assert np.abs(loading.rate).max() <= 40  # 20 /s, rounded to whole samples


def test_a_long_hold_lasts_200_s():
    loading = broad.long_hold(np.random.default_rng(0), 4)
    assert (loading.rate[:, 40:] == 0).all()
    np.testing.assert_allclose(loading.dt[:, 40:].sum(axis=1), 200.0)


def test_the_exact_law_has_no_error_under_changed_loading():
    material = Material(exponent=2.0)
    splits = changed_loading(material, paths=3)
    assert {"amplitude × 0.01", "hold of 200 s", "time step × 8"} < splits.keys()
    walk = splits["start at strain 1"]
    rate, dt = np.moveaxis(walk.x[..., 1:].astype(np.float64), -1, 0)
    other = hysteresis.simulate("from zero", integrate(rate, dt), material)
    np.testing.assert_allclose(walk.y, other.y, atol=1e-6)  # strain alone changes nothing


def test_a_split_of_broad_has_weights():
    split = hysteresis.split("broad", paths=8, seed=0, steps=20, dt_range=broad.STEPS_S)
    assert split.weight is not None
    assert split.weight.mean() == pytest.approx(1.0, rel=1e-5)


def test_excess_names_what_lies_outside_the_trained_range():
    trained = TrainedRange(amplitude=2.0, rates=(0.2, 8.0), dt_s=(0.025, 0.1))
    inside = np.array([[2.0, 8.0, 0.1], [-2.0, 0.0, 0.025]])
    assert trained.excess(inside) == []
    outside = trained.excess(np.array([[3.0, 0.0, 0.4], [-3.0, 9.0, 0.4]]))
    assert len(outside) == 3
    assert "strain to 3" in outside[0]
    assert "9 /s" in outside[1]
    assert "0.4 s" in outside[2]
    assert "0.001 s" in trained.excess(np.array([[1.0, 1.0, 0.001]]))[0]


def test_every_third_path_of_the_mixture_is_a_staircase():
    loading = broad.broad_and_staircase(np.random.default_rng(0), 60)
    stairs = loading.dt == loading.dt[:, :1]
    third = np.arange(60) % 3 == 2
    assert stairs[third].all()
    assert loading.dt[third].min() >= 0.01 and loading.dt[third].max() <= 0.2
    assert loading.dt.max() > 0.5  # the others keep the steps of `broad`
    assert 0.5 < (loading.rate[third] == 0).mean() < 0.95
    split = hysteresis.split("broad+staircase", paths=6, seed=0, steps=20, dt_range=broad.STEPS_S)
    assert split.weight is not None
