"""Soundscapes: truth of their events in time, frequency and level."""

from itertools import pairwise

import numpy as np
import pytest

from zoo.data.synthesis.soundscapes import LABELS, PAUSE_S, RATE_HZ, band_power, soundscape


@pytest.fixture(scope="module")
def clips():
    return [soundscape(seed) for seed in range(6)]


def test_events_sound_where_the_truth_says(clips):
    for clip in clips:
        for label in {event.label for event in clip.events}:
            part = clip.parts[label]
            inside = np.zeros(len(part), bool)
            for event in clip.labelled(label):
                first, last = (round(t * RATE_HZ) for t in (event.onset_s, event.offset_s))
                inside[first:last] = True
                assert np.square(part[first:last]).mean() > 0
            # the microphone rings for 60 ms at most
            quiet = ~np.convolve(inside, np.ones(960), "full")[: len(part)].astype(bool)
            assert np.abs(part[quiet]).max(initial=0) <= 1e-6 * np.abs(part).max()


def test_events_of_a_label_keep_apart_and_within_the_clip(clips):
    for clip in clips:
        assert all(0 <= e.onset_s < e.offset_s <= clip.duration_s for e in clip.events)
        for label in LABELS:
            events = clip.labelled(label)
            gaps = [b.onset_s - a.offset_s for a, b in pairwise(events)]
            assert all(gap >= PAUSE_S - 1e-4 for gap in gaps)


def test_the_sum_of_the_parts_is_the_sound(clips):
    for clip in clips:
        np.testing.assert_allclose(
            np.sum(list(clip.parts.values()), axis=0), clip.samples, atol=1e-6
        )


def test_the_ratio_of_events_is_that_asked_for():
    clip = next(
        c
        for c in map(lambda s: soundscape(s, snr_db=(12.0, 12.0)), range(20))
        if c.labelled("tone")
    )
    event = clip.labelled("tone")[0]
    first, last = (round(t * RATE_HZ) for t in (event.onset_s, event.offset_s))
    band = RATE_HZ, event.low_hz, event.high_hz
    ratio = band_power(clip.parts["tone"][first:last], *band) / band_power(
        clip.parts["background"][first:last], *band
    )
    assert 10 * np.log10(ratio) == pytest.approx(12.0, abs=1.5)  # the microphone tilts the band


def test_power_in_a_band_of_a_sine():
    x = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    assert band_power(x, RATE_HZ, 900, 1100) == pytest.approx(0.5)
    assert band_power(x, RATE_HZ, 2000, 3000) == pytest.approx(0, abs=1e-12)


def test_short_soundscapes_are_refused():
    with pytest.raises(ValueError, match="3 or more"):
        soundscape(0, duration_s=1.0)
