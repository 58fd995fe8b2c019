"""What an explanation holds: evidence over time and frequency, its strongest region, a sentence."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from zoo.plots import evidence as evidence_figure


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
        without: probability of the class, or predicted value, with all of the rectangle occluded.
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
        label: the class, or the predicted quantity of a regression.
        probability: of the class, by the model; of a regression the predicted value.
        level: (time, bands) spectrogram, as the front end makes it, mostly in decibels.
        evidence: (time, bands) fall of the log-odds of the class (of a regression: of the value)
            when a patch is set to the training mean, by the estimate of the method, mean over the
            patches that cover a point [nat]; negative: evidence against the class.
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (bands,).
        region: around the highest evidence, where it is at least half of that; None where the
            highest is below `zoo.explain.methods.MIN_EVIDENCE_NATS`.
        level_unit: of `level`: "dB" where the front end is in decibels, else nothing.
        method: name of the method.
        window_s: start and end of the clip in its recording [s]; None: the clip is all there is.
        recording_s: length of the recording [s].
    """

    label: str
    probability: float
    level: np.ndarray
    evidence: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray
    region: Region | None
    level_unit: str = ""
    method: str = "occlusion"
    window_s: tuple[float, float] | None = None
    recording_s: float | None = None

    @property
    def strongest(self) -> tuple[float, float]:
        """Time [s] and frequency [Hz] of the highest evidence."""
        row, column = np.unravel_index(self.evidence.argmax(), self.evidence.shape)
        return float(self.times_s[row]), float(self.frequencies_hz[column])

    @property
    def is_whole(self) -> bool:
        """Whether the window is all of the recording, to a hundredth of a second."""
        if self.window_s is None or self.recording_s is None:
            return True
        return self.window_s[1] - self.window_s[0] > self.recording_s - 0.01

    def sentence(self) -> str:
        """Window, class, probability, and the region with the probability without it, in a line."""
        prediction = f"{self.label} {self.probability:.2f}"
        if self.window_s is not None:
            start_s, end_s = self.window_s
            whole = "" if self.recording_s is None else f" of {self.recording_s:.2f} s"
            prediction = f"{start_s:.2f} to {end_s:.2f} s{whole}, {prediction}"
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
            window_s=self.window_s,
            region=self.region and (self.region.frames, self.region.bands),
            level_label=f"level [{self.level_unit}]" if self.level_unit else "level",
        )
