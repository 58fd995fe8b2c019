"""How channels are mixed: thresholds in decibels and of the correlation, with their hysteresis."""

import numpy as np
import pytest

from zoo.edge.channels import ChannelMixer

RATE = 8000


def noise(seed, seconds=1.0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def mixes(mixer, *channels):
    """The mix at the end of what is mixed."""
    mixer.process(np.stack(channels, axis=1).astype(np.float32))
    return mixer.mix


def db(gain):
    return 10 ** (gain / 20)


def test_a_channel_is_dead_40_db_below_the_strongest_and_counts_again_at_30():
    mixer, x, y = ChannelMixer(RATE), noise(0), noise(1)
    mean = (0.5, 0.5)
    for level, weights in ((0, mean), (-39, mean), (-41, (1, 0)), (-31, (1, 0)), (-29, mean)):
        mix = mixes(mixer, x, db(level) * y)
        assert mix.weights == pytest.approx(weights), level
        assert mix.note == ("" if weights == mean else "no sound in channel 2, left out")


def test_the_strongest_of_opposite_channels_is_used_alone():
    """Power of the mean over that of independent ones is 1 + ρ: alone below 0.1, until 0.4."""
    mixer, x, y = ChannelMixer(RATE), noise(0), noise(1)
    y -= x * (x @ y) / (x @ x)
    mean, alone = (0.5, 0.5), (0.0, 1.0)
    for rho, weights in ((0.0, mean), (-0.8, mean), (-0.95, alone), (-0.75, alone), (-0.4, mean)):
        other = 1.1 * (rho * x + np.sqrt(1 - rho**2) * y)
        mix = mixes(mixer, x, other)
        assert mix.weights == pytest.approx(weights), rho
        note = "channels cancel each other, channel 2 is used alone"
        assert mix.note == (note if weights == alone else "")


def test_three_channels_are_averaged_without_the_dead_one():
    mix = mixes(ChannelMixer(RATE), noise(0), 0.0 * noise(1), noise(2))
    assert mix.weights == pytest.approx((0.5, 0.0, 0.5))


def test_levels_that_are_forgotten_after_a_tenth_of_a_second_decide():
    """A power falls by e each 0.1 s: 20 dB in 0.46 s, 40 dB in 0.92 s, blocks of 10 ms."""
    for seconds, is_dead in ((0.85, False), (1.0, True)):
        mixer = ChannelMixer(RATE)
        mixes(mixer, noise(0), noise(1))
        mix = mixes(mixer, noise(2, seconds), 1e-6 * noise(3, seconds))
        assert bool(mix.note) == is_dead


def test_the_mixture_is_the_weighted_sum_and_a_change_is_a_ramp_of_a_block():
    mixer, x = ChannelMixer(RATE), np.ones(RATE)
    x[::2] = -1.0
    first = mixer.process(np.stack([x, x], axis=1).astype(np.float32))
    np.testing.assert_allclose(first, x[: len(first)], atol=1e-6)
    second = mixer.process(np.stack([2 * x, 1e-6 * x], axis=1).astype(np.float32))
    weight = second / (2 * x[: len(second)])  # of the first channel
    assert weight[0] == pytest.approx(0.5, abs=0.01) and weight[-1] == pytest.approx(1.0, abs=1e-3)
    steps = np.diff(weight)
    assert steps.min() > -1e-6 and np.count_nonzero(steps > 1e-6) == pytest.approx(
        RATE // 100, abs=1
    )


def test_a_stream_is_mixed_alike_however_it_is_cut():
    x = np.stack([noise(0), -noise(0) + 0.1 * noise(1), noise(2)], axis=1).astype(np.float32)
    whole = ChannelMixer(RATE)
    expected = whole.process(x)
    cut = ChannelMixer(RATE)
    pieces = [cut.process(piece) for piece in np.split(x, [7, 500, 501, 3000])]
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-6)
    assert cut.mix == whole.mix
