"""Sound events of a recording: frame-wise probabilities to events with onset and offset.

Streaming classifiers give probabilities every hop. A classifier of whole clips gives them for
windows that overlap; each stands for the time around the middle of its window, so that its events
are as coarse as its hop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.edge.labels import LabelRule
from zoo.folders import find
from zoo.manifest import read_manifest
from zoo.metrics.events import Event
from zoo.plots.prediction import class_probabilities
from zoo.predictions import predict_file
from zoo.report import Column, Table
from zoo.sound_predictions import ClipPrediction, HopPrediction, WindowSettings

WINDOW_HOP_S = 0.5  # of a classifier of whole clips


@dataclass(frozen=True)
class EventSettings:
    """From probabilities to events.

    Attributes:
        enter: an event begins where the probability of its class reaches this.
        leave: it ends where the probability falls below this.
        max_gap_s: two events of a class closer than this become one [s].
        min_duration_s: shorter events are left out [s].
        smoothing_s: length of the moving average of the probabilities [s]; 0: none.

    Raises:
        ValueError: numbers out of range.
    """

    enter: float = 0.5
    leave: float = 0.3
    max_gap_s: float = 0.2
    min_duration_s: float = 0.2
    smoothing_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.leave <= self.enter <= 1:
            raise ValueError(
                "Thresholds must keep 0 < leave <= enter <= 1. "
                f"Received: leave {self.leave}, enter {self.enter}."
            )
        if min(self.max_gap_s, self.min_duration_s, self.smoothing_s) < 0:
            raise ValueError("Gap, duration and smoothing must be 0 or more.")

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "EventSettings":
        """Those in the entry `events` of a saved model; the defaults, where it has none.

        A detector's events end at its threshold as well, so that its two classes exclude each
        other and the events agree with the labels of the windows.

        Args:
            manifest: of the model folder.

        Raises:
            ValueError: an entry that cannot be read.
        """
        of_detector = {"leave": cls.enter} if manifest.get("operating_point") else {}
        entry = manifest.get("events") or of_detector
        try:
            return cls(**{str(name): float(value) for name, value in entry.items()})
        except (AttributeError, TypeError) as error:
            raise ValueError(f"Expected thresholds in `events` of the manifest: {error}.") from None


@dataclass(frozen=True)
class EventDetection:
    """Events of a recording, and the probabilities that they were found in.

    Attributes:
        name: of the recording.
        classes: names.
        starts_s: start of each frame [s], (frames,).
        ends_s: end of each frame [s], (frames,).
        probabilities: (frames, classes), NaN where a frame was not classified.
        events: by onset.
    """

    name: str
    classes: Sequence[str]
    starts_s: np.ndarray
    ends_s: np.ndarray
    probabilities: np.ndarray
    events: Sequence[Event]

    def table(self) -> Table:
        """A row an event."""
        columns = [
            Column("onset_s", number=".3f"),
            Column("offset_s", number=".3f"),
            "event",
            Column("probability", number=".2f"),
        ]
        return Table(
            columns, [(e.onset_s, e.offset_s, e.label, e.probability) for e in self.events]
        )

    def audacity(self) -> str:
        """Label track of Audacity: onset, offset and label of each event, tabs between them."""
        rows = [f"{e.onset_s:.6f}\t{e.offset_s:.6f}\t{e.label}" for e in self.events]
        return "".join(f"{row}\n" for row in rows)

    def figure(self) -> Figure:
        """Probabilities over time, with the events as bars."""
        number = {name: k for k, name in enumerate(self.classes)}
        bars = [(number[e.label], e.onset_s, e.offset_s) for e in self.events]
        return class_probabilities(
            *(self.starts_s, self.ends_s, self.probabilities, self.classes),
            title=self.name,
            events=bars,
        )


def find_events(
    probabilities: np.ndarray,
    edges_s: np.ndarray,
    classes: Sequence[str],
    settings: EventSettings | None = None,
) -> list[Event]:
    """Events in frame-wise probabilities, each class for itself, by hysteresis.

    Args:
        probabilities: (frames, classes); NaN, where a frame was not classified, ends an event.
        edges_s: times of the edges of the frames [s], (frames + 1,), rising.
        classes: names.
        settings: thresholds and durations; None: the defaults.

    Returns:
        Events by onset.

    Raises:
        ValueError: arrays that do not fit together.
    """
    settings = settings or EventSettings()
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or p.shape != (len(edges_s) - 1, len(classes)):
        raise ValueError(
            f"`probabilities` must be ({len(edges_s) - 1}, {len(classes)}), a row a frame and a "
            f"column a class. Received: {p.shape}."
        )
    p = _smoothed(np.nan_to_num(p, nan=0.0), edges_s, settings.smoothing_s)
    events = [
        Event(float(edges_s[start]), float(edges_s[stop]), label, float(p[start:stop, k].max()))
        for k, label in enumerate(classes)
        for start, stop in _joined(_runs(p[:, k], settings), edges_s, settings.max_gap_s)
        if edges_s[stop] - edges_s[start] >= settings.min_duration_s - 1e-9
    ]
    return sorted(events)


def detect_events(
    model: str | Path,
    recording: Path,
    settings: EventSettings | None = None,
    *,
    hop_s: float | None = None,
) -> EventDetection:
    """Events of a recording by any saved classifier of sound.

    Thresholds act on a detector's probabilities relative to its operating point, see
    `LabelRule.evidence`; the probability of an event is the model's own.

    Args:
        model: name or folder.
        recording: a sound file.
        settings: thresholds and durations; None: those of the manifest, or the defaults.
        hop_s: of the windows of a classifier of whole clips [s]; None: `WINDOW_HOP_S`.

    Raises:
        ValueError: a model of something else, or a recording that cannot be used.
    """
    manifest = read_manifest(find(model))
    if "front_end" not in manifest or "classes" not in manifest:
        raise ValueError(f"{model} is no classifier of sound: events are found in sound.")
    is_streaming = "step" in manifest["signatures"]
    if is_streaming and hop_s is not None:
        raise ValueError(f"{model} is a streaming model, whose hop is fixed. Leave --hop out.")
    windows = None if is_streaming else WindowSettings(hop_s or WINDOW_HOP_S)
    prediction = predict_file(model, recording, windows=windows)
    if isinstance(prediction, HopPrediction):
        blank = np.full(len(prediction.classes), np.nan)
        p = [blank if h.probabilities is None else h.probabilities for h in prediction.hops]
        edges_s = np.arange(len(p) + 1) * prediction.hop_s
    elif isinstance(prediction, ClipPrediction):
        p, edges_s = list(prediction.probabilities), window_edges_s(prediction)
    else:
        raise ValueError(f"{recording}: expected a recording. Received: a folder or a CSV file.")
    rule = LabelRule.from_manifest(manifest)
    odds = np.stack([rule.evidence(row) if np.isfinite(row).all() else row for row in p])
    settings = settings or EventSettings.from_manifest(manifest)
    p = np.stack(p)
    events = [
        event._replace(probability=_peak(p[:, rule.classes.index(event.label)], edges_s, event))
        for event in find_events(odds, edges_s, rule.classes, settings)
    ]
    return EventDetection(prediction.name, rule.classes, edges_s[:-1], edges_s[1:], p, events)


def window_edges_s(prediction: ClipPrediction) -> np.ndarray:
    """Edges of the times that windows stand for [s]: halfway between their middles, (windows + 1,).

    Args:
        prediction: windows by their starts.
    """
    middles_s = (prediction.starts_s + prediction.ends_s) / 2
    between_s = (middles_s[1:] + middles_s[:-1]) / 2
    return np.concatenate([prediction.starts_s[:1], between_s, prediction.ends_s[-1:]])


def _peak(p: np.ndarray, edges_s: np.ndarray, event: Event) -> float:
    """Highest probability (frames,) within an event."""
    inside = (edges_s[:-1] >= event.onset_s) & (edges_s[1:] <= event.offset_s)
    return float(np.nanmax(p[inside]))


def _smoothed(p: np.ndarray, edges_s: np.ndarray, length_s: float) -> np.ndarray:
    """Moving average over frames, shorter at the ends."""
    frames = round(length_s / float(np.median(np.diff(edges_s)))) if length_s else 1
    if frames <= 1:
        return p
    total = np.concatenate([np.zeros((1, p.shape[1])), np.cumsum(p, axis=0)])
    centre = np.arange(len(p))
    first = np.maximum(0, centre - (frames - 1) // 2)
    last = np.minimum(len(p), centre + frames // 2 + 1)
    return (total[last] - total[first]) / (last - first)[:, None]


def _runs(p: np.ndarray, settings: EventSettings) -> list[tuple[int, int]]:
    """(first frame, behind the last frame) of each stretch above `leave` that reaches `enter`."""
    above = np.concatenate([[False], p >= settings.leave, [False]]).astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1)
    runs = []
    for start, stop in zip(starts, stops, strict=True):
        reached = np.flatnonzero(p[start:stop] >= settings.enter)
        if len(reached):
            runs.append((int(start + reached[0]), int(stop)))
    return runs


def _joined(
    runs: Sequence[tuple[int, int]], edges_s: np.ndarray, max_gap_s: float
) -> list[tuple[int, int]]:
    """Runs with the gaps closed that are shorter than `max_gap_s`."""
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and edges_s[start] - edges_s[joined[-1][1]] < max_gap_s:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((start, stop))
    return joined
