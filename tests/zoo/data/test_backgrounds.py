"""Backgrounds: the right ratio, another class, never a clip of another part."""

import numpy as np
import pytest

from zoo.data.backgrounds import add_backgrounds
from zoo.data.synthesis.collection import scene_clips


@pytest.fixture(scope="module")
def clips():
    return scene_clips(
        sites=6, seed=0, scenes=("rain", "speech"), duration_s=0.5, sample_rate_hz=8000
    )


def test_the_background_has_the_ratio_and_comes_from_the_same_part(clips):
    parts = np.repeat([0, 1], len(clips) // 2)
    mixed = add_backgrounds(clips, parts, share=1.0, snr_db=(10, 10), seed=1)
    for row in range(len(clips)):
        other = mixed.source.others[row]
        assert parts[other] == parts[row] and clips.labels[other] != clips.labels[row]
        x = np.array(clips.source[clips.rows[row]], np.float64)
        noise = mixed.source[mixed.rows[row]] - x
        assert 10 * np.log10(np.mean(x**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.01)


def test_without_a_share_or_a_partner_clips_stay(clips):
    for parts, share in ((np.zeros(len(clips)), 0.0), (np.arange(len(clips)), 1.0)):
        mixed = add_backgrounds(clips, parts, share=share)
        np.testing.assert_array_equal(mixed.to_array(), clips.to_array())


def test_parts_of_another_number_are_refused(clips):
    with pytest.raises(ValueError, match=r"Received: 0.3, parts of shape \(3,\)"):
        add_backgrounds(clips, np.zeros(3))
