"""Whether a block of sound can be classified: NaN, clipping, silence, gaps; how it is bridged."""

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FULL_SCALE = 32767 / 32768  # the highest of 16-bit samples
SILENT_DBFS = -100.0  # below what 16 bits with dither carry: no microphone is connected
MIN_CLIPPED_RUN = 3  # samples in a row at full scale; fewer may be the peak of a normalised file


class Condition(StrEnum):
    """Condition of a hop of sound; all but SOUND are reported and not classified."""

    SOUND = "sound"
    SILENT = "silent"  # digital silence, or one value that never changes
    CLIPPED = "clipped"  # three samples in a row at full scale, or one beyond it
    GAP = "gap"  # samples before it were lost: the sound library reported an overflow
    NOT_FINITE = "not finite"  # NaN or infinity


class Inspected(NamedTuple):
    """Samples of a stream after inspection.

    Attributes:
        samples: (samples, channels); those that spoil a hop hold the last good value of their
            channel, so that no click reaches filters and model.
        faults: condition -> places of the spoilt samples in `samples`; empty: none. NOT_FINITE
            comes last: it is the worse of the two.
    """

    samples: npt.NDArray[np.float32]
    faults: dict[Condition, npt.NDArray[np.intp]]


class Inspector:
    """Locates samples that spoil the hop they are in, before channels are mixed or resampled.

    A run at full scale may begin in one block and end in the next: the last one or two samples of a
    block that may begin one wait for the next block.
    """

    def __init__(self) -> None:
        self._waiting: npt.NDArray[np.float32] | None = None  # (samples, channels)
        self._run: npt.NDArray[np.int64] | None = None  # (channels,), of the run before them
        self._good: npt.NDArray[np.float32] | None = None  # (channels,), last good values

    def process(self, x: npt.NDArray[np.float32]) -> Inspected:
        """Inspect a block (samples, channels); its last two samples may come with the next one."""
        if self._waiting is not None:
            x, self._waiting = np.concatenate([self._waiting, x]), None
        size = np.abs(x)
        if float(size.max()) < FULL_SCALE:  # false for NaN
            self._run, self._good = None, x[-1].copy()
            return Inspected(x, {})
        run = _run_lengths(size >= FULL_SCALE, self._run)
        open_samples = int(np.where(run[-1] < MIN_CLIPPED_RUN, run[-1], 0).max())
        return self._divide(x, run, len(x) - min(open_samples, len(x)))

    def finish(self) -> Inspected:
        """Inspect the samples that waited: the stream ends with them."""
        if self._waiting is None:
            return Inspected(np.zeros((0, 1), np.float32), {})
        x, self._waiting = self._waiting, None
        return self._divide(x, _run_lengths(np.abs(x) >= FULL_SCALE, self._run), len(x))

    def _divide(
        self, x: npt.NDArray[np.float32], run: npt.NDArray[np.int64], ready: int
    ) -> Inspected:
        """The first `ready` samples; the others wait."""
        is_clipped = _whole_runs(run) | (np.abs(x) > 1)
        is_finite = np.isfinite(x)
        self._waiting = x[ready:].copy() if ready < len(x) else None
        if ready:
            self._run = run[ready - 1]
        samples, spoilt = x[:ready].copy(), (is_clipped | ~is_finite)[:ready]
        good = np.zeros(x.shape[1], np.float32) if self._good is None else self._good
        padded = np.concatenate([good[None], samples])
        rows = np.where(spoilt, 0, np.arange(1, ready + 1)[:, None])
        samples = np.take_along_axis(padded, np.maximum.accumulate(rows, axis=0), axis=0)
        self._good = samples[-1].copy() if ready else good
        faults = {
            Condition.CLIPPED: np.flatnonzero(is_clipped[:ready].any(axis=1)),
            Condition.NOT_FINITE: np.flatnonzero(~is_finite[:ready].all(axis=1)),
        }
        return Inspected(samples, faults)


def _whole_runs(run: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Samples of runs of at least `MIN_CLIPPED_RUN`, those that begin them included."""
    result = run >= MIN_CLIPPED_RUN
    for back in range(1, MIN_CLIPPED_RUN):
        begins = run[back:] == MIN_CLIPPED_RUN
        result[: len(run) - back] |= begins
    return result


def level_dbfs(x: npt.NDArray[np.floating[Any]]) -> float:
    """20 log10 of the RMS of x (samples,); a full-scale square wave is 0 dBFS, silence -inf."""
    power = float(np.mean(np.square(x, dtype=np.float64)))
    return float(10 * np.log10(power)) if power > 0 else -np.inf


def is_silent(x: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether x (samples,) is digital silence, constant offset or not."""
    return level_dbfs(x - np.mean(x, dtype=np.float64)) < SILENT_DBFS


def bridge(
    before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Sound in place of what could not be classified between two hops (samples,) of equal length.

    The hop before it backwards, faded into the hop after it backwards, at equal power: it continues
    both without a step, and has their level and spectrum. A model that goes on from `before`
    to `after` directly would hear a click where they meet.
    """
    angle = np.pi / 2 * (np.arange(len(before), dtype=np.float32) + 0.5) / len(before)
    return (before[::-1] * np.cos(angle) + after[::-1] * np.sin(angle)).astype(np.float32)


def _run_lengths(
    at_full_scale: npt.NDArray[np.bool_], before: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.int64]:
    """Samples in a row at full scale, up to each; (samples, channels) like `at_full_scale`."""
    counts = np.cumsum(at_full_scale, axis=0, dtype=np.int64)
    last_reset = np.maximum.accumulate(np.where(at_full_scale, 0, counts), axis=0)
    run: npt.NDArray[np.int64] = counts - last_reset
    if before is not None:
        run += np.where(np.logical_and.accumulate(at_full_scale, axis=0), before, 0)
    return run
