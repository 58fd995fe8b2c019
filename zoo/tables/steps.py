"""Steps of time of a specimen: repeated, missing, too short."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

from array import array
from collections.abc import Sequence

from zoo.tables.rows import MAX_VALUE, count_of
from zoo.tables.specimens import Series
from zoo.tables.titles import brief

# A gap: a step of so many usual ones, over which strain changes by such a share of its range.
GAP, GAP_CHANGE = 50.0, 0.05
STEPS_SAMPLED = 1000  # from which the usual step is taken


def merge_repeats(name: str, series: Series) -> tuple[int, int]:
    """Drop identical rows, average different ones at one time; returns how many of each.

    Raises:
        ValueError: time that decreases, or a jump of strain at one time.
    """
    time, strain, stress = series.time_s, series.strain, series.stress
    limit = None
    keep, dropped, merged = array("q", [0]), 0, 0
    has_stress = bool(stress)
    of = f" of specimen {brief(series.group)}" if series.group else ""
    count = 1
    for k in range(1, len(time)):
        last = keep[-1]
        if time[k] > time[last]:
            keep.append(k)
            count = 1
            continue
        where = f"{name}, line {series.lines[k]}"
        if time[k] < time[last]:
            raise ValueError(
                f"{where}: time{of} does not increase, {time[k]:g} s after {time[last]:g} s: rows "
                "out of order, or another specimen. Sort the rows; name the column of the specimen "
                "by --group COLUMN."
            )
        if strain[k] == strain[k - 1] and (not has_stress or stress[k] == stress[k - 1]):
            dropped += 1
            continue
        if limit is None:
            limit = _largest_step(time, strain)
        if abs(strain[k] - strain[k - 1]) > limit * (1 + 1e-9):
            raise ValueError(
                f"{where}: time{of} does not increase, {time[k]:g} s after {time[last]:g} s, while "
                f"strain jumps from {strain[k - 1]:.6g} to {strain[k]:.6g}. Sort the rows, or "
                "correct the time."
            )
        merged += 1
        strain[last] = (count * strain[last] + strain[k]) / (count + 1)
        if has_stress:
            stress[last] = (count * stress[last] + stress[k]) / (count + 1)
        count += 1
    if len(keep) < len(time):
        series.lines = array("q", (series.lines[k] for k in keep))
        series.time_s = array("d", (time[k] for k in keep))
        series.strain = array("d", (strain[k] for k in keep))
        series.stress = array("d", (stress[k] for k in keep)) if has_stress else stress
    return dropped, merged


def check_steps(name: str, series: Series) -> None:
    """Refuse steps whose length or rate float32 cannot hold.

    Raises:
        ValueError: such a step, with its line.
    """
    time, strain = series.time_s, series.strain
    for k in range(1, len(time)):
        dt, change = time[k] - time[k - 1], strain[k] - strain[k - 1]
        if dt < 1 / MAX_VALUE or abs(change) > MAX_VALUE * dt:
            of = f" of specimen {brief(series.group)}" if series.group else ""
            raise ValueError(
                f"{name}, line {series.lines[k]}: time{of} grows by {dt:g} s while strain changes "
                f"by {change:g}, expected steps of at least {1 / MAX_VALUE:g} s and rates up to "
                f"{MAX_VALUE:g} /s. Correct or remove the line."
            )


def note_gaps(series: Series, loading: str, notes: list[str]) -> None:
    """Name a wait in which the loading changed, as one between two cycles."""
    time, strain = series.time_s, series.strain
    count = len(time) - 1
    every = max(1, count // STEPS_SAMPLED)
    steps = sorted(time[k + 1] - time[k] for k in range(0, count, every))
    usual = steps[len(steps) // 2] if steps else 0.0
    limit, least = GAP * usual, GAP_CHANGE * (max(strain) - min(strain))
    gaps = [
        time[k + 1] - time[k]
        for k in range(count)
        if time[k + 1] - time[k] > limit and abs(strain[k + 1] - strain[k]) > least
    ]
    if gaps:
        of = f" of specimen {brief(series.group)}" if series.group else ""
        notes.append(
            f"{count_of(len(gaps), 'step')}{of} of up to {max(gaps):.3g} s, usual ones {usual:.3g} "
            f"s: {loading} between is taken for a straight line"
        )


def _largest_step(time: Sequence[float], strain: Sequence[float]) -> float:
    """Largest change of strain between rows of different times."""
    return max(
        (abs(strain[k] - strain[k - 1]) for k in range(1, len(time)) if time[k] != time[k - 1]),
        default=0.0,
    )
