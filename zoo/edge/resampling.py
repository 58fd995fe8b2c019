"""Resample a stream block by block; the result equals resampling the whole stream at once."""

from math import ceil, gcd

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 384_000
_ZEROS = 64  # of the sinc on each side of its middle: passes 0.9 of the band, 4 ms at 16 kHz
_BETA = 10.0  # of the Kaiser window: the stop band is 100 dB down
_EDGE = 0.95  # where the filter is 6 dB down, as a share of half the lower rate
_MAX_TABLE_SIZE = 1 << 19  # weights; rates that need more are interpolated between fewer phases
_PHASES = 512  # of these: linear interpolation between them is 105 dB below the sound
_BLOCK_SIZE = 1024  # samples computed at once, so that a long block needs no more memory


def describe_missing_band(rate_hz: float, model_rate_hz: float) -> str:
    """That a recording lacks frequencies which a model was trained on; empty if it does not.

    Args:
        rate_hz: of the recording [Hz].
        model_rate_hz: of the model [Hz].
    """
    if rate_hz > 0.98 * model_rate_hz or rate_hz < MIN_RATE_HZ:  # the latter is refused
        return ""
    return (
        f"recorded at {rate_hz:g} Hz, so without sound above {rate_hz / 2000:g} kHz; the model was "
        f"trained on sound up to {model_rate_hz / 2000:g} kHz"
    )


class Resampler:
    """Polyphase resampling with a Kaiser-windowed sinc, stream in, stream out.

    y[n] = sum_k x[k] h(n from_hz / to_hz - k), h(t) = c sinc(c t) kaiser(t), c = 0.95 min(1, to_hz
    / from_hz). Sample n of the output stands at the time n / to_hz, without delay; it comes as soon
    as the input reaches as far as the filter. Before the stream lies silence.

    Rates with little in common, such as 47,999 and 16,000 Hz, would need a large table of phases:
    theirs are interpolated between 512.

    Args:
        from_hz: rate of the input [Hz].
        to_hz: rate of the output [Hz].

    Raises:
        ValueError: rates out of range.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        for rate in (from_hz, to_hz):
            if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ or rate != int(rate):
                raise ValueError(
                    f"Expected a sample rate of {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, a whole "
                    f"number. Received: {rate}."
                )
        from_hz, to_hz = int(from_hz), int(to_hz)
        common = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // common, from_hz // common
        self._weights: Float32Array = np.ones((1, 1), np.float32)
        self._is_interpolated = False
        if self.up != self.down:
            half = _ZEROS / min(1.0, self.up / self.down)
            self._is_interpolated = self.up * (2 * ceil(half) + 1) > _MAX_TABLE_SIZE
            phases = _PHASES if self._is_interpolated else self.up
            t = np.arange(phases + self._is_interpolated) / phases
            self._weights = _phase_weights(t, half, _EDGE * min(1.0, self.up / self.down))
        self.reset()

    @property
    def reach(self) -> int:
        """Samples of the input that the filter looks ahead."""
        return self._weights.shape[1] // 2

    def reset(self) -> None:
        """Back to the silence before the stream."""
        behind = self._weights.shape[1] - 1 - self.reach
        self._input: Float32Array = np.zeros(behind, np.float32)
        self._first = -behind  # place in the stream of the first sample of `_input`
        self._outputs = 0  # samples of the output so far

    def process(self, x: Float32Array) -> Float32Array:
        """Output samples (samples,) that are complete with the input block `x` (samples,)."""
        if self.up == self.down:
            return np.asarray(x, np.float32)
        self._input = np.concatenate([self._input, np.asarray(x, np.float32)])
        end = self._first + len(self._input)
        # one past the last output sample whose window ends inside the input
        complete = max(0, ((end - self.reach) * self.up - 1) // self.down + 1)
        parts = [
            self._filter(start, min(start + _BLOCK_SIZE, complete))
            for start in range(self._outputs, complete, _BLOCK_SIZE)
        ]
        self._outputs = max(self._outputs, complete)
        self._drop_used_input()
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> Float32Array:
        """The rest of the output, with silence after the input; `reset` starts a new stream."""
        if self.up == self.down:
            return np.zeros(0, np.float32)
        inputs = self._first + len(self._input)
        missing = ceil(inputs * self.up / self.down) - self._outputs
        return self.process(np.zeros(self.reach, np.float32))[:missing]

    def _filter(self, start: int, stop: int) -> Float32Array:
        places = np.arange(start, stop) * self.down
        taps = self._weights.shape[1]
        behind = taps - 1 - self.reach
        rows = places // self.up - behind - self._first
        windows = np.lib.stride_tricks.sliding_window_view(self._input, taps)[rows]
        weights = self._phase(places % self.up)
        return np.einsum(  # pyright: ignore[reportUnknownMemberType] (NumPy's own annotation)
            "nt,nt->n", windows, weights
        )

    def _phase(self, remainders: npt.NDArray[np.int64]) -> Float32Array:
        """Weights (samples, taps) of output samples that stand remainders / up behind an input."""
        if not self._is_interpolated:
            return self._weights[remainders]
        place = remainders * (_PHASES / self.up)
        row = place.astype(np.int64)
        share = (place - row).astype(np.float32)[:, None]
        return self._weights[row] * (1 - share) + self._weights[row + 1] * share

    def _drop_used_input(self) -> None:
        behind = self._weights.shape[1] - 1 - self.reach
        first_needed = self._outputs * self.down // self.up - behind
        if first_needed > self._first:
            self._input = self._input[first_needed - self._first :].copy()
            self._first = first_needed


def _phase_weights(phases: npt.NDArray[np.float64], half: float, cutoff: float) -> Float32Array:
    """Weights of every phase, (phases, taps).

    Args:
        phases: places of output samples behind an input sample [samples].
        half: reach of the filter [samples].
        cutoff: where it is 6 dB down, as a share of half the rate of the input.
    """
    behind = ceil(half)
    taps = np.arange(-behind, behind + 1)
    t = phases[:, None] - taps[None, :]  # of the output sample after each input sample
    inside = np.clip(1 - (t / half) ** 2, 0, None)
    weights = cutoff * np.sinc(cutoff * t) * np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)
    weights[np.abs(t) > half] = 0
    # each phase on its own passes a constant as it is
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
