"""Synthetic speech by source and filter, and babble of several talkers."""

from typing import NamedTuple

import numpy as np
from scipy.signal import sosfilt

from zoo.data.synthesis.noise import between, coloured, rms, slow
from zoo.data.synthesis.truth import Event, Sound

# First three formants [Hz] of men's vowels (Peterson and Barney 1952), and their bandwidths.
_VOWELS = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    float,
)
_BANDWIDTHS = np.array([70.0, 100.0, 140.0])


class Voice(NamedTuple):
    """A talker.

    Attributes:
        pitch_hz: mean fundamental [Hz].
        tract: formants over those of an average man.
        syllables_per_s: while talking [1/s].
        fricatives: share of syllables that start with a fricative.
    """

    pitch_hz: float = 120.0
    tract: float = 1.0
    syllables_per_s: float = 4.5
    fricatives: float = 0.4


def draw_voice(rng: np.random.Generator) -> Voice:
    """Draw the voice of a man, a woman or a child."""
    pitch, tract = ((115.0, 1.0), (205.0, 1.17), (270.0, 1.3))[rng.choice(3, p=(0.45, 0.45, 0.1))]
    return Voice(
        pitch_hz=pitch * np.exp(0.12 * rng.standard_normal()),
        tract=tract * rng.uniform(0.94, 1.06),
        syllables_per_s=rng.uniform(3.5, 5.5),
        fricatives=rng.uniform(0.25, 0.55),
    )


def speech(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    voice: Voice = Voice(),  # noqa: B008 (immutable)
) -> Sound:
    """Speech-like syllables in phrases: glottal pulses through three formants, and fricatives.

    Each formant F of bandwidth B is a resonance of two poles (Klatt 1980),
    y_n = x_n + 2 r cos(2 pi F / rate) y_(n-1) - r^2 y_(n-2), r = exp(-pi B / rate).

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        voice: of the talker.

    Returns:
        Events "voiced" and "fricative"; mean power 1 unless it is silent.
    """
    duration_s = samples / sample_rate_hz
    time_s = np.arange(samples) / sample_rate_hz
    syllables = _syllables(rng, duration_s, voice)
    larynx = 0.02 * rng.standard_normal(samples, np.float32).astype(float)
    larynx += _pulses(rng, samples, sample_rate_hz, voice.pitch_hz)
    knots, heights, events = [0.0], [0.0], []
    for on, off, stress, _ in syllables:
        knots += [on, on + 0.03, off - 0.06, off]
        heights += [0.0, stress, 0.7 * stress, 0.0]
    larynx *= np.interp(time_s, knots, heights)
    # Two poles at 100 Hz for the larynx, one zero at 0 Hz for the lips, then the formants.
    sections = np.zeros((4, 6))
    sections[:, 0], sections[:, 3] = 1, 1
    damp = np.exp(-2 * np.pi * 100 / sample_rate_hz)
    sections[0] = (1, -1, 0, 1, -2 * damp, damp**2)
    radius = np.exp(-np.pi * _BANDWIDTHS * voice.tract / sample_rate_hz)
    sections[1:, 5] = radius**2
    state, sound = np.zeros((4, 2)), np.zeros(samples)
    starts = [0, *(int(on * sample_rate_hz) for on, *_ in syllables[1:]), samples]
    for (on, off, _, vowel), first, last in zip(syllables, starts, starts[1:], strict=False):
        formants = np.minimum(_VOWELS[vowel] * voice.tract, 0.45 * sample_rate_hz)
        turn = np.cos(2 * np.pi * formants / sample_rate_hz)
        sections[1:, 4] = -2 * radius * turn
        # Gain 1 at 0 Hz, so that vowels are about equally loud.
        sections[1:, 0] = 1 - 2 * radius * turn + radius**2
        sound[first:last], state = sosfilt(sections, larynx[first:last], zi=state)
        low, high = 0.7 * voice.pitch_hz, formants[2] + 500
        events.append(Event("voiced", on, min(off + 0.03, duration_s), low, high))
    sound /= max(rms(sound), 1e-9)
    hiss, spoken = _fricatives(rng, time_s, sample_rate_hz, syllables, voice)
    sound += hiss
    events = sorted([*events, *spoken], key=lambda event: event.onset_s)
    return Sound(sound / max(rms(sound), 1e-9), events)


def _syllables(
    rng: np.random.Generator, duration_s: float, voice: Voice
) -> list[tuple[float, float, float, int]]:
    """Onset, offset [s], stress and vowel of each; phrases of three to nine, with pauses."""
    syllables, left = [], 0
    at = rng.uniform(0.1, 0.3) * min(1.0, duration_s)
    length_s = 1 / voice.syllables_per_s
    while at + 0.6 * length_s < duration_s or not syllables:
        left = left or int(rng.integers(3, 10))
        voiced_s = length_s * rng.uniform(0.5, 0.9)
        off = min(at + voiced_s, duration_s)
        syllables.append((at, off, rng.uniform(0.5, 1.0), int(rng.integers(len(_VOWELS)))))
        left -= 1
        at += voiced_s + length_s * rng.uniform(0.1, 0.5)
        if not left:
            at += rng.uniform(0.2, 0.7)
    return syllables


def _pulses(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, pitch_hz: float
) -> np.ndarray:
    """Unit pulses (samples,) with a pitch contour, each split between two samples."""
    step = 16  # samples; the pitch changes slowly
    contour = 1 + 0.12 * slow(rng, samples // step + 2, sample_rate_hz / step, 0.8)
    turns = np.cumsum(pitch_hz * step / sample_rate_hz * np.maximum(contour, 0.5))
    place = np.interp(np.arange(1, int(turns[-1])), turns, step * np.arange(turns.size))
    place = place[place < samples - 1]
    first = place.astype(int)
    late = place - first
    train = np.bincount(first, 1 - late, samples)
    train[first + 1] += late
    return train


def _fricatives(
    rng: np.random.Generator,
    time_s: np.ndarray,
    sample_rate_hz: float,
    syllables: list[tuple[float, float, float, int]],
    voice: Voice,
) -> tuple[np.ndarray, list[Event]]:
    high = min(7000.0, 0.48 * sample_rate_hz)
    low = 0.5 * high
    knots, heights, events = [0.0], [0.0], []
    for on, *_ in syllables:
        if rng.uniform() < voice.fricatives:
            length_s = rng.uniform(0.05, 0.11)
            loudness = rng.uniform(0.15, 0.5)
            start, end = max(on - 0.8 * length_s, knots[-1] + 0.001), on + 0.2 * length_s
            knots += [start, (start + end) / 2, end]
            heights += [0.0, loudness, 0.0]
            events.append(Event("fricative", start, end, 0.5 * low, sample_rate_hz / 2))
    if not events:
        return np.zeros(time_s.size), []
    shape = between(low, high, order=6)
    sound = np.interp(time_s, knots, heights)
    active = np.flatnonzero(sound > 0)
    sound[active] *= coloured(rng, active.size, sample_rate_hz, shape)
    return sound, events


def babble(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, *, talkers: int = 6
) -> Sound:
    """Babble: several talkers at once.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        talkers: number of them.

    Returns:
        One event, "babble".
    """
    total = np.zeros(samples)
    for _ in range(talkers):
        talker = speech(rng, samples, sample_rate_hz, voice=draw_voice(rng)).samples
        total += rng.uniform(0.6, 1.0) * np.roll(talker, rng.integers(samples))
    high = min(4500.0, sample_rate_hz / 2)
    return Sound(total, [Event("babble", 0.0, samples / sample_rate_hz, 70.0, high)])
