"""Altered copies of clips that are trained on as well: other speeds, noise, rooms and gains."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from zoo import augment
from zoo.convnets import split_model
from zoo.data.backgrounds import add_backgrounds
from zoo.data.clips import Augment, Clips
from zoo.data.folds import Fold
from zoo.data.shards import ShardSettings
from zoo.data.speed import add_copies, add_speeds
from zoo.tasks import Workers
from zoo.training import hash_model

FrontEnd = Callable[[tf.Tensor], tf.Tensor]  # waveforms (batch, samples) to features
SPEEDS = (0.8, 0.9, 1.1, 1.25)  # of the copies of every clip that are trained on as well
MAX_CLIPS_AT_SPEEDS = 10_000  # more clips are varied enough, and five times as many take hours
MAX_CLIPS_IN_NOISE = 2_500
NOISY_COPIES = 2  # of every clip, beside the five speeds without noise
BACKGROUND_SHARE = 0.2  # of the noisy copies, with another clip in the background
MIXTURES = 4  # of every clip with another class, for a teacher to hear
MIXTURE_SNR_DB = (-5.0, 15.0)
MIXED = "mixed"  # column of an index: the clip is such a mixture
GAIN_DB = 30.0  # up and down; more than the front end's reference level leaves to be learnt


def compute_features(
    clips: Clips,
    model: keras.Model | FrontEnd,
    duration_s: float,
    without: Sequence[str] = (),
    *,
    parts: Sequence[Fold],
    seed: int = 0,
    cache: Path | None = None,
    workers: Workers | None = None,
) -> Clips:
    """Front end output of every clip and of its copies, unless there are too many clips.

    Copies are at other speeds, and others in noise, in rooms and at other gains.

    Args:
        clips: waveforms.
        model: whose front end is computed; or a function of waveforms (batch, samples).
        duration_s: of a clip for the network [s].
        without: augmentations that are left out; "speeds" and "noise": no such copies.
        parts: folds; a clip is mixed with clips that the same fold tests on alone.
        seed: of noise, rooms and gains.
        cache: folder for the features of so many clips that they have no copies; None: memory.
        workers: that compute those in the folder; None: this process.
    """
    once = "speeds" in without or len(clips) > MAX_CLIPS_AT_SPEEDS
    front = split_model(model)[0] if isinstance(model, keras.Model) else model
    speeds = () if once else SPEEDS
    is_large = len(clips) > MAX_CLIPS_AT_SPEEDS
    shards = ShardSettings(cache, hash_model(front)) if cache is not None and is_large else None
    features = add_speeds(clips, speeds).with_features(
        front, duration_s=duration_s, shards=shards, workers=workers
    )
    if "noise" in without or len(clips) > MAX_CLIPS_IN_NOISE or clips.sample_rate_hz is None:
        return features
    part = fold_numbers(len(clips), parts)
    repeated = add_speeds(clips, (1.0,) * (NOISY_COPIES - 1))
    copies = add_backgrounds(
        repeated, np.resize(part, len(repeated)), share=BACKGROUND_SHARE, seed=seed
    ).with_features(
        front, duration_s=duration_s, augment=noise_augmentation(clips.sample_rate_hz), seed=seed
    )
    return add_copies(features, copies)


def compute_mixtures(
    clips: Clips,
    model: keras.Model | FrontEnd,
    duration_s: float,
    *,
    parts: Sequence[Fold],
    seed: int = 0,
) -> Clips:
    """Front end output of mixtures of two classes, `MIXTURES` of every clip.

    Args:
        clips: waveforms.
        model: see `compute_features`.
        duration_s: of a clip for the network [s].
        parts: folds; a clip is mixed with clips that the same fold tests on alone.
        seed: of choice, ratio, noise, rooms and gains.

    Raises:
        ValueError: features instead of waveforms.
    """
    if clips.sample_rate_hz is None:
        raise ValueError("Expected waveforms. Received: clips without a sample rate.")
    front = split_model(model)[0] if isinstance(model, keras.Model) else model
    repeated = add_speeds(clips, (1.0,) * (MIXTURES - 1))
    part = np.resize(fold_numbers(len(clips), parts), len(repeated))
    mixed = add_backgrounds(repeated, part, share=1.0, snr_db=MIXTURE_SNR_DB, seed=seed)
    return mixed.with_features(
        front, duration_s=duration_s, augment=noise_augmentation(clips.sample_rate_hz), seed=seed
    )


def join_mixtures(features: Clips, mixtures: Clips) -> Clips:
    """Features of clips and copies, followed by those of mixtures as further copies.

    The new column `mixed` distinguishes them.

    Args:
        features: from `compute_features`.
        mixtures: from `compute_mixtures`, of the same clips.
    """
    number = 1 + (int(np.max(features.index["copy"].to_numpy())) if "copy" in features.index else 0)
    parts = (features, mixtures)
    index = pd.concat(
        [features.index.assign(mixed=False), mixtures.index.assign(copy=number, mixed=True)],
        ignore_index=True,
    )
    if "copy" not in features.index:
        index["copy"] = index["copy"].fillna(0)
    return replace(
        features,
        index=index,
        source=JoinedSource(parts),
        rows=np.arange(len(index)),
        content=features.content + mixtures.content,
    )


class JoinedSource:
    """The clips of several sources, one after another; see `zoo.data.clips.Source`.

    Args:
        parts: clips with features of the same shape.
    """

    def __init__(self, parts: Sequence[Clips]) -> None:
        self.parts = tuple(parts)
        self.starts = np.cumsum([0, *map(len, parts)])
        self.trailing = parts[0].source.trailing
        self.lengths = np.concatenate([part.source.lengths[part.rows] for part in parts])

    def __getitem__(self, row: int) -> np.ndarray:
        """Features of one clip."""
        number = int(np.searchsorted(self.starts, row, "right")) - 1
        part = self.parts[number]
        return part.source[int(part.rows[row - self.starts[number]])]


def fold_numbers(clips: int, parts: Sequence[Fold]) -> np.ndarray:
    """(clips,) number of the fold that tests on each clip, from 1; 0: none."""
    part = np.zeros(clips, int)
    for number, fold in enumerate(parts, 1):
        part[fold.test] = number
    return part


def noise_augmentation(sample_rate_hz: float) -> Augment:
    """Augmentation of the noisy copies: rooms, then coloured noise, then gain."""
    return augment.chain(
        augment.Room(sample_rate_hz, share=0.4),
        augment.AddNoise((5.0, 30.0), (0.0, 2.0), share=0.7),
        augment.Gain((-GAIN_DB, GAIN_DB)),
    )
