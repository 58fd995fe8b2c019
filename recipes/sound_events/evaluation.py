"""Events of soundscapes that were not trained on: choice of thresholds, event F1, baseline."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from recipes.sound_events.training import HOP, Frames
from zoo.baselines.linear import logistic_regression
from zoo.data.synthesis.soundscapes import LABELS, RATE_HZ
from zoo.data.synthesis.truth import Event as TrueEvent
from zoo.events import EventSettings, find_events
from zoo.metrics.bootstrap import Interval, bootstrap_interval
from zoo.metrics.events import COLLAR_S, Event, EventScore, pool_scores, score_events
from zoo.report import Column, Table

OFFSET_SHARE = 0.5  # of the length of an event, where offsets count
BASELINE_FRAMES = 20_000

Probabilities = Sequence[np.ndarray]  # of each soundscape (frames, labels)


def truth_events(events: Sequence[TrueEvent]) -> list[Event]:
    """Events of a soundscape without their bands."""
    return [Event(each.onset_s, each.offset_s, each.label) for each in events]


def score(
    probabilities: Probabilities,
    events: Sequence[Sequence[TrueEvent]],
    settings: EventSettings,
    *,
    offsets: bool = False,
) -> list[EventScore]:
    """Score of each soundscape.

    Args:
        probabilities: of the frames.
        events: truth.
        settings: thresholds and durations.
        offsets: whether offsets count, within half of the length of an event.
    """
    share = OFFSET_SHARE if offsets else None
    return [
        score_events(truth_events(true), _detect(p, settings), offset_share=share)
        for p, true in zip(probabilities, events, strict=True)
    ]


def _detect(p: np.ndarray, settings: EventSettings) -> list[Event]:
    return find_events(p, np.arange(len(p) + 1) * HOP / RATE_HZ, LABELS, settings)


def choose_settings(
    probabilities: Probabilities, events: Sequence[Sequence[TrueEvent]]
) -> EventSettings:
    """The settings with the best F1 on soundscapes that are neither trained nor measured on."""
    candidates = [
        EventSettings(enter, leave * enter, gap_s, shortest_s, smoothing_s)
        for enter, leave, gap_s, shortest_s, smoothing_s in product(
            (0.3, 0.4, 0.5, 0.6, 0.7), (0.5, 0.8), (0.1, 0.3), (0.1, 0.2), (0.0, 0.1)
        )
    ]
    values = [pool_scores(score(probabilities, events, each)).f1 for each in candidates]
    return candidates[int(np.nanargmax(values))]


def f1_interval(scores: Sequence[EventScore]) -> Interval:
    """F1 of all soundscapes together, with its bootstrap interval over soundscapes."""
    groups = np.arange(len(scores))
    return bootstrap_interval(lambda rows: pool_scores([scores[k] for k in rows]).f1, groups)


def linear_baseline(frames: Frames) -> Callable[[np.ndarray], np.ndarray]:
    """A logistic regression for each label, of single frames, without memory.

    Args:
        frames: to train on.

    Returns:
        Level of the frames (frames, bands) [dB] -> probabilities (frames, labels).
    """
    x = frames.level_db.reshape(-1, frames.level_db.shape[-1])
    y = frames.active.reshape(-1, len(LABELS))
    rows = np.linspace(0, len(x) - 1, min(len(x), BASELINE_FRAMES)).astype(int)
    scorers = [logistic_regression(x[rows], y[rows, k]) for k in range(len(LABELS))]
    return lambda level_db: np.stack(
        [1 / (1 + np.exp(-scorer(level_db))) for scorer in scorers], axis=-1
    )


def label_table(
    probabilities: Probabilities, events: Sequence[Sequence[TrueEvent]], settings: EventSettings
) -> Table:
    """Precision, recall and F1 of each label on all soundscapes."""
    rows = []
    for label in LABELS:
        scores = [
            score_events(
                [e for e in truth_events(true) if e.label == label],
                [e for e in _detect(p, settings) if e.label == label],
            )
            for p, true in zip(probabilities, events, strict=True)
        ]
        total = pool_scores(scores)
        rows.append([label, total.true, total.detected, total.precision, total.recall, total.f1])
    return Table(
        [
            "event",
            *(Column(name, number=",d") for name in ("true", "detected")),
            *("precision", "recall", "F1"),
        ],
        rows,
        caption=f"Events are right within {1000 * COLLAR_S:g} ms of the onset.",
    )
