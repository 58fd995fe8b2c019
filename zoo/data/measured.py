"""Measured tests from a CSV file: strain and stress over time, as a split."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.hysteresis import INPUTS
from zoo.data.split import Quantity, Split
from zoo.progress import say
from zoo.tables import Columns, Series, Tests, has_role, parse_table, read_tests, read_text
from zoo.tables.titles import brief
from zoo.tables.units import convert_stress

MIN_ROWS = 20  # of a specimen; fewer do not show a history
MAX_CYCLES = 1000  # of start-up


@dataclass(frozen=True)
class Specimen:
    """One test; arrays of shape (rows,).

    Attributes:
        group: label of the specimen.
        time_s: time [s], increasing.
        strain: strain [-].
        stress: stress, in the unit of the file.
    """

    group: str
    time_s: np.ndarray
    strain: np.ndarray
    stress: np.ndarray


def read_csv(
    path: str | Path | Sequence[str | Path],
    columns: Columns | None = None,
    *,
    cycles: int = 0,
    min_rows: int = MIN_ROWS,
) -> Split:
    """Read tests from files with a header line: one path a specimen.

    A specimen stands at rest, stress-free, before its first row, whose step has rate 0 and the
    length of the next one. Where a test begins in the middle of cyclic loading that is not so:
    `cycles` puts repeats of its first full cycle before the data, with weight 0, so that start-up
    has died out when the data begin.

    Text, layout, names and units are recognised as `zoo.tables` describes. Time is converted to
    seconds, strain to a pure number, a stretch λ to the strain λ − 1, and other units of stress
    than mPa, Pa, kPa, MPa, GPa to MPa. Conversions are printed in one line a file, and kept in
    `Split.notes`.

    Args:
        path: of a file, or of several; each holds other specimens.
        columns: names and units of the columns; None: recognised.
        cycles: start-up cycles, 0 to 1000.
        min_rows: rows that a specimen must have, 2 or more.

    Returns:
        Split of inputs (strain, rate, dt) and target stress, shorter specimens padded at the end
        with weight 0.

    Raises:
        ValueError: one line that names file, line and cure.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    if not paths:
        raise ValueError("`path` must name at least one file. Received: none.")
    if not 0 <= cycles <= MAX_CYCLES:
        raise ValueError(f"`cycles` must lie between 0 and {MAX_CYCLES}. Received: {cycles}.")
    if min_rows < 2:
        raise ValueError(f"`min_rows` must be 2 or more. Received: {min_rows}.")
    files = [_read_file(each, columns or Columns(), min_rows) for each in paths]
    unit = files[0].stress_unit
    specimens, notes = [], []
    for file, tests in zip(paths, files, strict=True):
        factor = 1.0 if tests.stress_unit == unit else convert_stress(tests.stress_unit, unit)
        if factor is None:
            raise ValueError(
                f"{file}: stress in {tests.stress_unit}, in {paths[0]} it is in {unit}. Give the "
                "unit by --stress-unit, or convert the column."
            )
        notes += [f"{file.name}: {note}" if len(paths) > 1 else note for note in tests.notes]
        for series in tests.series:
            label = series.group if len(paths) == 1 else _label(file, series.group)
            specimen = Specimen(
                label,
                np.asarray(series.time_s, np.float64),
                np.asarray(series.strain, np.float64),
                factor * np.asarray(series.stress, np.float64),
            )
            specimens.append(_startup(specimen, cycles, f"{file}, line {series.lines[0]}"))
    return replace(_split(specimens, unit), notes=tuple(notes))


def has_stress(path: str | Path) -> bool:
    """Whether a file has a column that is recognised as stress.

    Raises:
        ValueError: a file that cannot be read.
    """
    return has_role(parse_table(*_named_text(Path(path))).titles, "stress")


def has_time(path: str | Path) -> bool:
    """Whether a file has a column that is recognised as time.

    Raises:
        ValueError: a file that cannot be read.
    """
    return has_role(parse_table(*_named_text(Path(path))).titles, "time")


def say_notes(name: str, notes: Sequence[str]) -> None:
    """Say in one line what was found, assumed and converted in a file.

    Args:
        name: of the file.
        notes: clauses; nothing is printed if there are none.
    """
    if notes:
        say(f"{name}: {'; '.join(notes)}")


def _named_text(path: Path) -> tuple[str, str, list[str]]:
    text, notes = read_text(path)
    return text, str(path), notes


def _label(file: Path, group: str) -> str:
    """Label of a specimen where each file holds others."""
    return f"{file.stem} {group}" if group else file.stem


def _read_file(path: Path, columns: Columns, min_rows: int) -> Tests:
    """Tests of one file, checked."""
    table = parse_table(*_named_text(path))
    tests = read_tests(table, columns)
    say_notes(str(path), tests.notes)
    for series in tests.series:
        _check_series(path, series, min_rows)
    return tests


def _check_series(path: Path, series: Series, min_rows: int) -> None:
    """Refuse a specimen of which nothing can be learnt."""
    of = f"specimen {brief(series.group)} has" if series.group else "the file has"
    if len(series.lines) < min_rows:
        raise ValueError(
            f"{path}, line {series.lines[-1]}: {of} {len(series.lines)} rows, expected at least "
            f"{min_rows}. Add rows or leave it out."
        )
    for role, values in (("stretch", series.strain), ("stress", series.stress)):
        if len(set(np.asarray(values, np.float32).tolist())) == 1:
            raise ValueError(
                f"{path}, line {series.lines[0]}: {of} a constant {role}: nothing can be "
                f"learnt from it. Check the column, or name another by --{role} COLUMN."
            )


