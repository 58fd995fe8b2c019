"""Time, strain and stress of every specimen in a table, and notes on what was converted."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

import itertools
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zoo.tables.columns import Columns
from zoo.tables.layout import Table
from zoo.tables.numbers import Clock, day_of, parse_clock, parse_number
from zoo.tables.titles import (
    GROUPS,
    LABELS,
    OSCILLATION,
    Column,
    are_kept,
    brief,
    column_of,
    find_column,
    is_stretch,
    raw_kind,
    words_of,
)

MAX_VALUE = 1e15  # of any number, rate, and inverse of a time step: its square fits into float32
NEAR = 0.3  # how far from 1, or from 0, a stretch begins that is read as λ, or as strain
AT_REST = 1e-3  # how near to 1 a column must begin to be no strain
MAX_STRAIN = 2.0  # without a unit; beyond it per cent are as likely
STIFF_STRAIN, STIFF_MPA = 0.5, 20.0  # at such a stress hardly anything bears such a strain
ROLES = ("time", "stretch", "stress")
DAY_S = 86400.0
GAP, GAP_CHANGE = (
    50.0,
    0.05,
)  # a step of so many usual ones, over which strain changes, of its range
STEPS_SAMPLED = 1000  # from which the usual step is taken
COMPRESSED = ("compressive", "compression", "stauchung", "druck")
SENTINELS = {999.0, 999.25, 999.9, 999.99, 9999.0, 9999.9, 9999.99, 99999.0, 999999.0, 9999999.0}
MARKED = 3.0  # times all other numbers of a column: what such a value is that marks a missing one
TRUE_WORDS = {"true", "cauchy", "wahre", "wahr", "log", "logarithmic", "hencky", "logarithmische"}
TRUE_STRAIN = 0.05  # from which on true and nominal quantities differ visibly
MAX_DRIFT = 0.2  # of a covariate over a specimen, as share of its size
OF_MPA = {"mPa": 1e-9, "Pa": 1e-6, "kPa": 1e-3, "MPa": 1.0, "GPa": 1e3}


@dataclass
class Series:
    """One specimen; arrays of the standard library, eight bytes a number.

    Attributes:
        group: label; empty where a file holds a single one.
        lines: number of the line that each row stands on.
        time_s: time [s], increasing.
        strain: strain ε [-].
        stress: in the unit of the table; empty without `with_stress`.
        covariates: title -> the one number that its column holds in this specimen.
    """

    group: str
    lines: array[int]
    time_s: array[float]
    strain: array[float]
    stress: array[float]
    covariates: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tests:
    """What a table holds.

    Attributes:
        series: every specimen, in the order of the file.
        stress_unit: "MPa", "Pa" or alike; "-" if it is not known.
        notes: what was found, assumed and converted, a clause each.
        loading: name and unit of what stands in `Series.strain`; such as ("displacement", "mm")
            where no gauge length makes a strain of it.
        response: name of what stands in `Series.stress`.
    """

    series: list[Series]
    stress_unit: str
    notes: list[str]
    loading: tuple[str, str] = ("strain", "-")
    response: str = "stress"

    @property
    def covariates(self) -> tuple[str, ...]:
        """Titles of the covariates."""
        return tuple(self.series[0].covariates) if self.series else ()


def _integers() -> array[int]:
    return array("q")


def _small_integers() -> array[int]:
    return array("i")


def _numbers() -> array[float]:
    return array("d")


@dataclass
class _Rows:
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


def read_tests(table: Table, columns: Columns, *, with_stress: bool = True) -> Tests:
    """Read the columns of time, strain and, where wanted, stress.

    Args:
        table: from `parse_table`.
        columns: names and units that the user gave.
        with_stress: whether a column of stress is needed.

    Raises:
        ValueError: one line with file, line and cure.
    """
    where = f"{table.name}, line {table.line}"
    notes = list(table.notes)
    if columns.stretch is None or (with_stress and columns.stress is None):
        _refuse_oscillation(where, table.titles)
    roles = [r for r in ROLES[: 2 + with_stress] if r != "time" or columns.time_step_s is None]
    kept = are_kept(where, table.titles, table.units, columns, with_stress)
    matched = {
        r: column_of(where, table.titles, table.units, r, columns, is_raw=kept) for r in roles
    }
    places = {role: column.place for role, column in matched.items()}
    group = _group_place(where, table, columns, list(places.values()), notes)
    if group is not None:
        places["group"] = group
    if len(set(places.values())) < len(places):
        raise ValueError(
            f"{where}: one column serves as two of {', '.join(places)}. "
            "Name another by --time, --stretch, --stress or --group COLUMN."
        )
    extra = {
        name: find_column(where, table.titles, "covariate", name) for name in columns.covariates
    }
    if group is None and "time" in places and columns.group is None:
        group = _restarted_group(table, places, notes)
        places |= {} if group is None else {"group": group}
    rows = _parse_rows(table, {**places, **extra}, notes)
    _note_unused(table, {*places.values(), *extra.values()}, notes)
    loading, response = ("strain", "-"), "stress"
    stress_factor, unit = 1.0, "-"
    if kept:
        stretch_factor, *loading = _kept_factor(matched["stretch"], "loading", notes)
        if with_stress:
            stress_factor, response, unit = _kept_factor(matched["stress"], "response", notes)
    else:
        stretch_factor = _strain_factor(where, matched["stretch"], columns, notes)
        if with_stress:
            stress_factor, unit = _stress_factor(where, matched["stress"], columns, notes)
    series = []
    for label, each in rows.items():
        times = _times(table.name, each, matched.get("time"), columns, notes)
        covariates = _covariates(table.name, label, each, columns, notes)
        strain, stress = each.values["stretch"], each.values.get("stress", array("d"))
        _multiply(strain, stretch_factor)
        _multiply(stress, stress_factor)
        series.append(Series(label, each.lines, times, strain, stress, covariates))
    if kept and loading[0] == "displacement":
        _count_from_start(matched["stretch"], loading[1], series, notes)
    if not kept:
        _read_as_strain(where, matched["stretch"], columns, series, notes)
        _note_compression(matched["stretch"], series, notes)
        _check_percent(where, matched["stretch"], series, unit)
        _note_true(matched, series, notes)
    dropped = merged = 0
    for each in series:
        counts = _merge_repeats(table.name, each)
        dropped, merged = dropped + counts[0], merged + counts[1]
        _check_steps(table.name, each)
        if columns.time_step_s is None:
            _note_gaps(each, loading[0], notes)
    if dropped:
        notes.append(f"{_count(dropped, 'identical row')} dropped")
    if merged:
        notes.append(f"{_count(merged, 'row')} at a repeated time averaged with the row before")
    kind, kind_unit = loading
    return Tests(series, unit, list(dict.fromkeys(notes)), (kind, kind_unit), response)


def _refuse_oscillation(where: str, titles: Sequence[str]) -> None:
    """Refuse results of oscillations, a row a frequency or a temperature: they are no history."""
    found = [title for title in titles if OSCILLATION.search(title)]
    if found:
        raise ValueError(
            f"{where}: {', '.join(brief(title) for title in found[:3])} are results of "
            "oscillations, in which a row is the mean of many cycles, expected strain and stress "
            "over time. Export the waveform, or a ramp or a relaxation; where the file holds both, "
            "name the columns by --stretch and --stress."
        )


def _restarted_group(table: Table, places: dict[str, int], notes: list[str]) -> int | None:
    """A column of labels with each of which the time begins again, in a file where it does so."""
    candidates = {
        place: title
        for place, title in enumerate(table.titles)
        if place not in places.values() and LABELS & set(words_of(title))
    }
    if not candidates:
        return None
    last: dict[tuple[int, str], float] = {}
    increases = dict.fromkeys(candidates, True)
    before, restarts = -math.inf, False
    for _, cells in table.rows:
        if len(cells) <= max(*candidates, places["time"]):
            continue
        time = parse_number(cells[places["time"]], table.decimal)
        if time is None or math.isnan(time):
            return None
        restarts |= time < before
        before = time
        for place in candidates:
            key = place, cells[place]
            increases[place] &= bool(cells[place]) and time >= last.get(key, -math.inf)
            last[key] = time
    chosen = [place for place in candidates if increases[place]]
    if not restarts or len(chosen) != 1:
        return None
    notes.append(
        f"time begins again with each {brief(candidates[chosen[0]])}: read as label of the specimen"
    )
    return chosen[0]


def _kept_factor(column: Column, what: str, notes: list[str]) -> tuple[float, str, str]:
    """Factor, name and unit of a quantity that is kept as it is; a magnetic one in T or A/m."""
    kind, unit = raw_kind(column) or what, column.unit
    if unit is None:
        notes.append(f"{brief(column.title)} kept as {kind}, its unit is not stated")
        return 1.0, kind, "-"
    if kind in ("flux density", "field"):
        converted = f", converted from {unit.name}" if unit.factor != 1 else ""
        notes.append(f"{what} is the {kind} {brief(column.title)} [{unit.target}]{converted}")
        return unit.factor, kind, unit.target
    option = "--gauge-length" if kind == "displacement" else "--area"
    notes.append(f"{what} is the {kind} {brief(column.title)} [{unit.name}], no {option} given")
    return 1.0, kind, unit.name


def _count_from_start(
    column: Column, unit: str, series: Sequence[Series], notes: list[str]
) -> None:
    """Count a position, which begins farther from 0 than it ever moves, from its first row."""
    firsts = [each.strain[0] for each in series]
    if not all(abs(each.strain[0]) > max(each.strain) - min(each.strain) for each in series):
        return
    for each, first in zip(series, firsts, strict=True):
        for k, value in enumerate(each.strain):
            each.strain[k] = value - first
    of = "" if unit == "-" else f" {unit}"
    notes.append(f"{brief(column.title)} begins at {firsts[0]:.4g}{of}: counted from its first row")


def _note_unused(table: Table, used: set[int], notes: list[str]) -> None:
    """Name the columns that hold numbers and are not used."""
    _, first = next(iter(table.rows), (0, []))
    unused = [
        title
        for place, title in enumerate(table.titles)
        if place not in used
        and title
        and place < len(first)
        and parse_number(first[place], table.decimal) is not None
    ]
    if unused:
        listed = ", ".join(brief(title) for title in unused[:6])
        notes.append(f"not used: {listed}{' and others' if len(unused) > 6 else ''}")


def _covariates(
    name: str, label: str, rows: _Rows, columns: Columns, notes: list[str]
) -> dict[str, float]:
    """Each covariate's value; the mean of a column that changes a little, as a temperature does."""
    values = {}
    for title in columns.covariates:
        own = rows.values[title]
        if any(map(math.isnan, own)):
            raise ValueError(f"{name}: {brief(title)} has empty cells. Complete them.")
        mean, reach = sum(own) / len(own), max(own) - min(own)
        if reach > MAX_DRIFT * max(abs(mean), abs(max(own)), abs(min(own))):
            of = f" of specimen {brief(label)}" if label else ""
            raise ValueError(
                f"{name}: {brief(title)}{of} runs from {min(own):g} to {max(own):g}; a covariate "
                "is constant over a specimen. Cut the test into parts, each with its own label."
            )
        if reach > 0:
            notes.append(f"{brief(title)} is not quite constant: the mean of each specimen is used")
        values[title] = mean
    return values


