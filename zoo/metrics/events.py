"""Event-based metrics of sound event detection: events are right within a collar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

COLLAR_S = 0.2


class Event(NamedTuple):
    """A sound event.

    Attributes:
        onset_s: its start [s].
        offset_s: its end [s].
        label: its class.
        probability: highest probability of the class in it; 1 of a true event.
    """

    onset_s: float
    offset_s: float
    label: str
    probability: float = 1.0


@dataclass(frozen=True)
class EventScore:
    """Counts of events, and the metrics of them; NaN where there is nothing to count.

    Attributes:
        correct: detected events that match a true one.
        detected: all detected events.
        true: all true events.
    """

    correct: int
    detected: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the detected events that are right."""
        return self.correct / self.detected if self.detected else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true events that are detected."""
        return self.correct / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        """2 correct / (detected + true)."""
        total = self.detected + self.true
        return 2 * self.correct / total if total else float("nan")


def score_events(
    true: Sequence[Event],
    detected: Sequence[Event],
    *,
    collar_s: float = COLLAR_S,
    offset_share: float | None = None,
) -> EventScore:
    """Match detected events with true ones, one with one (Mesaros, Heittola and Virtanen 2016).

    Two events match if they have one label, their onsets differ by at most the collar, and, where
    offsets count, their offsets by at most the collar or a share of the true event's length.

    Args:
        true: events of one recording.
        detected: in the same recording.
        collar_s: largest difference [s].
        offset_share: of the length of the true event; None: offsets do not count.
    """
    matches = np.zeros((len(true), len(detected)), bool)
    for row, wanted in enumerate(true):
        length_s = wanted.offset_s - wanted.onset_s
        for column, event in enumerate(detected):
            is_match = wanted.label == event.label
            is_match &= abs(wanted.onset_s - event.onset_s) <= collar_s
            if offset_share is not None:
                tolerance_s = max(collar_s, offset_share * length_s)
                is_match &= abs(wanted.offset_s - event.offset_s) <= tolerance_s
            matches[row, column] = is_match
    correct = 0
    if matches.any():
        pairs = maximum_bipartite_matching(csr_array(matches), perm_type="column")
        correct = int((pairs >= 0).sum())
    return EventScore(correct, len(detected), len(true))


def pool_scores(scores: Sequence[EventScore]) -> EventScore:
    """Counts of several recordings together."""
    return EventScore(
        sum(each.correct for each in scores),
        sum(each.detected for each in scores),
        sum(each.true for each in scores),
    )