def in_unit(data: Split, unit: str) -> Split | None:
    """The same tests with stress in another unit; None if one of the units is not known.

    Args:
        data: from `read_csv`.
        unit: of stress, such as "MPa".
    """
    target = data.targets[0]
    factor = convert_stress(target.unit, unit)
    if factor is None:
        return None
    note = f"stress converted from {target.unit} to {unit}"
    return replace(
        data,
        y=(factor * data.y).astype(np.float32),
        targets=(replace(target, unit=unit), *data.targets[1:]),
        notes=(*data.notes, note),
    )


def split_by_group(
    data: Split, shares: Sequence[float] = (0.8, 0.2), seed: int = 0
) -> tuple[Split, ...]:
    """Split by specimen, into parts as near to these shares as whole specimens allow.

    Each part has at least one: of ten specimens 0.8 and 0.2 are eight and two.

    Args:
        data: any split.
        shares: of the specimens, adding up to 1.
        seed: of the choice of specimens.

    Raises:
        ValueError: shares that are no shares, or fewer specimens than parts.
    """
    if not all(share > 0 for share in shares) or not math.isclose(sum(shares), 1):
        raise ValueError(
            f"`shares` must be positive and add up to 1. Received: shares={tuple(shares)}."
        )
    groups = np.unique(data.groups)
    if len(groups) < len(shares):
        raise ValueError(
            f"Splitting by specimen needs at least {len(shares)} of them. Received: {len(groups)}."
        )
    order = np.random.default_rng(seed).permutation(groups)
    parts = np.split(order, np.cumsum(_whole_parts(shares, len(groups)))[:-1])
    return tuple(data.select(np.flatnonzero(np.isin(data.groups, part))) for part in parts)


def _whole_parts(shares: Sequence[float], total: int) -> list[int]:
    """Whole numbers of at least 1 that add up to `total`, by the largest remainders."""
    exact = np.asarray(shares) * total
    counts = np.maximum(1, np.floor(exact + 1e-9)).astype(int)
    while counts.sum() != total:
        short = counts.sum() < total
        gaps = np.where(short | (counts > 1), exact - counts, np.inf)
        counts[np.argmax(gaps) if short else np.argmin(gaps)] += 1 if short else -1
    return counts.tolist()


def split_by_time(data: Split, share: float = 0.8) -> tuple[Split, Split]:
    """The first `share` of every specimen's rows, and the rest, by weight.

    Both parts keep the whole loading, because the rest of a history depends on its beginning.

    Args:
        data: any split.
        share: of the rows that count, between 0 and 1.

    Raises:
        ValueError: another share.
    """
    if not 0 < share < 1:
        raise ValueError(f"`share` must lie between 0 and 1. Received: share={share}.")
    counted = np.ones(data.x.shape[:2]) if data.weight is None else data.weight
    done = np.cumsum(counted, axis=1) / counted.sum(axis=1, keepdims=True)
    first = np.where(done <= share, counted, 0).astype(np.float32)
    rest = (counted - first).astype(np.float32)
    return replace(data, weight=first), replace(data, weight=rest)


def _startup(specimen: Specimen, cycles: int, where: str) -> tuple[Specimen, int]:
    """The specimen behind `cycles` repeats of its first full cycle, and how many rows they take."""
    if cycles == 0:
        return specimen, 0
    strain = specimen.strain
    rising = next(value for value in strain if value != strain[0]) > strain[0]
    side = (strain >= strain[0]) if rising else (strain <= strain[0])
    # The loop closes where the strain comes back through its first value, in the same direction.
    back = np.flatnonzero(side[1:] & ~side[:-1]) + 1
    if not len(back):
        raise ValueError(
            f"{where}: the strain never returns to its first value in the same direction, "
            "so there is no cycle to repeat. Leave out --cycles."
        )
    rows = int(back[0])
    before, after = strain[rows - 1], strain[rows]
    share = (strain[0] - before) / (after - before)
    time = specimen.time_s
    period = time[rows - 1] + share * (time[rows] - time[rows - 1]) - time[0]
    if share < 0.5:
        rows -= 1  # a sample on the seam would be followed by a step of no length
    starts = time[0] - period * np.arange(cycles, 0, -1)
    return (
        Specimen(
            specimen.group,
            np.concatenate([*(start + time[:rows] - time[0] for start in starts), time]),
            np.concatenate([np.tile(strain[:rows], cycles), strain]),
            np.concatenate([np.tile(specimen.stress[:rows], cycles), specimen.stress]),
        ),
        cycles * rows,
    )


def _split(specimens: list[tuple[Specimen, int]], unit: str) -> Split:
    steps = max(len(specimen.time_s) for specimen, _ in specimens)
    x = np.zeros((len(specimens), steps, 3))
    y = np.zeros((len(specimens), steps, 1))
    weight = np.zeros((len(specimens), steps), np.float32)
    for path, (specimen, startup) in enumerate(specimens):
        rows = len(specimen.time_s)
        dt = np.diff(specimen.time_s)
        x[path, :rows, 0] = specimen.strain
        x[path, 1:rows, 1] = np.diff(specimen.strain) / dt
        x[path, 1:rows, 2] = dt
        x[path, 0, 2] = dt[0]
        x[path, rows:] = (specimen.strain[-1], 0.0, dt[-1])  # padding: a hold
        y[path, :rows, 0] = specimen.stress
        weight[path, startup:rows] = 1.0
    return Split(
        "measured",
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        inputs=INPUTS,
        targets=(Quantity("stress", unit, "stress at the end of the step"),),
        groups=np.array([specimen.group for specimen, _ in specimens]),
        weight=weight,
    )
