"""Synthetic breath through a stethoscope: flow noise, wheezes, rhonchi, crackles, heart sounds."""

from typing import NamedTuple

import numpy as np

from zoo.data.synthesis.noise import band_of, coloured, harmonics, slow
from zoo.data.synthesis.patients import ADVENTITIOUS, Patient, draw_phases
from zoo.data.synthesis.scenes import clip_length, mix_parts
from zoo.data.synthesis.seeds import stream
from zoo.data.synthesis.truth import Clip, Event, Sound

_LEVEL = 0.03  # root mean square of inspiration
Phases = list[tuple[str, float, float]]  # name, onset [s], offset [s]


class Tone(NamedTuple):
    """A gliding tone, f(t) = hz 2^(glide (t / duration - 1/2)).

    Attributes:
        onset_s: its start in the clip [s].
        duration_s: [s].
        hz: fundamental in the middle [Hz].
        glide: change of frequency from start to end [octave].
        amplitudes: (harmonics,).
    """

    onset_s: float
    duration_s: float
    hz: float
    glide: float
    amplitudes: np.ndarray


def breath(
    patient: Patient, *, seed: int, duration_s: float = 15.0, sample_rate_hz: float = 4_000
) -> Clip:
    """Synthetic recording of a patient, the same for the same arguments.

    Args:
        patient: see `draw_patient`.
        seed: of this recording, 0 or more.
        duration_s: length, at least 2 [s].
        sample_rate_hz: at least 4000 [Hz].

    Returns:
        The clip, labelled with the patient's condition, which occurs at least once. Events
        "inspiration", "expiration", "heart", "wheeze", "rhonchus", "crackle"; `parts` by source.

    Raises:
        ValueError: a length or rate out of range.
    """
    samples = clip_length(duration_s, sample_rate_hz, min_duration_s=2.0, min_rate_hz=4000)
    rng = stream(seed, "breath", patient.name, patient.condition)
    breaths = draw_phases(rng, patient, duration_s)
    sources = {
        "breath": _flow(rng, samples, sample_rate_hz, patient, breaths),
        "heart": _heart(rng, samples, sample_rate_hz, patient),
    }
    makers = {"wheeze": _wheezes, "rhonchus": _rhonchi, "crackle": _crackles}
    for name in ADVENTITIOUS[patient.condition]:
        sources[name] = makers[name](rng, samples, sample_rate_hz, patient, breaths)
    noise = coloured(rng, samples, sample_rate_hz, lambda hz: 1 + (150 / hz) ** 2)
    sources["noise"] = Sound(10 ** (patient.noise_db / 20) * noise, [])
    parts = {
        name: _LEVEL * patient.stethoscope(sound.samples, sample_rate_hz)
        for name, sound in sources.items()
    }
    events = [event for sound in sources.values() for event in sound.events]
    return mix_parts(parts, events, sample_rate_hz, label=patient.condition, group=patient.name)


def _flow(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, breaths: Phases
) -> Sound:
    """Noise whose amplitude follows the flow of air, half a sine period in each phase."""

    def spectrum(hz: np.ndarray) -> np.ndarray:
        return 1 / ((1 + (60 / hz) ** 4) * (1 + (hz / patient.corner_hz) ** patient.rolloff))

    low, high = band_of(spectrum, sample_rate_hz)
    envelope, events = np.full(samples, 0.02), []
    for name, on, off in breaths:
        loudness = 1.0 if name == "inspiration" else 10 ** (patient.expiration_db / 20)
        window, t = _window(on, off, samples, sample_rate_hz)
        envelope[window] += loudness * rng.uniform(0.85, 1.15) * np.sin(np.pi * t)
        events.append(_event(name, on, off, low, high, samples / sample_rate_hz))
    return Sound(np.sqrt(2) * envelope * coloured(rng, samples, sample_rate_hz, spectrum), events)


