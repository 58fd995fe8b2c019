"""Occlusion maps of sound classifiers: which times [s] and frequencies [Hz] a prediction rests on.

    explanation = explain(model, waveform, classes)
    explanation.sentence()  # "dog 0.97: 1.00 to 1.52 s, 480 to 2,300 Hz; without it 0.31"

Occlusion sensitivity (Zeiler and Fergus 2014, section 4.2) on the spectrogram: patches are filled
with the mean of the training data, and the fall of the log-odds is the evidence of each patch. It
assumes nothing of the network behind the front end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

from zoo.convnets.model import spectrogram_of, standardize_of
from zoo.plots import evidence as evidence_figure
from zoo.spectrogram import FrontEnd, Trim

BATCH_SIZE = 64  # occluded copies through the network at a time
MIN_EVIDENCE_NATS = 0.1  # no region is named where the highest evidence is below this

Rectangle = tuple[slice, slice]  # rows (time), columns (bands)


@dataclass(frozen=True)
class Region:
    """A rectangle of the spectrogram, and the prediction with it occluded.

    Attributes:
        frames: rows of the spectrogram.
        bands: columns of the spectrogram.
        from_s: where it starts [s].
        to_s: where it ends [s].
        low_hz: its lower edge [Hz].
        high_hz: its upper edge [Hz].
        without: probability of the class with all of the rectangle occluded.
    """

    frames: slice
    bands: slice
    from_s: float
    to_s: float
    low_hz: float
    high_hz: float
    without: float


@dataclass(frozen=True)
class Explanation:
    """Evidence for a class in a clip, over time and frequency.

    Attributes:
        label: the class.
        probability: of the class, by the model.
        level: (time, bands) spectrogram, as the front end makes it, mostly in decibels.
        evidence: (time, bands) fall of the log-odds of the class when a patch is occluded, mean
            over the patches that cover a point [nat]; negative: evidence against the class.
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (bands,).
        region: around the highest evidence, where it is at least half of that; None where the
            highest is below `MIN_EVIDENCE_NATS`.
        level_unit: of `level`: "dB" where the front end is in decibels, else nothing.
    """

    label: str
    probability: float
    level: np.ndarray
    evidence: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray
    region: Region | None
    level_unit: str = ""

    def sentence(self) -> str:
        """Class, probability, and the region with the probability without it, in one line."""
        prediction = f"{self.label} {self.probability:.2f}"
        if self.region is None:
            return f"{prediction}: evidence is spread over the clip, no single region stands out"
        at = self.region
        return (
            f"{prediction}: {at.from_s:.2f} to {at.to_s:.2f} s, "
            f"{at.low_hz:,.0f} to {at.high_hz:,.0f} Hz; without it {at.without:.2f}"
        )

    def figure(self) -> Figure:
        """Spectrogram and evidence, with the region framed."""
        return evidence_figure(
            self.level,
            self.evidence,
            self.times_s,
            self.frequencies_hz,
            label=f"{self.label} {self.probability:.2f}",
            region=self.region and (self.region.frames, self.region.bands),
            level_label=f"level [{self.level_unit}]" if self.level_unit else "level",
        )


def explain(
    model: keras.Model,
    waveform: np.ndarray,
    classes: Sequence[str],
    *,
    label: str | None = None,
    start_s: float = 0.0,
    patch_s: float = 0.4,
    patch_share: float = 0.125,
) -> Explanation:
    """Occlude one patch of the spectrogram after the other and take the fall of the log-odds.

    An occluded patch holds the mean of the training data: 0 behind `Standardize`. Patches overlap
    by half. A sound that lasts for the whole clip gives little evidence anywhere, as each patch is
    a small part of it. Frames that a layer `Trim` cuts off have none, and a frame that it repeats
    is occluded in all its copies.

    Args:
        model: a classifier with one layer `Spectrogram` and one `Standardize`, and an output
            `probabilities` (batch, classes).
        waveform: (samples,) in [-1, 1], of the length of the model's input.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest.
        start_s: where in a recording the waveform begins, for the times [s].
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.

    Raises:
        ValueError: another kind of model, another length, an unknown class.
    """
    clip = _clip(model, waveform)
    probabilities = clip.probabilities(clip.features[None])[0]
    number = _class_number(probabilities, classes, label)
    settings = spectrogram_of(model).front_end
    evidence = _evidence(clip, number, _patch_size(clip, settings, patch_s, patch_share))
    region = None
    if evidence.max() >= MIN_EVIDENCE_NATS:
        where = _around_highest(evidence)
        without = clip.probabilities(clip.occluded(where)[None])[0, number]
        end_s = len(waveform) / settings.sample_rate_hz
        region = _region(clip, settings, where, (start_s, start_s + end_s), float(without))
    return Explanation(
        label=str(classes[number]),
        probability=float(probabilities[number]),
        level=clip.level,
        evidence=_upsampled(evidence, clip),
        times_s=settings.times_s(len(clip.level)) + start_s,
        frequencies_hz=settings.frequencies_hz,
        region=region,
        level_unit="dB" if settings.level == "decibel" else "",
    )


@dataclass(frozen=True)
class _Clip:
    """One clip inside a model.

    Attributes:
        network: (batch, time, bands, channels) standardized features -> outputs.
        level: (frames, bands) of the spectrogram layer.
        features: (time, bands, channels) standardized; layers between may have pooled points.
        source: (time,) row of the features before `Trim` that each row is a copy of.
    """

    network: keras.Model
    level: np.ndarray
    features: np.ndarray
    source: np.ndarray

    @property
    def pooling(self) -> tuple[int, int]:
        """Frames and bands of `level` in one point of `features`."""
        (frames, bands), (rows, columns) = self.level.shape, self.features.shape[:2]
        return max(1, round(frames / rows)), max(1, round(bands / columns))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(batch, classes) float64."""
        return np.asarray(self.network(features, training=False)["probabilities"], np.float64)

    def occluded(self, where: Rectangle) -> np.ndarray:
        """The features with a rectangle set to the mean, in every row copied from its rows."""
        rows, columns = where
        features = self.features.copy()
        features[(rows.start <= self.source) & (self.source < rows.stop), columns] = 0
        return features


