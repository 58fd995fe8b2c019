"""Sample rates changed block by block, as if the whole stream had been there at once."""

from math import ceil, gcd

import numpy as np

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 384_000
_ZEROS = 64  # of the sinc on each side of its middle: passes 0.9 of the band, 4 ms at 16 kHz
_BETA = 10.0  # of the Kaiser window: what is stopped is 100 dB down
_EDGE = 0.95  # where the filter is 6 dB down, as a share of half the lower rate
_LARGEST_TABLE = 1 << 21  # weights
_BLOCK = 1024  # samples made at once, so that a long block takes no more memory than a short one


class Resampler:
    """Windowed sinc in phases, stream in, stream out.

    y[n] = sum_k x[k] h(n from_hz / to_hz - k), h(t) = c sinc(c t) kaiser(t), c = 0.95 min(1, to_hz
    / from_hz). Sample n of the output stands at the time n / to_hz, without delay; it comes as soon
    as the input reaches as far as the filter. Before the stream lies silence.

    Args:
        from_hz: rate of what comes in [Hz].
        to_hz: rate of what goes out [Hz].

    Raises:
        ValueError: rates out of range, or with so little in common that the table of phases would
            be too large.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        for rate in (from_hz, to_hz):
            if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ or rate != int(rate):
                raise ValueError(
                    f"Expected a sample rate of {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz, a whole "
                    f"number. Received: {rate}."
                )
        from_hz, to_hz = int(from_hz), int(to_hz)
        common = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // common, from_hz // common
        self._weights = np.ones((1, 1), np.float32)
        if self.up != self.down:
            self._weights = _phases(self.up, self.down)
        self.reset()

    @property
    def reach(self) -> int:
        """Samples of the input that the filter looks ahead."""
        return self._weights.shape[1] // 2

    def reset(self) -> None:
        """Back to the silence before the stream."""
        behind = self._weights.shape[1] - 1 - self.reach
        self._heard = np.zeros(behind, np.float32)
        self._first = -behind  # place in the stream of the first sample of `_heard`
        self._made = 0

    def process(self, x: np.ndarray) -> np.ndarray:
        """Samples that are complete now that `x` (samples,) float32 has come; (samples,)."""
        if self.up == self.down:
            return np.asarray(x, np.float32)
        self._heard = np.concatenate([self._heard, np.asarray(x, np.float32)])
        end = self._first + len(self._heard)
        # the last sample whose window ends inside what was heard
        complete = max(0, ((end - self.reach) * self.up - 1) // self.down + 1)
        parts = [
            self._make(start, min(start + _BLOCK, complete))
            for start in range(self._made, complete, _BLOCK)
        ]
        self._made = max(self._made, complete)
        self._forget()
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> np.ndarray:
        """What is still missing of the stream, silence behind it; start anew with `reset`."""
        if self.up == self.down:
            return np.zeros(0, np.float32)
        heard = self._first + len(self._heard)
        missing = ceil(heard * self.up / self.down) - self._made
        return self.process(np.zeros(self.reach, np.float32))[:missing]

    def _make(self, start: int, stop: int) -> np.ndarray:
        places = np.arange(start, stop) * self.down
        taps = self._weights.shape[1]
        behind = taps - 1 - self.reach
        rows = places // self.up - behind - self._first
        windows = np.lib.stride_tricks.sliding_window_view(self._heard, taps)[rows]
        return np.einsum("nt,nt->n", windows, self._weights[places % self.up])

    def _forget(self) -> None:
        behind = self._weights.shape[1] - 1 - self.reach
        needed = self._made * self.down // self.up - behind
        if needed > self._first:
            self._heard = self._heard[needed - self._first :].copy()
            self._first = needed


def _phases(up: int, down: int) -> np.ndarray:
    """Weights of every phase, (up, taps): row p for a sample p / up behind an input sample."""
    cutoff = _EDGE * min(1.0, up / down)
    half = _ZEROS / min(1.0, up / down)
    behind = ceil(half)
    if up * (2 * behind + 1) > _LARGEST_TABLE:
        raise ValueError(
            f"Expected two rates with more in common than {up} to {down}: try 8000, 16000, 22050, "
            "32000, 44100, 48000 or 96000 Hz."
        )
    taps = np.arange(-behind, behind + 1)
    t = np.arange(up)[:, None] / up - taps[None, :]  # of the output sample after each input sample
    inside = np.clip(1 - (t / half) ** 2, 0, None)
    weights = cutoff * np.sinc(cutoff * t) * np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)
    weights[np.abs(t) > half] = 0
    # each phase on its own passes a constant as it is
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
