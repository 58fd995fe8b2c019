"""Breath through a stethoscope: noise of flow, wheezes, rhonchi, crackles, and the heart."""

import numpy as np

from zoo.data.synthesis.noise import band_of, coloured, harmonics, slow
from zoo.data.synthesis.patients import ADVENTITIOUS, Patient, phases
from zoo.data.synthesis.scenes import assemble, samples_in
from zoo.data.synthesis.seeds import stream
from zoo.data.synthesis.truth import Clip, Event, Sound

_LEVEL = 0.03  # root mean square of inspiration
Phases = list[tuple[str, float, float]]


def breath(
    patient: Patient, *, seed: int, duration_s: float = 15.0, sample_rate_hz: float = 4_000
) -> Clip:
    """A recording of a patient, the same for the same arguments.

    Args:
        patient: who, see `draw_patient`.
        seed: of this recording, 0 or more.
        duration_s: length, at least 2 [s].
        sample_rate_hz: at least 4000 [Hz].

    Returns:
        The clip, labelled with the patient's condition, which is heard at least once. Events
        "inspiration", "expiration", "heart", "wheeze", "rhonchus", "crackle"; `parts` by source.
    """
    samples = samples_in(duration_s, sample_rate_hz, least_s=2.0, least_hz=4000)
    rng = stream(seed, "breath", patient.name, patient.condition)
    seen = phases(rng, patient, duration_s)
    sources = {
        "breath": _flow(rng, samples, sample_rate_hz, patient, seen),
        "heart": _heart(rng, samples, sample_rate_hz, patient),
    }
    makers = {"wheeze": _wheezes, "rhonchus": _rhonchi, "crackle": _crackles}
    for name in ADVENTITIOUS[patient.condition]:
        sources[name] = makers[name](rng, samples, sample_rate_hz, patient, seen)
    noise = coloured(rng, samples, sample_rate_hz, lambda hz: 1 + (150 / hz) ** 2)
    sources["noise"] = Sound(10 ** (patient.noise_db / 20) * noise, [])
    parts = {
        name: _LEVEL * patient.stethoscope(sound.samples, sample_rate_hz)
        for name, sound in sources.items()
    }
    events = [event for sound in sources.values() for event in sound.events]
    return assemble(parts, events, sample_rate_hz, label=patient.condition, group=patient.name)


def _flow(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, seen: Phases
) -> Sound:
    """Noise whose amplitude follows the flow of air, half a sine in each phase."""

    def spectrum(hz: np.ndarray) -> np.ndarray:
        return 1 / ((1 + (60 / hz) ** 4) * (1 + (hz / patient.corner_hz) ** patient.rolloff))

    low, high = band_of(spectrum, sample_rate_hz)
    envelope, events = np.full(samples, 0.02), []
    for name, on, off in seen:
        loud = 1.0 if name == "inspiration" else 10 ** (patient.expiration_db / 20)
        window, t = _window(on, off, samples, sample_rate_hz)
        envelope[window] += loud * rng.uniform(0.85, 1.15) * np.sin(np.pi * t)
        events.append(_event(name, on, off, low, high, samples / sample_rate_hz))
    return Sound(np.sqrt(2) * envelope * coloured(rng, samples, sample_rate_hz, spectrum), events)


def _wheezes(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, seen: Phases
) -> Sound:
    """Tones of 0.15 s and more that glide, with up to three harmonics below 1000 Hz."""
    hz = patient.wheeze_hz
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    for _, on, off in _some(rng, seen, "expiration", 0.8, 0.15, duration_s, 0.3):
        lasts = rng.uniform(0.15, min(0.9 * (off - on), 1.2))
        start = rng.uniform(on, off - lasts)
        glide = rng.uniform(-0.25, 0.15)  # octaves
        fundamental = float(np.clip(hz * np.exp(0.06 * rng.standard_normal()), 115, 830))
        count = max(1, min(int(rng.integers(1, 4)), int(1000 / (fundamental * 1.2))))
        amplitudes = rng.uniform(0.2, 0.6) ** np.arange(count)
        shape = (start, lasts, fundamental, glide, amplitudes)
        events.append(_tone("wheeze", total, rng, sample_rate_hz, *shape))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _rhonchi(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, seen: Phases
) -> Sound:
    """Low tones, harmonics below 300 Hz, rough."""
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    for _, on, off in _some(rng, seen, "expiration", 0.8, 0.4, duration_s, 0.3):
        lasts = rng.uniform(0.2, min(0.9 * (off - on), 1.2))
        start = rng.uniform(on, off - lasts)
        fundamental = patient.rhonchus_hz * np.exp(0.05 * rng.standard_normal())
        count = max(1, int(290 / (fundamental * 1.1)))
        amplitudes = 0.8 ** np.arange(count)
        glide = rng.uniform(-0.1, 0.1)
        shape = (start, lasts, fundamental, glide, amplitudes)
        events.append(_tone("rhonchus", total, rng, sample_rate_hz, *shape))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _tone(
    label: str,
    total: np.ndarray,
    rng: np.random.Generator,
    sample_rate_hz: float,
    start_s: float,
    lasts_s: float,
    hz: float,
    glide: float,
    amplitudes: np.ndarray,
) -> Event:
    """Add a gliding tone of root mean square near 1; f(t) = hz 2^(glide (t / lasts - 1/2))."""
    first = int(start_s * sample_rate_hz)
    size = min(int(lasts_s * sample_rate_hz), total.size - first)
    s = np.arange(size) / size
    pitch = hz * 2 ** (glide * (s - 0.5)) * (1 + 0.008 * slow(rng, size, sample_rate_hz, 0.15))
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate_hz + rng.uniform(0, 2 * np.pi)
    edge = min(0.03, 0.15 * lasts_s) / lasts_s
    envelope = np.clip(np.minimum(s / edge, (1 - s) / edge), 0, 1)
    envelope *= 1 + 0.15 * np.sin(np.pi * s)
    scale = np.sqrt(2 / np.sum(amplitudes**2))
    total[first : first + size] += scale * envelope * harmonics(phase, amplitudes)
    low, high = 0.95 * pitch.min() - 5, 1.05 * pitch.max() * len(amplitudes) + 5
    return Event(label, start_s, (first + size) / sample_rate_hz, float(low), float(high))


