"""Mel scales and mel filter banks, in float64."""

from typing import Literal

import numpy as np

# Slaney's Auditory Toolbox (1998): straight to 1 kHz, then 27 mel for every factor of 6.4.
_CORNER_HZ = 1000.0
_CORNER_MEL = 15.0
_LOG_STEP = np.log(6.4) / 27.0


def mel_of_hz(hz: np.ndarray, scale: Literal["slaney", "htk"]) -> np.ndarray:
    """Pitch [mel] of a frequency [Hz].

    slaney: 3 f / 200 below 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above; htk: 2595 lg(1 + f / 700).
    """
    hz = np.asarray(hz, float)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    above = _CORNER_MEL + np.log(np.maximum(hz, _CORNER_HZ) / _CORNER_HZ) / _LOG_STEP
    return np.where(hz < _CORNER_HZ, hz * (_CORNER_MEL / _CORNER_HZ), above)


def hz_of_mel(mel: np.ndarray, scale: Literal["slaney", "htk"]) -> np.ndarray:
    """Frequency [Hz] of a pitch [mel]; the inverse of `mel_of_hz`."""
    mel = np.asarray(mel, float)
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = _CORNER_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _CORNER_MEL) - _CORNER_MEL))
    return np.where(mel < _CORNER_MEL, mel * (_CORNER_HZ / _CORNER_MEL), above)


def band_edges_hz(
    mels: int, fmin_hz: float, fmax_hz: float, scale: Literal["slaney", "htk"]
) -> np.ndarray:
    """Feet and peaks [Hz] of triangles equally spaced in pitch, (mels + 2,): m, m + 1, m + 2."""
    lowest, highest = mel_of_hz(np.array([fmin_hz, fmax_hz]), scale)
    return hz_of_mel(np.linspace(lowest, highest, mels + 2), scale)


def mel_weights(
    bins_hz: np.ndarray,
    *,
    mels: int,
    fmin_hz: float,
    fmax_hz: float,
    scale: Literal["slaney", "htk"] = "slaney",
    norm: Literal["slaney"] | None = "slaney",
    triangles: Literal["hertz", "mel"] = "hertz",
) -> np.ndarray:
    """Triangular filter bank over the bins of a Fourier transform.

    w[k, m] = max(0, min((f_k - a) / (b - a), (c - f_k) / (c - b))), where a, b, c are foot, peak
    and foot of band m; times 2 / (c - a) with norm="slaney". With triangles="mel", f, a, b and c
    are pitches instead of frequencies.

    Args:
        bins_hz: frequency of every bin [Hz], (bins,).
        mels: number of bands.
        fmin_hz: lower foot of the first band [Hz].
        fmax_hz: upper foot of the last band [Hz].
        scale: "slaney" or "htk".
        norm: "slaney" for unit area over frequency, None for unit height.
        triangles: straight over "hertz" or over "mel".

    Returns:
        Weights (bins, mels), float64.

    Raises:
        ValueError: a band without a bin.
    """
    edges_hz = band_edges_hz(mels, fmin_hz, fmax_hz, scale)
    place, edges = bins_hz, edges_hz
    if triangles == "mel":
        place, edges = mel_of_hz(bins_hz, scale), mel_of_hz(edges_hz, scale)
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (place[:, None] - low) / (peak - low)
    falling = (high - place[:, None]) / (high - peak)
    weights = np.maximum(0.0, np.minimum(rising, falling))  # (bins, mels)
    empty = np.flatnonzero(~weights.any(axis=0))
    if empty.size:
        raise ValueError(
            f"Every mel band must hold a bin of the Fourier transform; {empty.size} of {mels} hold "
            f"none, the first at {edges_hz[empty[0] + 1]:.0f} Hz with bins "
            f"{bins_hz[1] - bins_hz[0]:.1f} Hz apart. Take fewer `mels` or a larger `n_fft`."
        )
    if norm == "slaney":
        weights *= 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return weights