def _group_place(
    where: str, table: Table, columns: Columns, used: Sequence[int], notes: list[str]
) -> int | None:
    """Column of the specimen: the one named, or one called so where every label has some rows."""
    if columns.group is not None:
        return find_column(where, table.titles, "group", columns.group)
    for place, title in enumerate(table.titles):
        words = words_of(title)
        if place in used or not words or words[0] not in GROUPS or len(words) > 2:
            continue
        if words[1:] and words[1] not in ("id", "no", "nr", "name", "number", "label"):
            continue
        counts = Counter(cells[place] for _, cells in table.rows if len(cells) > place)
        if len(counts) > 1 and all(counts) and min(counts.values()) > 1:
            notes.append(f"column {brief(title)} read as label of the specimen")
            return place
    return None


def _parse_rows(table: Table, places: dict[str, int], notes: list[str]) -> dict[str, _Rows]:
    """Cells as numbers, by specimen; rows without values at the end are left out."""
    width, last = len(table.titles), max(places.values())
    data: dict[str, _Rows] = {}
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
        each = data.setdefault(label, _Rows(values={name: array("d") for name in numbers}))
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
        notes.append(f"{_count(missing, 'row')} without values left out")
    if not data:
        line = table.rows.last[0] if table.rows.last else table.line
        raise ValueError(f"{table.name}, line {line}: no data below the header. Add rows.")
    return data


