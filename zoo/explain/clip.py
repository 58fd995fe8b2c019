"""One clip inside a sound model: its spectrogram, its standardized features, the network behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.convnets.model import spectrogram_of, standardize_of
from zoo.convnets.open_set import OpenSet
from zoo.convnets.unknown_class import UnknownClass
from zoo.spectrogram import Trim
from zoo.spectrogram.transform import require_frame

OUTPUTS = ("probabilities", "prediction")
BATCH_SIZE = 64  # copies through the network at a time
SMALLEST = 1e-7  # probability, in log-odds

Rectangle = tuple[slice, slice]  # rows (time), columns (bands)


@dataclass(frozen=True)
class ExplainedClip:
    """A clip, and the network behind the front end.

    Attributes:
        model: waveform -> outputs.
        network: (batch, time, bands, channels) standardized features -> outputs.
        output: name of the output, "probabilities" or "prediction".
        level: (frames, bands) of the spectrogram layer.
        features: (time, bands, channels) standardized; layers between may have pooled points.
        source: (time,) row of the features before `Trim` that each row is a copy of.
        samples: length of the waveform.
        at: output row that is explained, of a model with an output over time; None: their mean.
    """

    model: keras.Model
    network: keras.Model
    output: str
    level: np.ndarray
    features: np.ndarray
    source: np.ndarray
    samples: int
    at: int | None = None

    @property
    def pooling(self) -> tuple[int, int]:
        """Frames and bands of `level` in one point of `features`."""
        (frames, bands), (rows, columns) = self.level.shape, self.features.shape[:2]
        return max(1, round(frames / rows)), max(1, round(bands / columns))

    @property
    def is_classifier(self) -> bool:
        """Whether the output is a probability of each class."""
        return self.output == "probabilities"

    @property
    def has_unknown(self) -> bool:
        """Whether the last class is "unknown"."""
        end = self.model.output[self.output]
        made = next((layer for layer in self.model.layers if layer.output is end), None)
        return isinstance(made, OpenSet | UnknownClass)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Output (batch, classes) float64; of an output over time, the row `at` or the mean."""
        forward = compiled(self.network)
        parts = [
            forward(tf.constant(features[k : k + BATCH_SIZE], tf.float32))[self.output].numpy()
            for k in range(0, len(features), BATCH_SIZE)
        ]
        values = np.concatenate(parts).astype(np.float64)
        if values.ndim == 2:
            return values
        return values.mean(axis=1) if self.at is None else values[:, self.at]

    def score(self, features: np.ndarray, number: int) -> np.ndarray:
        """Log-odds of a class among the known ones [nat], or the predicted value, (batch,).

        "unknown" says how near a sound is to all classes, not which it is: only its own log-odds
        count it.
        """
        values = self.predict(features)
        if self.has_unknown and number != values.shape[1] - 1:
            values = values[:, :-1]
            values = values / np.maximum(values.sum(axis=1, keepdims=True), SMALLEST)
        return log_odds(values[:, number]) if self.is_classifier else values[:, number]

    def occluded(self, where: Rectangle) -> np.ndarray:
        """The features with a rectangle set to the mean, in every row copied from its rows."""
        rows, columns = where
        features = self.features.copy()
        features[(rows.start <= self.source) & (self.source < rows.stop), columns] = 0
        return features

    def before_trim(self, points: np.ndarray) -> np.ndarray:
        """Values of the rows of the features (time, bands), summed onto the rows they copy."""
        result = np.zeros_like(points)
        np.add.at(result, self.source, points)
        return result


