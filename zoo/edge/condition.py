"""Whether a block of sound can be classified: NaN, clipping, silence."""

from enum import StrEnum
from typing import Any

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
    NOT_FINITE = "not finite"  # NaN or infinity


class Inspector:
    """Locates samples that spoil the hop they are in, before channels are mixed or resampled.

    A run at full scale may begin in one block and end in the next.
    """

    def __init__(self) -> None:
        self._run: npt.NDArray[np.int64] | None = None  # (channels,), length of the current run

    def inspect(self, x: npt.NDArray[np.float32]) -> dict[Condition, npt.NDArray[np.intp]]:
        """Places of the samples of a block (samples, channels) that spoil it; empty: none.

        NOT_FINITE comes last: it is the worse of the two.
        """
        size = np.abs(x)
        if float(size.max()) < FULL_SCALE:  # false for NaN
            self._run = None
            return {}
        run = _run_lengths(size >= FULL_SCALE, self._run)
        self._run = run[-1]
        return {
            Condition.CLIPPED: np.flatnonzero(((run >= MIN_CLIPPED_RUN) | (size > 1)).any(axis=1)),
            Condition.NOT_FINITE: np.flatnonzero(~np.isfinite(x).all(axis=1)),
        }


def level_dbfs(x: npt.NDArray[np.floating[Any]]) -> float:
    """20 log10 of the RMS of x (samples,); a full-scale square wave is 0 dBFS, silence -inf."""
    power = float(np.mean(np.square(x, dtype=np.float64)))
    return float(10 * np.log10(power)) if power > 0 else -np.inf


def is_silent(x: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether x (samples,) is digital silence, constant offset or not."""
    return level_dbfs(x - np.mean(x, dtype=np.float64)) < SILENT_DBFS


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
