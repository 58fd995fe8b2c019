"""Sound on pages: small files of one peak level."""

import io

import numpy as np
import soundfile

from zoo.data.audio import resample

_MAX_RATE_HZ = 16_000


def wav_content(samples: np.ndarray, sample_rate_hz: int, peak: float = 0.5) -> bytes:
    """A WAV file of 16 bits, to be heard: scaled to one peak level and at 16 kHz at most.

    Args:
        samples: (samples,) of finite numbers.
        sample_rate_hz: [Hz].
        peak: highest absolute value in the file, full scale at 1.
    """
    return _content(samples, sample_rate_hz, peak, "WAV", "PCM_16")


def ogg_content(samples: np.ndarray, sample_rate_hz: int, peak: float = 0.5) -> bytes:
    """An Ogg Vorbis file, to be heard: a sixth of the bytes of `wav_content`, scaled like it.

    Args:
        samples: (samples,) of finite numbers.
        sample_rate_hz: [Hz].
        peak: highest absolute value in the file, full scale at 1.
    """
    return _content(samples, sample_rate_hz, peak, "OGG", "VORBIS")


def _content(
    samples: np.ndarray, sample_rate_hz: int, peak: float, container: str, encoding: str
) -> bytes:
    rate_hz = min(sample_rate_hz, _MAX_RATE_HZ)
    samples = resample(samples, sample_rate_hz, rate_hz)
    samples = samples * (peak / max(float(np.abs(samples).max()), 1e-6))
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=encoding)
    return file.getvalue()
