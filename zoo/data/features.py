"""Features of clips, computed batch by batch by a fixed front end."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from zoo.data.cutting import Pad, cut, require_padding
from zoo.data.fingerprints import fingerprint
from zoo.data.inspection import available_processors
from zoo.spectrogram.arrays import array_function

if TYPE_CHECKING:
    from zoo.data.clips import Clips

Augment = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
BATCHES_AHEAD = 2  # that threads compute while one is waited for


@dataclass(frozen=True)
class FeatureTask:
    """Features of clips, batch by batch; see `Clips.with_features` for the settings.

    Attributes:
        front_end: of waveforms.
        batch_size: clips at a time.
        duration_s: of a clip [s].
        pad: of shorter clips.
        augment: of the waveforms.
        seed: of the augmentation.

    Raises:
        ValueError: an option out of range.
    """

    front_end: Callable[[tf.Tensor], tf.Tensor]
    batch_size: int
    duration_s: float | None
    pad: Pad
    augment: Augment | None
    seed: int

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: {self.batch_size}.")
        require_padding(self.pad)

    def run(
        self, clips: "Clips", numbers: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, list[str]]]:
        """Features of each batch, (clips, frames, ...), and fingerprints of its waveforms.

        Args:
            clips: waveforms.
            numbers: of the batches, for the augmentation; None: 0, 1, ...

        Yields:
            In the order of the clips. On a processor a plain spectrogram is computed by NumPy and
            SciPy, clip by clip: no graph is traced, and no batch is copied together.
        """
        function = None
        if self.augment is None and not tf.config.list_physical_devices("GPU"):
            function = array_function(self.front_end)
        if function is not None:
            yield from self._by_arrays(clips, function)
            return
        compute = self._graph(clips)
        # all batches in one pipeline: each new one would keep its functions in memory
        batches = clips.all_batches(self.batch_size, duration_s=self.duration_s, pad=self.pad)
        for count, (x, labels) in enumerate(batches):
            y = compute(x, labels, count if numbers is None else int(numbers[count]))
            yield y.numpy(), [fingerprint(waveform) for waveform in x.numpy()]

    def _by_arrays(
        self, clips: "Clips", function: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[tuple[np.ndarray, list[str]]]:
        length, source, rows = clips.samples(self.duration_s), clips.source, clips.rows

        def compute(number: int) -> tuple[np.ndarray, str]:
            waveform = cut(source[rows[number]], length, pad=self.pad)
            return function(waveform), fingerprint(waveform)

        pending: deque[list[Future[tuple[np.ndarray, str]]]] = deque()
        for start in range(0, len(clips), self.batch_size):
            numbers = range(start, min(start + self.batch_size, len(clips)))
            pending.append([reading_threads().submit(compute, number) for number in numbers])
            if len(pending) > BATCHES_AHEAD:
                yield _gather(pending.popleft())
        while pending:
            yield _gather(pending.popleft())

    def _graph(self, clips: "Clips") -> Callable[..., tf.Tensor]:
        """Function from waveforms, labels and number of a batch to features."""
        augment = self.augment
        spec = tf.TensorSpec((None, clips.samples(self.duration_s)), tf.float32)

        def compute_batch(x: tf.Tensor, labels: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
            if augment is not None:
                x, _ = augment(x, labels, tf.stack([self.seed, number]))
            return self.front_end(x)

        scalar = tf.TensorSpec((), tf.int32)
        signature = [spec, tf.TensorSpec((None,), tf.int32), scalar]
        is_layer = augment is None and isinstance(self.front_end, keras.layers.Layer)
        return tf.function(compute_batch, input_signature=signature, autograph=not is_layer)


def _gather(
    futures: Sequence[Future[tuple[np.ndarray, str]]],
) -> tuple[np.ndarray, list[str]]:
    features, marks = zip(*(each.result() for each in futures), strict=True)
    return np.stack(features), list(marks)


@cache
def reading_threads() -> ThreadPoolExecutor:
    """Threads that read clips, the same ones for all data sets."""
    return ThreadPoolExecutor(available_processors(), thread_name_prefix="clips")
