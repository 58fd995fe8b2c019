"""Spectrograms of arrays by NumPy and SciPy: the same as the layer's, without a graph to trace."""

import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import scipy.fft

from zoo.spectrogram.layers import Spectrogram
from zoo.spectrogram.level import PCEN, LogScale
from zoo.spectrogram.transform import MIN_POWER, require_frame

_BLOCK = 1 << 17  # samples of the frames at once, which stay in the processor's cache


def array_function(front_end: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """Function of one waveform that computes what a front end computes, on a processor.

    Args:
        front_end: a `Spectrogram` without PCEN, or a model of that layer alone.

    Returns:
        Function (samples,) float32 -> (time, bands, 1) float32, which several threads may call at
        once; None: any other front end.
    """
    if isinstance(front_end, keras.Model):
        layers = [
            each for each in front_end.layers if not isinstance(each, keras.layers.InputLayer)
        ]
        front_end = layers[0] if len(layers) == 1 else None
    if type(front_end) is not Spectrogram or isinstance(front_end.level, PCEN):
        return None
    return ArraySpectrogram(front_end)


class ArraySpectrogram:
    """`Spectrogram` of one waveform, in float32 as the layer, to its rounding.

    Args:
        layer: without PCEN, whose smoother is a recursion.
    """

    def __init__(self, layer: Spectrogram) -> None:
        self.front_end = layer.front_end
        self._window = self.front_end.window_weights().astype(np.float32)
        self._banks = layer.to_bands.banks
        self._level = layer.level
        self._scratch = threading.local()

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Spectrogram (time, bands, 1) of a waveform (samples,).

        Raises:
            ValueError: it is shorter than a frame.
        """
        settings = self.front_end
        require_frame(settings, len(waveform))
        padded = self._padded(waveform)
        frames = np.lib.stride_tricks.sliding_window_view(padded, settings.window)[:: settings.hop]
        result = np.empty((len(frames), settings.bands), np.float32)
        before, window = settings.window_offset, settings.window
        size = max(1, _BLOCK // settings.fft_length)
        # zero beside the window
        windowed = self._memory("windowed", (size, settings.fft_length))
        for start in range(0, len(frames), size):
            part = frames[start : start + size]
            rows = windowed[: len(part)]
            np.multiply(part, self._window, out=rows[:, before : before + window])
            self._bands(rows, result[start : start + size])
        return self._scaled(result)[..., None]

    def _memory(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Memory of this thread, zero at first: fresh memory costs as much as a computation."""
        kept = self._scratch.__dict__.get(name)
        if kept is None or kept.shape != shape:
            kept = self._scratch.__dict__[name] = np.zeros(shape, np.float32)
        return kept

    def _padded(self, waveform: np.ndarray) -> np.ndarray:
        before, after = self.front_end.zeros
        padded = self._memory("padded", (before + len(waveform) + after,))
        padded[before : before + len(waveform)] = waveform
        return padded

    def _bands(self, frames: np.ndarray, result: np.ndarray) -> None:
        """Write the bands (frames, bands) of windowed frames (frames, fft_length)."""
        settings = self.front_end
        spectrum: Any = scipy.fft.rfft(frames)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        if settings.power == 1:
            np.sqrt(np.maximum(power, np.float32(MIN_POWER), out=power), out=power)
        if settings.scale == "linear":
            result[:] = power[:, settings.linear_bins]
            return
        first = 0
        for bins, weights in self._banks:
            last = first + weights.shape[1]
            np.matmul(power[:, bins], weights, out=result[:, first:last])
            first = last

    def _scaled(self, bands: np.ndarray) -> np.ndarray:
        level = self._level
        if not isinstance(level, LogScale):
            return bands
        floor = np.float32(level.floor)
        if level.level == "log":
            return np.log(np.add(bands, floor, out=bands), out=bands)
        np.log(np.maximum(bands, floor, out=bands), out=bands)
        bands *= np.float32(20.0 / level.power / np.log(10.0))
        return bands
