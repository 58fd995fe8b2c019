"""Explanations of sound models: times [s] and frequencies [Hz] that a prediction rests on.

explanation = explain(model, waveform, classes)
explanation.sentence()  # "dog 0.97: 1.00 to 1.52 s, 480 to 2,300 Hz; without it 0.31"
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from scipy import ndimage

from zoo.convnets.model import spectrogram_of
from zoo.explain import gradients
from zoo.explain.clip import ExplainedClip, Rectangle, class_number, open_clip
from zoo.explain.explanation import Explanation, Region
from zoo.explain.occlusion import occlusion, sum_over_patches
from zoo.names import DEFAULT_EXPLANATION, EXPLANATIONS
from zoo.spectrogram import FrontEnd

MIN_EVIDENCE_NATS = 0.1  # no region is named where the highest evidence is below this

PointMethod = Callable[[ExplainedClip, int], np.ndarray]  # clip, class -> (time, bands) [nat]
POINT_METHODS: dict[str, PointMethod] = {
    "gradient": gradients.gradient,
    "integrated-gradients": gradients.integrated_gradients,
    "smoothgrad": gradients.smoothgrad,
    "guided-backpropagation": gradients.guided_backpropagation,
    "deconvolution": gradients.deconvolution,
    "grad-cam": gradients.grad_cam,
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
    method: str = DEFAULT_EXPLANATION,
) -> Explanation:
    """Evidence for a class over time and frequency, in one unit whatever the method.

    The evidence of a patch of the spectrogram is the fall of the log-odds when the patch is set to
    the mean of the training data: by trying it (occlusion), or by an estimate from gradients. A
    sound that lasts for the whole clip gives little evidence anywhere, as each patch is a small
    part of it. Frames that a layer `Trim` cuts off have none, and a frame that it repeats counts
    with all its copies.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`, and an output `probabilities` or
            `prediction`, (batch, classes) or (batch, time, classes), whose mean over time counts.
        waveform: (samples,) in [-1, 1], of the length of the model's input.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest.
        start_s: where in a recording the waveform begins, for the times [s].
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.
        method: one of `EXPLANATIONS`.

    Raises:
        ValueError: another kind of model, another length, an unknown class or method.
    """
    return explain_clip(
        open_clip(model, waveform),
        classes,
        label=label,
        start_s=start_s,
        patch_s=patch_s,
        patch_share=patch_share,
        method=method,
    )


def explain_clip(
    clip: ExplainedClip,
    classes: Sequence[str],
    *,
    label: str | None = None,
    start_s: float = 0.0,
    patch_s: float = 0.4,
    patch_share: float = 0.125,
    method: str = DEFAULT_EXPLANATION,
) -> Explanation:
    """`explain` for a clip that is open, to explain it by several methods.

    Args:
        clip: from `zoo.explain.clip.open_clip`.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest.
        start_s: where in a recording the waveform begins, for the times [s].
        patch_s: length of a patch [s].
        patch_share: height of a patch, as a share of the bands.
        method: one of `EXPLANATIONS`.

    Raises:
        ValueError: an unknown class or method.
    """
    if method not in EXPLANATIONS:
        raise ValueError(
            f"`method` must be one of {', '.join(EXPLANATIONS)}. Received: {method!r}."
        )
    values = clip.predict(clip.features[None])[0]
    number = class_number(values, classes, label)
    settings = spectrogram_of(clip.model).front_end
    patch = _patch_size(clip, settings, patch_s, patch_share)
    evidence = evidence_of(clip, number, patch, method)
    region = None
    if evidence.max() >= MIN_EVIDENCE_NATS:
        where = _around_highest(evidence)
        without = clip.predict(clip.occluded(where)[None])[0, number]
        end_s = clip.samples / settings.sample_rate_hz
        region = _region(clip, settings, where, (start_s, start_s + end_s), float(without))
    return Explanation(
        label=str(classes[number]),
        probability=float(values[number]),
        level=clip.level,
        evidence=_upsampled(evidence, clip),
        times_s=settings.times_s(len(clip.level)) + start_s,
        frequencies_hz=settings.frequencies_hz,
        region=region,
        level_unit="dB" if settings.level == "decibel" else "",
        method=method,
    )


def evidence_of(
    clip: ExplainedClip, number: int, patch: tuple[int, int], method: str = DEFAULT_EXPLANATION
) -> np.ndarray:
    """Evidence of the patches on each point of the features [nat], (time, bands).

    Args:
        clip: to explain.
        number: of the class.
        patch: rows and columns of a patch.
        method: one of `EXPLANATIONS`.
    """
    if method == "occlusion":
        evidence = occlusion(clip, number, patch)
    else:
        points = clip.before_trim(POINT_METHODS[method](clip, number))
        evidence = sum_over_patches(points, patch)
    evidence[~np.isin(np.arange(len(evidence)), clip.source)] = 0  # patches reach over the trimmed
    return evidence


def _patch_size(
    clip: ExplainedClip, settings: FrontEnd, patch_s: float, patch_share: float
) -> tuple[int, int]:
    """Rows and columns of a patch of features."""
    rows, columns = clip.features.shape[:2]
    patch_rows = round(patch_s * settings.frame_rate_hz / clip.pooling[0])
    return min(rows, max(1, patch_rows)), min(columns, max(1, round(patch_share * columns)))


def _upsampled(evidence: np.ndarray, clip: ExplainedClip) -> np.ndarray:
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
    clip: ExplainedClip,
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