def _wheezes(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, breaths: Phases
) -> Sound:
    """Gliding tones of 0.15 s and more, with up to three harmonics below 1000 Hz."""
    hz = patient.wheeze_hz
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    for _, on, off in _draw_phases(rng, breaths, "expiration", (0.8, 0.15), duration_s, 0.3):
        length_s = rng.uniform(0.15, min(0.9 * (off - on), 1.2))
        start = rng.uniform(on, off - length_s)
        glide = rng.uniform(-0.25, 0.15)  # octaves
        fundamental = float(np.clip(hz * np.exp(0.06 * rng.standard_normal()), 115, 830))
        count = max(1, min(int(rng.integers(1, 4)), int(1000 / (fundamental * 1.2))))
        amplitudes = rng.uniform(0.2, 0.6) ** np.arange(count)
        tone = Tone(start, length_s, fundamental, glide, amplitudes)
        events.append(_add_tone("wheeze", total, rng, sample_rate_hz, tone))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _rhonchi(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, breaths: Phases
) -> Sound:
    """Low tones with all harmonics below 300 Hz."""
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    for _, on, off in _draw_phases(rng, breaths, "expiration", (0.8, 0.4), duration_s, 0.3):
        length_s = rng.uniform(0.2, min(0.9 * (off - on), 1.2))
        start = rng.uniform(on, off - length_s)
        fundamental = patient.rhonchus_hz * np.exp(0.05 * rng.standard_normal())
        count = max(1, int(290 / (fundamental * 1.1)))
        amplitudes = 0.8 ** np.arange(count)
        glide = rng.uniform(-0.1, 0.1)
        tone = Tone(start, length_s, fundamental, glide, amplitudes)
        events.append(_add_tone("rhonchus", total, rng, sample_rate_hz, tone))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _add_tone(
    label: str, total: np.ndarray, rng: np.random.Generator, sample_rate_hz: float, tone: Tone
) -> Event:
    """Add a tone of root mean square near 1 to `total`; its event."""
    first = int(tone.onset_s * sample_rate_hz)
    size = min(int(tone.duration_s * sample_rate_hz), total.size - first)
    s = np.arange(size) / size
    vibrato = 1 + 0.008 * slow(rng, size, sample_rate_hz, 0.15)
    hz = tone.hz * 2 ** (tone.glide * (s - 0.5)) * vibrato
    phase = 2 * np.pi * np.cumsum(hz) / sample_rate_hz + rng.uniform(0, 2 * np.pi)
    edge = min(0.03, 0.15 * tone.duration_s) / tone.duration_s
    envelope = np.clip(np.minimum(s / edge, (1 - s) / edge), 0, 1)
    envelope *= 1 + 0.15 * np.sin(np.pi * s)
    scale = np.sqrt(2 / np.sum(tone.amplitudes**2))
    total[first : first + size] += scale * envelope * harmonics(phase, tone.amplitudes)
    low, high = 0.95 * hz.min() - 5, 1.05 * hz.max() * len(tone.amplitudes) + 5
    end = (first + size) / sample_rate_hz
    return Event(label, tone.onset_s, end, float(low), float(high))


def crackle_wave(sample_rate_hz: float, duration_s: float, sharpness: float = 0.13) -> np.ndarray:
    """One crackle: two cycles of growing width and falling amplitude (Kiyokawa et al. 2001).

    y(s) = sin(4 pi s^a) (1 + cos(2 pi (s^(1/2) - 1/2))) / 2, s from 0 to 1 and a such that the
    first half cycle ends at s = `sharpness`: s^a = 1/4.

    Args:
        sample_rate_hz: [Hz].
        duration_s: of the two cycles, under 0.02 [s].
        sharpness: width of the first deflection over `duration_s`.

    Returns:
        (samples,), greatest value near 1.
    """
    s = np.arange(1, int(duration_s * sample_rate_hz) + 1) / (duration_s * sample_rate_hz)
    exponent = np.log(0.25) / np.log(sharpness)
    wave = np.sin(4 * np.pi * s**exponent)
    return wave * (1 + np.cos(2 * np.pi * (np.sqrt(s) - 0.5))) / 2


