"""Measured tests from a CSV file: strain and stress over time, as a split."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.arrays import read_arrays
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Quantity, Split
from zoo.progress import say
from zoo.tables import Columns, Series, Tests, has_role, parse_table, read_tests, read_text
from zoo.tables.titles import UnknownUnitOfColumn, are_kept, brief
from zoo.tables.units import convert_raw, convert_stress

MIN_ROWS = 20  # of a specimen; fewer do not show a history
REST_ROWS = 10  # at the beginning, in which the loading stands still
STILL = 1e-3  # of the range of the loading
NEAR_ZERO = 0.05  # of the range of a strain
STEADY = 0.1  # scatter and drift of a response at rest, of it; and it of the response's deviation
MAX_CYCLES = 1000  # of start-up


@dataclass(frozen=True)
class Specimen:
    """One test; arrays of shape (rows,).

    Attributes:
        group: label of the specimen.
        time_s: time [s], increasing.
        strain: strain [-], or a loading that is kept as it is.
        stress: stress, or another response, in the unit of the file.
        covariates: numbers that are constant over the test, in the order of the columns.
        is_held: whether the first step loads from rest to a strain that is held.
    """

    group: str
    time_s: np.ndarray
    strain: np.ndarray
    stress: np.ndarray
    covariates: tuple[float, ...] = ()
    is_held: bool = False


def read_csv(
    path: str | Path | Sequence[str | Path],
    columns: Columns | None = None,
    *,
    cycles: int = 0,
    min_rows: int = MIN_ROWS,
) -> Split:
    """Read tests from files with a header line: one path a specimen.

    A specimen stands at rest, stress-free, before its first row, whose step has rate 0 and the
    length of the next one. Where a strain is held from the first row on while the stress relaxes,
    that step loads from rest. Where a test begins in the middle of cyclic loading that is not so:
    `cycles` puts repeats of its first full cycle before the data, with weight 0, so that start-up
    has died out when the data begin.

    Text, layout, names and units are recognised as `zoo.tables` describes. Time is converted to
    seconds, strain to a pure number, a stretch λ to the strain λ − 1, and other units of stress
    than mPa, Pa, kPa, MPa, GPa to MPa. Displacement and force stay what they are where no gauge
    length and no area are given, and so do flux density [T] and field [A/m]. Conversions and
    assumptions are printed in one line a file, and kept in `Split.notes`. An `.npz` file holds
    columns as arrays, see `zoo.data.arrays`.

    Covariates (`Columns.covariates`) follow as further features, constant over a path.

    Args:
        path: of a file, or of several; each holds other specimens.
        columns: names and units of the columns; None: recognised.
        cycles: start-up cycles, 0 to 1000.
        min_rows: rows that a specimen must have, 2 or more.

    Returns:
        Split of inputs (strain, rate, dt, covariates) and target stress, shorter specimens padded
        at the end with weight 0.

    Raises:
        ValueError: one line that names file, line and cure.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    if not paths:
        raise ValueError("`path` must name at least one file. Received: none.")
    names = _names_of_files(paths)
    if not 0 <= cycles <= MAX_CYCLES:
        raise ValueError(f"`cycles` must lie between 0 and {MAX_CYCLES}. Received: {cycles}.")
    if min_rows < 2:
        raise ValueError(f"`min_rows` must be 2 or more. Received: {min_rows}.")
    files = [_read_file(each, columns or Columns(), min_rows) for each in paths]
    unit, (kind, loading_unit) = files[0].stress_unit, files[0].loading
    specimens, notes = [], []
    for file, name, tests in zip(paths, names, files, strict=True):
        factor = convert_response(tests.stress_unit, unit)
        size = convert_response(tests.loading[1], loading_unit)
        is_same = (tests.loading[0], tests.response) == (kind, files[0].response)
        if not is_same or size is None:
            raise ValueError(
                f"{file}: {tests.response} from {' in '.join(tests.loading)}, in {paths[0]} "
                f"{files[0].response} from {kind} in {loading_unit}. Identify them one by one."
            )
        if factor is None:
            raise ValueError(
                f"{file}: {tests.response} in {tests.stress_unit}, in {paths[0]} it is in {unit}. "
                "Give the unit by --stress-unit, or convert the column."
            )
        notes += [f"{file.name}: {note}" if len(paths) > 1 else note for note in tests.notes]
        for series in tests.series:
            specimen = Specimen(
                " ".join(filter(None, (name, series.group))),
                np.asarray(series.time_s, np.float64),
                size * np.asarray(series.strain, np.float64),
                factor * np.asarray(series.stress, np.float64),
                tuple(series.covariates.values()),
                series.is_held,
            )
            specimens.append(_startup(specimen, cycles, f"{file}, line {series.lines[0]}"))
    first = files[0]
    inputs = loading_inputs(kind, loading_unit) + tuple(
        Quantity(title, "-", "covariate, constant over a test") for title in first.covariates
    )
    split = _split(specimens, inputs, response_target(first.response, unit))
    return replace(split, notes=tuple(notes))


