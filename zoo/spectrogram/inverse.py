"""Inverse spectrograms: inverse STFT, Griffin–Lim phase reconstruction. NumPy, one clip a call."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from zoo.spectrogram.level import PCEN, level_layer
from zoo.spectrogram.settings import FrontEnd
from zoo.spectrogram.standardize import Standardize

# The ends of a clip lie under the flank of a single window. For a transform that no waveform has,
# division by a small overlap gives clicks there; this lower bound fades the flanks out instead.
_MIN_OVERLAP = 0.01


def stft(waveform: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Complex short-time Fourier transform, (samples,) -> (time, fft_length / 2 + 1)."""
    padded = np.pad(np.asarray(waveform, float), front_end.zeros)
    frames = sliding_window_view(padded, front_end.window)[:: front_end.hop]
    before = front_end.window_offset
    after = front_end.fft_length - front_end.window - before
    windowed = np.pad(frames * front_end.window_weights(), ((0, 0), (before, after)))
    return np.asarray(fft.rfft(windowed))


def istft(
    spectrum: np.ndarray,
    front_end: FrontEnd,
    samples: int | None = None,
    *,
    min_overlap: float = 1e-18,
) -> np.ndarray:
    """Waveform of a complex short-time Fourier transform, by overlap-add.

    y[n] = sum_t w[n - t hop] y_t[n - t hop] / sum_t w[n - t hop]^2: exact for the transform of a
    waveform, and the least-squares estimate otherwise (Griffin and Lim 1984). A sample that no
    frame covers is zero.

    Args:
        spectrum: (time, fft_length / 2 + 1), complex.
        front_end: settings of the spectrogram.
        samples: length of the waveform; None: as many as the frames cover.
        min_overlap: lower bound of the sum of w^2.

    Returns:
        Waveform (samples,), float64.
    """
    window, hop = front_end.window, front_end.hop
    weights = front_end.window_weights()
    start = front_end.window_offset
    frames = np.asarray(fft.irfft(spectrum, front_end.fft_length))[:, start : start + window]
    frames = frames * weights
    total = _overlap_add(frames, hop)
    overlap = _overlap_add(np.broadcast_to(weights**2, frames.shape), hop)
    waveform = total / np.maximum(overlap, min_overlap)
    before, after = front_end.zeros
    length = waveform.size - before - after if samples is None else samples
    waveform = waveform[before : before + length]
    return np.pad(waveform, (0, length - waveform.size))


