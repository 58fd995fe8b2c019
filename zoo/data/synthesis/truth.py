"""Ground truth of synthetic clips: sound events in time and frequency."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Event(NamedTuple):
    """A rectangle of time and frequency with nearly all energy of one sound.

    Attributes:
        label: such as "wheeze".
        onset_s: its start in the clip [s].
        offset_s: its end [s].
        low_hz: lowest frequency [Hz].
        high_hz: highest frequency [Hz].
    """

    label: str
    onset_s: float
    offset_s: float
    low_hz: float
    high_hz: float


class Sound(NamedTuple):
    """Signal of a source.

    Attributes:
        samples: (samples,), at any level.
        events: ground truth.
    """

    samples: np.ndarray
    events: list[Event]


@dataclass(frozen=True)
class Clip:
    """A synthetic recording and its ground truth.

    Attributes:
        samples: (samples,) float32 in [-1, 1].
        sample_rate_hz: [Hz].
        label: class of the whole clip.
        events: in the order of their onsets.
        parts: name -> samples (samples,) of each source as recorded; their sum is `samples`.
        group: site or patient, to split by.
    """

    samples: np.ndarray
    sample_rate_hz: float
    label: str
    events: tuple[Event, ...]
    parts: dict[str, np.ndarray] = field(repr=False)
    group: str = ""

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return self.samples.size / self.sample_rate_hz

    def labelled(self, label: str) -> tuple[Event, ...]:
        """The events of this label."""
        return tuple(event for event in self.events if event.label == label)


def intervals(active: np.ndarray, sample_rate_hz: float) -> list[tuple[float, float]]:
    """Onset and offset [s] of every run of true in `active` (samples,)."""
    edges = np.flatnonzero(np.diff(np.r_[False, active, False].astype(np.int8)))
    return [(on / sample_rate_hz, off / sample_rate_hz) for on, off in edges.reshape(-1, 2)]