def _clip(model: keras.Model, waveform: np.ndarray) -> _Clip:
    outputs = getattr(model, "output", None)  # a Sequential may have none
    output = outputs.get("probabilities") if isinstance(outputs, dict) else None
    if output is None or len(output.shape) != 2:
        raise ValueError(
            "Expected a sound classifier with the output `probabilities` (batch, classes). "
            f"Received: {model.name}."
        )
    spectrogram, standardize = spectrogram_of(model), standardize_of(model)
    samples = model.inputs[0].shape[1]
    if waveform.ndim != 1 or samples not in (None, len(waveform)):
        raise ValueError(
            f"`waveform` must have shape ({samples or 'samples'},). Received: {waveform.shape}."
        )
    trim = next((layer for layer in model.layers if isinstance(layer, Trim)), None)
    stages = [spectrogram.output, standardize.output, *([trim.input] if trim else [])]
    front = keras.Model(model.input, stages)
    level, features, *before_trim = front(waveform[None].astype(np.float32))
    frames = np.arange(features.shape[1])
    return _Clip(
        network=keras.Model(standardize.output, model.output),
        level=np.asarray(level)[0, ..., 0],
        features=np.asarray(features)[0],
        source=frames if trim is None else np.asarray(trim.frames(*before_trim))[0],
    )


def _class_number(probabilities: np.ndarray, classes: Sequence[str], label: str | None) -> int:
    if len(probabilities) != len(classes):
        raise ValueError(
            f"`classes` must name the {len(probabilities)} outputs of the model. "
            f"Received: {len(classes)}."
        )
    if label is None:
        return int(probabilities.argmax())
    if label not in classes:
        raise ValueError(f"`label` must be one of {', '.join(classes)}. Received: {label!r}.")
    return list(classes).index(label)


