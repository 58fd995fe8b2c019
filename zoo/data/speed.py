"""Altered copies of clips for training: other speeds (pitch and tempo together), noisy copies."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import soxr

from zoo.data.cache import ClipStore
from zoo.data.clips import Clips, Source

MIN_SPEED, MAX_SPEED = 0.25, 4.0


class SpeedSource:
    """The clips of a source, then all of them again at each speed; see `zoo.data.clips.Source`.

    At speed r a clip of n samples has n / r samples, and every frequency is multiplied by r, as if
    it had been sampled at r times its rate.

    Args:
        source: of the clips.
        rows: of the source to use, in order.
        speeds: r of each repetition.
    """

    trailing = ()

    def __init__(self, source: Source, rows: np.ndarray, speeds: Sequence[float]) -> None:
        self.source, self.rows, self.speeds = source, rows, (1.0, *speeds)
        lengths = source.lengths[rows]
        self.lengths = np.concatenate([_lengths(lengths, speed) for speed in self.speeds])

    def __getitem__(self, row: int) -> np.ndarray:
        """Clip (samples / r,) float32."""
        speed = self.speeds[row // len(self.rows)]
        clip = np.asarray(self.source[self.rows[row % len(self.rows)]])
        if speed == 1:
            return clip
        resampled = soxr.resample(clip, speed, 1.0)
        return np.resize(resampled, self.lengths[row])  # soxr may round the length otherwise


def add_speeds(clips: Clips, speeds: Sequence[float]) -> Clips:
    """Clips followed by all of them at each of `speeds`: row k n + i is clip i at speed k.

    Labels, groups and folds are repeated, so that a split by group stays valid; the new column
    `speed` distinguishes the repetitions.

    Args:
        clips: waveforms.
        speeds: 1.25 is a quarter faster and 3.9 semitones higher.

    Raises:
        ValueError: a speed outside 0.25 to 4.
    """
    if not all(MIN_SPEED <= speed <= MAX_SPEED for speed in speeds):
        raise ValueError(
            f"Speeds must lie between {MIN_SPEED} and {MAX_SPEED}. Received: {speeds}."
        )
    index = pd.concat(
        [clips.index.assign(speed=speed) for speed in (1.0, *speeds)], ignore_index=True
    )
    source = SpeedSource(clips.source, clips.rows, speeds)
    return replace(clips, index=index, source=source, rows=np.arange(len(index)))


def add_copies(features: Clips, copies: Clips) -> Clips:
    """Features followed by those of altered copies of the same clips, in the same order.

    The new column `copy` distinguishes them; labels, groups and folds are those of the copies.

    Args:
        features: front end output, from `Clips.with_features`.
        copies: of as many clips or a multiple, such as noisy ones.

    Raises:
        ValueError: copies of another number of clips.
    """
    clips = _clip_count(features.index)
    if len(copies) % clips:
        raise ValueError(
            f"`copies` must hold each of the {clips} clips once or more. Received: {len(copies)}."
        )
    parts = (features, copies)
    index = pd.concat(
        [part.index.assign(copy=k) for k, part in enumerate(parts)], ignore_index=True
    )
    data = np.stack([part.source[row] for part in parts for row in part.rows])
    store = ClipStore(data.reshape(-1, *data.shape[2:]), np.full(len(data), data.shape[1]))
    content = features.content + copies.content
    return replace(features, index=index, source=store, rows=np.arange(len(index)), content=content)


def rows_of_all_copies(index: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Rows of the same clips at every speed and in every copy.

    Args:
        index: of clips, from `add_speeds` and `add_copies` or neither.
        rows: (clips,) of clips at speed 1.
    """
    clips = _clip_count(index)
    return np.concatenate([rows + start for start in range(0, len(index), clips)])


def _lengths(samples: np.ndarray, speed: float) -> np.ndarray:
    return np.maximum(1, np.rint(samples / speed)).astype(np.int64)


def _clip_count(index: pd.DataFrame) -> int:
    """Number of clips without their copies."""
    first = np.ones(len(index), bool)
    for column, value in (("speed", 1), ("copy", 0)):
        if column in index:
            first &= (index[column] == value).to_numpy()
    return int(first.sum())
