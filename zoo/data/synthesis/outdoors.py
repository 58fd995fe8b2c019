"""Synthetic rain (impacts of drops), wind (modulated turbulence) and sea (breaking waves)."""

import numpy as np

from zoo.data.synthesis.noise import band_of, between, bump, coloured, slow
from zoo.data.synthesis.truth import Event, Sound, intervals

_QUALITY = 10.0  # Q of the bubble of a drop: amplitude decays with Q / (pi f)


def rain(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    drops_per_s: float = 100.0,
    pitch_hz: float = 2500.0,
    far_db: float = -3.0,
) -> Sound:
    """Near drops, each a ringing bubble, and the noise of many distant ones.

    Drops are a Poisson process. A bubble of radius r rings at f = 3.26 m/s / r (Minnaert 1933),
    p(t) = a exp(-pi f t / Q) sin(2 pi f t), Q = 10; r and a are log-normal.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        drops_per_s: mean rate of the near drops [1/s].
        pitch_hz: median frequency of a drop [Hz].
        far_db: power of the distant drops over that of the near ones [dB]; -inf: none.

    Returns:
        Events "drop" and, over the whole clip, "rain".
    """
    duration_s = samples / sample_rate_hz
    drops = rng.poisson(drops_per_s * duration_s)
    start = np.sort(rng.uniform(0, duration_s, drops))
    hz = pitch_hz * np.exp(0.35 * rng.standard_normal(drops))
    hz = np.clip(hz, 300.0, 0.42 * sample_rate_hz)
    loudness = np.exp(0.6 * rng.standard_normal(drops))
    decay_s = _QUALITY / (np.pi * hz)
    near = _drops(start, hz, loudness, samples, sample_rate_hz)
    hiss = between(0.4 * pitch_hz, min(2.2 * pitch_hz, 0.4 * sample_rate_hz))
    # mean power of the near drops: sum a^2 tau / 4 per drop, E a^2 = exp(2 0.6^2)
    power = drops_per_s * np.exp(2 * 0.6**2) * _QUALITY / (4 * np.pi * pitch_hz)
    far = np.sqrt(power * 10 ** (far_db / 10)) * coloured(rng, samples, sample_rate_hz, hiss)
    spread = 6.3 / (2 * _QUALITY)  # 90 % of a Lorentzian line lies within 6.3 half-widths
    ends = np.minimum(start + 2.5 * decay_s, duration_s)
    rows = zip(start.tolist(), ends.tolist(), hz.tolist(), strict=True)
    events = [Event("drop", on, off, f * (1 - spread), f * (1 + spread)) for on, off, f in rows]
    low, high = band_of(hiss, sample_rate_hz)
    return Sound(near + far, [Event("rain", 0.0, duration_s, low, high), *events])


def _drops(
    start_s: np.ndarray, hz: np.ndarray, loudness: np.ndarray, samples: int, sample_rate_hz: float
) -> np.ndarray:
    """Sum (samples,) of decaying sines, one per drop."""
    if not start_s.size:
        return np.zeros(samples)
    decay_s = _QUALITY / (np.pi * hz)
    first = np.ceil(start_s * sample_rate_hz).astype(int)
    rings = np.arange(int(5 * decay_s.max() * sample_rate_hz) + 1)
    exponent = 2j * np.pi * hz - 1 / decay_s
    ring = np.empty((start_s.size, rings.size), complex)  # powers of one sample's turn and decay
    ring[:, 0] = loudness * np.exp(exponent * (first / sample_rate_hz - start_s))
    ring[:, 1:] = np.exp(exponent / sample_rate_hz)[:, None]
    np.multiply.accumulate(ring, axis=1, out=ring)
    at = np.minimum(first[:, None] + rings, samples)
    return np.bincount(at.ravel(), ring.imag.ravel(), samples + 1)[:samples]


def wind(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    gust_s: float = 2.0,
    turbulence: float = 0.35,
    exponent: float = 5 / 3,
    corner_hz: float = 40.0,
) -> Sound:
    """Turbulence at a microphone: pressure proportional to the square of a varying wind speed.

    p(t) = u(t)^2 n(t), with u of mean 1, and n of power density 1 / (1 + (f / corner)^exponent);
    5/3 is Kolmogorov's law of 1941, which spectra of microphones in wind nearly follow.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        gust_s: time from gust to gust [s].
        turbulence: standard deviation of the wind speed over its mean.
        exponent: of the spectrum above the corner.
        corner_hz: frequency below which the spectrum is flat [Hz].

    Returns:
        Events "wind" over the whole clip, and "gust" wherever the speed is one standard deviation
        above its mean.
    """
    curve = slow(rng, samples, sample_rate_hz, gust_s)
    speed = np.maximum(1 + turbulence * curve, 0.1)

    def spectrum(hz: np.ndarray) -> np.ndarray:
        microphone = 1 / (1 + (10 / hz) ** 4)  # it does not follow the gusts themselves
        return microphone / (1 + (hz / corner_hz) ** exponent)

    low, high = band_of(spectrum, sample_rate_hz)
    sound = speed**2 * coloured(rng, samples, sample_rate_hz, spectrum)
    gusts = [Event("gust", on, off, low, high) for on, off in intervals(curve > 1, sample_rate_hz)]
    return Sound(sound, [Event("wind", 0.0, samples / sample_rate_hz, low, high), *gusts])


def sea(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    period_s: float = 7.0,
    roar_hz: float = 400.0,
    hiss_hz: float = 4000.0,
) -> Sound:
    """Waves that break with low noise (roar) and recede with high noise (foam).

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        period_s: mean time from wave to wave [s].
        roar_hz: upper corner frequency of the roar [Hz].
        hiss_hz: upper corner frequency of the foam [Hz].

    Returns:
        Events "breaker".
    """
    duration_s = samples / sample_rate_hz
    t = np.arange(samples) / sample_rate_hz
    hiss_hz = min(hiss_hz, 0.4 * sample_rate_hz)
    hiss = between(2 * roar_hz, hiss_hz)
    roar_envelope, foam_envelope = np.full(samples, 0.02), np.full(samples, 0.02)
    events = []
    _, high = band_of(hiss, sample_rate_hz)
    peak = -rng.uniform(0, period_s)
    while peak < duration_s + period_s:
        strength = rng.uniform(0.5, 1.0)
        rise_s, fall_s = 0.14 * period_s, 0.28 * period_s
        roar_envelope += strength * _swell(t - peak, rise_s, fall_s)
        foam_envelope += 0.6 * strength * _swell(t - peak - 0.1 * period_s, rise_s, 1.4 * fall_s)
        on, off = max(peak - 2 * rise_s, 0.0), min(peak + 2 * fall_s, duration_s)
        if on < off:
            events.append(Event("breaker", on, off, 20.0, high))
        peak += period_s * rng.uniform(0.75, 1.25)
    roar = coloured(rng, samples, sample_rate_hz, bump(roar_hz))
    foam = coloured(rng, samples, sample_rate_hz, hiss)
    return Sound(roar_envelope * roar + foam_envelope * foam, events)


def _swell(t: np.ndarray, rise_s: float, fall_s: float) -> np.ndarray:
    return np.exp(-((t / np.where(t < 0, rise_s, fall_s)) ** 2))
