"""Cells of a table as numbers, by specimen, before their units are known."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

import itertools
import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from zoo.tables.layout import Table
from zoo.tables.numbers import Clock, parse_clock, parse_number
from zoo.tables.titles import brief

MAX_VALUE = 1e15  # of any number, rate, and inverse of a time step: its square fits into float32
ROLES = ("time", "stretch", "stress")
SENTINELS = {999.0, 999.25, 999.9, 999.99, 9999.0, 9999.9, 9999.99, 99999.0, 999999.0, 9999999.0}
MARKED = 3.0  # times all other numbers of a column: what such a value is that marks a missing one


def _integers() -> array[int]:
    return array("q")


def _small_integers() -> array[int]:
    return array("i")


def _numbers() -> array[float]:
    return array("d")


@dataclass
class Rows:
    """Rows of one specimen as they were parsed; NaN where a cell is empty.

    Attributes:
        lines: number of the line of each row.
        times: as they stand there, NaN where it is a clock time.
        clocks: of each row, index of its clock time's `kinds`, or -1; empty where none has one.
        seconds: last part of each clock time, else 0.
        firsts: first part, else 0.
        hours: hours, else 0.
        kinds: date, whether there are hours, whether there is a fraction -> index.
        values: numbers in the other columns: of strain ("stretch"), stress and covariates.
    """

    lines: array[int] = field(default_factory=_integers)
    times: array[float] = field(default_factory=_numbers)
    clocks: array[int] = field(default_factory=_small_integers)
    seconds: array[float] = field(default_factory=_numbers)
    firsts: array[int] = field(default_factory=_small_integers)
    hours: array[int] = field(default_factory=_small_integers)
    kinds: dict[tuple[str, bool, bool], int] = field(default_factory=dict)
    values: dict[str, array[float]] = field(default_factory=dict)

    def add_time(self, time: float | Clock) -> None:
        """Append a time to the row whose line is there already."""
        if not isinstance(time, Clock):
            self.times.append(time)
            if self.clocks:
                self._add_clock(-1, 0.0, 0, 0)
            return
        if not self.clocks:  # all rows before were numbers
            for _ in self.times:
                self._add_clock(-1, 0.0, 0, 0)
        self.times.append(math.nan)
        key = time.date, time.hours is not None, time.has_fraction
        self._add_clock(
            self.kinds.setdefault(key, len(self.kinds)), time.last, time.first, time.hours or 0
        )

    def _add_clock(self, kind: int, last: float, first: int, hours: int) -> None:
        self.clocks.append(kind)
        self.seconds.append(last)
        self.firsts.append(first)
        self.hours.append(hours)

    def is_clock(self, place: int) -> bool:
        """Whether the time of a row is a clock time."""
        return bool(self.clocks) and self.clocks[place] >= 0

    def all_clocks(self) -> Iterator[Clock]:
        """Clock times, in the order of their rows."""
        kinds = list(self.kinds)
        for kind, hours, first, last in zip(
            self.clocks, self.hours, self.firsts, self.seconds, strict=True
        ):
            if kind >= 0:
                date, has_hours, has_fraction = kinds[kind]
                yield Clock(date, hours if has_hours else None, first, last, has_fraction)

    def is_missing(self, place: int) -> bool:
        """Whether the time or another number of a row is missing."""
        no_time = math.isnan(self.times[place]) and not self.is_clock(place)
        return no_time or any(math.isnan(each[place]) for each in self.values.values())

    def remove_last(self) -> None:
        """Remove the last row."""
        clocks = (self.clocks, self.seconds, self.firsts, self.hours) if self.clocks else ()
        for column in (self.lines, self.times, *clocks, *self.values.values()):
            del column[-1]


def parse_rows(table: Table, places: dict[str, int], notes: list[str]) -> dict[str, Rows]:
    """Cells as numbers, by specimen; rows without values at the end are left out.

    Args:
        table: from `parse_table`.
        places: role or covariate -> place of its column.
        notes: gets what was left out.

    Raises:
        ValueError: a cell that is no number, a gap, or no data; with file and line.
    """
    width, last = len(table.titles), max(places.values())
    data: dict[str, Rows] = {}
    missing, count = 0, len(table.rows)
    if table.rows.last and len(table.rows.last[1]) <= last and count > 1:
        count -= 1
        notes.append("incomplete last line left out")
    roles = [role for role in ROLES if role in places]
    numbers = [each for each in places if each not in ("time", "group")]  # stretch, stress first
    for line, cells in itertools.islice(table.rows, count):
        where = f"{table.name}, line {line}"
        if len(cells) <= last or any(cells[width:]):
            raise ValueError(
                f"{where}: {len(cells)} cells, expected {width} as in the header. "
                "Complete or remove the line; where a comma stands before decimals, separate "
                "cells by semicolons."
            )
        if all(cells[places[role]].lower() in ("", "nan") for role in roles):
            missing += 1
            continue
        label = cells[places["group"]] if "group" in places else ""
        if not label and "group" in places:
            raise ValueError(f"{where}: group is nothing, expected a label. Complete the line.")
        each = data.setdefault(label, Rows(values={name: array("d") for name in numbers}))
        each.lines.append(line)
        if "time" in places:
            each.add_time(_time_cell(where, cells[places["time"]], table.decimal))
        else:
            each.times.append(0.0)
        for name, column in each.values.items():
            column.append(_number(where, name, cells[places[name]], table.decimal))
    for each in data.values():
        _refuse_sentinels(table.name, each)
        while each.lines and each.is_missing(-1):
            missing += 1
            each.remove_last()
        _refuse_missing(table, places, each)
    data = {label: each for label, each in data.items() if each.lines}
    if missing:
        notes.append(f"{count_of(missing, 'row')} without values left out")
    if not data:
        line = table.rows.last[0] if table.rows.last else table.line
        raise ValueError(f"{table.name}, line {line}: no data below the header. Add rows.")
    return data


def _refuse_sentinels(name: str, rows: Rows) -> None:
    """Refuse numbers such as −9999 that mark a missing value, far beyond all others."""
    for role, column in rows.values.items():
        marked = [k for k, value in enumerate(column) if abs(value) in SENTINELS]
        if not marked or len(marked) == len(column):
            continue
        others = (abs(v) for v in column if abs(v) not in SENTINELS and not math.isnan(v))
        size = max(others, default=0.0) or 1.0
        k = marked[0]
        if abs(column[k]) > MARKED * size:
            raise ValueError(
                f"{name}, line {rows.lines[k]}: {role} is {column[k]:g}, "
                f"{abs(column[k]) / size:.3g} times all others, as a "
                "missing value is written. Correct or remove the line."
            )


def _refuse_missing(table: Table, places: dict[str, int], rows: Rows) -> None:
    """Refuse a gap between rows."""
    k = next((k for k in range(len(rows.lines)) if rows.is_missing(k)), None)
    if k is None:
        return
    cells = next(cells for line, cells in table.rows if line == rows.lines[k])
    for role in ROLES:
        text = cells[places[role]] if role in places else "0"
        value = parse_number(text, table.decimal)
        if value is not None and math.isnan(value):
            where = f"{table.name}, line {rows.lines[k]}"
            shown = f"{brief(text)}, expected a finite" if text else "nothing, expected a"
            raise ValueError(f"{where}: {role} is {shown} number. Correct or remove the line.")


def _time_cell(where: str, text: str, decimal: str) -> float | Clock:
    clock = parse_clock(text) if ":" in text else None
    return clock or _number(where, "time", text, decimal)


def _number(where: str, role: str, text: str, decimal: str) -> float:
    value = parse_number(text, decimal)
    if value is None:
        cure = "Correct or remove the line."
        if re.fullmatch(r"[+-]?\d{1,3}[.,]\d{3}", text):
            cure = "It may be thousands or decimals: write no mark between thousands."
        elif text.count(",") == 1 and text.replace(",", "").lstrip("+-").isdigit():
            cure = "Write decimals with a point."
        elif re.match(r"[+-]?[\d.,]+ ?[^\W\d]|[+-]?[\d.,]+ ?%", text):
            cure = "Write its unit into the title of the column, not into cells."
        raise ValueError(f"{where}: {role} is {brief(text)}, expected a number. {cure}")
    if abs(value) > MAX_VALUE:
        raise ValueError(
            f"{where}: {role} is {brief(text)}, expected a finite number up to {MAX_VALUE:g} in "
            "size. Correct or remove the line."
        )
    return value


def count_of(number: int, what: str) -> str:
    """A count in words, such as "1,024 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def multiply(values: array[float], factor: float) -> None:
    """Multiply an array in its place."""
    if factor != 1:
        for k, value in enumerate(values):
            values[k] = value * factor
