"""Sequences of scenes: the truth is where the sound changes."""

import numpy as np
import pytest

from zoo.data.sequences import scene_sequence

RATE, HOP = 1000, 10
# three classes that differ in level; the second has no clips
POOL = [[np.full(700, 0.1)], [], [np.full(3000, 0.5), np.full(400, 0.5)], [np.full(900, 0.9)]]
LEVELS = np.array([0.1, np.nan, 0.5, 0.9])


def draw(seed=0, pool=POOL):
    rng = np.random.default_rng(seed)
    return scene_sequence(pool, rng, scenes=6, duration_s=(1, 2), hop=HOP, sample_rate_hz=RATE)


def test_the_truth_is_what_sounds_once_the_fade_is_over():
    sequence = draw()
    hops = sequence.samples.reshape(-1, HOP)
    assert len(hops) == len(sequence.truth)
    settled = np.ones(len(hops), bool)
    starts = np.round(np.append(0, sequence.changes_s) * RATE / HOP).astype(int)
    assert len(starts) == 6
    for start in starts[1:]:
        settled[start : start + 5] = False  # 50 ms
    np.testing.assert_allclose(
        hops[settled], np.repeat(LEVELS[sequence.truth[settled]], HOP).reshape(-1, HOP), rtol=1e-5
    )
    assert (np.diff(starts) >= 100).all() and (np.diff(starts) <= 200).all()


def test_it_is_drawn_from_its_generator():
    np.testing.assert_array_equal(draw(3).samples, draw(3).samples)
    assert draw(3).samples.shape != draw(4).samples.shape


def test_one_class_makes_no_sequence():
    with pytest.raises(ValueError, match=r"two classes or more\. Received: 1"):
        draw(pool=[[np.ones(10)], []])
