"""Clips in batches, as tf.data: cut, shuffled and augmented by step, shared out among workers.

Every batch is addressed by its step: `dataset(..., start_step=k)` gives from its first element on
what an uninterrupted run gives after k steps, whatever the number of workers.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import pandas as pd
import tensorflow as tf

from zoo.data.cache import Store
from zoo.data.cutting import Pad, cut
from zoo.data.inspection import processors
from zoo.progress import track

Augment = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Crop = Literal["centre", "random"]


class Source(Protocol):
    """Where clips come from: `source[row]` is (length, ...), `length` being `lengths[row]`."""

    lengths: np.ndarray

    def __getitem__(self, row: int) -> np.ndarray:
        """One clip, float32."""


@dataclass(frozen=True)
class Clips:
    """Clips ready to be batched: waveforms, or what a front end made of them.

    index: one row a clip. rows: where each stands in `source`. classes: the labels in the order of
    their numbers. sample_rate_hz: of waveforms, None of anything else. damaged, remarks: what was
    left out and what is odd, in the whole index that was loaded.
    """

    index: pd.DataFrame
    source: Source
    rows: np.ndarray
    classes: tuple[str, ...]
    sample_rate_hz: int | None
    damaged: pd.DataFrame
    remarks: pd.DataFrame

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, choice: np.ndarray) -> "Clips":
        """Some of the clips, by mask or by number; nothing is copied or decoded."""
        choice = np.asarray(choice)
        chosen = np.arange(len(self))[choice] if choice.size else np.arange(0)
        index = self.index.iloc[chosen].reset_index(drop=True)
        return replace(self, index=index, rows=self.rows[chosen])

    @cached_property
    def labels(self) -> np.ndarray:
        """(clips,) int32 number of each clip's class."""
        numbers = {name: k for k, name in enumerate(self.classes)}
        return np.array([numbers[str(label)] for label in self.index["label"]], dtype=np.int32)

    def dataset(
        self,
        batch_size: int,
        *,
        seed: int,
        start_step: int = 0,
        duration_s: float | None = None,
        crop: Crop = "random",
        pad: Pad = "repeat",
        augment: Augment | None = None,
        worker: int = 0,
        workers: int = 1,
    ) -> tf.data.Dataset:
        """Endless training batches, addressed by step.

        Every epoch visits each clip once, in an order drawn from `seed` and the number of the
        epoch. A batch may reach into the next epoch, so all batches are full.

        Args:
            batch_size: clips in a batch, over all workers together.
            seed: of the order, the cuts and the augmentation.
            start_step: first step.
            duration_s: what every clip is cut or padded to [s]; None where all are equally long.
            crop: what is kept of a longer clip: its centre, or a part drawn anew each time.
            pad: how a shorter clip is filled: by repeating it, or with zeros behind it.
            augment: augment(clips, labels, seed (2,) int32) -> (clips, labels) of a batch, in
                TensorFlow operations. It must draw from `seed` alone, so that a batch depends on
                its step alone.
            worker: which share of every batch to give.
            workers: how many shares there are; `batch_size` is a multiple.

        Returns:
            Dataset of (clips (batch, samples) float32, labels (batch,) int32).

        Raises:
            ValueError: an option does not fit.
        """
        if not 0 <= worker < workers or batch_size < 1 or batch_size % workers:
            raise ValueError(
                "`batch_size` must be a positive multiple of `workers`, and `worker` one of them. "
                f"Received: batch_size={batch_size}, worker={worker}, workers={workers}."
            )
        if crop not in ("centre", "random"):
            raise ValueError(f"`crop` must be 'centre' or 'random'. Received: {crop!r}.")
        take = self._taker(duration_s, pad)
        share = slice(worker, None, workers)

        def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            which = _shuffled(step, batch_size, len(self), seed)[share]
            at = tf.fill([batch_size], 0.5)
            if crop == "random":
                at = tf.random.stateless_uniform([batch_size], seed=tf.stack([seed, step]))
            pair = take(which, at[share], batch_size // workers)
            if augment is None:
                return pair
            own = step * workers + worker  # so that workers do not draw alike
            return augment(*pair, tf.cast(tf.stack([seed, own]), tf.int32))

        steps = tf.data.Dataset.range(start_step, tf.int64.max)
        return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)

    def all_batches(
        self, batch_size: int, *, duration_s: float | None = None, pad: Pad = "repeat"
    ) -> tf.data.Dataset:
        """Every clip once, in order, its centre if it is longer; the last batch may be smaller.

        Args:
            batch_size: clips in a batch.
            duration_s: as in `dataset`.
            pad: as in `dataset`.
        """
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: {batch_size}.")
        take = self._taker(duration_s, pad)

        def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = step * batch_size
            which = tf.range(start, tf.minimum(start + batch_size, len(self)))
            return take(which, tf.fill(tf.shape(which), 0.5), None)

        steps = tf.data.Dataset.range(-(-len(self) // batch_size))
        return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)

    def through(
        self,
        front_end: Callable[[tf.Tensor], tf.Tensor],
        *,
        duration_s: float | None = None,
        pad: Pad = "repeat",
        batch_size: int = 8,
    ) -> "Clips":
        """What a fixed front end makes of every clip, kept in memory.

        For a front end that is not trained: the costly part is done once, not in every epoch.

        Args:
            front_end: (batch, samples) -> (batch, frames, ...), a Keras layer or a function.
            duration_s: as in `dataset`.
            pad: as in `dataset`.
            batch_size: clips at a time; many at once outgrow the processor's cache.
        """
        spec = tf.TensorSpec((None, self._length(duration_s)), tf.float32)
        compute = tf.function(lambda x: front_end(x), input_signature=[spec])
        batches = self.all_batches(batch_size, duration_s=duration_s, pad=pad)
        made, kept = 0, None
        for x, _ in track(batches, -(-len(self) // batch_size), "front end"):
            y = compute(x).numpy()
            if kept is None:
                kept = np.empty((len(self), *y.shape[1:]), np.float32)
            kept[made : made + len(y)] = y
            made += len(y)
        store = Store(kept.reshape(-1, *kept.shape[2:]), np.full(len(self), kept.shape[1]))
        return replace(self, source=store, rows=np.arange(len(self)), sample_rate_hz=None)

    def to_array(self, *, duration_s: float | None = None, pad: Pad = "repeat") -> np.ndarray:
        """All clips in one array, (clips, samples) float32.

        Args:
            duration_s: as in `dataset`.
            pad: as in `dataset`.
        """
        batches = self.all_batches(64, duration_s=duration_s, pad=pad)
        return np.concatenate([x.numpy() for x, _ in batches])

    def _length(self, duration_s: float | None) -> int:
        if len(self) == 0:
            raise ValueError("There are no clips to batch. Choose at least one.")
        if duration_s is None:
            lengths = np.unique(self.source.lengths[self.rows])
            if len(lengths) > 1:
                raise ValueError(
                    "`duration_s` must be given where clips differ in length. "
                    f"Received: None, and clips of {lengths[0]} to {lengths[-1]} samples."
                )
            return int(lengths[0])
        if self.sample_rate_hz is None:
            raise ValueError("`duration_s` cuts waveforms; these went through a front end already.")
        length = round(duration_s * self.sample_rate_hz)
        if length < 1:
            raise ValueError(f"`duration_s` must be at least one sample. Received: {duration_s}.")
        return length

    def _taker(self, duration_s: float | None, pad: Pad) -> Callable:
        """The function from clip numbers and places of cutting to tensors of a batch."""
        if pad not in ("repeat", "zeros"):
            raise ValueError(f"`pad` must be 'repeat' or 'zeros'. Received: {pad!r}.")
        length, source, rows = self._length(duration_s), self.source, self.rows
        kept = isinstance(source, Store)
        pool = None if kept else ThreadPoolExecutor(processors())
        shape = (length, *source.data.shape[1:]) if kept else (length,)
        labels = tf.constant(self.labels)

        def one(number: int, at: float) -> np.ndarray:
            return cut(source[rows[number]], length, at=at, pad=pad)

        def some(which: np.ndarray, at: np.ndarray) -> np.ndarray:
            return np.stack(list((pool.map if pool else map)(one, which, at)))

        def take(which: tf.Tensor, at: tf.Tensor, size: int | None) -> tuple[tf.Tensor, tf.Tensor]:
            x = tf.numpy_function(some, [which, at], tf.float32)
            return tf.ensure_shape(x, (size, *shape)), tf.gather(labels, which)

        return take


def _shuffled(step: tf.Tensor, batch_size: int, clips: int, seed: int) -> tf.Tensor:
    """(batch,) numbers of the clips of a step.

    One permutation an epoch, computed place by place: nothing to keep, nothing to skip.
    """
    position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch, place = position // clips, position % clips
    seeds = tf.stack([tf.fill([batch_size], tf.cast(seed, tf.int64)), epoch, 0 * epoch], axis=1)
    # tf.random.experimental.index_shuffle takes one seed a call; its operation one a place
    # four rounds, its default, leave a hundred places half as they were when seeds are small
    return tf.raw_ops.RandomIndexShuffle(
        index=place, seed=seeds, max_index=tf.cast(clips - 1, tf.int64), rounds=8
    )


def spread_rows(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of some rows, evenly spaced, (n,)."""
    return rows[:: max(1, -(-len(rows) // count))]