def open_clip(
    model: keras.Model,
    waveform: np.ndarray,
    *,
    at_s: float | None = None,
    start_s: float = 0.0,
) -> ExplainedClip:
    """Run the front end of a model on one clip.

    Args:
        model: with one layer `Spectrogram`, one `Standardize`, and one output `probabilities` or
            `prediction`, (batch, classes) or (batch, time, classes).
        waveform: (samples,) in [-1, 1], of the length of the model's input.
        at_s: of a model with an output over time, which of its outputs is explained: the last one
            whose frame ends by then [s]; None: their mean.
        start_s: where in a recording the waveform begins, from whose start `at_s` counts [s].

    Raises:
        ValueError: another kind of model, another length, or a time without an output.
    """
    outputs = getattr(model, "output", None)  # a Sequential may have none
    outputs = outputs if isinstance(outputs, dict) else {}
    names = [name for name in OUTPUTS if name in outputs]
    if not names or len(outputs[names[0]].shape) not in (2, 3):
        raise ValueError(
            "Expected a sound model with the output `probabilities` or `prediction`, (batch, "
            f"classes). Received: {model.name}."
        )
    samples = model.inputs[0].shape[1]
    if waveform.ndim != 1 or samples not in (None, len(waveform)):
        raise ValueError(
            f"`waveform` must have shape ({samples or 'samples'},). Received: {waveform.shape}."
        )
    require_frame(spectrogram_of(model).front_end, len(waveform))
    front, network, trim = _parts(model, names[0])
    level, features, *before_trim = front(waveform[None].astype(np.float32))
    frames = np.arange(features.shape[1])
    at = None
    if at_s is not None:
        at = _output_row(model, outputs[names[0]], len(waveform), at_s, start_s)
    return ExplainedClip(
        model=model,
        network=network,
        output=names[0],
        level=np.asarray(level)[0, ..., 0],
        features=np.asarray(features)[0],
        source=frames if trim is None else np.asarray(trim.frames(*before_trim))[0],
        samples=len(waveform),
        at=at,
    )


def _output_row(
    model: keras.Model, output: keras.KerasTensor, samples: int, at_s: float, start_s: float
) -> int:
    """Row of an output over time at a time [s] of a recording, in which the clip begins at one."""
    if len(output.shape) != 3:
        raise ValueError(
            "`at_s` is a time of a model with an output over time. "
            f"Received: {model.name}, with one output a clip."
        )
    settings = spectrogram_of(model).front_end
    ends_s = start_s + settings.times_s(settings.frames(samples)) + settings.window_s / 2
    if not ends_s[0] <= at_s <= ends_s[-1] + settings.hop_s:
        raise ValueError(
            f"`at_s` must lie within {ends_s[0]:.2f} to {ends_s[-1]:.2f} s. Received: {at_s:g}."
        )
    return int(np.searchsorted(ends_s, at_s + 1e-9) - 1)


@lru_cache(maxsize=16)
def compiled(network: keras.Model) -> Callable[[tf.Tensor], Any]:
    """The forward pass as one graph: 18 ms instead of 42 for a batch of `residual_tiny`.

    Args:
        network: of one input; its weights may change later.
    """
    signature = tf.TensorSpec((None, *network.input.shape[1:]), tf.float32)
    return tf.function(lambda x: network(x, training=False)).get_concrete_function(signature)


@lru_cache(maxsize=8)
def _parts(model: keras.Model, output: str) -> tuple[keras.Model, keras.Model, Trim | None]:
    """Front end with the stages that an explanation needs, network behind it, layer `Trim`."""
    front, trim = front_stages(model)
    return front, keras.Model(standardize_of(model).output, {output: model.output[output]}), trim


def front_stages(model: keras.Model) -> tuple[keras.Model, Trim | None]:
    """Waveform to [spectrogram, standardized features, input of `Trim`], and that layer if any.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`.

    Raises:
        ValueError: not a sound model.
    """
    trim = next((layer for layer in model.layers if isinstance(layer, Trim)), None)
    stages = [spectrogram_of(model).output, standardize_of(model).output]
    return keras.Model(model.input, [*stages, *([trim.input] if trim else [])]), trim


def open_front(
    model: keras.Model, waveforms: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Features (time, bands, channels) of clips, and the row before `Trim` of each of their rows.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`.
        waveforms: (samples,) each.

    Raises:
        ValueError: not a sound model.
    """
    front, trim = front_stages(model)
    run = compiled(front)
    clips = []
    for waveform in waveforms:
        _, features, *before = run(tf.constant(waveform[None], tf.float32))
        rows = np.arange(features.shape[1])
        source = rows if trim is None else np.asarray(trim.frames(*before))[0]
        clips.append((features.numpy()[0], source))
    return clips


def class_number(values: np.ndarray, classes: Sequence[str], label: str | None) -> int:
    """Index of a class among the outputs; of the likeliest one without a label.

    Raises:
        ValueError: classes that do not fit the outputs, or an unknown label.
    """
    if len(values) != len(classes):
        raise ValueError(
            f"`classes` must name the {len(values)} outputs of the model. Received: {len(classes)}."
        )
    if label is None:
        return int(values.argmax())
    if label not in classes:
        raise ValueError(f"`label` must be one of {', '.join(classes)}. Received: {label!r}.")
    return list(classes).index(label)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) [nat], finite for every probability."""
    p = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.log(p) - np.log1p(-p)