def _refuse_sentinels(name: str, rows: _Rows) -> None:
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


def _refuse_missing(table: Table, places: dict[str, int], rows: _Rows) -> None:
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


def _times(
    name: str, rows: _Rows, column: Column | None, columns: Columns, notes: list[str]
) -> array[float]:
    """Time [s] of every row."""
    if column is None:
        step = columns.time_step_s or 1.0
        notes.append(f"no column of time: a row every {step:g} s, as given")
        return array("d", (k * step for k in range(len(rows.lines))))
    if any(kind >= 0 for kind in rows.clocks):
        return _clock_times(name, rows, column, notes)
    unit = column.unit
    if unit is None:
        notes.append("time without a unit taken for s")
    elif unit.factor != 1:
        notes.append(f"time converted from {unit.name} to s")
    _multiply(rows.times, unit.factor if unit else 1.0)
    return rows.times


def _clock_times(name: str, rows: _Rows, column: Column, notes: list[str]) -> array[float]:
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


def _strain_factor(where: str, column: Column, columns: Columns, notes: list[str]) -> float:
    """What a number in the column of strain is worth."""
    unit, gauge = column.unit, columns.gauge_length_mm
    if unit is not None and unit.target == "mm":
        if gauge is None:
            raise ValueError(
                f"{where}: {brief(column.title)} is a length [{unit.name}], expected a strain. "
                "Give the gauge length [mm] by --gauge-length, or another unit by --stretch-unit."
            )
        notes.append(f"strain from elongation [{unit.name}] over a gauge length of {gauge:g} mm")
        return unit.factor / gauge
    if gauge is not None:
        if unit is not None:
            raise ValueError(
                f"{where}: {brief(column.title)} is a strain [{unit.name}] already. Leave out "
                "--gauge-length, or name the column of the elongation by --stretch."
            )
        notes.append(f"strain from elongation, taken for mm, over a gauge length of {gauge:g} mm")
        return 1 / gauge
    if unit is None:
        if not is_stretch(column.title):
            notes.append("strain without a unit taken for a pure number")
        return 1.0
    if unit.factor != 1:
        notes.append(f"strain converted from {unit.name} to a pure number")
    return unit.factor