def crackle_wave(sample_rate_hz: float, lasts_s: float, sharpness: float = 0.13) -> np.ndarray:
    """One crackle: two cycles that widen and die away (Kiyokawa et al. 2001).

    y(s) = sin(4 pi s^a) (1 + cos(2 pi (s^(1/2) - 1/2))) / 2, s from 0 to 1 and a such that the
    first half cycle ends at s = `sharpness`: s^a = 1/4.

    Args:
        sample_rate_hz: [Hz].
        lasts_s: the two cycles, under 0.02 [s].
        sharpness: width of the first deflection over `lasts_s`.

    Returns:
        (samples,), greatest value near 1.
    """
    s = np.arange(1, int(lasts_s * sample_rate_hz) + 1) / (lasts_s * sample_rate_hz)
    exponent = np.log(0.25) / np.log(sharpness)
    wave = np.sin(4 * np.pi * s**exponent)
    return wave * (1 + np.cos(2 * np.pi * (np.sqrt(s) - 0.5))) / 2


def _crackles(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient, seen: Phases
) -> Sound:
    """Explosive clicks, mostly in inspiration; fine ones late, coarse ones early."""
    total, events = np.zeros(samples), []
    late = patient.crackle_s < 0.008
    for _, on, off in _some(rng, seen, "inspiration", 0.9, 0.2, samples / sample_rate_hz, 0.2):
        middle = 0.7 if late else 0.35
        for place in np.clip(rng.normal(middle, 0.15, 2 + rng.poisson(5)), 0.02, 0.98):
            lasts = float(np.clip(patient.crackle_s * np.exp(0.12 * rng.standard_normal()),
                                  0.003, 0.019))  # fmt: skip
            wave = crackle_wave(sample_rate_hz, lasts)
            start = on + place * (off - on - lasts)
            first = int(start * sample_rate_hz)
            wave = wave[: samples - first]
            total[first : first + wave.size] += rng.choice((-1, 1)) * rng.uniform(1.5, 4) * wave
            end = (first + wave.size) / sample_rate_hz
            events.append(Event("crackle", start, end, 0.4 / lasts, 4.5 / lasts))
    return Sound(10 ** (patient.loudness_db / 20) * total, events)


def _heart(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, patient: Patient
) -> Sound:
    """First and second heart sounds: short bursts near 45 and 65 Hz."""
    total, events = np.zeros(samples), []
    duration_s = samples / sample_rate_hz
    beat = -rng.uniform(0, 1)
    while beat < duration_s:
        for delay, hz, loud in ((0.0, 45.0, 1.0), (0.32, 65.0, 0.7)):
            on, off = beat + delay, beat + delay + 0.11
            window, t = _window(on, off, samples, sample_rate_hz)
            if t.size:
                burst = np.sin(np.pi * t) ** 2 * np.sin(2 * np.pi * hz * 0.11 * t)
                total[window] += 2 * loud * burst
                events.append(_event("heart", on, off, hz - 25, hz + 25, duration_s))
        beat += 60 / patient.heart_per_min * rng.uniform(0.95, 1.05)
    return Sound(10 ** (patient.heart_db / 20) * total, events)


def _some(
    rng: np.random.Generator,
    seen: Phases,
    mostly: str,
    there: float,
    elsewhere: float,
    duration_s: float,
    least_s: float,
) -> Phases:
    """Phases drawn, cut to the recording; at least one, and none shorter than `least_s`."""
    cut = [(name, max(on, 0.0), min(off, duration_s)) for name, on, off in seen]
    long = [phase for phase in cut if phase[2] - phase[1] > least_s]
    drawn = [p for p in long if rng.uniform() < (there if p[0] == mostly else elsewhere)]
    return drawn or [max(long, key=lambda p: (p[0] == mostly, p[2] - p[1]))]


def _window(
    on_s: float, off_s: float, samples: int, sample_rate_hz: float
) -> tuple[slice, np.ndarray]:
    """Samples between two times, and where in between each lies, 0 to 1."""
    first = min(max(0, int(np.ceil(on_s * sample_rate_hz))), samples)
    last = max(first, min(samples, int(off_s * sample_rate_hz)))
    t = np.arange(first, last) / sample_rate_hz
    return slice(first, last), (t - on_s) / (off_s - on_s)


def _event(
    label: str, on_s: float, off_s: float, low_hz: float, high_hz: float, duration_s: float
) -> Event:
    return Event(label, max(on_s, 0.0), min(off_s, duration_s), low_hz, high_hz)