def _crackles(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, breaths: Phases
) -> Sound:
    """Short clicks, mostly in inspiration; fine ones late, coarse ones early."""
    total, events = np.zeros(samples), []
    is_fine = patient.crackle_s < 0.008
    for _, on, off in _draw_phases(
        rng, breaths, "inspiration", (0.9, 0.2), samples / sample_rate_hz, 0.2
    ):
        middle = 0.7 if is_fine else 0.35
        for place in np.clip(rng.normal(middle, 0.15, 2 + rng.poisson(5)), 0.02, 0.98):
            length_s = patient.crackle_s * np.exp(0.12 * rng.standard_normal())
            length_s = float(np.clip(length_s, 0.003, 0.019))
            wave = crackle_wave(sample_rate_hz, length_s)
            start = on + place * (off - on - length_s)
            first = int(start * sample_rate_hz)
            wave = wave[: samples - first]
            total[first : first + wave.size] += rng.choice((-1, 1)) * rng.uniform(1.5, 4) * wave
            end = (first + wave.size) / sample_rate_hz
            events.append(Event("crackle", start, end, 0.4 / length_s, 4.5 / length_s))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _heart(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient
) -> Sound:
    """First and second heart sounds: short bursts near 45 and 65 Hz."""
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    beat = -rng.uniform(0, 1)
    while beat < duration_s:
        for delay, hz, loudness in ((0.0, 45.0, 1.0), (0.32, 65.0, 0.7)):
            on, off = beat + delay, beat + delay + 0.11
            window, t = _window(on, off, samples, sample_rate_hz)
            if t.size:
                burst = np.sin(np.pi * t) ** 2 * np.sin(2 * np.pi * hz * 0.11 * t)
                total[window] += 2 * loudness * burst
                events.append(_event("heart", on, off, hz - 25, hz + 25, duration_s))
        beat += 60 / patient.heart_per_min * rng.uniform(0.95, 1.05)
    return Sound(10 ** (patient.heart_db / 20) * total, events)


def _draw_phases(
    rng: np.random.Generator,
    breaths: Phases,
    main_phase: str,
    probabilities: tuple[float, float],
    duration_s: float,
    min_duration_s: float,
) -> Phases:
    """Random phases, cut to the recording; at least one, and none shorter than `min_duration_s`.

    Args:
        rng: random stream.
        breaths: all phases.
        main_phase: name of the phases where the sound is most frequent.
        probabilities: of a sound in these phases, and in the others.
        duration_s: of the recording [s].
        min_duration_s: [s].
    """
    in_main, in_others = probabilities
    cut = [(name, max(on, 0.0), min(off, duration_s)) for name, on, off in breaths]
    long = [phase for phase in cut if phase[2] - phase[1] > min_duration_s]
    drawn = [p for p in long if rng.uniform() < (in_main if p[0] == main_phase else in_others)]
    return drawn or [max(long, key=lambda p: (p[0] == main_phase, p[2] - p[1]))]


def _window(
    on_s: float, off_s: float, samples: int, sample_rate_hz: float
) -> tuple[slice, np.ndarray]:
    """Samples between two times, and the relative position of each, 0 to 1."""
    first = min(max(0, int(np.ceil(on_s * sample_rate_hz))), samples)
    last = max(first, min(samples, int(off_s * sample_rate_hz)))
    t = np.arange(first, last) / sample_rate_hz
    return slice(first, last), (t - on_s) / (off_s - on_s)


def _event(
    label: str, on_s: float, off_s: float, low_hz: float, high_hz: float, duration_s: float
) -> Event:
    return Event(label, max(on_s, 0.0), min(off_s, duration_s), low_hz, high_hz)
