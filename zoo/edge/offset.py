"""Remove a constant offset from sound: converters and microphones add one, and no class has one."""

import math

import numpy as np
import numpy.typing as npt

CUTOFF_HZ = 5.0  # 3 dB down; 0.03 dB down at 62.5 Hz, the lowest bin of the hearing aid
_MAX_BLOCK = 1024  # samples computed at once: powers of the pole stay near 1


class OffsetFilter:
    """First-order high-pass, hop by hop: y[n] = x[n] - x[n-1] + r y[n-1], r = exp(-2 pi f / rate).

    f is `CUTOFF_HZ`. Before the stream lies the mean of its first hop, so that an offset that was
    there from the start leaves no transient. An offset that changes fades out with 32 ms.

    Args:
        rate_hz: sample rate [Hz].
    """

    def __init__(self, rate_hz: float) -> None:
        self.pole = math.exp(-2 * math.pi * CUTOFF_HZ / rate_hz)
        self.reset()

    def reset(self) -> None:
        """As before the first hop."""
        self._x: float | None = None  # the last sample
        self._y = 0.0

    def process(self, hop: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The hop (samples,) without its offset; samples must be finite."""
        x = hop.astype(np.float64)
        if self._x is None:
            self._x = float(x.mean())
        step = np.diff(x, prepend=self._x)
        y = np.empty_like(x)
        for start in range(0, len(x), _MAX_BLOCK):
            part = step[start : start + _MAX_BLOCK]
            powers = self.pole ** np.arange(1, len(part) + 1)
            # y[n] = r^(n+1) (y[-1] + sum over k <= n of step[k] / r^(k+1))
            y[start : start + len(part)] = powers * (self._y + np.cumsum(part / powers))
            self._y = float(y[start + len(part) - 1])
        self._x = float(x[-1])
        return y.astype(np.float32)
