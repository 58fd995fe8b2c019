"""What numbers of a column are worth: strain, stress, or a quantity that is kept."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

from collections.abc import Sequence

from zoo.tables.columns import Columns
from zoo.tables.specimens import Series
from zoo.tables.titles import (
    Column,
    brief,
    is_stretch,
    raw_kind,
    words_of,
)

NEAR = 0.3  # how far from 1, or from 0, a stretch begins that is read as λ, or as strain
AT_REST = 1e-3  # how near to 1 a column must begin to be no strain
MAX_STRAIN = 2.0  # without a unit; beyond it per cent are as likely
STIFF_STRAIN, STIFF_MPA = 0.5, 20.0  # at such a stress hardly anything bears such a strain
COMPRESSED = ("compressive", "compression", "stauchung", "druck")
TRUE_WORDS = {"true", "cauchy", "wahre", "wahr", "log", "logarithmic", "hencky", "logarithmische"}
BREAK_ROWS, BREAK_FROM, BREAK_TO = 3, 0.5, 0.1  # in which stress falls from, to, of its largest
TARED = 0.2  # of the range of a stress: from which on it does not begin at zero
HELD = 0.02  # of a strain, within which it stays where it is held
TRUE_STRAIN = 0.05  # from which on true and nominal quantities differ visibly
OF_MPA = {"mPa": 1e-9, "Pa": 1e-6, "kPa": 1e-3, "MPa": 1.0, "GPa": 1e3}


def factor_of_strain(where: str, column: Column, columns: Columns, notes: list[str]) -> float:
    """What a number in the column of strain is worth.

    Raises:
        ValueError: one line with file, line and cure.
    """
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


def factor_of_stress(
    where: str, column: Column, columns: Columns, notes: list[str]
) -> tuple[float, str]:
    """What a number in the column of stress is worth, and in which unit.

    Raises:
        ValueError: one line with file, line and cure.
    """
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


def kept_factor(column: Column, what: str, notes: list[str]) -> tuple[float, str, str]:
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


def count_from_start(column: Column, unit: str, series: Sequence[Series], notes: list[str]) -> None:
    """Count a position, which begins farther from 0 than it ever moves, from its first row."""
    firsts = [each.strain[0] for each in series]
    if not all(abs(each.strain[0]) > max(each.strain) - min(each.strain) for each in series):
        return
    for each, first in zip(series, firsts, strict=True):
        for k, value in enumerate(each.strain):
            each.strain[k] = value - first
    of = "" if unit == "-" else f" {unit}"
    notes.append(f"{brief(column.title)} begins at {firsts[0]:.4g}{of}: counted from its first row")


def read_as_strain(
    where: str, column: Column, columns: Columns, series: Sequence[Series], notes: list[str]
) -> None:
    """Subtract 1 from a stretch λ; a column of that name that begins at 0 is a strain.

    Raises:
        ValueError: one line with file, line and cure.
    """
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


def note_compression(column: Column, series: Sequence[Series], notes: list[str]) -> None:
    """Say how a compression that is written as a positive number is read."""
    words = words_of(column.title)
    if not any(word.startswith(COMPRESSED) or word.endswith(COMPRESSED) for word in words):
        return
    if sum(sum(each.strain) for each in series) > 0:
        notes.append(
            f"{brief(column.title)} is positive and read as tension: for laws of large strain "
            "write compression as negative numbers"
        )


def note_true(matched: dict[str, Column], series: Sequence[Series], notes: list[str]) -> None:
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


def check_percent(where: str, column: Column, series: Sequence[Series], unit: str) -> None:
    """Refuse numbers without a unit that are as likely per cent.

    Raises:
        ValueError: one line with file, line and cure.
    """
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


def note_hold(series: Series, notes: list[str]) -> None:
    """Mark a specimen whose strain is held from the first row on while its stress relaxes.

    Args:
        series: one specimen; `is_held` is set.
        notes: to add to.
    """
    strain, stress = series.strain, series.stress
    first = strain[0]
    if max(strain) - min(strain) > HELD * abs(first) or not first:
        return
    if stress:
        tenth = max(1, len(stress) // 10)
        if abs(sum(stress[:tenth])) <= abs(sum(stress[-tenth:])):
            return
    series.is_held = True
    notes.append(
        f"strain is held at {first:.4g} from the first row on: taken as loaded from rest within a "
        "step as long as the first"
    )


def note_break(series: Series, notes: list[str]) -> None:
    """Name the row in which the stress falls for good, as where a specimen breaks.

    Args:
        series: one specimen.
        notes: to add to.
    """
    sizes = [abs(value) for value in series.stress]
    largest = max(sizes, default=0.0)
    end = len(sizes)
    while end and sizes[end - 1] < BREAK_TO * largest:
        end -= 1
    widest = max(abs(value) for value in series.strain)
    rest, before = series.strain[end:], sizes[max(0, end - BREAK_ROWS) : end]
    is_strained = bool(rest) and min(abs(value) for value in rest) > (1 - BREAK_TO) * widest
    if largest and is_strained and max(before, default=0.0) > BREAK_FROM * largest:
        notes.append(
            f"stress falls to {max(sizes[end:]) / largest:.2g} of its largest in line "
            f"{series.lines[end]} while the strain stays, as of a specimen that breaks, which no "
            "law here follows: leave out the rows from there"
        )


def note_offset(series: Series, unit: str, notes: list[str]) -> None:
    """Name a stress that begins far from zero at no strain.

    Args:
        series: one specimen.
        unit: of the stress.
        notes: to add to.
    """
    strain, stress = series.strain, series.stress
    reach = max(strain) - min(strain)
    span = max(stress, default=0.0) - min(stress, default=0.0)
    if stress and abs(strain[0]) < HELD * reach and abs(stress[0]) > TARED * span > 0:
        size = f"{stress[0]:.3g}" + ("" if unit == "-" else f" {unit}")
        notes.append(
            f"stress begins at {size} where the strain is 0: laws begin at 0; subtract a load that "
            "was not tared, or give --warm-up, --cycles or --free-initial-state with --law"
        )
