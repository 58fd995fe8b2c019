"""Single sound events in noise whose time and frequency are known, to check explanations on.

clip = event_clip("glide", seed=0)
clip.samples, clip.events[0]  # onset_s, offset_s, low_hz, high_hz
change_clip("onset", seed=0).events[0].onset_s  # noise that becomes louder at a known time
"""

from collections.abc import Callable

import numpy as np

from zoo.data.synthesis.noise import bump, coloured
from zoo.data.synthesis.truth import Clip, Event

RATE_HZ = 8000.0
DURATION_S = 1.5
LOW_HZ, HIGH_HZ = 150.0, 3500.0  # of the middle of an event
LENGTHS_S = (0.12, 0.4)
SNR_DB = (6.0, 20.0)  # power of the event while it lasts over that of the noise within its band
RAMP_S = 0.01
STEP_DB = (8.0, 20.0)  # of the level of noise, at an onset or offset
CHANGE_KINDS = ("onset", "offset", "steady")

Draw = Callable[[np.random.Generator, np.ndarray], tuple[np.ndarray, float, float]]


def event_clip(kind: str, seed: int, *, snr_db: tuple[float, float] = SNR_DB) -> Clip:
    """One event of a kind at a random time and frequency, in noise that falls with frequency.

    Args:
        kind: one of `EVENT_KINDS`.
        seed: of the clip.
        snr_db: range of the event's power over that of the noise within its band [dB].

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in EVENT_KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(EVENT_KINDS)}. Received: {kind!r}.")
    rng = np.random.default_rng([seed, list(EVENT_KINDS).index(kind)])
    samples = round(DURATION_S * RATE_HZ)
    noise = coloured(rng, samples, RATE_HZ, bump(600.0))
    length = round(rng.uniform(*LENGTHS_S) * RATE_HZ)
    start = int(rng.integers(round(0.05 * RATE_HZ), samples - length - round(0.05 * RATE_HZ)))
    sound, low_hz, high_hz = EVENT_KINDS[kind](rng, np.arange(length) / RATE_HZ)
    sound = sound * _ramps(length)
    gain = np.sqrt(
        _band_power(noise, low_hz, high_hz) / np.mean(sound**2) * 10 ** (rng.uniform(*snr_db) / 10)
    )
    event = np.zeros(samples)
    event[start : start + length] = gain * sound
    scale = 0.05 * 10 ** (rng.uniform(-10, 10) / 20) / np.sqrt(np.mean(noise**2))
    scale = min(scale, 0.9 / np.abs(noise + event).max())
    onset_s = start / RATE_HZ
    truth = Event(kind, onset_s, onset_s + length / RATE_HZ, low_hz, high_hz)
    parts = {"noise": scale * noise, "event": scale * event}
    mixed = (parts["noise"] + parts["event"]).astype(np.float32)
    return Clip(mixed, RATE_HZ, kind, (truth,), parts, group=str(seed))


def change_clip(kind: str, seed: int) -> Clip:
    """Broadband noise that becomes louder or softer at a random time, within 10 ms, or stays.

    Args:
        kind: one of `CHANGE_KINDS`.
        seed: of the clip.

    Returns:
        The clip; its event lasts for the 10 ms of the change, and all of a steady clip.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in CHANGE_KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(CHANGE_KINDS)}. Received: {kind!r}.")
    rng = np.random.default_rng([seed, len(EVENT_KINDS) + CHANGE_KINDS.index(kind)])
    samples = round(DURATION_S * RATE_HZ)
    noise = coloured(rng, samples, RATE_HZ, bump(np.exp(rng.uniform(*np.log([400.0, 2000.0])))))
    at_s = rng.uniform(0.3, DURATION_S - 0.3)
    step = {"onset": 1.0, "offset": -1.0, "steady": 0.0}[kind] * rng.uniform(*STEP_DB)
    t = np.arange(samples) / RATE_HZ
    rise = np.clip((t - at_s) / RAMP_S, 0, 1)
    sound = noise * 10 ** (step * rise / 20)
    peak_db = rng.uniform(-30, -10)
    sound = (sound * 10 ** (peak_db / 20) / np.abs(sound).max()).astype(np.float32)
    span_s = (0.0, DURATION_S) if kind == "steady" else (at_s, at_s + RAMP_S)
    truth = Event(kind, *span_s, 0.0, RATE_HZ / 2)
    return Clip(sound, RATE_HZ, kind, (truth,), {"noise": sound}, group=str(seed))


def _tone(rng: np.random.Generator, t: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Steady sine."""
    hz = _middle(rng)
    return np.sin(2 * np.pi * hz * t + rng.uniform(0, 2 * np.pi)), hz * 0.94, hz * 1.06


def _glide(rng: np.random.Generator, t: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Sine that rises or falls by 0.7 to 1.2 octaves."""
    octaves = rng.uniform(0.7, 1.2)
    low = np.exp(rng.uniform(np.log(LOW_HZ * 1.5), np.log(HIGH_HZ / 2**octaves)))
    hz = low * 2 ** (octaves * t / t[-1])
    if rng.random() < 0.5:
        hz = hz[::-1]
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ), low * 0.95, low * 2**octaves * 1.05


def _band_noise(rng: np.random.Generator, t: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Noise in a band of half an octave."""
    low = np.exp(rng.uniform(np.log(300.0), np.log(HIGH_HZ / 1.5)))
    high = low * 2**0.5
    spectrum = np.fft.rfft(rng.normal(size=t.size))
    hz = np.fft.rfftfreq(t.size, 1 / RATE_HZ)
    spectrum[(hz < low) | (hz > high)] = 0
    return np.fft.irfft(spectrum, t.size), low * 0.95, high * 1.05


def _harmonics(rng: np.random.Generator, t: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Five harmonics of 150 to 450 Hz, each 3 dB weaker than the one below."""
    hz = rng.uniform(150.0, 450.0)
    tones = [
        10 ** (-3 * k / 20) * np.sin(2 * np.pi * (k + 1) * hz * t + rng.uniform(0, 2 * np.pi))
        for k in range(5)
    ]
    return np.sum(tones, axis=0), hz * 0.9, 5 * hz * 1.04


def _trill(rng: np.random.Generator, t: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Sine whose amplitude is modulated fully at 25 to 45 Hz."""
    hz, rate = _middle(rng), rng.uniform(25.0, 45.0)
    sound = np.sin(2 * np.pi * hz * t) * (0.5 - 0.5 * np.cos(2 * np.pi * rate * t))
    return sound, hz * 0.94 - rate, hz * 1.06 + rate


EVENT_KINDS: dict[str, Draw] = {
    "tone": _tone,
    "glide": _glide,
    "band noise": _band_noise,
    "harmonics": _harmonics,
    "trill": _trill,
}


def _middle(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(LOW_HZ * 2), np.log(HIGH_HZ))))


def _ramps(length: int) -> np.ndarray:
    """Amplitude 0 to 1 within 10 ms at both ends."""
    ramp = round(RAMP_S * RATE_HZ)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
    return np.concatenate([rise, np.ones(length - 2 * ramp), rise[::-1]])


def _band_power(noise: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Mean power of a noise within a band of at least 100 Hz."""
    middle = (low_hz + high_hz) / 2
    half = max(50.0, (high_hz - low_hz) / 2)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(noise.size, 1 / RATE_HZ)
    within = (hz >= middle - half) & (hz <= middle + half)
    return float(2 * power[within].sum() / noise.size**2)
