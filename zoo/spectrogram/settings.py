"""Settings of a front end, and the sizes, times [s] and frequencies [Hz] that follow from them."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoo.spectrogram.mel import band_edges_hz, mel_weights


@dataclass(frozen=True)
class FrontEnd:
    """Settings of a spectrogram. The conventions are librosa's (0.11, 2025).

    Attributes:
        sample_rate_hz: rate of the waveform [Hz].
        window_s: length of the periodic Hann window [s], rounded to whole samples.
        hop_s: step from frame to frame [s], rounded to whole samples; at most `window_s`.
        n_fft: even length of the Fourier transform [samples]. The window stands in its middle.
            None: the next power of two, which TFLite needs.
        padding: position of the frames.
            "centred": the middle of frame t is sample t hop, zeros beyond the ends.
            "causal": frame t ends with hop t, zeros before the start. It can stream.
            "valid": frame t starts at sample t hop, and every frame is full.
        power: 1 for magnitude, 2 for power.
        scale: bands on the "slaney" or "htk" mel scale, or "linear": the bins of the Fourier
            transform from `fmin_hz` to `fmax_hz` themselves.
        mels: number of mel bands; not used on the linear scale.
        fmin_hz: lowest frequency [Hz].
        fmax_hz: highest frequency [Hz]. None: half the sample rate.
        norm: "slaney" scales each mel band to unit area over frequency, None to unit height.
        triangles: flanks of the mel bands are straight over "hertz", as in librosa, or over "mel",
            as in tf.signal and so in YAMNet's published weights.
        level: "decibel", (20 / power) log10(max(x, floor)) [dB]; "log", ln(x + floor); "pcen", see
            `PCEN`; "linear", x.
        floor: lower limit of x, in its unit.

    Raises:
        ValueError: settings that contradict each other.
    """

    sample_rate_hz: float
    window_s: float
    hop_s: float
    n_fft: int | None = None
    padding: Literal["centred", "causal", "valid"] = "centred"
    power: Literal[1, 2] = 2
    scale: Literal["slaney", "htk", "linear"] = "slaney"
    mels: int = 128
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    norm: Literal["slaney"] | None = "slaney"
    triangles: Literal["hertz", "mel"] = "hertz"
    level: Literal["decibel", "log", "pcen", "linear"] = "decibel"
    floor: float = 1e-10

    def __post_init__(self) -> None:
        _choice(self, "padding", "centred", "causal", "valid")
        _choice(self, "power", 1, 2)
        _choice(self, "scale", "slaney", "htk", "linear")
        _choice(self, "norm", "slaney", None)
        _choice(self, "triangles", "hertz", "mel")
        _choice(self, "level", "decibel", "log", "pcen", "linear")
        _check(self.sample_rate_hz > 0, "`sample_rate_hz` must be positive", self.sample_rate_hz)
        _check(self.floor > 0, "`floor` must be positive: there is no log of zero", self.floor)
        _check(
            1 <= self.hop <= self.window,
            "`hop_s` must be at least a sample and at most `window_s`, or frames skip samples",
            f"hop_s={self.hop_s}, window_s={self.window_s}",
        )
        _check(
            self.fft_length % 2 == 0 and self.fft_length >= self.window,
            f"`n_fft` must be even and hold the window of {self.window} samples",
            self.n_fft,
        )
        _check(
            0 <= self.fmin_hz < self.highest_hz <= self.sample_rate_hz / 2,
            f"0 <= fmin_hz < fmax_hz <= {self.sample_rate_hz / 2:g} Hz, half the rate, must hold",
            f"fmin_hz={self.fmin_hz}, fmax_hz={self.fmax_hz}",
        )
        if self.scale == "linear":
            _check(self.bands > 0, "no bin lies from fmin_hz to fmax_hz; raise n_fft", self.n_fft)
        else:
            _check(self.mels > 0, "`mels` must be positive", self.mels)
            self.mel_weights()

    @property
    def window(self) -> int:
        """Length of the window [samples]."""
        return round(self.window_s * self.sample_rate_hz)

    @property
    def hop(self) -> int:
        """Step from frame to frame [samples]."""
        return round(self.hop_s * self.sample_rate_hz)

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second [Hz]."""
        return self.sample_rate_hz / self.hop

    @property
    def fft_length(self) -> int:
        """Length of the Fourier transform [samples]."""
        if self.n_fft is not None:
            return self.n_fft
        return 2 ** math.ceil(math.log2(max(self.window, 2)))

    @property
    def highest_hz(self) -> float:
        """Highest frequency [Hz]."""
        return self.sample_rate_hz / 2 if self.fmax_hz is None else self.fmax_hz

    @property
    def bin_frequencies_hz(self) -> np.ndarray:
        """Frequency of every bin of the Fourier transform [Hz], (fft_length / 2 + 1,)."""
        return np.arange(self.fft_length // 2 + 1) * (self.sample_rate_hz / self.fft_length)

    @property
    def linear_bins(self) -> slice:
        """Bins from `fmin_hz` to `fmax_hz`, both included."""
        # tolerance for rounding: a bin on the limit is included
        step_hz = self.sample_rate_hz / self.fft_length
        first = math.ceil(self.fmin_hz / step_hz - 1e-6)
        return slice(first, math.floor(self.highest_hz / step_hz + 1e-6) + 1)

    @property
    def bands(self) -> int:
        """Size of the frequency axis of the spectrogram."""
        if self.scale == "linear":
            return max(self.linear_bins.stop - self.linear_bins.start, 0)
        return self.mels

    @property
    def frequencies_hz(self) -> np.ndarray:
        """Frequency of every band [Hz]: a bin's own, or where a mel triangle peaks; (bands,)."""
        if self.scale == "linear":
            return self.bin_frequencies_hz[self.linear_bins]
        return band_edges_hz(self.mels, self.fmin_hz, self.highest_hz, self.scale)[1:-1]

    def mel_weights(self) -> np.ndarray:
        """Mel filter bank of these settings, (fft_length / 2 + 1, mels), float64.

        Raises:
            ValueError: a linear scale, or a band without a bin.
        """
        if self.scale == "linear":
            raise ValueError("Mel weights need a mel scale. Received: scale='linear'.")
        return mel_weights(
            self.bin_frequencies_hz,
            mels=self.mels,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.highest_hz,
            scale=self.scale,
            norm=self.norm,
            triangles=self.triangles,
        )

    def window_weights(self) -> np.ndarray:
        """Periodic Hann window, w[n] = sin(pi n / window)^2, (window,), float64."""
        return np.sin(np.pi * np.arange(self.window) / self.window) ** 2

    @property
    def window_offset(self) -> int:
        """Samples of the Fourier transform before the window, which stands in its middle."""
        return (self.fft_length - self.window) // 2

    @property
    def zeros(self) -> tuple[int, int]:
        """Zero padding before and after the waveform [samples]."""
        if self.padding == "centred":
            before = self.fft_length // 2 - self.window_offset
            return before, self.window - before
        return (self.window - self.hop if self.padding == "causal" else 0), 0

    def frames(self, samples: int) -> int:
        """Number of frames of a waveform of `samples` samples."""
        return max(0, 1 + (samples + sum(self.zeros) - self.window) // self.hop)

    def times_s(self, frames: int) -> np.ndarray:
        """Time of the middle of each frame's window after the waveform's start [s], (frames,)."""
        middle = np.arange(frames) * self.hop - self.zeros[0] + self.window / 2
        return middle / self.sample_rate_hz


def _check(is_met: bool, rule: str, received: object) -> None:
    if not is_met:
        raise ValueError(f"{rule}. Received: {received}.")


def _choice(settings: FrontEnd, name: str, *allowed: object) -> None:
    value = getattr(settings, name)
    if value not in allowed:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}. Received: {value!r}."
        )


