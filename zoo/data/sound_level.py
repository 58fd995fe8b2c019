"""Sound levels: A-weighting and running mean square, as a sound level meter has them.

L_A(t) = 10 log10(integral of p_A(s)^2 exp(-(t - s) / tau) ds / tau / p_0^2)   (IEC 61672-1)

with the time constant tau, 1 s for "slow".
"""

import numpy as np
from scipy import fft, signal

SLOW_S = 1.0
_CORNERS_HZ = (20.598997, 107.65265, 737.86223, 12194.217)  # IEC 61672-1, annex E
_FLOOR = 1e-12  # of a mean square


def a_weighting_db(frequency_hz: np.ndarray) -> np.ndarray:
    """A-weighting at frequencies above 0 [dB], 0 dB at 1 kHz; IEC 61672-1, annex E.

    Args:
        frequency_hz: [Hz].
    """

    def gain(hz: np.ndarray) -> np.ndarray:
        square = np.square(hz)
        low, second, third, high = np.square(_CORNERS_HZ)
        bands = np.sqrt((square + second) * (square + third))
        return high * np.square(square) / ((square + low) * bands * (square + high))

    hz = np.asarray(frequency_hz, np.float64)
    return 20 * np.log10(gain(hz) / gain(np.array(1000.0)))


def a_weighted(samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Samples (..., samples) behind a filter with the magnitude of the A-weighting and no phase.

    Args:
        samples: of the waveform.
        sample_rate_hz: [Hz].
    """
    padded = samples.shape[-1] + round(0.1 * sample_rate_hz)
    length = int(fft.next_fast_len(padded, real=True) or padded)
    hz = np.fft.rfftfreq(length, 1 / sample_rate_hz)
    gain = 10 ** (a_weighting_db(np.maximum(hz, 1e-3)) / 20)
    spectrum = np.asarray(fft.rfft(samples, length))
    return np.asarray(fft.irfft(spectrum * gain, length))[..., : samples.shape[-1]]


def running_mean_square(
    samples: np.ndarray, *, hop: int, sample_rate_hz: float, time_constant_s: float
) -> np.ndarray:
    """Exponential mean of squares at the end of each hop, (..., hops).

    The mean is over the time since the start, so it has no transient: sum over hops of
    a^(n - k) P_k / sum of a^(n - k), a = exp(-hop / (rate tau)), P_k the mean square of hop k.

    Args:
        samples: (..., samples); what is left behind the last whole hop does not count.
        hop: samples of a hop.
        sample_rate_hz: [Hz].
        time_constant_s: tau [s].
    """
    hops = samples.shape[-1] // hop
    parts = samples[..., : hops * hop].reshape(*samples.shape[:-1], hops, hop)
    power = np.mean(np.square(parts, dtype=np.float64), axis=-1)
    return running_mean(power, hop / sample_rate_hz, time_constant_s)


def running_mean(values: np.ndarray, hop_s: float, time_constant_s: float) -> np.ndarray:
    """Exponential mean over the time since the start, (..., hops), as in `running_mean_square`.

    Args:
        values: of each hop, (..., hops).
        hop_s: length of a hop [s].
        time_constant_s: tau [s].
    """
    keep = np.exp(-hop_s / time_constant_s)
    weight = signal.lfilter([1.0], [1.0, -keep], np.ones(values.shape[-1]))
    return np.asarray(signal.lfilter([1.0], [1.0, -keep], values, axis=-1)) / weight


def whole_ratio_db(power: np.ndarray, ratio_db: np.ndarray) -> float:
    """Ratio of speech to noise in a whole recording from those of its hops [dB].

    10 log10(sum P r / (1 + r) / sum P / (1 + r)), r = 10^(ratio / 10): the ratio of the powers that
    the hops say, since a mean of decibels counts pauses as much as speech.

    Args:
        power: P, of speech and noise together, at the end of each hop, (hops,).
        ratio_db: at the end of each hop, (hops,).
    """
    ratio = 10 ** (ratio_db / 10)
    noise = np.sum(power / (1 + ratio))
    return float(10 * np.log10(np.sum(power * ratio / (1 + ratio)) / noise))


def decibels(mean_square: np.ndarray) -> np.ndarray:
    """10 log10 of a mean square, -120 dB at least."""
    return 10 * np.log10(np.maximum(mean_square, _FLOOR))