def _patch_size(
    clip: _Clip, settings: FrontEnd, patch_s: float, patch_share: float
) -> tuple[int, int]:
    """Rows and columns of a patch of features."""
    rows, columns = clip.features.shape[:2]
    patch_rows = round(patch_s * settings.frame_rate_hz / clip.pooling[0])
    return min(rows, max(1, patch_rows)), min(columns, max(1, round(patch_share * columns)))


def _evidence(clip: _Clip, number: int, patch: tuple[int, int]) -> np.ndarray:
    """(time, bands) of the features: mean fall of the log-odds over the patches on each point."""
    shape = clip.features.shape[0], clip.features.shape[1]
    patches = list(_patches(shape, patch))
    whole = _log_odds(clip.probabilities(clip.features[None])[:, number])[0]
    total, count = np.zeros(shape), np.zeros(shape)
    for first in range(0, len(patches), BATCH_SIZE):
        batch = patches[first : first + BATCH_SIZE]
        occluded = np.stack([clip.occluded(where) for where in batch])
        falls = whole - _log_odds(clip.probabilities(occluded)[:, number])
        for where, fall in zip(batch, falls, strict=True):
            total[where] += fall
            count[where] += 1
    evidence = total / count
    evidence[~np.isin(np.arange(shape[0]), clip.source)] = 0  # patches reach over what was trimmed
    return evidence


def _patches(shape: tuple[int, int], patch: tuple[int, int]) -> Iterator[Rectangle]:
    """Rectangles that overlap by half and cover everything."""
    starts = [
        sorted({*range(0, size - length + 1, max(1, length // 2)), size - length})
        for size, length in zip(shape, patch, strict=True)
    ]
    for row in starts[0]:
        for column in starts[1]:
            yield slice(row, row + patch[0]), slice(column, column + patch[1])


def _log_odds(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(p) - np.log1p(-p)


def _upsampled(evidence: np.ndarray, clip: _Clip) -> np.ndarray:
    """Evidence of pooled points, repeated to the size of the spectrogram."""
    frames, bands = clip.pooling
    evidence = np.repeat(np.repeat(evidence, frames, axis=0), bands, axis=1)
    missing = [
        (0, max(0, size - have))
        for size, have in zip(clip.level.shape, evidence.shape, strict=True)
    ]
    return np.pad(evidence, missing, mode="edge")[: clip.level.shape[0], : clip.level.shape[1]]


def _around_highest(evidence: np.ndarray) -> Rectangle:
    """Smallest rectangle around the highest point and all that is connected at half of it."""
    areas = np.zeros(evidence.shape, np.int32)
    ndimage.label(evidence >= evidence.max() / 2, output=areas)
    highest = areas[np.unravel_index(evidence.argmax(), evidence.shape)]
    return ndimage.find_objects(areas)[highest - 1]


def _region(
    clip: _Clip,
    settings: FrontEnd,
    where: Rectangle,
    span_s: tuple[float, float],
    without: float,
) -> Region:
    """A rectangle of the features in frames and bands of the spectrogram, seconds and hertz."""
    frames, bands = clip.pooling
    frame_count, band_count = clip.level.shape
    rows, columns = where
    rows = slice(rows.start * frames, min(rows.stop * frames, frame_count))
    columns = slice(columns.start * bands, min(columns.stop * bands, band_count))
    times_s, half_s = settings.times_s(frame_count) + span_s[0], settings.hop_s / 2
    edges_hz = np.interp(
        np.array([columns.start, columns.stop]) - 0.5,
        np.arange(band_count),
        settings.frequencies_hz,
    )
    return Region(
        frames=rows,
        bands=columns,
        from_s=max(span_s[0], float(times_s[rows.start] - half_s)),
        to_s=min(span_s[1], float(times_s[rows.stop - 1] + half_s)),
        low_hz=float(edges_hz[0]),
        high_hz=float(edges_hz[1]),
        without=without,
    )
