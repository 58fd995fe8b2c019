"""First-layer filters in milliseconds and hertz: what each does to the level of its bands."""

from dataclasses import dataclass

import keras
import numpy as np

from zoo.convnets.model import front_end_of, spectrogram_of, standardize_of
from zoo.spectrogram.mel import band_edges_hz

CENTRE_HZ = 1000.0  # where the filters are drawn: the same weights stand at every band


@dataclass(frozen=True)
class FirstFilters:
    """Kernels of the first convolution, with the axes of the spectrogram that they slide over.

    Attributes:
        layer: name of the convolution.
        weights: (filters, frames, bands), of the normalised response a standard deviation of the
            standardized level.
        times_ms: edges of the frames [ms], (frames + 1,).
        edges_hz: edges of the bands around `CENTRE_HZ` [Hz], at half the height of their
            triangles, (bands + 1,).
        spans_hz: lower and upper edge of the whole kernel [Hz] at the lowest, middle and highest
            place where it fits.
        window_ms: window of the spectrogram [ms], from which each frame is computed.
    """

    layer: str
    weights: np.ndarray
    times_ms: np.ndarray
    edges_hz: np.ndarray
    spans_hz: tuple[tuple[float, float], ...]
    window_ms: float


def first_filters(model: keras.Model) -> FirstFilters:
    """Kernels of the first convolution behind the front end of a sound model.

    Args:
        model: with one layer `Spectrogram` and one `Standardize`.

    Raises:
        ValueError: not a sound model, or no convolution behind its front end.
    """
    standardize = standardize_of(model)
    behind = model.layers[model.layers.index(standardize) + 1 :]
    layer = next((each for each in behind if isinstance(each, keras.layers.Conv2D)), None)
    if layer is None:
        raise ValueError(
            "First-layer filters need a convolution behind the front end. "
            f"Received: {model.name!r}, which has none."
        )
    kernel = np.asarray(layer.get_weights()[0]).mean(axis=2)  # (rows, columns, filters)
    norm = next(
        (
            each
            for each in behind
            if isinstance(each, keras.layers.BatchNormalization) and each.input is layer.output
        ),
        None,
    )
    if norm is not None:
        gamma, _, _, variance = norm.get_weights()
        kernel = kernel * gamma / np.sqrt(variance + norm.epsilon)
    settings = front_end_of(model)
    before, after = spectrogram_of(model).output.shape, standardize.output.shape
    frames = round(before[1] / after[1]) if before[1] and after[1] else 1
    bands = max(1, round(before[2] / after[2]))
    edges = band_edges(model)[::bands]
    rows, columns = kernel.shape[:2]
    middle = int(np.abs(edges - CENTRE_HZ).argmin())
    last = len(edges) - 1 - columns
    first = int(np.clip(middle - columns // 2, 0, last))
    return FirstFilters(
        layer=layer.name,
        weights=np.moveaxis(kernel, 2, 0),
        times_ms=1000 * settings.hop_s * frames * np.arange(rows + 1),
        edges_hz=edges[first : first + columns + 1],
        spans_hz=tuple(
            (float(edges[k]), float(edges[k + columns])) for k in (0, first, max(last, 0))
        ),
        window_ms=1000 * settings.window_s,
    )


def band_edges(model: keras.Model) -> np.ndarray:
    """Edges of the bands of a spectrogram [Hz], (bands + 1,).

    A mel band reaches from where its triangle is half as high to where it is so again, which is
    the middle between its peak and its feet; a bin reaches to the middles to its neighbours.
    """
    settings = front_end_of(model)
    if settings.scale != "linear":
        points = band_edges_hz(settings.mels, settings.fmin_hz, settings.highest_hz, settings.scale)
    else:
        step = settings.sample_rate_hz / settings.fft_length
        hz = settings.frequencies_hz
        points = np.concatenate([[hz[0] - step], hz, [hz[-1] + step]])
    return (points[:-1] + points[1:]) / 2