def _stress_factor(
    where: str, column: Column, columns: Columns, notes: list[str]
) -> tuple[float, str]:
    """What a number in the column of stress is worth, and in which unit."""
    unit, area = column.unit, columns.area_mm2
    if unit is not None and unit.target == "N":
        if area is None:
            raise ValueError(
                f"{where}: {brief(column.title)} is a force [{unit.name}], expected a stress. "
                "Give the cross-section [mm²] by --area, or another unit by --stress-unit."
            )
        notes.append(f"stress [MPa] from force [{unit.name}] over {area:g} mm²")
        return unit.factor / area, "MPa"
    if area is not None:
        if unit is not None:
            raise ValueError(
                f"{where}: {brief(column.title)} is a stress [{unit.name}] already. Leave out "
                "--area, or name the column of the force by --stress."
            )
        notes.append(f"stress [MPa] from force, taken for N, over {area:g} mm²")
        return 1 / area, "MPa"
    if unit is None:
        notes.append("stress without a unit taken as it is")
        return 1.0, "-"
    if unit.factor != 1 or (unit.name != unit.target and unit.target != "-"):
        notes.append(f"stress converted from {unit.name} to {unit.target}")
    return unit.factor, unit.target


def _read_as_strain(
    where: str, column: Column, columns: Columns, series: Sequence[Series], notes: list[str]
) -> None:
    """Subtract 1 from a stretch λ; a column of that name that begins at 0 is a strain."""
    is_given = columns.stretch_unit is not None or columns.gauge_length_mm is not None
    is_lambda = column.unit is not None and column.unit.name == "stretch"
    firsts = [each.strain[0] for each in series]
    if not is_lambda:
        if is_given or not is_stretch(column.title):
            if any(max(each.strain) - min(each.strain) > AT_REST for each in series):
                _refuse_rest_at_one(where, column, columns, firsts)
            return
        lowest = min(min(each.strain) for each in series)
        if all(abs(first) < NEAR for first in firsts):
            notes.append(f"{brief(column.title)} begins near 0 and is read as a strain")
            return
        if lowest <= 0 or not all(abs(first - 1) < NEAR for first in firsts):
            raise ValueError(
                f"{where}: {brief(column.title)} begins at {firsts[0]:.3g} and may be a stretch λ, "
                "1 at rest, or a strain, 0 at rest. Say which: --stretch-unit stretch or "
                "--stretch-unit 1."
            )
    notes.append(f"stretch {brief(column.title)} converted to strain, λ − 1")
    for each in series:
        for k, value in enumerate(each.strain):
            each.strain[k] = value - 1