def _overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    time, window = frames.shape
    pieces = -(-window // hop)
    frames = np.pad(frames, ((0, 0), (0, pieces * hop - window)))
    total = np.zeros((time + pieces - 1, hop))
    for piece in range(pieces):
        total[piece : piece + time] += frames[:, piece * hop : (piece + 1) * hop]
    return total.ravel()[: (time - 1) * hop + window]


def griffin_lim(
    magnitude: np.ndarray,
    front_end: FrontEnd,
    samples: int | None = None,
    *,
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
) -> np.ndarray:
    """Fast Griffin–Lim (Perraudin et al. 2013): a waveform whose STFT nearly has a magnitude.

    Starts from random phases and alternates between the given magnitude and a projection on STFTs
    of waveforms, each iteration extrapolated by `momentum` times the last change.

    Args:
        magnitude: (time, fft_length / 2 + 1).
        front_end: settings; frames should overlap by half or more.
        samples: length of the waveform; None: as many as the frames cover.
        iterations: number of them.
        momentum: 0 is Griffin and Lim's algorithm of 1984; below 1.
        seed: of the first phases.

    Returns:
        Waveform (samples,), float64.
    """
    if samples is None:
        reach = (magnitude.shape[0] - 1) * front_end.hop + front_end.window
        samples = reach - sum(front_end.zeros)
    phase = np.random.default_rng(seed).uniform(-np.pi, np.pi, magnitude.shape)
    spectrum = magnitude * np.exp(1j * phase)
    last = np.zeros_like(spectrum)
    for _ in range(iterations):
        projected = stft(istft(spectrum, front_end, samples, min_overlap=_MIN_OVERLAP), front_end)
        extrapolated = projected + momentum * (projected - last)
        last = projected
        spectrum = magnitude * extrapolated / np.maximum(np.abs(extrapolated), 1e-30)
    return istft(spectrum, front_end, samples, min_overlap=_MIN_OVERLAP)


def reconstruct_magnitude(
    spectrogram: np.ndarray,
    front_end: FrontEnd,
    standardize: Standardize | None = None,
    *,
    iterations: int = 100,
) -> np.ndarray:
    """Magnitude of the Fourier transform from a spectrogram, as far as it is determined.

    Inverts standardization, level and bands. A mel band is spread over its bins by non-negative
    least squares; bins outside the bands and values below the floor cannot be recovered.

    Args:
        spectrogram: (time, bands) or (time, bands, 1).
        front_end: settings of the spectrogram.
        standardize: the layer behind the spectrogram, if any.
        iterations: of the non-negative least squares.

    Returns:
        Magnitude (time, fft_length / 2 + 1), float64.

    Raises:
        ValueError: another shape.
    """
    x = np.asarray(spectrogram, float)
    x = x[..., 0] if x.ndim == 3 else x
    if x.ndim != 2 or x.shape[1] != front_end.bands:
        raise ValueError(
            f"A spectrogram of this front end has shape (time, {front_end.bands}). "
            f"Received: {np.shape(spectrogram)}."
        )
    if standardize is not None:
        mean, deviation = np.asarray(standardize.mean)[:, 0], np.asarray(standardize.deviation)[0]
        x = x * deviation + mean
    x = _invert_level(x, front_end)
    if front_end.scale == "linear":
        bins = np.zeros((x.shape[0], front_end.fft_length // 2 + 1))
        bins[:, front_end.linear_bins] = x
    else:
        bins = _nonnegative_bins(x, front_end.mel_weights(), iterations)
    return bins ** (1 / front_end.power)


def reconstruct_waveform(
    spectrogram: np.ndarray,
    front_end: FrontEnd,
    standardize: Standardize | None = None,
    samples: int | None = None,
    *,
    iterations: int = 32,
    seed: int = 0,
) -> np.ndarray:
    """A waveform (samples,) with nearly this spectrogram: `reconstruct_magnitude`,
    then `griffin_lim`.
    """
    magnitude = reconstruct_magnitude(spectrogram, front_end, standardize)
    return griffin_lim(magnitude, front_end, samples, iterations=iterations, seed=seed)


def _invert_level(y: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    if front_end.level == "decibel":
        return 10.0 ** (y * front_end.power / 20.0)
    if front_end.level == "log":
        return np.maximum(np.exp(y) - front_end.floor, 0.0)
    if front_end.level == "pcen":
        return _invert_pcen(y, level_layer(front_end))
    return np.maximum(y, 0.0)


def _invert_pcen(y: np.ndarray, pcen: PCEN) -> np.ndarray:
    """Energies x (time, bands) whose PCEN is y, frame by frame.

    z = (y + bias^power)^(1 / power) - bias = x / (eps + c + b x)^gain, with c of earlier
    frames, grows with x, so bisection in log x solves it.
    """
    base = np.maximum(y + pcen.bias**pcen.power, pcen.bias**pcen.power)
    loudness = base ** (1 / pcen.power) - pcen.bias
    b, x = pcen.smoothing, np.zeros_like(y)
    smoother = np.full(y.shape[1:], pcen.initial_smoother)
    for t, z in enumerate(loudness):
        is_empty = bool(np.all(smoother < 0))
        earlier, weight = (0.0, 1.0) if is_empty else ((1 - b) * smoother, b)
        low, high = np.full_like(z, -30.0), np.full_like(z, 100.0)  # ln x
        for _ in range(60):
            middle = (low + high) / 2
            energy = np.exp(middle)
            is_low = energy < z * (pcen.eps + earlier + weight * energy) ** pcen.gain
            low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
        x[t] = np.exp(high)
        smoother = earlier + weight * x[t]
    return x / pcen.scale


def _nonnegative_bins(bands: np.ndarray, weights: np.ndarray, iterations: int) -> np.ndarray:
    """Bins x >= 0 (time, bins) with x @ weights near bands, by Lee and Seung's updates (2001).

    x <- x (bands W') / (x W W') stays non-negative and lowers the squared error each time. A smooth
    start keeps x smooth, where the pseudo-inverse oscillates.
    """
    share = weights / weights.sum(axis=0)
    x = bands @ share.T / np.maximum(weights.sum(axis=1), 1e-30)
    target = bands @ weights.T
    for _ in range(iterations):
        x = x * target / np.maximum(x @ weights @ weights.T, 1e-300)
    return x
