"""Time, strain and stress of every specimen in a table, and notes on what was converted."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

import math
from array import array
from collections import Counter
from collections.abc import Sequence

from zoo.tables.columns import Columns
from zoo.tables.layout import Table
from zoo.tables.numbers import parse_number
from zoo.tables.quantities import (
    check_percent,
    count_from_start,
    factor_of_strain,
    factor_of_stress,
    kept_factor,
    note_break,
    note_compression,
    note_hold,
    note_offset,
    note_true,
    read_as_strain,
)
from zoo.tables.rows import ROLES, Rows, count_of, multiply, parse_rows
from zoo.tables.specimens import Series, Tests
from zoo.tables.steps import check_steps, merge_repeats, note_gaps
from zoo.tables.times import times_of
from zoo.tables.titles import (
    GROUPS,
    LABELS,
    OSCILLATION,
    are_kept,
    brief,
    column_of,
    find_column,
    words_of,
)

MAX_DRIFT = 0.2  # of a covariate over a specimen, as share of its size


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
    rows = parse_rows(table, {**places, **extra}, notes)
    _note_unused(table, {*places.values(), *extra.values()}, notes)
    loading, response = ("strain", "-"), "stress"
    stress_factor, unit = 1.0, "-"
    if kept:
        stretch_factor, *loading = kept_factor(matched["stretch"], "loading", notes)
        if with_stress:
            stress_factor, response, unit = kept_factor(matched["stress"], "response", notes)
    else:
        stretch_factor = factor_of_strain(where, matched["stretch"], columns, notes)
        if with_stress:
            stress_factor, unit = factor_of_stress(where, matched["stress"], columns, notes)
    series = []
    for label, each in rows.items():
        times = times_of(table.name, each, matched.get("time"), columns, notes)
        covariates = _covariates(table.name, label, each, columns, notes)
        strain, stress = each.values["stretch"], each.values.get("stress", array("d"))
        multiply(strain, stretch_factor)
        multiply(stress, stress_factor)
        series.append(Series(label, each.lines, times, strain, stress, covariates))
    if kept and loading[0] == "displacement":
        count_from_start(matched["stretch"], loading[1], series, notes)
    if not kept:
        read_as_strain(where, matched["stretch"], columns, series, notes)
        note_compression(matched["stretch"], series, notes)
        check_percent(where, matched["stretch"], series, unit)
        note_true(matched, series, notes)
        for each in series:
            note_hold(each, notes)
            note_break(each, notes)
            note_offset(each, unit, notes)
    dropped = merged = 0
    for each in series:
        counts = merge_repeats(table.name, each)
        dropped, merged = dropped + counts[0], merged + counts[1]
        check_steps(table.name, each)
        if columns.time_step_s is None and not each.is_held:
            note_gaps(each, loading[0], notes)
    if dropped:
        notes.append(f"{count_of(dropped, 'identical row')} dropped")
    if merged:
        notes.append(f"{count_of(merged, 'row')} at a repeated time averaged with the row before")
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
    """A column that labels specimens, in a file where the time begins again with each.

    One that is titled as a label, if time increases within each of its values; else any whose
    value is constant until the time begins again and is another one then, such as a rate.
    """
    titles = {
        place: title
        for place, title in enumerate(table.titles)
        if title and place not in places.values()
    }
    labels = {place for place, title in titles.items() if LABELS & set(words_of(title))}
    constant = set(titles)  # between two restarts of the time
    width = max(*titles, *places.values()) if titles else 0
    last: dict[tuple[int, str], float] = {}
    runs: dict[int, list[str]] = {place: [] for place in titles}  # value of each
    before, restarts = math.inf, -1
    for _, cells in table.rows:
        if not labels and not constant:
            return None
        if len(cells) <= width:
            continue
        time = parse_number(cells[places["time"]], table.decimal)
        if time is None or math.isnan(time):
            return None
        begins, before = time < before, time
        restarts += begins
        for place in tuple(labels):
            key = place, cells[place]
            if not cells[place] or time < last.get(key, -math.inf):
                labels.remove(place)
            last[key] = time
        for place in tuple(constant):
            value, known = cells[place], runs[place]
            if begins and value and value not in known:
                known.append(value)
            elif begins or value != known[-1]:
                constant.remove(place)
    chosen = labels if len(labels) == 1 else constant  # all that are constant divide rows alike
    if restarts < 1 or not chosen:
        return None
    place = min(chosen)
    notes.append(
        f"time begins again with each {brief(titles[place])}: read as label of the specimen"
    )
    return place


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
    name: str, label: str, rows: Rows, columns: Columns, notes: list[str]
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
