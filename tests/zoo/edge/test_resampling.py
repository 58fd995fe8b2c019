"""Block by block equals at once, and both equal SciPy's and soxr's resamplers."""

import numpy as np
import pytest
import scipy.signal
import soxr

from zoo.edge import Resampler

RATES = (8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000)
TO_HZ = 16_000


def tones(rate_hz, seconds=0.5):
    """Three tones below 3.4 kHz that swell and fade."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * f * t + f) for f in (100.0, 1234.5, 3400.0)) / 4
    return wave * np.sin(np.pi * t / seconds) ** 2


def in_blocks(resampler, x, seed=0):
    """Random blocks, some empty, some longer than all the rest."""
    rng, parts, place = np.random.default_rng(seed), [], 0
    while place < len(x):
        size = int(rng.integers(0, 3000))
        parts.append(resampler.process(x[place : place + size]))
        place += size
    return np.concatenate([*parts, resampler.finish()])


@pytest.mark.parametrize("rate", RATES)
def test_tones_come_out_at_their_own_frequency(rate):
    y = in_blocks(Resampler(rate, TO_HZ), tones(rate).astype(np.float32))
    expected = tones(TO_HZ)
    assert abs(len(y) - len(expected)) <= 1
    count = min(len(y), len(expected))
    np.testing.assert_allclose(y[:count], expected[:count], atol=2e-5)


@pytest.mark.parametrize("rate", RATES)
def test_blocks_equal_scipy_over_the_whole(rate):
    x = np.random.default_rng(1).normal(size=rate // 4).astype(np.float32)
    resampler = Resampler(rate, TO_HZ)
    y = in_blocks(resampler, x)
    # SciPy is handed the same filter, written out at the rate that both rates divide.
    up, down = resampler.up, resampler.down
    slow = min(1.0, up / down)
    half = int(np.ceil(64 / slow)) * up
    t = np.arange(-half, half + 1) / up
    inside = np.clip(1 - (t * slow / 64) ** 2, 0, None)
    filter_ = 0.95 * slow * np.sinc(0.95 * slow * t) * np.i0(10 * np.sqrt(inside)) / np.i0(10)
    filter_[np.abs(t * slow) > 64] = 0
    expected = scipy.signal.resample_poly(x.astype(float), up, down, window=filter_)
    # resample_poly scales its window by `up`, and ours sums to one in each phase
    np.testing.assert_allclose(y, expected[: len(y)] / up, atol=2e-4 * np.abs(y).max())


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_noise_within_the_band_is_that_of_soxr(rate):
    noise = np.random.default_rng(2).normal(size=rate)
    low = scipy.signal.butter(14, 4500, fs=rate, output="sos")
    x = scipy.signal.sosfilt(low, noise).astype(np.float32)
    y = in_blocks(Resampler(rate, TO_HZ), x)
    expected = soxr.resample(x, rate, TO_HZ, quality="HQ")
    middle = slice(500, min(len(y), len(expected)) - 500)
    difference = y[middle] - expected[middle]
    assert np.sqrt(np.mean(difference**2)) < 3e-4 * np.sqrt(np.mean(expected**2))


def test_what_lies_above_the_new_band_is_gone():
    t = np.arange(48_000) / 48_000
    y = in_blocks(Resampler(48_000, TO_HZ), np.sin(2 * np.pi * 9000 * t).astype(np.float32))
    assert np.abs(y[500:-500]).max() < 1e-4  # 80 dB down


def test_the_same_rate_passes_as_it_is():
    x = np.random.default_rng(3).normal(size=5000).astype(np.float32)
    np.testing.assert_array_equal(in_blocks(Resampler(TO_HZ, TO_HZ), x), x)


def test_it_holds_no_more_than_its_window():
    resampler = Resampler(44_100, TO_HZ)
    for _ in range(50):
        resampler.process(np.ones(10_000, np.float32))
        assert len(resampler._input) <= 2 * resampler.reach + 3


def test_reset_is_a_new_stream():
    resampler, x = Resampler(44_100, TO_HZ), np.random.default_rng(4).normal(size=3000)
    first = in_blocks(resampler, x)
    resampler.reset()
    np.testing.assert_array_equal(in_blocks(resampler, x), first)


@pytest.mark.parametrize("rate", [0, -8000, 8000.5, 500, 1_000_000, float("nan")])
def test_rates_out_of_reason_are_refused(rate):
    with pytest.raises(ValueError, match="sample rate of 1000 to 384000 Hz"):
        Resampler(rate, TO_HZ)


@pytest.mark.parametrize("rate", [47_999, 44_101, 16_001, 15_923])
def test_rates_with_little_in_common_keep_tones_within_100_db(rate):
    for hz in (100.0, 1000.0, 5000.0):
        y = in_blocks(Resampler(rate, TO_HZ), np.sin(2 * np.pi * hz * np.arange(rate) / rate))
        assert abs(len(y) - TO_HZ) <= 1
        expected = np.sin(2 * np.pi * hz * np.arange(len(y)) / TO_HZ)
        np.testing.assert_allclose(y[200:-200], expected[200:-200], atol=1e-5)
