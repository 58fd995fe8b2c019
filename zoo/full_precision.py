"""Matrix products in full float32 on GPUs, for what is compared with a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_tf32() -> Iterator[None]:
    """While it lasts, TensorFlow computes products and convolutions of float32 in float32.

    On GPUs since Ampere TensorFlow rounds the factors to TF32, 10 bits of mantissa instead of 23
    (NVIDIA 2020): golden outputs computed so would miss the tolerance of their replay on a CPU.
    Nothing changes on a CPU.
    """
    import tensorflow as tf  # recurrent models also run on Keras' other backends

    experimental = tf.config.experimental
    before = experimental.tensor_float_32_execution_enabled()
    experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        experimental.enable_tensor_float_32_execution(before)