PRESETS = {
    # librosa.feature.melspectrogram and power_to_db(top_db=None) with their defaults.
    "librosa": FrontEnd(
        sample_rate_hz=22_050, window_s=2048 / 22_050, hop_s=512 / 22_050, n_fft=2048
    ),
    # YAMNet (Plakal and Ellis 2019), whose bands are those of tf.signal.
    "yamnet": FrontEnd(
        sample_rate_hz=16_000,
        window_s=0.025,
        hop_s=0.010,
        padding="valid",
        power=1,
        scale="htk",
        mels=64,
        fmin_hz=125,
        fmax_hz=7500,
        norm=None,
        triangles="mel",
        level="log",
        floor=0.001,
    ),
    # Stethoscopes: the window is long enough to resolve a wheeze as a tone, bins are 7.8 Hz apart.
    "respiratory": FrontEnd(
        sample_rate_hz=4000, window_s=0.128, hop_s=0.032, mels=64, fmin_hz=50, fmax_hz=2000
    ),
    # One hop is the time that a hearing aid's classifier has for a step; absolute level is kept.
    "hearing_aid": FrontEnd(
        sample_rate_hz=16_000,
        window_s=0.032,
        hop_s=0.016,
        padding="causal",
        mels=40,
        fmin_hz=50,
        fmax_hz=8000,
    ),
}
