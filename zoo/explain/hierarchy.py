"""Feature hierarchy: the places in clips that excite a unit most, layer by layer.

The figure of Zeiler and Fergus (2014, figure 2) for sound: for each layer some units, for each unit
the nine clips that excite it most, and of each clip the piece of the spectrogram that the unit sees
there (its receptive field, where the gradient of the unit is not zero).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from zoo.convnets.model import front_end_of, standardize_of
from zoo.explain.clip import compiled, open_front

STRONGEST = 9
LOWEST = 0.2  # of the median of a layer's filters, for a filter to be shown


@dataclass(frozen=True)
class Patch:
    """What a unit sees at one place of one clip.

    Attributes:
        clip: number of the clip.
        activation: of the unit there.
        level: (frames, bands) piece of the standardized spectrogram.
        frames: its rows in the spectrogram of the clip, before `Trim`; fewer than in `level` where
            the piece goes on with the clip repeated.
        start_s: where it begins in the clip [s].
        frequencies_hz: of its bands [Hz], (bands,).
    """

    clip: int
    activation: float
    level: np.ndarray
    frames: slice
    start_s: float
    frequencies_hz: np.ndarray


@dataclass(frozen=True)
class Unit:
    """One filter and the patches that excite it most, the strongest first.

    Attributes:
        layer: name of its layer.
        number: of the filter.
        patches: each of another clip.
    """

    layer: str
    number: int
    patches: Sequence[Patch]


def feature_hierarchy(
    model: keras.Model, waveforms: np.ndarray, *, units: int = 4, layers: Sequence[str] = ()
) -> list[Unit]:
    """Strongest patches of the units of each rectified layer that differ most between clips.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`, and convolutions behind them.
        waveforms: (clips, samples).
        units: of each layer.
        layers: names of `ReLU` layers; none: all of the network.

    Raises:
        ValueError: not a sound model, or no such layer.
    """
    standardize = standardize_of(model)
    behind = model.layers[model.layers.index(standardize) + 1 :]
    known = [each for each in behind if isinstance(each, keras.layers.ReLU)]
    maps = [each for each in known if not layers or each.name in layers]
    if not maps or len(maps) < len(layers):
        raise ValueError(
            f"`layers` must be among {', '.join(each.name for each in known)}. "
            f"Received: {', '.join(layers)}."
        )
    clips = open_front(model, list(waveforms))
    features = np.stack([clip for clip, _ in clips])
    strongest_units = []
    for layer in maps:
        inner = keras.Model(standardize.output, layer.output)
        run = compiled(inner)
        responses = np.concatenate(
            [run(tf.constant(each[None], tf.float32)).numpy() for each in features]
        )
        peaks = responses.max(axis=(1, 2))  # (clips, filters)
        height = peaks.mean(axis=0)
        spread = peaks.std(axis=0) / (height + 1e-6)
        spread[height < LOWEST * np.median(height)] = 0  # filters that answer next to nothing
        chosen = np.argsort(-spread)[:units]
        for number in chosen:
            best = np.argsort(-peaks[:, number])[:STRONGEST]
            patches = [
                _patch(inner, clips[clip], responses[clip], (int(clip), int(number)), model)
                for clip in best
            ]
            strongest_units.append(Unit(layer.name, int(number), patches))
    return strongest_units


def _patch(
    inner: keras.Model,
    opened: tuple[np.ndarray, np.ndarray],
    response: np.ndarray,
    clip_and_number: tuple[int, int],
    model: keras.Model,
) -> Patch:
    """The receptive field of the place where a unit is strongest."""
    (features, source), (clip, number) = opened, clip_and_number
    row, column = np.unravel_index(response[..., number].argmax(), response.shape[:2])
    x = tf.convert_to_tensor(features[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = inner(x, training=False)[0, row, column, number]
    slope = np.abs(tape.gradient(value, x)[0].numpy()).sum(axis=-1)
    if not slope.any():  # the unit is silent in this clip
        slope[...] = 1.0
    rows, columns = (np.flatnonzero(slope.any(axis=1 - k)) for k in (0, 1))
    frames, bands = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    of_clip = source[frames]
    breaks = np.flatnonzero(np.diff(of_clip) != 1)
    length = int(breaks[0]) + 1 if len(breaks) else len(of_clip)
    settings = front_end_of(model)
    return Patch(
        clip=clip,
        activation=float(response[row, column, number]),
        level=features[frames, bands, 0],
        frames=slice(int(of_clip[0]), int(of_clip[0]) + length),
        start_s=float(settings.times_s(len(features))[of_clip[0]]),
        frequencies_hz=settings.frequencies_hz[bands],
    )
