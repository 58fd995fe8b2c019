"""Evidence to listen to: everything where all counts, the tone alone where the tone counts."""

import numpy as np
import pytest

from zoo.explain import Explanation, evidence_sound
from zoo.explain.hierarchy import Patch, Unit
from zoo.explain.listen import patch_sound, unit_sound
from zoo.spectrogram import FrontEnd

RATE = 8000
FRONT = FrontEnd(
    sample_rate_hz=RATE, window_s=0.032, hop_s=0.008, scale="linear", fmin_hz=0, fmax_hz=4000
)
TIME_S = np.arange(RATE) / RATE


def explanation(evidence: np.ndarray) -> Explanation:
    frames = len(evidence)
    times_s = FRONT.times_s(frames)
    return Explanation("a", 0.9, 0 * evidence, evidence, times_s, FRONT.frequencies_hz, None)


def shape() -> tuple[int, int]:
    return FRONT.frames(RATE), FRONT.bands


def test_where_all_counts_alike_the_clip_itself_sounds():
    clip = np.random.default_rng(0).normal(size=RATE)
    sound = evidence_sound(explanation(np.ones(shape())), clip, FRONT)
    np.testing.assert_allclose(sound, clip, atol=1e-3)


def test_where_a_tone_counts_the_rest_is_silent():
    tone = np.sin(2 * np.pi * 1000 * TIME_S) * ((TIME_S > 0.4) & (TIME_S < 0.6))
    clip = tone + 0.5 * np.random.default_rng(0).normal(size=RATE)
    evidence = -np.ones(shape())
    times_s, hz = FRONT.times_s(len(evidence)), FRONT.frequencies_hz
    evidence[np.ix_((times_s > 0.4) & (times_s < 0.6), (hz > 850) & (hz < 1150))] = 2.0
    sound = evidence_sound(explanation(evidence), clip, FRONT)
    inside = (TIME_S > 0.45) & (TIME_S < 0.55)
    assert np.corrcoef(sound[inside], tone[inside])[0, 1] > 0.95
    assert np.abs(sound[(TIME_S < 0.3) | (TIME_S > 0.7)]).max() < 1e-6


def test_nothing_for_the_class_is_silence_and_another_clip_is_refused():
    clip = np.ones(RATE)
    assert not evidence_sound(explanation(-np.ones(shape())), clip, FRONT).any()
    with pytest.raises(ValueError, match="frames of the explanation"):
        evidence_sound(explanation(np.ones(shape())), clip[: RATE // 2], FRONT)


def patch(frames: slice, low_hz: float, high_hz: float) -> Patch:
    hz = FRONT.frequencies_hz
    bands = hz[(hz >= low_hz) & (hz <= high_hz)]
    level = np.zeros((frames.stop - frames.start, len(bands)))
    return Patch(0, 1.0, level, frames, frames.start * 0.008, bands)


def test_a_patch_sounds_as_its_frames_and_bands_of_the_clip():
    low, high = (np.sin(2 * np.pi * hz * TIME_S) for hz in (600, 2000))
    sound = patch_sound(patch(slice(50, 76), 1800, 2200), low + high, FRONT)
    start = 50 * 64 - 128  # frame 50 is centred on sample 3200, windows have 256 samples
    assert len(sound) == 25 * 64 + 256
    inside = slice(200, -200)
    np.testing.assert_allclose(sound[inside], high[start : start + len(sound)][inside], atol=0.02)


def test_the_patches_of_a_unit_follow_each_other_at_one_peak():
    clip = np.sin(2 * np.pi * 1000 * TIME_S) * np.where(TIME_S < 0.5, 1.0, 0.1)
    patches = [patch(slice(10, 30), 800, 1200), patch(slice(80, 100), 800, 1200)]
    sound = unit_sound(Unit("relu1", 3, patches), clip[None], FRONT, max_s=0.1)
    pause, length = round(0.15 * RATE), round(0.1 * RATE)
    assert len(sound) == 3 * pause + 2 * length
    for first in (pause, 2 * pause + length):
        assert np.abs(sound[first : first + length]).max() == pytest.approx(1.0)
    assert not sound[:pause].any() and not sound[pause + length : 2 * pause + length].any()