def _refuse_rest_at_one(
    where: str, column: Column, columns: Columns, firsts: Sequence[float]
) -> None:
    """Refuse a strain that begins at 1, as a stretch or a length does."""
    if not all(abs(first - 1) < AT_REST for first in firsts):
        return
    if columns.gauge_length_mm is not None:
        raise ValueError(
            f"{where}: {brief(column.title)} begins at the gauge length, as lengths do, expected "
            "an elongation, 0 at rest. Subtract the gauge length, or correct --gauge-length."
        )
    if columns.stretch_unit is None:
        raise ValueError(
            f"{where}: {brief(column.title)} begins at 1 and may be a stretch λ, 1 at rest. Say "
            "which: --stretch-unit stretch or --stretch-unit 1."
        )


def _note_compression(column: Column, series: Sequence[Series], notes: list[str]) -> None:
    """Say how a compression that is written as a positive number is read."""
    words = words_of(column.title)
    if not any(word.startswith(COMPRESSED) or word.endswith(COMPRESSED) for word in words):
        return
    if sum(sum(each.strain) for each in series) > 0:
        notes.append(
            f"{brief(column.title)} is positive and read as tension: for laws of large strain "
            "write compression as negative numbers"
        )


def _note_true(matched: dict[str, Column], series: Sequence[Series], notes: list[str]) -> None:
    """Say how true stress or logarithmic strain is read where it differs from the nominal one."""
    size = max(max(map(abs, each.strain)) for each in series)
    titles = [
        column.title
        for role, column in matched.items()
        if role != "time" and TRUE_WORDS & set(words_of(column.title))
    ]
    if titles and size > TRUE_STRAIN:
        named = " and ".join(brief(title) for title in titles)
        notes.append(
            f"{named} read as it is: laws of large strain expect nominal stress and stretch"
        )


def _note_gaps(series: Series, loading: str, notes: list[str]) -> None:
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
            f"{_count(len(gaps), 'step')}{of} of up to {max(gaps):.3g} s, usual ones {usual:.3g} "
            f"s: {loading} between is taken for a straight line"
        )


def _check_percent(where: str, column: Column, series: Sequence[Series], unit: str) -> None:
    """Refuse numbers without a unit that are as likely per cent."""
    words = {*words_of(column.title)}
    if column.unit is not None or is_stretch(column.title) or words & {"gamma", "γ", "shear"}:
        return
    size = max(max(map(abs, each.strain)) for each in series)
    stress = max((max(map(abs, each.stress)) for each in series if each.stress), default=0.0)
    is_stiff = size > STIFF_STRAIN and stress * OF_MPA.get(unit, 0.0) >= STIFF_MPA
    if size > MAX_STRAIN or is_stiff:
        raise ValueError(
            f"{where}: {brief(column.title)} has no unit and reaches {size:.3g}, which may be "
            f"{100 * size:.3g} % or {size:.3g} %. Say which: --stretch-unit 1 or --stretch-unit %."
        )


def _merge_repeats(name: str, series: Series) -> tuple[int, int]:
    """Drop identical rows, average different ones at one time; returns how many of each."""
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


def _check_steps(name: str, series: Series) -> None:
    """Refuse steps whose length or rate float32 cannot hold."""
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


def _largest_step(time: Sequence[float], strain: Sequence[float]) -> float:
    """Largest change of strain between rows of different times."""
    return max(
        (abs(strain[k] - strain[k - 1]) for k in range(1, len(time)) if time[k] != time[k - 1]),
        default=0.0,
    )


def _multiply(values: array[float], factor: float) -> None:
    """Multiply an array in its place."""
    if factor != 1:
        for k, value in enumerate(values):
            values[k] = value * factor


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
