"""Short-time Fourier transform (STFT), and mel or linear bands of it."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.spectrogram.base import FrontEndLayer
from zoo.spectrogram.settings import FrontEnd

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf  # the other backends frame with Keras' own operation

# Keeps the gradient of the square root finite in digital silence.
MIN_POWER = 1e-30


@keras.saving.register_keras_serializable("zoo")
class STFT(FrontEndLayer):
    """Magnitude or power of the short-time Fourier transform.

    X[t, k] = sum_n w[n] x[t hop + n] exp(-2 pi i k n / fft_length); the output is |X|^power.

    (batch, samples) in [-1, 1] -> (batch, time, fft_length / 2 + 1). TFLite has this transform for
    an `n_fft` that is a power of two.
    """

    def __init__(self, front_end: FrontEnd, **kwargs: Any) -> None:
        super().__init__(front_end, **kwargs)
        self._weights_of_window = front_end.window_weights().astype("float32")

    def call(self, waveform: KerasTensor) -> KerasTensor:
        """Magnitude or power (batch, time, bins) of a waveform (batch, samples)."""
        return self.of_frames(self.frames(waveform))

    def frames(self, waveform: KerasTensor) -> KerasTensor:
        """Overlapping frames of the waveform: (batch, samples) -> (batch, time, window)."""
        settings = self.front_end
        self._check(waveform)
        if any(settings.zeros):
            waveform = ops.pad(waveform, ((0, 0), settings.zeros))
        if keras.backend.backend() != "tensorflow":
            return ops.extract_sequences(waveform, settings.window, settings.hop)
        # the fastest of slices, gather, convolution, matrix product and this, as measured
        return tf.signal.frame(waveform, settings.window, settings.hop)

    def spectrum(self, frames: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Real and imaginary part of X, each (batch, time, bins), of frames (…, time, window)."""
        settings = self.front_end
        before = settings.window_offset
        after = settings.fft_length - settings.window - before
        windowed = frames * self._weights_of_window
        if before or after:
            windowed = ops.pad(windowed, ((0, 0), (0, 0), (before, after)))
        return ops.rfft(windowed)

    def of_frames(self, frames: KerasTensor) -> KerasTensor:
        """|X|^power of frames (batch, time, window)."""
        real, imaginary = self.spectrum(frames)
        power = ops.square(real) + ops.square(imaginary)
        if self.front_end.power == 2:
            return power
        return ops.sqrt(ops.maximum(power, MIN_POWER))

    def compute_output_shape(self, waveform_shape: tuple) -> tuple:
        """(batch, time, bins)."""
        batch, samples = waveform_shape
        time = None if samples is None else self.front_end.frames(samples)
        return (batch, time, self.front_end.fft_length // 2 + 1)

    def _check(self, waveform: KerasTensor) -> None:
        if len(waveform.shape) != 2:
            raise ValueError(
                "A waveform must have shape (batch, samples). "
                f"Received: {tuple(waveform.shape)}. Add a batch axis or drop the channels."
            )
        dtype = keras.backend.standardize_dtype(waveform.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                "A waveform must be floating point in [-1, 1]. "
                f"Received: {dtype}. Divide 16-bit samples by 32768."
            )
        if waveform.shape[1] is not None:
            require_frame(self.front_end, waveform.shape[1])


def require_frame(front_end: FrontEnd, samples: int) -> None:
    """Refuse a waveform that is shorter than a frame.

    Raises:
        ValueError: no frame of the front end fits into it.
    """
    if front_end.frames(samples) == 0:
        raise ValueError(
            f"A waveform must fill one frame. Received: {samples} samples, frames of "
            f"{front_end.window} each {front_end.hop}. Pad it."
        )


@keras.saving.register_keras_serializable("zoo")
class Bands(FrontEndLayer):
    """Bins of the Fourier transform to the front end's bands.

    (batch, time, bins) -> (batch, time, bands): y[t, m] = sum_k x[t, k] w[k, m] on a mel scale,
    or the bins from `fmin_hz` to `fmax_hz` on the linear scale.
    """

    # Neighbouring bands share few bins. In twelve groups, each with its own range of bins, the
    # filter bank has a tenth of the weights and of the products, and is no slower.
    _GROUPS = 12

    def __init__(self, front_end: FrontEnd, **kwargs: Any) -> None:
        super().__init__(front_end, **kwargs)
        self.banks = []
        if front_end.scale != "linear":
            groups = np.array_split(front_end.mel_weights(), self._GROUPS, axis=1)
            self.banks = [_without_zeros(group) for group in groups if group.size]

    def call(self, spectrum: KerasTensor) -> KerasTensor:
        """Bands (batch, time, bands) of a spectrum (batch, time, bins)."""
        settings = self.front_end
        if settings.scale == "linear":
            return spectrum[..., settings.linear_bins]
        batch, time, bins = ops.shape(spectrum)
        flat = ops.reshape(spectrum, (batch * time, bins))
        groups = [ops.matmul(flat[:, used], weights) for used, weights in self.banks]
        return ops.reshape(ops.concatenate(groups, axis=-1), (batch, time, settings.mels))

    def compute_output_shape(self, spectrum_shape: tuple) -> tuple:
        """(batch, time, bands)."""
        return (*spectrum_shape[:-1], self.front_end.bands)


def _without_zeros(weights: np.ndarray) -> tuple[slice, np.ndarray]:
    used = np.flatnonzero(weights.any(axis=1))
    bins = slice(int(used[0]), int(used[-1]) + 1)
    return bins, weights[bins].astype("float32")