def convert_response(unit: str, target: str) -> float | None:
    """Factor between two units of a response or a loading; None if they do not fit together.

    Args:
        unit: such as "kPa" or "mm".
        target: such as "MPa" or "m".
    """
    if unit == target:
        return 1.0
    factor = convert_stress(unit, target)
    return convert_raw(unit, target) if factor is None else factor


def warm_up(data: Split, rows: int, min_rows: int = MIN_ROWS) -> Split:
    """The same tests with the first rows of each as a given past: they load the model, unscored.

    A test that does not begin at rest has a state that nobody measured. The model runs through the
    given rows from rest, and what it remembers of the start fades before the first row that counts.

    Args:
        data: tests.
        rows: of each that counts, from its beginning; 0 leaves the data as they are.
        min_rows: that must be left of each.

    Raises:
        ValueError: fewer rows would be left of a test.
    """
    if not rows:
        return data
    weight = np.ones(data.x.shape[:2], np.float32) if data.weight is None else data.weight.copy()
    for path in range(len(weight)):
        counted = np.flatnonzero(weight[path] > 0)
        if len(counted) < rows + min_rows:
            of = f"specimen {brief(str(data.groups[path]))}" if data.groups[path] else "the test"
            raise ValueError(
                f"A warm-up of {rows} rows leaves {max(len(counted) - rows, 0)} of the "
                f"{len(counted)} rows of {of}, expected at least {min_rows}. Give fewer rows."
            )
        weight[path, counted[:rows]] = 0
    note = f"the first {rows} rows of each test are its given past: not fitted, not scored"
    return replace(data, weight=weight, notes=(*data.notes, note))


def zero_at_rest(data: Split) -> Split:
    """The same tests with the response counted from its value at rest, where a test shows one.

    Laws begin at zero. A load cell that was not tared, or a preload, shows as a constant response
    while the loading stands still at the beginning; it is subtracted, and a note says how much.

    Args:
        data: tests.
    """
    y, offsets = data.y.copy(), []
    for path in range(len(data.x)):
        counts = np.ones(data.x.shape[1], bool) if data.weight is None else data.weight[path] > 0
        loading = data.x[path, counts, 0]
        # A displacement has its zero anywhere; a strain that is held from the beginning is a load.
        is_held = abs(loading[0]) > NEAR_ZERO * np.ptp(loading)
        if is_held and data.inputs[0].name == "strain":
            continue
        offset = _offset_at_rest(loading, data.y[path, counts, 0])
        y[path, counts, 0] -= offset
        if offset:
            offsets.append(offset)
    if not offsets:
        return data
    target = data.targets[0]
    unit = "" if target.unit == "-" else f" {target.unit}"
    size = f"{offsets[0]:.4g}{unit}"
    if len(offsets) > 1:
        size = f"{min(offsets):.4g} to {max(offsets):.4g}{unit} in {len(offsets)} specimens"
    note = (
        f"{target.name} at rest, before the {data.inputs[0].name} moves, is {size}: taken as its "
        "zero, predictions are from there"
    )
    return replace(data, y=y, notes=(*data.notes, note))


