"""Spectrograms back to sound, to listen to what a network saw. NumPy, one clip at a time."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from zoo.spectrogram.level import PCEN, level_layer
from zoo.spectrogram.settings import FrontEnd
from zoo.spectrogram.standardize import Standardize

# The ends of a clip lie under the flank of a single window. Transforms that no waveform has would
# be blown up into clicks there, so their flanks fade out.
_FADE = 0.01


def stft(waveform: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """Complex short-time Fourier transform, (samples,) -> (time, fft_length / 2 + 1)."""
    padded = np.pad(np.asarray(waveform, float), front_end.zeros)
    frames = sliding_window_view(padded, front_end.window)[:: front_end.hop]
    before = front_end.window_offset
    after = front_end.fft_length - front_end.window - before
    return fft.rfft(np.pad(frames * front_end.window_weights(), ((0, 0), (before, after))))


def istft(
    spectrum: np.ndarray,
    front_end: FrontEnd,
    samples: int | None = None,
    *,
    least_overlap: float = 1e-18,
) -> np.ndarray:
    """Waveform of a complex short-time Fourier transform, by overlap-add.

    y[n] = sum_t w[n - t hop] y_t[n - t hop] / sum_t w[n - t hop]^2: exact for the transform of a
    waveform, and the least-squares answer otherwise (Griffin and Lim 1984). A sample that no frame
    reaches comes back as zero.

    Args:
        spectrum: (time, fft_length / 2 + 1), complex.
        front_end: the settings that it was made with.
        samples: length of the waveform; None: as far as the frames reach.
        least_overlap: the sum of w^2 counts as no less than this.

    Returns:
        Waveform (samples,), float64.
    """
    window, hop = front_end.window, front_end.hop
    weights = front_end.window_weights()
    start = front_end.window_offset
    frames = fft.irfft(spectrum, front_end.fft_length)[:, start : start + window] * weights
    total = _overlap_add(frames, hop)
    overlap = _overlap_add(np.broadcast_to(weights**2, frames.shape), hop)
    waveform = total / np.maximum(overlap, least_overlap)
    before, after = front_end.zeros
    if samples is None:
        samples = waveform.size - before - after
    waveform = waveform[before : before + samples]
    return np.pad(waveform, (0, samples - waveform.size))


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
    """A waveform whose transform has nearly the given magnitude (Perraudin et al. 2013).

    Alternates between the given magnitudes and what a waveform can have, from random phases, each
    round carried `momentum` times its last change further.

    Args:
        magnitude: (time, fft_length / 2 + 1).
        front_end: the settings that it was made with; frames should overlap by half or more.
        samples: length of the waveform; None: as far as the frames reach.
        iterations: rounds.
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
    last = 0.0
    for _ in range(iterations):
        possible = stft(istft(spectrum, front_end, samples, least_overlap=_FADE), front_end)
        ahead = possible + momentum * (possible - last)
        last = possible
        spectrum = magnitude * ahead / np.maximum(np.abs(ahead), 1e-30)
    return istft(spectrum, front_end, samples, least_overlap=_FADE)


def magnitude_of(
    spectrogram: np.ndarray,
    front_end: FrontEnd,
    normalise: Standardize | None = None,
    *,
    iterations: int = 100,
) -> np.ndarray:
    """Magnitude of the Fourier transform that a spectrogram came from, as far as it tells.

    Undoes normalisation, level and bands. What a mel band added up is spread over its bins so that
    no bin is negative (non-negative least squares); what lies beyond the bands, or below the floor,
    is lost.

    Args:
        spectrogram: (time, bands) or (time, bands, 1).
        front_end: the settings that it was made with.
        normalise: the layer that came after it, if any.
        iterations: rounds of the non-negative least squares.

    Returns:
        Magnitude (time, fft_length / 2 + 1), float64.
    """
    x = np.asarray(spectrogram, float)
    x = x[..., 0] if x.ndim == 3 else x
    if x.ndim != 2 or x.shape[1] != front_end.bands:
        raise ValueError(
            f"A spectrogram of this front end has shape (time, {front_end.bands}). "
            f"Received: {np.shape(spectrogram)}."
        )
    if normalise is not None:
        mean, deviation = np.asarray(normalise.mean)[:, 0], np.asarray(normalise.deviation)[0]
        x = x * deviation + mean
    x = _undo_level(x, front_end)
    if front_end.scale == "linear":
        bins = np.zeros((x.shape[0], front_end.fft_length // 2 + 1))
        bins[:, front_end.linear_bins] = x
    else:
        bins = _nonnegative_bins(x, front_end.mel_weights(), iterations)
    return bins ** (1 / front_end.power)


def listen(
    spectrogram: np.ndarray,
    front_end: FrontEnd,
    normalise: Standardize | None = None,
    samples: int | None = None,
    *,
    iterations: int = 32,
    seed: int = 0,
) -> np.ndarray:
    """A waveform (samples,) that looks like this spectrogram: `magnitude_of`, `griffin_lim`."""
    magnitude = magnitude_of(spectrogram, front_end, normalise)
    return griffin_lim(magnitude, front_end, samples, iterations=iterations, seed=seed)


def _undo_level(y: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    if front_end.level == "decibel":
        return 10.0 ** (y * front_end.power / 20.0)
    if front_end.level == "log":
        return np.maximum(np.exp(y) - front_end.floor, 0.0)
    if front_end.level == "pcen":
        return _undo_pcen(y, level_layer(front_end))
    return np.maximum(y, 0.0)


def _undo_pcen(y: np.ndarray, pcen: PCEN) -> np.ndarray:
    """Energies x (time, bands) whose PCEN is y, frame by frame.

    z = (y + bias^power)^(1 / power) - bias = x / (eps + c + b x)^gain, with c what the smoother
    remembers, grows with x, so bisection in log x finds it.
    """
    base = np.maximum(y + pcen.bias**pcen.power, pcen.bias**pcen.power)
    loudness = base ** (1 / pcen.power) - pcen.bias
    b, smoother, x = pcen.smoothing, pcen.initial_smoother, np.zeros_like(y)
    for t, z in enumerate(loudness):
        empty = np.all(np.asarray(smoother) < 0)
        memory, newest = (0.0, 1.0) if empty else ((1 - b) * smoother, b)
        low, high = np.full_like(z, -30.0), np.full_like(z, 100.0)  # ln x
        for _ in range(60):
            middle = (low + high) / 2
            guess = np.exp(middle)
            small = guess < z * (pcen.eps + memory + newest * guess) ** pcen.gain
            low, high = np.where(small, middle, low), np.where(small, high, middle)
        x[t] = np.exp(high)
        smoother = memory + newest * x[t]
    return x / pcen.scale


def _nonnegative_bins(bands: np.ndarray, weights: np.ndarray, iterations: int) -> np.ndarray:
    """Bins x >= 0 (time, bins) with x @ weights near bands, by Lee and Seung's updates (2001).

    x <- x (bands W') / (x W W') never turns negative and lowers the squared error each round; a
    smooth start leaves the answer smooth, where the pseudo-inverse rings.
    """
    share = weights / weights.sum(axis=0)
    x = bands @ share.T / np.maximum(weights.sum(axis=1), 1e-30)
    target = bands @ weights.T
    for _ in range(iterations):
        x = x * target / np.maximum(x @ weights @ weights.T, 1e-300)
    return x
