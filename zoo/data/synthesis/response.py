"""Frequency responses of microphones and stethoscopes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.signal import oaconvolve


@dataclass(frozen=True)
class Response:
    """Minimum-phase filter; it does not delay onsets.

    |H(f)|^2 = ripple(f) / ((1 + (low / f)^4) (1 + (f / high)^4))

    Attributes:
        low_hz: corner below which it falls by 12 dB an octave.
        high_hz: corner above which it falls by 12 dB an octave.
        ripple_db: gains at equal steps of log f from `low_hz` to `high_hz`, linear between them.
    """

    low_hz: float
    high_hz: float
    ripple_db: tuple[float, ...] = (0.0,)

    def decibels(self, hz: np.ndarray) -> np.ndarray:
        """20 log10 |H| at frequencies above 0 [Hz]."""
        steps = np.geomspace(self.low_hz, self.high_hz, len(self.ripple_db))
        ripple = np.interp(np.log(hz), np.log(steps), self.ripple_db)
        corners = (1 + (self.low_hz / hz) ** 4) * (1 + (hz / self.high_hz) ** 4)
        return ripple - 10 * np.log10(corners)

    def __call__(self, samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
        """Filter samples (samples,); float32."""
        kernel = _kernel(self, float(sample_rate_hz))
        return oaconvolve(samples.astype(np.float32), kernel)[: samples.size]


@lru_cache(maxsize=256)
def _kernel(response: Response, sample_rate_hz: float) -> np.ndarray:
    """Impulse response, 60 ms: the folded cepstrum of |H| (Oppenheim and Schafer 1975)."""
    length = 1 << int(np.ceil(np.log2(0.5 * sample_rate_hz)))
    hz = np.maximum(np.fft.rfftfreq(length, 1 / sample_rate_hz), 1.0)
    log_gain = np.maximum(response.decibels(hz), -80.0) * np.log(10) / 20
    cepstrum = np.asarray(fft.irfft(log_gain, length))
    cepstrum[1 : length // 2] *= 2
    cepstrum[length // 2 + 1 :] = 0
    kernel = np.asarray(fft.irfft(np.exp(np.asarray(fft.rfft(cepstrum))), length))
    kept = min(int(0.06 * sample_rate_hz), length)
    fade = np.cos(np.linspace(0, np.pi / 2, kept)) ** 2
    fade[: kept // 2] = 1
    return (kernel[:kept] * fade).astype(np.float32)


def draw_response(
    rng: np.random.Generator,
    low_hz: tuple[float, float],
    high_hz: tuple[float, float],
    ripple_db: float,
) -> Response:
    """Draw a response with corners in these ranges [Hz] and a ripple of this deviation [dB]."""
    return Response(
        low_hz=float(np.exp(rng.uniform(*np.log(low_hz)))),
        high_hz=float(np.exp(rng.uniform(*np.log(high_hz)))),
        ripple_db=tuple((ripple_db * rng.standard_normal(6)).tolist()),
    )
