"""Switching metrics of program decisions over time: switch rate, false switches, delay, accuracy.

A program decision is the class of scene that a hearing aid acts on, hop by hop. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SETTLE_S = 2.0  # after a change, in which no program is expected yet [s]
NO_PROGRAM = -1  # abstention: no class is decided


@dataclass(frozen=True)
class SwitchingMetrics:
    """Switching metrics over one or several sequences of scenes.

    Attributes:
        minutes: duration of all sequences [min].
        switches: changes of the program.
        false_switches: switches to a program that is not that of the present scene; leaving a wrong
            program to abstain does not count.
        delays_s: (scenes,) time from the start of each scene to its program [s]; inf where it was
            never decided.
        accuracy: share of the time in which the program is that of the scene; 0 to 1.
        coverage: share of the time in which there is a program, right or wrong; 0 to 1.
    """

    minutes: float
    switches: int
    false_switches: int
    delays_s: tuple[float, ...]
    accuracy: float
    coverage: float

    @property
    def switches_per_min(self) -> float:
        """Switch rate [1/min]."""
        return self.switches / self.minutes

    @property
    def false_per_min(self) -> float:
        """Rate of false switches [1/min]."""
        return self.false_switches / self.minutes

    @property
    def missed_share(self) -> float:
        """Share of the scenes whose program was never decided, 0 to 1."""
        return float(np.mean(np.isinf(self.delays_s)))

    def delay_s(self, share: float = 0.5) -> float:
        """Quantile of the delay over scenes [s]; inf if more than 1 - `share` were missed."""
        return float(np.quantile(self.delays_s, share, method="higher"))


def switching_metrics(truth: np.ndarray, programs: np.ndarray, hop_s: float) -> SwitchingMetrics:
    """Switching metrics of one sequence.

    Args:
        truth: (hops,) class index of the scene in each hop.
        programs: (hops,) class index decided after each hop, or `NO_PROGRAM`.
        hop_s: length of a hop [s].

    Raises:
        ValueError: sequences of different length, or empty ones.
    """
    truth, programs = np.asarray(truth), np.asarray(programs)
    if truth.shape != programs.shape or truth.ndim != 1 or not truth.size:
        raise ValueError(
            "`truth` and `programs` must have one entry for every hop. "
            f"Received: shapes {truth.shape} and {programs.shape}."
        )
    before = np.concatenate([[NO_PROGRAM], programs[:-1]])
    switched = programs != before
    left_wrong = (programs == NO_PROGRAM) & (before != truth)
    false = switched & (programs != truth) & ~left_wrong
    starts = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
    ends = np.append(starts[1:], truth.size)
    delays = []
    for start, end in zip(starts, ends, strict=True):
        correct = np.flatnonzero(programs[start:end] == truth[start])
        delays.append(float(correct[0] * hop_s) if correct.size else float("inf"))
    return SwitchingMetrics(
        minutes=truth.size * hop_s / 60,
        switches=int(switched.sum()),
        false_switches=int(false.sum()),
        delays_s=tuple(delays),
        accuracy=float(np.mean(programs == truth)),
        coverage=float(np.mean(programs != NO_PROGRAM)),
    )


def settled_recalls(
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
    classes: int,
    hop_s: float,
    settle_s: float = SETTLE_S,
) -> np.ndarray:
    """Share of the time of each class in which its program runs, without the time after a change.

    Args:
        parts: (truth, programs) of each sequence, (hops,) each.
        classes: number of them.
        hop_s: length of a hop [s].
        settle_s: left out after each change of scene, the start of a sequence included [s].

    Returns:
        (classes,) in 0 to 1; NaN for a class without any such time. The mean is the balanced
        accuracy.
    """
    right, count = np.zeros(classes), np.zeros(classes)
    for truth, programs in parts:
        hops = np.arange(len(truth))
        starts = np.concatenate([[True], truth[1:] != truth[:-1]])
        since = hops - np.maximum.accumulate(np.where(starts, hops, 0))
        used = since * hop_s >= settle_s
        np.add.at(count, truth[used], 1)
        np.add.at(right, truth[used], programs[used] == truth[used])
    return np.where(count > 0, right / np.maximum(count, 1), np.nan)


def scene_errors(truth: np.ndarray, probabilities: np.ndarray, skip: int = 0) -> np.ndarray:
    """Whether each scene would be wrong if its boundaries were known, by its mean probabilities.

    A decision does not know where a scene begins, so it hardly ever finds more scenes in time than
    this: these errors are of the network.

    Args:
        truth: (hops,) class index of the scene in each hop.
        probabilities: (hops, classes) of each hop.
        skip: hops after each change that are left out of the mean, as long as one is left.

    Returns:
        (scenes,) bool: the class of the highest mean is another one.

    Raises:
        ValueError: sequences of different length, or empty ones.
    """
    truth, probabilities = np.asarray(truth), np.asarray(probabilities)
    if not truth.size or truth.shape != probabilities.shape[:1]:
        raise ValueError(
            "`truth` and `probabilities` must have one row for every hop. "
            f"Received: shapes {truth.shape} and {probabilities.shape}."
        )
    starts = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
    ends = np.append(starts[1:], truth.size)
    return np.array(
        [
            probabilities[min(start + skip, end - 1) : end].mean(axis=0).argmax() != truth[start]
            for start, end in zip(starts, ends, strict=True)
        ]
    )


def pool_metrics(parts: Sequence[SwitchingMetrics]) -> SwitchingMetrics:
    """Switching metrics of several sequences taken as one, weighted by their duration.

    Raises:
        ValueError: no sequence.
    """
    if not parts:
        raise ValueError("Expected at least one sequence. Received: none.")
    minutes = sum(part.minutes for part in parts)
    return SwitchingMetrics(
        minutes=minutes,
        switches=sum(part.switches for part in parts),
        false_switches=sum(part.false_switches for part in parts),
        delays_s=tuple(delay for part in parts for delay in part.delays_s),
        accuracy=sum(part.accuracy * part.minutes for part in parts) / minutes,
        coverage=sum(part.coverage * part.minutes for part in parts) / minutes,
    )
