"""Sequences with units and groups, and their batches: the form of all data on stress histories.

TensorFlow is imported where batches are made: everything else here works with NumPy alone, as in an
environment where Keras runs on another backend.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Quantity:
    """What a tensor, or one feature of it, holds.

    Attributes:
        name: for instance "strain".
        unit: for instance "1/s"; "-" for a pure number.
        meaning: one clause.
        aliases: earlier names; what names one of them means this quantity.
    """

    name: str
    unit: str
    meaning: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Sequences of one named split.

    Attributes:
        name: of the split.
        x: (paths, time, features) float32.
        y: (paths, time, targets) float32.
        inputs: what the features are.
        targets: what the targets are.
        groups: (paths,) specimen, speaker or record of each path: what to split by.
        weight: (paths, time) float32, 0 where a step is padding or start-up; None if all count.
        notes: what was found, assumed and converted where the data were read, a clause each.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    inputs: tuple[Quantity, ...]
    targets: tuple[Quantity, ...]
    groups: np.ndarray
    weight: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.x.ndim != 3:
            raise ValueError(
                f"`x` of split {self.name!r} must have shape (paths, time, features). "
                f"Received: {self.x.shape}."
            )
        paths, steps = self.x.shape[:2]
        expected = {
            "x": (paths, steps, len(self.inputs)),
            "y": (paths, steps, len(self.targets)),
            "groups": (paths,),
            "weight": (paths, steps),
        }
        for field, shape in expected.items():
            array = getattr(self, field)
            if array is None:
                continue
            if array.shape != shape:
                raise ValueError(
                    f"`{field}` of split {self.name!r} must have shape {shape}. "
                    f"Received: {array.shape}."
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(
                    f"`{field}` of split {self.name!r} must be finite. Received: NaN or infinity."
                )

    def select(self, paths: Sequence[int] | np.ndarray, name: str | None = None) -> Self:
        """The paths with these indices, in this order; or those that a mask (paths,) marks."""
        paths = np.asarray(paths)
        paths = np.flatnonzero(paths) if paths.dtype == bool else paths.astype(int)
        return replace(
            self,
            name=name or self.name,
            x=self.x[paths],
            y=self.y[paths],
            groups=self.groups[paths],
            weight=None if self.weight is None else self.weight[paths],
        )

    def dataset(self, batch_size: int, *, seed: int, start_step: int = 0) -> "tf.data.Dataset":
        """Endless training batches, addressed by step.

        Every epoch visits each path once, in an order drawn from `seed` and the number of the
        epoch. A batch may reach into the next epoch, so all batches are full. Step k is the same
        batch whether or not the steps before it were taken, so training can be resumed.

        Args:
            batch_size: paths in a batch, at most as many as there are.
            seed: of the order.
            start_step: first step.

        Returns:
            Dataset of `(x, {"prediction": y})`, and `{"prediction": weight}` if there is one.

        Raises:
            ValueError: a batch of no path, or of more than there are.
        """
        import tensorflow as tf  # see the module's docstring

        from zoo.data.shuffling import shuffled_rows

        paths = len(self.x)
        if not 0 < batch_size <= paths:
            raise ValueError(
                f"`batch_size` must lie between 1 and the number of paths, {paths}. "
                f"Received: batch_size={batch_size}."
            )
        parts = [tf.constant(part) for part in (self.x, self.y, self.weight) if part is not None]

        def gather(step: tf.Tensor) -> tuple:
            rows = shuffled_rows(step, batch_size, paths, seed)
            x, *targets = (tf.gather(part, rows) for part in parts)
            return (x, *({"prediction": target} for target in targets))

        return tf.data.Dataset.range(start_step, tf.int64.max).map(gather).prefetch(2)

    def all_batches(self, batch_size: int) -> "tf.data.Dataset":
        """Every path once, in order, for validation; elements as in `dataset`."""
        import tensorflow as tf  # see the module's docstring

        parts = [part for part in (self.x, self.y, self.weight) if part is not None]
        rows = tf.data.Dataset.from_tensor_slices(tuple(parts)).batch(batch_size)
        return rows.map(lambda x, *targets: (x, *({"prediction": t} for t in targets))).cache()
