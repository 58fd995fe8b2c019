"""Long tests: rows that are left out cost what is said, windows count each row once."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.data.hysteresis import INPUTS, TARGETS
from zoo.data.long_tests import cut_start, cut_windows, fewer_specimens, thin_out
from zoo.data.split import Quantity, Split


def smooth(rows, pad=0, noise=0.0):
    """Two specimens of a sine of 20 periods; the second one is half as long, then padded."""
    t = np.arange(rows) * 0.01
    strain = 0.05 * np.sin(2 * np.pi * 20 * np.arange(rows) / rows)
    stress = 3.0 * strain + noise * np.random.default_rng(0).normal(size=rows)
    x = np.stack([strain, np.gradient(strain, t), np.full(rows, 0.01)], axis=-1)
    weight = np.ones((2, rows), np.float32)
    weight[1, rows // 2 :] = 0.0
    return Split(
        "measured",
        np.stack([x, x]).astype(np.float32),
        np.stack([stress, stress])[..., None].astype(np.float32),
        INPUTS,
        TARGETS,
        np.array(["a", "b"]),
        weight,
    )


def test_a_short_test_stays_as_it_is():
    data = smooth(1000)
    thinned = thin_out(data, max_rows=1000)
    assert thinned.data is data and thinned.every == 1 and thinned.sentence == ""


def test_a_smooth_test_is_thinned_out_and_the_loading_stays():
    data = smooth(20_000)
    thinned = thin_out(data, max_rows=2000)
    assert thinned.every == 10
    assert "20,000 rows, every 10th kept (2,001)" in thinned.sentence
    assert thinned.data.notes[-1] == thinned.sentence
    x, weight = thinned.data.x.astype(np.float64), thinned.data.weight
    np.testing.assert_array_equal(x[0, :2000, 0], data.x[0, ::10, 0])
    np.testing.assert_allclose(x[0, 1:, 2].sum(), 19_999 * 0.01, rtol=1e-5)
    # the slope times the step is the increment, so the path is exact at the kept rows
    np.testing.assert_allclose(x[0, 1:, 1] * x[0, 1:, 2], np.diff(x[0, :, 0]), atol=1e-7)
    assert weight.sum(axis=1).tolist() == [2001, 1001]
    assert not x[1, 1001:, 1].any()  # padding is a hold


def test_rows_that_carry_something_are_kept():
    thinned = thin_out(smooth(4000, noise=0.1), max_rows=1000)
    assert thinned.every == 1 and "all kept" in thinned.sentence
    coarse = smooth(400)  # 20 rows a period: every fourth would cut the peaks
    assert thin_out(coarse, max_rows=100).every in (1, 2)


def test_each_row_counts_once_behind_a_warm_up():
    data = smooth(1000)
    windows = cut_windows(data, length=100, warmup=20)
    assert windows.x.shape[1:] == (100, 3)
    assert windows.weight.sum() == data.weight.sum()
    first = [0, *np.flatnonzero(windows.groups[1:] != windows.groups[:-1]) + 1]
    for k, weight in enumerate(windows.weight):
        assert (weight[:20] > 0).any() == (k in first)
    counted = windows.x[windows.weight > 0][:, 0]
    np.testing.assert_array_equal(counted, data.x[data.weight > 0][:, 0])


def test_windows_without_a_row_that_counts_are_left_out():
    data = smooth(1000)
    data.weight[:] = 0.0
    data.weight[0, 900:] = 1.0
    windows = cut_windows(data, length=100, warmup=20)
    assert set(windows.groups) == {"a"} and windows.weight.sum() == 100


@pytest.mark.parametrize("rows", [10, 100, 101])
def test_a_path_shorter_than_a_window_is_one_window(rows):
    windows = cut_windows(smooth(rows), length=200, warmup=20)
    assert len(windows.x) == 2 and windows.weight.sum() == rows + rows // 2


def test_covariates_stay_where_rows_are_left_out():
    data = smooth(6000)
    levels = np.broadcast_to(np.array([[[25.0]], [[70.0]]], np.float32), (2, 6000, 1))
    inputs = (*INPUTS, Quantity("T", "-", "covariate"))
    warm = replace(data, x=np.concatenate([data.x, levels], axis=-1), inputs=inputs)
    thinned = thin_out(warm, max_rows=2000)
    assert thinned.every > 1
    np.testing.assert_array_equal(thinned.data.x[..., :3], thin_out(data, 2000).data.x)
    assert (thinned.data.x[0, :, 3] == 25).all() and (thinned.data.x[1, :, 3] == 70).all()


def test_of_many_specimens_some_are_kept_spread_evenly():
    one = smooth(100)
    many = replace(
        one,
        x=np.repeat(one.x[:1], 40, axis=0),
        y=np.repeat(one.y[:1], 40, axis=0),
        groups=np.array([f"{k:02d}" for k in range(40)]),
        weight=None,
    )
    few = fewer_specimens(many, 2000)
    assert few.data.groups.tolist()[::19] == ["00", "39"] and len(few.data.x) == 20
    assert few.sentence == "20 of 40 specimens, spread evenly"
    assert fewer_specimens(many, 4000).data is many
    assert len(fewer_specimens(many, 10).data.x) == 10


def test_the_start_of_a_test_says_how_much_of_the_loading_it_covers():
    start = cut_start(smooth(400), rows=10)
    assert start.data.x.shape[1] == 10 and len(start.data.x) == 2
    assert start.sentence == "the first 10 of 400 rows, which cover 50 % of the range of the strain"
