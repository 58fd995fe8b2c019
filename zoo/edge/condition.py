"""Whether a stretch of sound can be classified at all: NaN, clipping, silence."""

from enum import StrEnum

import numpy as np

FULL_SCALE = 32767 / 32768  # the highest of 16-bit samples
SILENT_DBFS = -100.0  # below what 16 bits with dither carry: a microphone that is not there
_RUN = 3  # samples in a row at full scale; fewer may be the peak of a file that was normalised


class Condition(StrEnum):
    """What a hop of sound is good for; all but SOUND are reported and not classified."""

    SOUND = "sound"
    SILENT = "silent"  # digital silence, or one value that never changes
    CLIPPED = "clipped"  # three samples in a row at full scale, or one beyond it
    NOT_FINITE = "not finite"  # NaN or infinity


class Inspector:
    """Finds samples that spoil the hop they are in, before anything is mixed or resampled.

    A run at full scale may begin in one block and end in the next.
    """

    def __init__(self) -> None:
        self._run: np.ndarray | None = None  # (channels,), length of the run that goes on

    def inspect(self, x: np.ndarray) -> dict[Condition, np.ndarray]:
        """Places of the samples of a block (samples, channels) float32 that spoil it; empty: none.

        NOT_FINITE comes last: it is the worse of the two.
        """
        size = np.abs(x)
        if size.max() < FULL_SCALE:  # false for NaN
            self._run = None
            return {}
        run = _run_lengths(size >= FULL_SCALE, self._run)
        self._run = run[-1]
        return {
            Condition.CLIPPED: np.flatnonzero(((run >= _RUN) | (size > 1)).any(axis=1)),
            Condition.NOT_FINITE: np.flatnonzero(~np.isfinite(x).all(axis=1)),
        }


def level_dbfs(x: np.ndarray) -> float:
    """20 log10 of the RMS of x (samples,); a full-scale square wave is 0 dBFS, silence -inf."""
    power = float(np.mean(np.square(x, dtype=np.float64)))
    return 10 * np.log10(power) if power > 0 else -np.inf


def is_silent(x: np.ndarray) -> bool:
    """Whether x (samples,) is digital silence, constant offset or not."""
    return level_dbfs(x - x.mean(dtype=np.float64)) < SILENT_DBFS


def _run_lengths(loud: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """How many samples in a row are loud, up to each; (samples, channels) like `loud`."""
    counts = np.cumsum(loud, axis=0)
    quiet_at = np.maximum.accumulate(np.where(loud, 0, counts), axis=0)
    run = counts - quiet_at
    if before is not None:
        run += np.where(np.logical_and.accumulate(loud, axis=0), before, 0)
    return run
