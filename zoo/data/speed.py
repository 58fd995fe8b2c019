"""Clips played faster and slower, so that a network hears each at several pitches."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import soxr

from zoo.data.clips import Clips, Source

SLOWEST, FASTEST = 0.25, 4.0


class Played:
    """The clips of a source, then all of them again at each speed; see `zoo.data.clips.Source`.

    Played r times as fast, a clip of n samples has n / r of them, and every frequency becomes r
    times as high: as if it had been sampled at r times its rate.

    Args:
        source: of the clips.
        rows: which of its rows, in order.
        speeds: r of each repetition.
    """

    def __init__(self, source: Source, rows: np.ndarray, speeds: Sequence[float]) -> None:
        self.source, self.rows, self.speeds = source, rows, (1.0, *speeds)
        lengths = source.lengths[rows]
        self.lengths = np.concatenate([_length(lengths, speed) for speed in self.speeds])

    def __getitem__(self, row: int) -> np.ndarray:
        """(samples / r,) float32."""
        speed = self.speeds[row // len(self.rows)]
        clip = np.asarray(self.source[self.rows[row % len(self.rows)]])
        if speed == 1:
            return clip
        played = soxr.resample(clip, speed, 1.0)
        return np.resize(played, self.lengths[row])  # soxr may round the last sample otherwise


def at_speeds(clips: Clips, speeds: Sequence[float]) -> Clips:
    """The clips, followed by all of them at each of `speeds`: row k n + i is clip i at speed k.

    Labels, groups and folds go along, so that a division by group holds; the new column `speed`
    tells them apart.

    Args:
        clips: waveforms.
        speeds: 1.25 is a quarter faster and 3.9 semitones higher.

    Raises:
        ValueError: a speed outside 0.25 to 4.
    """
    if not all(SLOWEST <= speed <= FASTEST for speed in speeds):
        raise ValueError(f"Speeds must lie between {SLOWEST} and {FASTEST}. Received: {speeds}.")
    index = pd.concat(
        [clips.index.assign(speed=speed) for speed in (1.0, *speeds)], ignore_index=True
    )
    played = Played(clips.source, clips.rows, speeds)
    return replace(clips, index=index, source=played, rows=np.arange(len(index)))


def every_speed(index: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Numbers of the same clips at every speed that an index of `at_speeds` holds.

    Args:
        index: of clips, at several speeds or not.
        rows: (clips,) numbers of clips at their own speed.
    """
    clips = int((index["speed"] == 1).sum()) if "speed" in index else len(index)
    return np.concatenate([rows + start for start in range(0, len(index), clips)])


def _length(samples: np.ndarray, speed: float) -> np.ndarray:
    return np.maximum(1, np.rint(samples / speed)).astype(np.int64)