def _offset_at_rest(loading: np.ndarray, response: np.ndarray) -> float:
    """Mean response while the loading stands still at the beginning; 0 where it is small."""
    loading, response = loading.astype(np.float64), response.astype(np.float64)
    moved = np.flatnonzero(np.abs(loading - loading[0]) > STILL * np.ptp(loading))
    rows = int(moved[0]) if len(moved) else 0
    if rows < REST_ROWS:
        return 0.0
    rest = response[: rows - 1]  # the last one may have moved already
    mean, third = float(rest.mean()), max(1, len(rest) // 3)
    drift = abs(float(rest[:third].mean() - rest[-third:].mean()))
    is_steady = max(drift, float(rest.std())) < STEADY * abs(mean)
    is_large = abs(mean) > STEADY * float(np.std(response))
    return mean if is_steady and is_large else 0.0


def has_stress(path: str | Path) -> bool:
    """Whether a file has a column that is recognised as stress.

    Raises:
        ValueError: a file that cannot be read.
    """
    return has_role(parse_table(*_named_text(Path(path))).titles, "stress")


def has_response(path: str | Path) -> bool:
    """Whether a file has a loading and a response that are kept as they are, such as a force.

    Raises:
        ValueError: a file that cannot be read.
    """
    if Path(path).suffix == ".npz":
        return True
    table = parse_table(*_named_text(Path(path)))
    try:
        return are_kept(str(path), table.titles, table.units, Columns(), with_stress=True)
    except UnknownUnitOfColumn:  # which an option may give
        return True


def has_time(path: str | Path) -> bool:
    """Whether a file has a column that is recognised as time.

    Raises:
        ValueError: a file that cannot be read.
    """
    if Path(path).suffix == ".npz":
        return read_arrays(Path(path), Columns())[1].time_step_s is not None
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


def _names_of_files(paths: Sequence[Path]) -> list[str]:
    """What tells the specimens of several files apart: their names, or paths where names are alike.

    Raises:
        ValueError: a file that is named twice.
    """
    if len(paths) == 1:
        return [""]
    repeated = [each for each in paths if paths.count(each) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]} is named twice. Name each file once.")
    stems = [each.stem for each in paths]
    return stems if len(set(stems)) == len(stems) else [str(each) for each in paths]


def _read_file(path: Path, columns: Columns, min_rows: int) -> Tests:
    """Tests of one file, checked."""
    if path.suffix == ".npz":
        table, columns = read_arrays(path, columns)
    else:
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
        rounded = np.asarray(values, np.float32)
        if (rounded == rounded[0]).all() and not (series.is_held and role == "stretch"):
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
    factor = convert_response(target.unit, unit)
    if factor is None:
        return None
    note = f"{target.name} converted from {target.unit} to {unit}"
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
    moved = strain[strain != strain[0]]
    if not len(moved):
        raise ValueError(
            f"{where}: the strain never changes, so there is no cycle to repeat. Leave out "
            "--cycles."
        )
    rising = moved[0] > strain[0]
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
            specimen.covariates,
        ),
        cycles * rows,
    )


def _split(
    specimens: list[tuple[Specimen, int]], inputs: tuple[Quantity, ...], target: Quantity
) -> Split:
    steps = max(len(specimen.time_s) for specimen, _ in specimens)
    x = np.zeros((len(specimens), steps, len(inputs)), np.float32)
    y = np.zeros((len(specimens), steps, 1), np.float32)
    weight = np.zeros((len(specimens), steps), np.float32)
    for path, (specimen, startup) in enumerate(specimens):
        rows = len(specimen.time_s)
        dt = np.diff(specimen.time_s)
        x[path, :rows, 0] = specimen.strain
        x[path, 1:rows, 1] = np.diff(specimen.strain) / dt
        x[path, 1:rows, 2] = dt
        x[path, 0, 1] = specimen.strain[0] / dt[0] if specimen.is_held and not startup else 0.0
        x[path, 0, 2] = dt[0]
        x[path, rows:, :3] = (specimen.strain[-1], 0.0, dt[-1])  # padding: a hold
        x[path, :, 3:] = specimen.covariates
        y[path, :rows, 0] = specimen.stress
        weight[path, startup:rows] = 1.0
    return Split(
        "measured",
        x=x,
        y=y,
        inputs=inputs,
        targets=(target,),
        groups=np.array([specimen.group for specimen, _ in specimens]),
        weight=weight,
    )
