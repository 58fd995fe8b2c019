"""What is wrong or unusual with decoded sound."""

import math

import numpy as np

from zoo.edge.condition import SILENT_DBFS

_MAX_CLIPPED_SHARE = 0.01
_MAX_OFFSET = 0.01  # mean of a channel, full scale at 1
_MAX_OFFSET_SHARE = 0.25  # of its RMS: the mean of a short clip of noise is never 0
_NEARLY_SILENT_DBFS = -70.0
CANCELS = "its channels cancel in their mean"
_MIN_MEAN_POWER = 1e-4  # power of the mean over mean power of the channels: -40 dB


class DamagedRecording(ValueError):
    """A recording that cannot be used; the text is the reason."""


def check(sound: np.ndarray, sample_rate_hz: int) -> tuple[str, ...]:
    """Check decoded sound: raise where it cannot be used, return remarks where it is unusual.

    Args:
        sound: (frames, channels).
        sample_rate_hz: [Hz].

    Returns:
        Remarks: clipping (1 % of the samples at full scale or beyond), an offset (of 1 % of full
        scale and a quarter of the RMS), nearly silent (below -70 dBFS), channels that would
        cancel in their mean.

    Raises:
        DamagedRecording: no samples, samples that are not finite, or digital silence: all samples
            equal, or less than -100 dBFS about their mean, which every runtime refuses.
    """
    if sound.size == 0:
        raise DamagedRecording("no samples: its length is zero")
    low, high = float(sound.min()), float(sound.max())
    if not (
        math.isfinite(low) and math.isfinite(high)
    ):  # NumPy's minimum and maximum propagate NaN
        wrong = ~np.isfinite(sound).all(axis=1)
        raise DamagedRecording(
            f"{int(wrong.sum())} frames are NaN or infinite, "
            f"the first at {wrong.argmax() / sample_rate_hz:.3f} s"
        )
    if low == high:
        raise DamagedRecording(f"silent: every sample is {low:g}")
    with np.errstate(over="ignore", invalid="ignore"):  # floats of 1e30 have no float32 square
        offset, variance = _moments(sound)
        is_cancelled = cancels(sound)
    level = 10 * math.log10(max(float(variance.max()), 1e-30))
    if level < SILENT_DBFS:
        raise DamagedRecording(f"silent: {level:.0f} dBFS, no sound is below {SILENT_DBFS:.0f}")
    remarks = []
    if level < _NEARLY_SILENT_DBFS:
        remarks.append(f"nearly silent: its level is {level:.0f} dBFS")
    largest = float(offset[np.abs(offset).argmax()])
    if abs(largest) > max(_MAX_OFFSET, _MAX_OFFSET_SHARE * 10 ** (level / 20)):
        remarks.append(f"offset: its mean is {largest:.3g} of full scale")
    peak = max(-low, high)
    if peak > 0.999:
        share = float((np.abs(sound) > 0.999).mean())
        if share > _MAX_CLIPPED_SHARE:
            remarks.append(f"clipped: {100 * share:.1f} % of its samples are at full scale")
    if peak > 1:
        remarks.append(f"louder than full scale: its peak is {peak:.3g}")
    if is_cancelled:
        remarks.append(CANCELS)
    return tuple(remarks)


def _moments(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel of finite sound, to 1e-5 of its mean square.

    Of one channel by float32 sums, which NumPy and BLAS take in parts; in float64 where a large
    offset would leave few digits of the variance.
    """
    if sound.shape[1] == 1:
        flat = sound[:, 0]
        mean, square = float(flat.mean()), float(np.dot(flat, flat)) / len(flat)
        if math.isfinite(square) and mean * mean < 0.01 * square:
            return np.array([mean]), np.array([square - mean * mean])
    return sound.mean(axis=0, dtype=np.float64), sound.var(axis=0, dtype=np.float64)


def cancels(sound: np.ndarray) -> bool:
    """Whether the mean of the channels has less than -40 dB of their power.

    Args:
        sound: (frames, channels).
    """
    if sound.shape[1] < 2:
        return False
    return float(np.square(sound.mean(axis=1)).mean()) < _MIN_MEAN_POWER * float(
        np.square(sound).mean()
    )
