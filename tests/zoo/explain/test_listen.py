"""Evidence to listen to: everything where all counts, the tone alone where the tone counts."""

import numpy as np
import pytest

from zoo.explain import Explanation, evidence_sound
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
