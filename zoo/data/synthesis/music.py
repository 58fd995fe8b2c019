"""Synthetic music: chords and a melody on a scale of equal temperament."""

from typing import NamedTuple

import numpy as np

from zoo.data.synthesis.noise import harmonics
from zoo.data.synthesis.truth import Event, Sound

_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # major, in semitones
_CHORDS = np.array([(0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9)])  # I, IV, V, vi in scale steps


class Note(NamedTuple):
    """A note.

    Attributes:
        onset_s: its start in the clip [s].
        duration_s: [s].
        number: of the pitch, 69 for A4.
        loudness: amplitude of its fundamental.
        brightness: ratio of the amplitudes of successive harmonics.
        decay_s: time constant of its decay [s].
    """

    onset_s: float
    duration_s: float
    number: int
    loudness: float
    brightness: float
    decay_s: float


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

    Note number n has the frequency f = 440 Hz 2^((n - 69) / 12), its harmonic k the amplitude
    brightness^(k-1), and it decays as exp(-t / decay).

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        tempo_bpm: beats a minute [1/min].
        key: note number of the lowest tonic; 57 is A3, 220 Hz.
        brightness: 0 (sines) to below 1.
        decay_s: of a note [s].

    Returns:
        Events "note", each from its fundamental to the harmonic that is 20 dB lower.
    """
    duration_s = samples / sample_rate_hz
    beat_s = 60 / tempo_bpm
    total = np.zeros(samples)
    events = []
    start, degree = -rng.uniform(0, 2) * beat_s, int(rng.integers(7))  # a recording starts anywhere
    bar_left, chord = 0.0, _CHORDS[0]
    while start < duration_s:
        if bar_left <= 0:
            chord, bar_left = _CHORDS[rng.integers(len(_CHORDS))], 4.0
            for step in chord:
                note = Note(start, 4 * beat_s, key + _semitones(step), 0.4, brightness, 2 * decay_s)
                events += _add_note(total, sample_rate_hz, note)
        beats = (0.5, 0.5, 1.0, 1.0, 2.0)[rng.integers(5)]
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 13))
        number, loudness = 12 + key + _semitones(degree), rng.uniform(0.6, 1.0)
        note = Note(start, beats * beat_s, number, loudness, brightness, decay_s)
        events += _add_note(total, sample_rate_hz, note)
        start, bar_left = start + beats * beat_s, bar_left - beats
    return Sound(total, events)


def _semitones(step: int) -> int:
    """Semitones of a step of the scale."""
    return int(_SCALE[step % 7] + 12 * (step // 7))


def _add_note(total: np.ndarray, sample_rate_hz: float, note: Note) -> list[Event]:
    """Add one note to `total`; its event, unless none of it is within the clip."""
    hz = 440.0 * 2 ** ((note.number - 69) / 12)
    first = max(0, int(np.ceil(note.onset_s * sample_rate_hz)))
    last = min(total.size, int((note.onset_s + note.duration_s) * sample_rate_hz))
    if last <= first or hz > 0.45 * sample_rate_hz:
        return []
    t = np.arange(first, last) / sample_rate_hz - note.onset_s
    audible = 1
    if note.brightness > 0:
        audible += int(np.ceil(np.log(0.1) / np.log(note.brightness)))
    count = max(1, min(audible, 10, int(0.45 * sample_rate_hz / hz)))
    amplitudes = note.brightness ** np.arange(count)
    envelope = np.exp(-t / note.decay_s)
    envelope *= np.clip(np.minimum(t / 0.01, (note.duration_s - t) / 0.03), 0, 1)
    total[first:last] += note.loudness * envelope * harmonics(2 * np.pi * hz * t, amplitudes)
    end = last / sample_rate_hz
    return [Event("note", first / sample_rate_hz, end, 0.95 * hz, 1.05 * hz * count)]
