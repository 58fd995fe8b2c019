"""Times of rows in seconds, from numbers with a unit or from clock times."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

from array import array

from zoo.tables.columns import Columns
from zoo.tables.numbers import day_of
from zoo.tables.rows import Rows, multiply
from zoo.tables.titles import (
    Column,
    brief,
)

DAY_S = 86400.0
MAX_EPOCH_S = 1e11  # of seconds since 1970


def times_of(
    name: str, rows: Rows, column: Column | None, columns: Columns, notes: list[str]
) -> array[float]:
    """Time [s] of every row.

    Raises:
        ValueError: clock times that can be read in two ways.
    """
    if column is None:
        step = columns.time_step_s or 1.0
        notes.append(f"no column of time: a row every {step:g} s, as given")
        return array("d", (k * step for k in range(len(rows.lines))))
    if any(kind >= 0 for kind in rows.clocks):
        return _clock_times(name, rows, column, notes)
    unit = column.unit
    if unit is None:
        _refuse_epoch(name, rows)
        notes.append("time without a unit taken for s")
    elif unit.factor != 1:
        notes.append(f"time converted from {unit.name} to s")
    multiply(rows.times, unit.factor if unit else 1.0)
    return rows.times


def _refuse_epoch(name: str, rows: Rows) -> None:
    """Times since 1970 in milliseconds, which as seconds would be beyond the year 5000."""
    if len(rows.times) and min(rows.times) > MAX_EPOCH_S:
        raise ValueError(
            f"{name}, line {rows.lines[0]}: time is {rows.times[0]:.6g} without a unit, too much "
            "for seconds. Say which: --time-unit ms, if it counts from 1970."
        )


def _clock_times(name: str, rows: Rows, column: Column, notes: list[str]) -> array[float]:
    """Seconds of clock times, across midnight."""
    k = next((k for k, kind in enumerate(rows.clocks) if kind < 0), None)
    if k is not None:
        raise ValueError(
            f"{name}, line {rows.lines[k]}: time is a number, and in other lines hh:mm:ss. "
            "Write all in one way."
        )
    used = set(rows.clocks)
    kinds = [kind for k, kind in enumerate(rows.kinds) if k in used]
    has_hours = {has for _, has, _ in kinds}
    unit = column.unit.name if column.unit else ""
    form = "hh:mm:ss"
    if has_hours != {True}:
        form = "hh:mm" if unit == "hh:mm" else "mm:ss"
        is_clear = unit in ("hh:mm", "mm:ss") or any(has for _, _, has in kinds)
        if len(has_hours) == 2:
            form, is_clear = "[hh:]mm:ss", True
        if not is_clear:
            raise ValueError(
                f"{name}, line {rows.lines[0]}: time may be mm:ss or hh:mm. Say which: "
                "--time-unit mm:ss or --time-unit hh:mm."
            )
    notes.append(f"time converted from {form} to s")
    dates = {date for date, _, _ in kinds}
    days = {date: day_of(date) for date in dates} if len(dates) > 1 else dict.fromkeys(dates, 0)
    if None in days.values():
        raise ValueError(
            f"{name}, line {rows.lines[0]}: dates such as {brief(max(dates))} may begin with the "
            "day or with the month. Write them as 2024-05-31, or give a column of seconds."
        )
    origin = min(day or 0 for day in days.values())
    times, turn = array("d"), 0.0
    for clock in rows.all_clocks():
        scale = 3600.0 if form == "hh:mm" else 60.0
        seconds = (clock.hours or 0) * 3600.0 + clock.first * scale
        seconds += clock.last * (60.0 if form == "hh:mm" else 1.0)
        seconds += ((days[clock.date] or 0) - origin) * DAY_S + turn
        if len(dates) == 1 and times and form == "hh:mm:ss" and times[-1] - seconds > DAY_S / 2:
            turn, seconds = turn + DAY_S, seconds + DAY_S
        times.append(seconds)
    return times
