"""What a classifier of sound goes by, in hertz and seconds: hide a place, ask again.

    found = explain(model, waveform, classes)
    found.sentence()  # "dog 0.97: 1.00 to 1.52 s, 480 to 2,300 Hz; without it 0.31"

Nothing is assumed of the network behind the front end (Zeiler and Fergus 2014, section 4.2): every
number is a difference of two answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy import ndimage

from zoo.spectrogram import Trim

AT_ONCE = 64  # hidden copies through the network at a time
LEAST = 0.1  # nat: a place that changes less than this is not named


@dataclass(frozen=True)
class Place:
    """A rectangle of the spectrogram, and what is said where it is hidden.

    frames, bands: which. from_s, to_s: times [s]. low_hz, high_hz: frequencies [Hz]. without: the
    probability of the class with all of the rectangle hidden.
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
    """What speaks for a class.

    Attributes:
        label: the class.
        probability: what the model says of it.
        level: (time, bands) spectrogram, as the front end makes it, mostly in decibels.
        evidence: (time, bands) by how much the log-odds of the class fall, on average over the
            patches that cover a point, when a patch is hidden [nat]; negative: it speaks against.
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (bands,).
        place: where the evidence is at least half of its highest, around that; None where no place
            counts.
    """

    label: str
    probability: float
    level: np.ndarray
    evidence: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray
    place: Place | None

    def sentence(self) -> str:
        """In words."""
        said = f"{self.label} {self.probability:.2f}"
        if self.place is None:
            return f"{said}: no single place speaks for it"
        at = self.place
        return (
            f"{said}: {at.from_s:.2f} to {at.to_s:.2f} s, {at.low_hz:,.0f} to {at.high_hz:,.0f} Hz"
            f"; without it {at.without:.2f}"
        )

    def picture(self) -> dict[str, Any]:
        """What `zoo.plots.evidence` draws."""
        return {
            "level": self.level,
            "evidence": self.evidence,
            "times_s": self.times_s,
            "frequencies_hz": self.frequencies_hz,
            "label": f"{self.label} {self.probability:.2f}",
            "place": self.place and (self.place.frames, self.place.bands),
        }


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
    """Hide one patch of the spectrogram after the other and see how the answer changes.

    A hidden patch holds the mean of the training data, 0 behind the layer `normalise`. Patches
    overlap by half. Where a sound goes on all the time, hiding a part of it changes little; what a
    layer `trim` has cut off changes nothing, and what it repeats is hidden everywhere at once.

    Args:
        model: a classifier with the layers `spectrogram` and `normalise`, which answers with
            `probabilities` (batch, classes).
        waveform: (samples,) in [-1, 1], as long as the model wants it.
        classes: names, in the order of the answer.
        label: which class to explain; None: the likeliest.
        start_s: where in a recording the waveform begins, for the times [s].
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.

    Raises:
        ValueError: another kind of model, another length, an unknown class.
    """
    front, network, spectrogram, trim = _parted(model)
    settings = spectrogram.front_end
    wanted = model.inputs[0].shape[1]
    if waveform.ndim != 1 or wanted not in (None, len(waveform)):
        raise ValueError(
            f"`waveform` must have shape ({wanted or 'samples'},). Received: {waveform.shape}."
        )
    made = front(waveform[None].astype(np.float32))
    level, heard = made[0][0].numpy(), made[1][0].numpy()
    source = np.arange(len(heard)) if trim is None else trim.frames(made[2])[0].numpy()
    level = level[..., 0]
    (said,) = _probabilities(network, heard[None])
    if len(said) != len(classes):
        raise ValueError(
            f"`classes` must name the {len(said)} answers of the model. Received: {len(classes)}."
        )
    if label is not None and label not in classes:
        raise ValueError(f"`label` must be one of {', '.join(classes)}. Received: {label!r}.")
    number = int(said.argmax()) if label is None else list(classes).index(label)

    frames, bands = (max(1, round(a / b)) for a, b in zip(level.shape, heard.shape, strict=False))
    patch = (
        min(heard.shape[0], max(1, round(patch_s * settings.frame_rate_hz / frames))),
        min(heard.shape[1], max(1, round(patch_share * heard.shape[1]))),
    )
    coarse = _evidence(network, heard, source, number, patch)
    coarse[~np.isin(np.arange(len(coarse)), source)] = 0  # patches reach over what was cut off
    # layers between the spectrogram and `normalise` may have put several points into one
    evidence = np.repeat(np.repeat(coarse, frames, axis=0), bands, axis=1)
    evidence = np.pad(
        evidence,
        [(0, max(0, a - b)) for a, b in zip(level.shape, evidence.shape, strict=True)],
        mode="edge",
    )[: level.shape[0], : level.shape[1]]
    times_s, frequencies_hz = settings.times_s(len(level)) + start_s, settings.frequencies_hz
    end_s = start_s + len(waveform) / settings.sample_rate_hz
    place = None
    if coarse.max() >= LEAST:
        rows, columns = _around_highest(coarse)
        hidden = _without(heard, source, (rows, columns))
        rows = slice(rows.start * frames, min(rows.stop * frames, len(times_s)))
        columns = slice(columns.start * bands, min(columns.stop * bands, len(frequencies_hz)))
        half = settings.hop_s / 2
        edges_hz = np.interp(
            np.array([columns.start, columns.stop]) - 0.5,
            np.arange(len(frequencies_hz)),
            frequencies_hz,
        )
        place = Place(
            frames=rows,
            bands=columns,
            from_s=max(start_s, float(times_s[rows.start] - half)),
            to_s=min(end_s, float(times_s[rows.stop - 1] + half)),
            low_hz=float(edges_hz[0]),
            high_hz=float(edges_hz[1]),
            without=float(_probabilities(network, hidden[None])[0, number]),
        )
    return Explanation(
        label=str(classes[number]),
        probability=float(said[number]),
        level=level,
        evidence=evidence,
        times_s=times_s,
        frequencies_hz=frequencies_hz,
        place=place,
    )


