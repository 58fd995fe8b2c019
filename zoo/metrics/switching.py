"""How steady a decision over time is, and how fast it follows what really changes. NumPy only."""

from dataclasses import dataclass

import numpy as np

NONE = -1  # no program: abstaining


@dataclass(frozen=True)
class Stability:
    """Figures of decisions over one or several sequences of scenes.

    Attributes:
        minutes: of sound.
        switches: changes of the program.
        false_switches: those that end elsewhere than at the scene that sounds, except that to
            abstain from a wrong program is no fault.
        delays_s: from the start of each scene to its program, inf where that never came,
            (scenes,) [s].
        accuracy: share of the time in which the program is that of the scene.
    """

    minutes: float
    switches: int
    false_switches: int
    delays_s: tuple[float, ...]
    accuracy: float

    @property
    def switches_per_min(self) -> float:
        """Changes of the program a minute."""
        return self.switches / self.minutes

    @property
    def false_per_min(self) -> float:
        """False switches a minute."""
        return self.false_switches / self.minutes

    def delay_s(self, share: float = 0.5) -> float:
        """Delay that this share of the scenes does not exceed [s]; inf if they were missed."""
        return float(np.quantile(self.delays_s, share, method="higher"))


def stability(truth: np.ndarray, programs: np.ndarray, hop_s: float) -> Stability:
    """Judge one sequence.

    Args:
        truth: number of the class that sounds, hop by hop, (hops,).
        programs: number of the class decided for after each hop, or `NONE`, (hops,).
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
    before = np.concatenate([[NONE], programs[:-1]])
    switched = programs != before
    left_wrong = (programs == NONE) & (before != truth)
    false = switched & (programs != truth) & ~left_wrong
    starts = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
    ends = np.append(starts[1:], truth.size)
    delays = []
    for start, end in zip(starts, ends, strict=True):
        right = np.flatnonzero(programs[start:end] == truth[start])
        delays.append(float(right[0] * hop_s) if right.size else float("inf"))
    return Stability(
        minutes=truth.size * hop_s / 60,
        switches=int(switched.sum()),
        false_switches=int(false.sum()),
        delays_s=tuple(delays),
        accuracy=float(np.mean(programs == truth)),
    )


def together(parts: list[Stability]) -> Stability:
    """Several sequences as one.

    Raises:
        ValueError: no sequence.
    """
    if not parts:
        raise ValueError("Expected at least one sequence. Received: none.")
    minutes = sum(part.minutes for part in parts)
    return Stability(
        minutes=minutes,
        switches=sum(part.switches for part in parts),
        false_switches=sum(part.false_switches for part in parts),
        delays_s=tuple(delay for part in parts for delay in part.delays_s),
        accuracy=sum(part.accuracy * part.minutes for part in parts) / minutes,
    )
