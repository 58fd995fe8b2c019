"""Music: chords and a melody on a scale of equal temperament."""

import numpy as np

from zoo.data.synthesis.noise import harmonics
from zoo.data.synthesis.truth import Event, Sound

_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # major, in semitones
_CHORDS = np.array([(0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9)])  # I, IV, V, vi in scale steps


def music(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    tempo_bpm: float = 110.0,
    key: int = 57,
    brightness: float = 0.6,
    decay_s: float = 0.5,
) -> Sound:
    """A chord each bar of four beats and a melody above it, each note with its harmonics.

    A note of number n sounds at f = 440 Hz 2^((n - 69) / 12), its harmonic k as brightness^(k-1),
    and dies away as exp(-t / decay).

    Args:
        rng: where it is drawn from.
        samples: how many.
        sample_rate_hz: [Hz].
        tempo_bpm: beats a minute.
        key: number of the lowest tonic; 57 is A3, 220 Hz.
        brightness: 0 for sines, below 1.
        decay_s: of a note.

    Returns:
        Events "note", each from its fundamental to where its harmonics have fallen by 20 dB.
    """
    duration_s = samples / sample_rate_hz
    beat_s = 60 / tempo_bpm
    total = np.zeros(samples)
    events = []
    at, degree = -rng.uniform(0, 2) * beat_s, int(rng.integers(7))  # a recording starts anywhere
    bar_left, chord = 0.0, _CHORDS[0]
    while at < duration_s:
        if bar_left <= 0:
            chord, bar_left = _CHORDS[rng.integers(len(_CHORDS))], 4.0
            for step in chord:
                events += _note(total, sample_rate_hz, at, 4 * beat_s, key + _pitch(step),
                                0.4, brightness, 2 * decay_s)  # fmt: skip
        beats = (0.5, 0.5, 1.0, 1.0, 2.0)[rng.integers(5)]
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 13))
        note = 12 + key + _pitch(degree)
        loud = rng.uniform(0.6, 1.0)
        events += _note(total, sample_rate_hz, at, beats * beat_s, note, loud, brightness, decay_s)
        at, bar_left = at + beats * beat_s, bar_left - beats
    return Sound(total, events)


def _pitch(step: int) -> int:
    """Semitones of a step of the scale."""
    return int(_SCALE[step % 7] + 12 * (step // 7))


def _note(
    total: np.ndarray,
    sample_rate_hz: float,
    onset_s: float,
    lasts_s: float,
    number: int,
    loudness: float,
    brightness: float,
    decay_s: float,
) -> list[Event]:
    """Add one note to `total`; its event, unless none of it falls into the clip."""
    hz = 440.0 * 2 ** ((number - 69) / 12)
    first = max(0, int(np.ceil(onset_s * sample_rate_hz)))
    last = min(total.size, int((onset_s + lasts_s) * sample_rate_hz))
    if last <= first or hz > 0.45 * sample_rate_hz:
        return []
    t = np.arange(first, last) / sample_rate_hz - onset_s
    audible = 1 + int(np.ceil(np.log(0.1) / np.log(brightness))) if brightness > 0 else 1
    count = max(1, min(audible, 10, int(0.45 * sample_rate_hz / hz)))
    amplitudes = brightness ** np.arange(count)
    envelope = np.exp(-t / decay_s)
    envelope *= np.clip(np.minimum(t / 0.01, (lasts_s - t) / 0.03), 0, 1)
    total[first:last] += loudness * envelope * harmonics(2 * np.pi * hz * t, amplitudes)
    end = last / sample_rate_hz
    return [Event("note", first / sample_rate_hz, end, 0.95 * hz, 1.05 * hz * count)]
