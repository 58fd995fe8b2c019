"""Pooling layers that Keras lacks: minimum under a window, running mean, statistics over time."""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("zoo")
class MinPooling2D(keras.layers.Layer):
    """Min pooling: smallest value under a sliding window, as `MaxPooling2D` takes the largest.

    y[b, i, j, c] = min over (m, n) of x[b, i s + m, j s + n, c] = −maxpool(−x)[b, i, j, c]

    (batch, height, width, channels) -> (batch, rows, columns, channels), one row for each place of
    the window: floor((height − pool) / s) + 1 with "valid", ceil(height / s) with "same" padding.
    Padding does not take part: the minimum is over the values inside the image. Only the smallest
    value has a gradient. Integers keep their type and are exact.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: s, step of the window; `pool_size` by default.
        padding: "valid" or "same", in the sense of `keras.layers.MaxPooling2D`.
        data_format: "channels_last" or "channels_first"; Keras' own setting by default.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: unknown padding.

    Example:
        >>> import numpy as np
        >>> image = np.array([[2, 5, 3, 1], [4, 8, 9, 1], [5, 4, 7, 3], [0, 4, 1, 2]], "float32")
        >>> pooled = MinPooling2D(2)(image[None, ..., None])
        >>> np.array(pooled)[0, ..., 0].tolist()
        [[2.0, 1.0], [0.0, 1.0]]
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int] = (2, 2),
        strides: int | tuple[int, int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if padding not in ("valid", "same"):  # Keras would raise at the first call only
            raise ValueError(f"`padding` must be 'valid' or 'same'. Received: {padding!r}.")
        # Composition: `isinstance(layer, MaxPooling2D)` must be false for a minimum.
        self.maximum = keras.layers.MaxPooling2D(
            pool_size, strides, padding, data_format, dtype=self.dtype_policy
        )

    def call(self, image: KerasTensor) -> KerasTensor:
        """Smallest values, of the image's type."""
        if "int" in keras.backend.standardize_dtype(image.dtype):
            # ~x = −1 − x reverses the order as −x does, and cannot overflow.
            return ops.bitwise_not(self.maximum(ops.bitwise_not(image)))
        return -self.maximum(-image)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """That of `MaxPooling2D`."""
        return self.maximum.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        names = ("pool_size", "strides", "padding", "data_format")
        window = self.maximum.get_config()
        return super().get_config() | {name: window[name] for name in names}


@keras.saving.register_keras_serializable("zoo")
class RunningMean(keras.layers.Layer):
    """Mean over all blocks so far; exponential moving average from `memory` blocks on.

    mean' = mean + (x - mean) / min(count + 1, memory), count' = count + 1; x and mean
    (batch, channels), count (batch, 1).

    Args:
        memory: blocks that the mean goes back over; None: all of them.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a memory below one block.
    """

    def __init__(self, memory: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if memory is not None and memory < 1:
            raise ValueError(f"`memory` must be 1 block or more, or None. Received: {memory}.")
        self.memory = memory
        self.built = True

    def call(
        self, x: KerasTensor, mean: KerasTensor, count: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        """(mean', count')."""
        count = count + 1.0
        weight = count if self.memory is None else ops.minimum(count, float(self.memory))
        return mean + (x - mean) / weight, count

    def compute_output_shape(
        self, x_shape: tuple, mean_shape: tuple, count_shape: tuple
    ) -> tuple[tuple, tuple]:
        """Shapes of mean' and count'."""
        return tuple(mean_shape), tuple(count_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "memory": self.memory}


@keras.saving.register_keras_serializable("zoo")
class TimeQuantile(keras.layers.Layer):
    """Quantile over time of each channel, as `numpy.quantile` interpolates it.

    With r = q (time - 1), k its integer part and x_(0) <= x_(1) ... the sorted values,

    y = (1 - r + k) x_(k) + (r - k) x_(k + 1)

    x_(k) is found by counting how many values are smaller, which devices can do that cannot sort:
    time^2 comparisons. (batch, time, channels) -> (batch, channels).

    Args:
        q: 0 to 1.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a share outside 0 to 1.
    """

    def __init__(self, q: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= q <= 1:
            raise ValueError(f"`q` must lie between 0 and 1. Received: {q}.")
        self.q = q
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """(batch, channels)."""
        place = self.q * (x.shape[1] - 1)
        whole = int(place)
        rows, columns = x[:, :, None], x[:, None]  # (batch, time, 1, channels), (batch, 1, ...)
        smaller = ops.sum(ops.cast(columns < rows, x.dtype), axis=2)  # (batch, time, channels)
        # equal values share the ranks from `smaller` to below `not_larger`
        not_larger = ops.sum(ops.cast(columns <= rows, x.dtype), axis=2)

        def value_of_rank(rank: int) -> KerasTensor:
            has_rank = ops.cast(smaller <= rank, x.dtype) * ops.cast(not_larger > rank, x.dtype)
            return ops.sum(has_rank * x, axis=1) / ops.sum(has_rank, axis=1)

        y = value_of_rank(whole)
        if place > whole:
            y = y + (place - whole) * (value_of_rank(whole + 1) - y)
        return y

    def compute_output_shape(self, shape: tuple) -> tuple:
        """(batch, channels)."""
        return (shape[0], shape[2])

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "q": self.q}


@keras.saving.register_keras_serializable("zoo")
class BandStatistics(keras.layers.Layer):
    """Mean and mean absolute deviation over time of each channel, by part of the frequency axis.

    With a(t) the mean of x over the columns of a part,

    y = (mean_t a, mean_t |a - mean_t a|)

    for every part and channel: (batch, time, columns, channels) -> (batch, bands 2 channels), all
    means of a part before its deviations. The mean absolute deviation has the range of a, so that
    8 bits hold it; squares would need twice as many.

    Args:
        bands: parts of equal width.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: no part.
    """

    def __init__(self, bands: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bands < 1:
            raise ValueError(f"`bands` must be 1 or more. Received: {bands}.")
        self.bands = bands

    def build(self, shape: tuple) -> None:
        """Check that the columns can be divided.

        Raises:
            ValueError: they are no multiple of `bands`.
        """
        if shape[2] % self.bands:
            raise ValueError(
                f"The columns must be a multiple of `bands`, {self.bands}. Received: {shape[2]}."
            )

    def call(self, x: KerasTensor) -> KerasTensor:
        """(batch, bands 2 channels)."""
        width = x.shape[2] // self.bands
        x = ops.average_pool(x, (1, width), (1, width), data_format="channels_last")
        mean = ops.mean(x, axis=1, keepdims=True)  # (batch, 1, bands, channels)
        both = [mean[:, 0], ops.mean(ops.abs(x - mean), axis=1)]
        return ops.reshape(ops.concatenate(both, axis=-1), (-1, 2 * self.bands * x.shape[3]))

    def compute_output_shape(self, shape: tuple) -> tuple:
        """(batch, bands 2 channels)."""
        return (shape[0], 2 * self.bands * shape[3])

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "bands": self.bands}
