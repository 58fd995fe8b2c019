"""Batches of clips as tf.data: cut, shuffled and augmented by step, sharded among workers.

Every batch is addressed by its step: `dataset(..., start_step=k)` begins with the batch that an
uninterrupted run has after k steps, for any number of shards.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import pandas as pd
import tensorflow as tf

from zoo.data.cache import ClipStore, cache_key
from zoo.data.cutting import Pad, cut, require_padding
from zoo.data.features import Augment, FeatureTask, reading_threads
from zoo.data.shards import ShardSettings, missing_rows, open_shards, shard_folder, write_shards
from zoo.data.shuffling import shuffled_rows
from zoo.progress import track
from zoo.tasks import Task, Workers, require_done, run_tasks

Batch = tuple[tf.Tensor, tf.Tensor]  # clips (batch, length, ...), class indices (batch,)
Crop = Literal["centre", "random"]
# Rewriting Python's `if` and `for` takes three quarters of tracing; only code of others has any.
_as_it_stands = tf.autograph.experimental.do_not_convert
MAX_SHARDS_A_TASK = 8  # half a minute of work for five seconds of starting TensorFlow


class Source(Protocol):
    """Source of clips: `source[row]` is (length, ...), `length` being `lengths[row]`."""

    @property
    def lengths(self) -> np.ndarray:
        """(rows,) length of each clip."""
        ...

    @property
    def trailing(self) -> tuple[int, ...]:
        """Shape of a sample or frame: empty for waveforms."""
        ...

    def __getitem__(self, row: int) -> np.ndarray:
        """One clip, float32."""
        ...


@dataclass(frozen=True)
class Clips:
    """Clips ready to be batched: waveforms, or features of a front end.

    Attributes:
        index: one row per clip.
        source: of the clips.
        rows: (clips,) row of each clip in `source`.
        classes: labels in the order of their numbers.
        sample_rate_hz: of waveforms [Hz]; None: features.
        damaged: clips of the loaded index that were left out, with the reason.
        remarks: unusual clips of the loaded index.
        content: hash of the waveforms that features were computed from; empty for waveforms.
    """

    index: pd.DataFrame
    source: Source
    rows: np.ndarray
    classes: tuple[str, ...]
    sample_rate_hz: int | None
    damaged: pd.DataFrame
    remarks: pd.DataFrame
    content: str = field(default="", kw_only=True)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, choice: np.ndarray) -> "Clips":
        """Subset of the clips, by mask or by numbers; nothing is copied or decoded."""
        choice = np.asarray(choice)
        numbers = np.arange(len(self))[choice] if choice.size else np.arange(0)
        index = self.index.iloc[numbers].reset_index(drop=True)
        return replace(self, index=index, rows=self.rows[numbers])

    @cached_property
    def labels(self) -> np.ndarray:
        """(clips,) int32 class index."""
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
        shard: tuple[int, int] = (0, 1),
    ) -> tf.data.Dataset:
        """Endless training batches, addressed by step.

        Every epoch visits each clip once, in an order drawn from `seed` and the number of the
        epoch. A batch may reach into the next epoch, so all batches are full.

        Args:
            batch_size: clips in a batch, over all workers together.
            seed: of the order, the cuts and the augmentation.
            start_step: first step.
            duration_s: length that every clip is cut or padded to [s]; None: all are equally long.
            crop: part to keep of a longer clip: its centre, or a random one.
            pad: fill a shorter clip by repeating it, or with zeros behind it.
            augment: augment(clips, labels, seed (2,) int32) -> (clips, labels) of a batch, in
                TensorFlow operations. It must draw from `seed` alone, so that a batch depends on
                its step alone.
            shard: number of the part of every batch to return, and number of parts; `batch_size`
                is a multiple of the latter.

        Returns:
            Dataset of (clips (batch, samples) float32, labels (batch,) int32).

        Raises:
            ValueError: an option out of range, or clips that differ in length.
        """
        worker, workers = shard
        if not 0 <= worker < workers or batch_size < 1 or batch_size % workers:
            raise ValueError(
                "`shard` must be (number, count) with 0 <= number < count, and `batch_size` a "
                f"positive multiple of the count. Received: {shard}, batch_size={batch_size}."
            )
        if crop not in ("centre", "random"):
            raise ValueError(f"`crop` must be 'centre' or 'random'. Received: {crop!r}.")
        read = self._batch_reader(duration_s, pad)
        part = slice(worker, None, workers)

        def batch(step: tf.Tensor) -> Batch:
            which = shuffled_rows(step, batch_size, len(self), seed)[part]
            at = tf.fill([batch_size], 0.5)
            if crop == "random":
                at = tf.random.stateless_uniform([batch_size], seed=tf.stack([seed, step]))
            x, y = read(which, at[part], batch_size // workers)
            if augment is None:
                return x, y
            number = step * workers + worker  # so that shards are augmented differently
            return augment(x, y, tf.cast(tf.stack([seed, number]), tf.int32))

        steps = tf.data.Dataset.range(start_step, tf.int64.max)
        batch = batch if augment else _as_it_stands(batch)
        return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)

    def all_batches(
        self, batch_size: int, *, duration_s: float | None = None, pad: Pad = "repeat"
    ) -> tf.data.Dataset:
        """Batches of every clip once, in order; the last one may be smaller.

        Args:
            batch_size: clips in a batch.
            duration_s: as in `dataset`.
            pad: as in `dataset`.

        Raises:
            ValueError: an option out of range, or clips that differ in length.
        """
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: {batch_size}.")
        read = self._batch_reader(duration_s, pad)

        @_as_it_stands
        def batch(step: tf.Tensor) -> Batch:
            start = step * batch_size
            which = tf.range(start, tf.minimum(start + batch_size, len(self)))
            return read(which, tf.fill(tf.shape(which), 0.5), None)

        steps = tf.data.Dataset.range(-(-len(self) // batch_size))
        return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)

    def with_features(
        self,
        front_end: Callable[[tf.Tensor], tf.Tensor],
        *,
        duration_s: float | None = None,
        pad: Pad = "repeat",
        batch_size: int = 8,
        augment: Augment | None = None,
        seed: int = 0,
        shards: ShardSettings | None = None,
        workers: Workers | None = None,
    ) -> "Clips":
        """Features of every clip, computed once by a fixed front end and kept.

        Args:
            front_end: (batch, samples) -> (batch, frames, ...), a Keras layer or a function.
            duration_s: as in `dataset`.
            pad: as in `dataset`.
            batch_size: clips at a time; many at once exceed the processor's cache.
            augment: of the waveforms, as in `dataset`; labels stay as they are.
            seed: of the augmentation.
            shards: keep them in files, for more clips than fit into memory; a computation that was
                interrupted goes on. None: in memory.
            workers: that compute the shards, some in each process; the front end and the source
                of the clips can then be pickled. The files are the same, byte for byte, for any
                number of workers. None: this process.

        Returns:
            Clips whose source are the features.

        Raises:
            ValueError: no clips, clips that differ in length, too little space on the disk, or
                shards whose size is not a multiple of the batch size.
        """
        if shards is not None:
            task = ShardTask(self, front_end, shards, batch_size, duration_s, pad, augment, seed)
            return task.compute(workers)
        start, features = 0, np.empty(0, np.float32)
        digest = hashlib.sha256(f"{augment is not None}, {seed}".encode())
        task = FeatureTask(front_end, batch_size, duration_s, pad, augment, seed)
        for y, marks in track(task.run(self), -(-len(self) // batch_size), "front end"):
            digest.update("".join(marks).encode())
            if start == 0:  # the shape is known from the first batch on
                features = np.empty((len(self), *y.shape[1:]), np.float32)
            features[start : start + len(y)] = y
            start += len(y)
        lengths = np.full(len(self), features.shape[1])
        store = ClipStore(features.reshape(-1, *features.shape[2:]), lengths)
        return replace(
            self,
            source=store,
            rows=np.arange(len(self)),
            sample_rate_hz=None,
            content=digest.hexdigest(),
        )

    def to_array(self, *, duration_s: float | None = None, pad: Pad = "repeat") -> np.ndarray:
        """All clips in one array, (clips, samples) float32.

        Args:
            duration_s: as in `dataset`.
            pad: as in `dataset`.
        """
        batches = self.all_batches(64, duration_s=duration_s, pad=pad)
        return np.concatenate([x.numpy() for x, _ in batches])

    def samples(self, duration_s: float | None) -> int:
        """Length of every clip [samples] at a duration, or that of all.

        Args:
            duration_s: [s]; None: all are equally long.

        Raises:
            ValueError: no clips, clips that differ in length, or a duration out of range.
        """
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
            raise ValueError("`duration_s` is for waveforms; these are features of a front end.")
        length = round(duration_s * self.sample_rate_hz)
        if length < 1:
            raise ValueError(f"`duration_s` must be at least one sample. Received: {duration_s}.")
        return length

    def _batch_reader(self, duration_s: float | None, pad: Pad) -> Callable[..., Batch]:
        """Function from clip numbers, places of cutting and batch size to a batch."""
        require_padding(pad)
        length, source, rows = self.samples(duration_s), self.source, self.rows
        labels = tf.constant(self.labels)
        shape = (length, *source.trailing)
        map_clips = map if isinstance(source, ClipStore) else reading_threads().map

        def read_clip(number: int, at: float) -> np.ndarray:
            return cut(source[rows[number]], length, at=at, pad=pad)

        def read_clips(numbers: np.ndarray, at: np.ndarray) -> np.ndarray:
            return np.stack(list(map_clips(read_clip, numbers, at)))

        def read_batch(numbers: tf.Tensor, at: tf.Tensor, size: int | None) -> Batch:
            x = tf.numpy_function(read_clips, [numbers, at], tf.float32)
            return tf.ensure_shape(x, (size, *shape)), tf.gather(labels, numbers)

        return read_batch


@dataclass(frozen=True)
class ShardTask:
    """Features of clips in shards: what has to be computed, by whatever process.

    Attributes:
        clips: waveforms.
        front_end: see `Clips.with_features`, as are the other fields.
        shards: settings of the files.
        batch_size: clips at a time.
        duration_s: of a clip [s].
        pad: of shorter clips.
        augment: of the waveforms.
        seed: of the augmentation.
    """

    clips: Clips
    front_end: Callable[[tf.Tensor], tf.Tensor]
    shards: ShardSettings
    batch_size: int
    duration_s: float | None
    pad: Pad
    augment: Augment | None
    seed: int

    def compute(self, workers: Workers | None) -> Clips:
        """Clips whose features are in files; those that are not there are computed.

        Args:
            workers: that compute them; None: this process.

        Raises:
            ValueError: see `Clips.with_features`; or a task failed.
        """
        if self.shards.clips % self.batch_size:
            raise ValueError(
                "A shard must hold a multiple of the batch size. "
                f"Received: {self.shards.clips} clips, batch_size={self.batch_size}."
            )
        place, total = self.place, len(self.clips)
        missing = missing_rows(self.shards, place, total)
        if len(missing) and workers is None:
            self.write(missing)
        elif len(missing):
            self._run(missing, workers or Workers())
        store = open_shards(self.shards, place, total)
        return replace(
            self.clips,
            source=store,
            rows=np.arange(total),
            sample_rate_hz=None,
            content=store.content,
        )

    @cached_property
    def place(self) -> Path:
        """Folder of the shards."""
        clips, columns = self.clips, self.clips.index.to_csv(index=False)
        key = f"{cache_key(clips.index)} {hashlib.sha256(str(columns).encode()).hexdigest()}"
        return shard_folder(
            self.shards,
            key,
            length=clips.samples(self.duration_s),
            pad=self.pad,
            augment=self.augment is not None,
            seed=self.seed,
        )

    def write(self, rows: np.ndarray) -> None:
        """Compute and write the features of some clips, whole shards in rising order.

        Args:
            rows: of the clips.
        """
        task = FeatureTask(
            *(self.front_end, self.batch_size, self.duration_s, self.pad, self.augment, self.seed)
        )
        starts = rows[:: self.batch_size]
        batches = task.run(self.clips[rows], starts // self.batch_size)
        features = (y for y, _ in track(batches, len(starts), "front end"))
        write_shards(self.shards, self.place, rows, len(self.clips), features)

    def _run(self, missing: np.ndarray, workers: Workers) -> None:
        """Let tasks of some shards each write what is missing."""
        shard = missing // self.shards.clips
        numbers = np.unique(shard)
        size = max(1, min(MAX_SHARDS_A_TASK, len(numbers) // 16))  # a few shards: one each
        parts = np.array_split(numbers, -(-len(numbers) // size))
        blocks = [missing[np.isin(shard, part)] for part in parts]
        tasks = [
            Task(
                f"shards {part[0]} to {part[-1]}",
                "zoo.data.clips:write_features",
                {"rows": rows},
                self.place / f"{part[0]:06d}-{part[-1]:06d}.task",
            )
            for part, rows in zip(parts, blocks, strict=True)
        ]
        rows_of = {id(task): rows for task, rows in zip(tasks, blocks, strict=True)}

        def is_done(task: Task) -> bool:
            there = missing_rows(self.shards, self.place, len(self.clips))
            return not np.isin(rows_of[id(task)], there).any()

        require_done(run_tasks(tasks, workers, common={"task": self}, is_done=is_done))


def write_features(rows: np.ndarray, task: ShardTask) -> None:
    """In a worker: write the shards of some clips.

    Args:
        rows: of the clips.
        task: front end and clips.
    """
    task.write(rows)


def spread_rows(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of some rows, evenly spaced, (n,)."""
    return rows[:: max(1, -(-len(rows) // count))]
