"""Features of TensorFlow Lite Micro's audio front end, in its integers, to train networks for it.

    features = MicroFrontEnd().process(samples)  # int16 at 16 kHz -> (frames, 40) uint16

A chip that runs that front end gives a network what it was trained on. Window, Fourier transform in
16 bits with one common exponent, mel bands, square root, noise reduction, gain control (PCAN),
logarithm; the defaults are those of `pymicro-features`, whose numbers are these times 0.0390625.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

SAMPLE_RATE_HZ = 16_000
_WINDOW_BITS = _BAND_BITS = _RATIO_BITS = 12
_NOISE_BITS, _LOG_BITS, _SEGMENT_BITS, _GAIN_BITS, _SHRUNK_BITS = 14, 16, 7, 21, 6
_LOG2_TO_LN = 45_426  # ln 2 in 16 bits
_LARGEST = 32_767


@dataclass(frozen=True)
class MicroSettings:
    """Settings of the front end.

    Attributes:
        window_ms: length of the window [ms].
        hop_ms: step from frame to frame [ms].
        bands: number of mel bands.
        low_hz: lower edge of the first [Hz].
        high_hz: upper edge of the last [Hz].
        even_smoothing: share of a new frame in the estimate of the noise, bands 0, 2, ...
        odd_smoothing: in bands 1, 3, ...
        min_remaining: share of a band that noise reduction leaves at least; 1: no reduction.
        smoothing_bits: of fractions in that estimate.
        strength: exponent of the gain control; 0: none.
        offset: added to the estimate there.
        log_bits: features are the logarithm times 2 to the power of this.
    """

    window_ms: int = 30
    hop_ms: int = 10
    bands: int = 40
    low_hz: float = 125.0
    high_hz: float = 7500.0
    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_remaining: float = 0.05
    smoothing_bits: int = 10
    strength: float = 0.95
    offset: float = 80.0
    log_bits: int = 6

    @property
    def window(self) -> int:
        """Length of the window [samples]."""
        return self.window_ms * SAMPLE_RATE_HZ // 1000

    @property
    def hop(self) -> int:
        """Step from frame to frame [samples]."""
        return self.hop_ms * SAMPLE_RATE_HZ // 1000

    @property
    def fft(self) -> int:
        """Length of the Fourier transform [samples]: the next power of two."""
        return 1 << (self.window - 1).bit_length()


class MicroFrontEnd:
    """The front end with its states: samples that wait for a frame, and the noise of each band.

    Args:
        settings: its numbers.

    Raises:
        ValueError: a window whose transform is not twice a power of four.
    """

    def __init__(self, settings: MicroSettings | None = None) -> None:
        self.settings = settings = settings or MicroSettings()
        half = settings.fft // 2
        if half.bit_length() % 2 == 0:
            raise ValueError(
                f"Expected a window whose transform has twice 4^n samples, such as 512. Received: "
                f"{settings.window_ms} ms, {settings.fft} samples."
            )
        # in single precision, as there: a weight that lies between two integers goes the same way
        half_step = np.float32(0.5)
        places = np.arange(settings.window, dtype=np.float32) + half_step
        turns = np.float32(2 * np.pi / settings.window) * places
        shape = (half_step - half_step * np.cos(turns)).astype(np.float64)
        self._window = np.floor(shape * (1 << _WINDOW_BITS) + 0.5).astype(np.int64)
        self._weights, self._others, self._band = _mel_weights(settings)
        # three for the 2^9 of the transform less half the bits of the weights
        self._correction = settings.fft.bit_length() - 1 - _BAND_BITS // 2
        self._table = _gain_table(settings, self._correction)
        self.reset()

    def reset(self) -> None:
        """A new stream begins."""
        self._samples = np.zeros(0, np.int16)
        self._noise = np.zeros(self.settings.bands, np.int64)

    def process(self, samples: np.ndarray) -> np.ndarray:
        """Features (frames, bands) uint16 of the frames that end with these samples.

        Args:
            samples: (samples,) int16 at 16 kHz, the next of the stream.

        Raises:
            ValueError: samples of another type or shape.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError(
                f"Expected samples (samples,) of int16. Received: {samples.shape}, {samples.dtype}."
            )
        window, hop = self.settings.window, self.settings.hop
        x = np.concatenate([self._samples, samples])
        count = max(0, (len(x) - window) // hop + 1)
        self._samples = x[count * hop :]
        if not count:
            return np.zeros((0, self.settings.bands), np.uint16)
        frames = np.lib.stride_tricks.sliding_window_view(x, window)[: count * hop : hop]
        values = [self._finish(each) for each in self._magnitudes(frames.astype(np.int64))]
        return np.array(values, np.uint16)

    def _magnitudes(self, frames: np.ndarray) -> np.ndarray:
        """Roots of the powers of the bands (frames, bands) of samples (frames, window)."""
        x = (frames * self._window) >> _WINDOW_BITS
        shift = 15 - _bit_length(np.abs(x).max(axis=1))
        padded = np.zeros((len(x), self.settings.fft), np.int64)
        padded[:, : x.shape[1]] = _as_int16(x << shift[:, None])
        real, imaginary = _real_transform(padded)
        power = real * real + imaginary * imaginary
        sums = np.zeros((len(x), self.settings.bands + 1), np.int64)
        used = self._band >= 0
        for weights, place in ((self._weights, 0), (self._others, 1)):
            inside = used & (self._band + place <= self.settings.bands)
            np.add.at(sums.T, self._band[inside] + place, (power * weights)[:, inside].T)
        # rounded; what fits 32 bits is at most 16 bits
        squares = sums[:, 1:]
        root = np.floor(np.sqrt(squares.astype(np.float64))).astype(np.int64)
        root -= root * root > squares
        root += (root + 1) ** 2 <= squares
        root += (squares - root * root > root) & ((root != 0xFFFF) | (squares >= 1 << 32))
        return root >> shift[:, None]

    def _finish(self, signal: np.ndarray) -> np.ndarray:
        """Noise reduction, gain control and logarithm of a frame (bands,)."""
        settings = self.settings
        smoothing = np.full(settings.bands, int(settings.odd_smoothing * (1 << _NOISE_BITS)))
        smoothing[::2] = int(settings.even_smoothing * (1 << _NOISE_BITS))
        raised = signal << settings.smoothing_bits
        rest = (1 << _NOISE_BITS) - smoothing
        self._noise = (raised * smoothing + self._noise * rest) >> _NOISE_BITS
        least = (signal * int(settings.min_remaining * (1 << _NOISE_BITS))) >> _NOISE_BITS
        without = (raised - np.minimum(self._noise, raised)) >> settings.smoothing_bits
        signal = np.maximum(without, least)
        if settings.strength:
            gain = _wide_function(self._noise, self._table)
            ratio = (signal * gain) >> (_GAIN_BITS - self._correction - _RATIO_BITS)
            small = (ratio * ratio) >> (2 + 2 * _RATIO_BITS - _SHRUNK_BITS)
            large = (ratio >> (_RATIO_BITS - _SHRUNK_BITS)) - (1 << _SHRUNK_BITS)
            signal = np.where(ratio < 2 << _RATIO_BITS, small, large)
        value = signal << self._correction if self._correction >= 0 else signal >> -self._correction
        return np.minimum(_logarithm(value, settings.log_bits), 0xFFFF)


def _bit_length(x: np.ndarray) -> np.ndarray:
    """Bits of non-negative integers below 2^52; of 0, none."""
    return np.frexp(np.asarray(x, np.float64))[1].astype(np.int64)


def _as_int16(x: np.ndarray) -> np.ndarray:
    return x.astype(np.int16).astype(np.int64)


def _rounded(x: np.ndarray) -> np.ndarray:
    """A product of two numbers of 15 fractional bits, back in 15 bits."""
    return _as_int16((x + (1 << 14)) >> 15)


def _times(x: tuple, y: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Complex product, parts apart."""
    return _rounded(x[0] * y[0] - x[1] * y[1]), _rounded(x[0] * y[1] + x[1] * y[0])


def _divided(x: tuple, by: int) -> tuple[np.ndarray, np.ndarray]:
    return _rounded(x[0] * (_LARGEST // by)), _rounded(x[1] * (_LARGEST // by))


def _turns(phases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(i phase) in 15 bits, parts apart."""
    real, imaginary = (np.floor(0.5 + _LARGEST * f(phases)) for f in (np.cos, np.sin))
    return real.astype(np.int64), imaginary.astype(np.int64)


def _transform(x: tuple, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Complex transform (frames, size), size a power of four, each stage divided by four."""
    if size == 1:
        return x
    quarter = size // 4
    parts = [_transform((x[0][:, k::4], x[1][:, k::4]), quarter) for k in range(4)]
    parts = [_divided(part, 4) for part in parts]
    angle = -2 * np.pi * np.arange(quarter) / size
    a = parts[0]
    b, c, d = (_times(parts[k], _turns(k * angle)) for k in (1, 2, 3))
    minus = a[0] - c[0], a[1] - c[1]
    plus = a[0] + c[0], a[1] + c[1]
    both = b[0] + d[0], b[1] + d[1]
    apart = b[0] - d[0], b[1] - d[1]
    real = plus[0] + both[0], minus[0] + apart[1], plus[0] - both[0], minus[0] - apart[1]
    imaginary = plus[1] + both[1], minus[1] - apart[0], plus[1] - both[1], minus[1] + apart[0]
    return _as_int16(np.concatenate(real, axis=1)), _as_int16(np.concatenate(imaginary, axis=1))


def _real_transform(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transform of real samples (frames, 2 n), divided by 2 n: (frames, n + 1), parts apart."""
    half = x.shape[1] // 2
    z = _transform((x[:, ::2], x[:, 1::2]), half)
    real, imaginary = (np.zeros((len(x), half + 1), np.int64) for _ in range(2))
    first = _divided((z[0][:, 0], z[1][:, 0]), 2)
    real[:, 0], real[:, half] = first[0] + first[1], first[0] - first[1]
    k = np.arange(1, half // 2 + 1)
    low = _divided((z[0][:, k], z[1][:, k]), 2)
    high = _divided((z[0][:, half - k], -z[1][:, half - k]), 2)
    total = low[0] + high[0], low[1] + high[1]
    difference = _as_int16(low[0] - high[0]), _as_int16(low[1] - high[1])
    turned = _times(difference, _turns(-np.pi * (k / half + 0.5)))
    real[:, k], imaginary[:, k] = (total[0] + turned[0]) >> 1, (total[1] + turned[1]) >> 1
    real[:, half - k] = (total[0] - turned[0]) >> 1
    imaginary[:, half - k] = (turned[1] - total[1]) >> 1
    return _as_int16(real), _as_int16(imaginary)


def _mel(hertz: Any) -> Any:
    return np.float32(1127.0) * np.log1p(np.float32(hertz) / np.float32(700.0))


def _mel_weights(settings: MicroSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of each bin in the band that it falls into and in the next; number of the first.

    Between two centres a bin counts w in the lower band and 1 - w in the upper one, in 12 bits; -1:
    a bin of no band. Band 0 is the flank below the first and is left out.
    """
    low, high = _mel(settings.low_hz), _mel(settings.high_hz)
    spacing = np.float32((high - low) / np.float32(settings.bands + 1))
    centres: np.ndarray = low + spacing * np.arange(1, settings.bands + 2, dtype=np.float32)
    bin_hz = np.float32(SAMPLE_RATE_HZ / settings.fft)
    places = _mel(np.arange(settings.fft // 2 + 1, dtype=np.float32) * bin_hz)
    band = np.searchsorted(centres, places, side="left")
    band[: int(1.5 + settings.low_hz / bin_hz)] = -1
    band[band > settings.bands] = -1
    below = np.concatenate([[low], centres])
    above = centres[np.maximum(band, 0)]
    share = np.float32((above - places) / (above - below[np.maximum(band, 0)])).astype(np.float64)
    scale = 1 << _BAND_BITS
    weights, others = np.floor(share * scale + 0.5), np.floor((1 - share) * scale + 0.5)
    return weights.astype(np.int64), others.astype(np.int64), band


def _gain_table(settings: MicroSettings, correction: int) -> np.ndarray:
    """Values and two differences of the gain in each octave of the noise, (33, 3)."""
    bits = settings.smoothing_bits - correction

    def gain(x: np.ndarray) -> np.ndarray:
        base = np.float32(x / 2.0**bits) + np.float32(settings.offset)
        value = np.float32(1 << _GAIN_BITS) * np.power(base, np.float32(-settings.strength))
        return np.where(value > _LARGEST, _LARGEST, np.floor(value + np.float32(0.5)))

    octave = np.arange(33)
    start = np.where(octave < 2, octave, 2.0 ** (octave - 1))
    end = np.where(octave == 32, 2 * start - 1, 2 * start)
    y0, y1, y2 = (gain(each).astype(np.int64) for each in (start, 1.5 * start, end))
    slope = 4 * (y1 - y0) - (y2 - y0)
    return np.stack([y0, _as_int16(slope), _as_int16(y2 - y0 - slope)], axis=1)


def _wide_function(x: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The gain at x by a parabola in its octave."""
    octave = np.where(x < 2, x, _bit_length(x))
    up, down = np.maximum(11 - octave, 0), np.maximum(octave - 11, 0)
    place = np.where(x <= 2, 0, ((x << up) >> down) & 0x3FF)
    value, slope, bend = table[octave].T
    result = ((bend * place) >> 5) + (slope << 5)
    return ((result * place + (1 << 14)) >> 15) + value


def _logarithm(x: np.ndarray, bits: int) -> np.ndarray:
    """ln(x) 2^bits by a table of log2 with straight lines between; of 0 and 1: 0."""
    places = np.arange((1 << _SEGMENT_BITS) + 1) / (1 << _SEGMENT_BITS)
    table = np.round((1 << _LOG_BITS) * (np.log2(1 + places) - places)).astype(np.int64)
    table = np.append(table, 0)
    safe = np.maximum(x, 1)
    whole = _bit_length(safe) - 1
    fraction = safe - (np.int64(1) << whole)
    up, down = np.maximum(_LOG_BITS - whole, 0), np.maximum(whole - _LOG_BITS, 0)
    fraction = (fraction << up) >> down
    segment = fraction >> (_LOG_BITS - _SEGMENT_BITS)
    low, high = table[segment], table[segment + 1]
    inside = fraction - (segment << (_LOG_BITS - _SEGMENT_BITS))
    log2 = (whole << _LOG_BITS) + fraction + low + (((high - low) * inside) >> _LOG_BITS)
    half = 1 << (_LOG_BITS - 1)
    natural = (_LOG2_TO_LN * log2 + half) >> _LOG_BITS
    return np.where(x > 1, ((natural << bits) + half) >> _LOG_BITS, 0)
