"""Random signals: noise with a given power spectrum, and slow curves (gusts, glides)."""

from collections.abc import Callable

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline

Shape = Callable[[np.ndarray], np.ndarray]


def coloured(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, shape: Shape
) -> np.ndarray:
    """Gaussian noise (samples,) of mean power 1 whose power spectrum has the form of `shape`.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        shape: power density at frequencies [Hz], at any scale; 0 at 0 Hz.
    """
    length = int(fft.next_fast_len(samples, real=True) or samples)
    hz = fft.rfftfreq(length, 1 / sample_rate_hz)[1:]
    power = shape(hz)
    gain = np.sqrt(power / power.sum()).astype(np.float32)
    spectrum = np.zeros(hz.size + 1, np.complex64)
    spectrum[1:] = rng.standard_normal(2 * hz.size, np.float32).view(np.complex64)
    spectrum[1:] *= gain * np.float32(length / 2)
    return np.asarray(fft.irfft(spectrum, length))[:samples]


def band_of(shape: Shape, sample_rate_hz: float, share: float = 0.96) -> tuple[float, float]:
    """Lowest and highest frequency [Hz] of the middle `share` of the power of `shape`."""
    hz = np.linspace(0, sample_rate_hz / 2, 4097)[1:]
    below = np.cumsum(shape(hz))
    rest = (1 - share) / 2
    low, high = np.interp(np.array([rest, 1 - rest]) * below[-1], below, hz)
    return float(low), float(high)


def slow(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, period_s: float
) -> np.ndarray:
    """Smooth random curve (samples,) of mean 0 and standard deviation near 1.

    A cubic spline through normal draws, one each half `period_s`, linear between 16 points each.
    """
    step = max(period_s / 2 * sample_rate_hz, 1.0)
    knots = int(samples / step) + 4
    fine = np.arange(0, knots - 1, 1 / 16)
    curve = CubicSpline(np.arange(knots), rng.standard_normal(knots))(fine)
    return np.interp(np.arange(samples), step * fine, curve)


def bump(shoulder: float) -> Shape:
    """Power density, flat up to about `shoulder` [Hz] and falling by 12 dB an octave above."""
    return lambda hz: 1 / (1 + (hz / shoulder) ** 4)


def between(low_hz: float, high_hz: float, order: int = 4) -> Shape:
    """Power density between two corners [Hz], falling by 3 `order` dB an octave beyond them."""
    return lambda hz: 1 / ((1 + (low_hz / hz) ** order) * (1 + (hz / high_hz) ** order))


def rms(samples: np.ndarray) -> float:
    """Root mean square of a signal."""
    return float(np.sqrt(np.dot(samples, samples) / samples.size))


def harmonics(phase: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
    """sum_k a_k sin(k phase), k from 1, by sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p).

    Args:
        phase: (samples,) [rad].
        amplitudes: (harmonics,) or (harmonics, samples).
    """
    before, here = np.zeros_like(phase), np.sin(phase)
    twice = 2 * np.cos(phase)
    total = amplitudes[0] * here
    for amplitude in amplitudes[1:]:
        before, here = here, twice * here - before
        total += amplitude * here
    return total
