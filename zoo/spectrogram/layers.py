"""Spectrogram layer, and its streaming twin that takes one hop or more at a time."""

from typing import Any, cast

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.spectrogram.base import FrontEndLayer
from zoo.spectrogram.level import PCEN, level_layer
from zoo.spectrogram.settings import FrontEnd
from zoo.spectrogram.transform import STFT, Bands


@keras.saving.register_keras_serializable("zoo")
class Spectrogram(FrontEndLayer):
    """Mel or linear spectrogram of a waveform: `STFT`, `Bands`, then `LogScale` or `PCEN`.

    (batch, samples) in [-1, 1] -> (batch, time, bands, 1). `front_end.times_s(time)` are the
    times of its rows, `front_end.frequencies_hz` the frequencies of its columns.

    Example:
        >>> from zoo.spectrogram import PRESETS, Spectrogram
        >>> Spectrogram(PRESETS["yamnet"]).compute_output_shape((2, 16_000))
        (2, 98, 64, 1)
    """

    def __init__(self, front_end: FrontEnd, **kwargs: Any) -> None:
        super().__init__(front_end, **kwargs)
        # Named: Keras would count the layers of the process, and exports hold the names.
        self.stft = STFT(front_end, name="stft")
        self.to_bands = Bands(front_end, name="bands")
        self.level = level_layer(front_end)

    def call(self, waveform: KerasTensor) -> KerasTensor:
        """Spectrogram (batch, time, bands, 1)."""
        x = self.to_bands(self.stft(waveform))
        if self.level is not None:
            x = self.level(x)
        return ops.expand_dims(x, -1)

    def compute_output_shape(self, waveform_shape: tuple) -> tuple:
        """(batch, time, bands, 1)."""
        spectrum_shape = self.stft.compute_output_shape(waveform_shape)
        return (*self.to_bands.compute_output_shape(spectrum_shape), 1)


@keras.saving.register_keras_serializable("zoo")
class StreamingSpectrogram(FrontEndLayer):
    """Streaming spectrogram: hops of samples and the states in, frames and the next states out.

    Stepping over a clip from `initial_state` equals `Spectrogram` over the whole clip: frame t
    is complete with the last sample of hop t.

    Inputs, by name: `hop` (batch, hops hop); `samples` (batch, window - hop), those before;
    with PCEN, `smoother` (batch, bands). Outputs: `frame` (batch, hops, bands, 1) and for each
    state the next one, `samples_next`, `smoother_next`.

    Args:
        front_end: settings.
        hops: number of hops a step.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: `front_end.padding` is not "causal", so that frames do not end with a hop.
    """

    def __init__(self, front_end: FrontEnd, hops: int = 1, **kwargs: Any) -> None:
        super().__init__(front_end, **kwargs)
        self.hops = hops
        if front_end.padding != "causal":
            raise ValueError(
                "A front end that streams must have padding='causal'. "
                f"Received: {front_end.padding!r}. Use dataclasses.replace and train with it."
            )
        self.stft = STFT(front_end, name="stft")
        self.to_bands = Bands(front_end, name="bands")
        self.level = level_layer(front_end)

    @property
    def state_shapes(self) -> dict[str, tuple[int]]:
        """Name -> shape of each state, without the batch."""
        settings = self.front_end
        shapes = {}
        if settings.window > settings.hop:
            shapes["samples"] = (settings.window - settings.hop,)
        if isinstance(self.level, PCEN):
            shapes["smoother"] = (settings.bands,)
        return shapes

    def initial_state(self, batch: int = 1) -> dict[str, np.ndarray]:
        """States before the first sample: zeros, and the initial smoother of PCEN."""
        start = {"samples": 0.0, "smoother": getattr(self.level, "initial_smoother", 0.0)}
        return {
            name: np.full((batch, *shape), start[name], "float32")
            for name, shape in self.state_shapes.items()
        }

    def call(self, inputs: dict[str, KerasTensor]) -> dict[str, KerasTensor]:
        """Frames of this step and the next states."""
        samples, nexts = inputs["hop"], {}
        if "samples" in self.state_shapes:
            samples = ops.concatenate([inputs["samples"], samples], axis=-1)  # (batch, window)
            nexts["samples_next"] = samples[:, self.hops * self.front_end.hop :]
        x = self.to_bands(self.stft.of_frames(self._frames(samples)))  # (batch, hops, bands)
        if "smoother" in self.state_shapes:
            x, nexts["smoother_next"] = self._pcen(x, inputs["smoother"])
        elif self.level is not None:
            x = self.level(x)
        return {"frame": ops.expand_dims(x, -1), **nexts}

    def compute_output_shape(self, inputs_shape: dict[str, tuple]) -> dict[str, tuple]:
        """Shape of every output, by name."""
        batch = inputs_shape["hop"][0]
        states = {f"{name}_next": (batch, *shape) for name, shape in self.state_shapes.items()}
        return {"frame": (batch, self.hops, self.front_end.bands, 1), **states}

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "hops": self.hops}

    def _pcen(self, x: KerasTensor, smoother: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """PCEN of x (batch, hops, bands), frame by frame, and the next smoother."""
        pcen, frames = cast(PCEN, self.level), []
        for k in range(self.hops):
            frame, smoother = pcen.step(x[:, k], smoother)
            frames.append(frame)
        return ops.stack(frames, axis=1), smoother

    def _frames(self, samples: KerasTensor) -> KerasTensor:
        """(batch, window + (hops - 1) hop) -> (batch, hops, window)."""
        window, hop = self.front_end.window, self.front_end.hop
        return ops.stack([samples[:, k * hop : k * hop + window] for k in range(self.hops)], axis=1)