def _parted(model: keras.Model) -> tuple:
    """Front end, what is behind it, its spectrogram, its trim or None.

    The front end gives the spectrogram, what the network hears, and what comes into the trim.
    """
    layers = {layer.name: layer for layer in model.layers}
    answers = getattr(model, "output", None)  # a Sequential may have none
    answer = answers.get("probabilities") if isinstance(answers, dict) else None
    if not {"spectrogram", "normalise"} <= set(layers) or answer is None or len(answer.shape) != 2:
        raise ValueError(
            "What can be explained is a classifier with layers `spectrogram` and `normalise` that "
            "answers with `probabilities` (batch, classes). "
            f"Received: {model.name}."
        )
    spectrogram, normalise = layers["spectrogram"], layers["normalise"]
    trim = next((layer for layer in model.layers if isinstance(layer, Trim)), None)
    stages = [spectrogram.output, normalise.output, *([trim.input] if trim else [])]
    front = keras.Model(model.input, stages)
    return front, keras.Model(normalise.output, model.output), spectrogram, trim


def _probabilities(network: keras.Model, heard: np.ndarray) -> np.ndarray:
    return np.asarray(network(heard, training=False)["probabilities"], np.float64)


def _without(heard: np.ndarray, source: np.ndarray, where: tuple[slice, slice]) -> np.ndarray:
    """`heard` with a rectangle hidden; its rows are those that each frame came from, `source`."""
    rows, columns = where
    hidden = heard.copy()
    hidden[(rows.start <= source) & (source < rows.stop), columns] = 0
    return hidden


def _evidence(
    network: keras.Model,
    heard: np.ndarray,
    source: np.ndarray,
    number: int,
    patch: tuple[int, int],
) -> np.ndarray:
    """(time, bands): mean fall of the log-odds over the patches on each point."""
    patches = list(_patches(heard.shape[:2], patch))
    whole = _log_odds(_probabilities(network, heard[None])[:, number])[0]
    total, count = np.zeros(heard.shape[:2]), np.zeros(heard.shape[:2])
    for first in range(0, len(patches), AT_ONCE):
        some = patches[first : first + AT_ONCE]
        hidden = np.stack([_without(heard, source, where) for where in some])
        falls = whole - _log_odds(_probabilities(network, hidden)[:, number])
        for where, fall in zip(some, falls, strict=True):
            total[where] += fall
            count[where] += 1
    return total / count


def _patches(shape: tuple[int, int], patch: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
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


def _around_highest(evidence: np.ndarray) -> tuple[slice, slice]:
    """Smallest rectangle around the highest point and all that hangs together at half of it."""
    areas, _ = ndimage.label(evidence >= evidence.max() / 2)
    highest = areas[np.unravel_index(evidence.argmax(), evidence.shape)]
    return ndimage.find_objects(areas)[highest - 1]
