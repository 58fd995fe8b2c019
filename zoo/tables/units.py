"""Units of time, strain and stress, and what a number in them is worth."""

import math
import re
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit and how a number in it is converted.

    Attributes:
        name: as it is written in messages.
        factor: the number times this is in `target`.
        target: "s", "-" or a unit of stress; "mm" and "N" of displacement and force, "T" and
            "A/m" of flux density and field.
    """

    name: str
    factor: float
    target: str


PSI_MPA = 0.006894757293168361  # 1 lbf/in², exactly 4.4482216152605 N / (25.4 mm)²


def _table(target: str, *rows: tuple[str, float]) -> dict[str, Unit]:
    """Spellings, the first of which is the name -> unit."""
    units = {}
    for spellings, factor in rows:
        names = spellings.split()
        units |= {name: Unit(names[0], factor, target) for name in names}
    return units


LENGTHS = _table(
    "mm",
    ("mm мм millimeter millimeters millimetre millimetres", 1.0),
    ("cm", 10.0),
    ("m meter meters metre metres", 1000.0),
    ("µm um micron microns micrometer micrometre", 1e-3),
    ("nm", 1e-6),
    ('in inch inches "', 25.4),
    ("mil mils thou", 0.0254),
)
FORCES = _table(
    "N",
    ("N n н newton newtons", 1.0),
    ("kN kn кн", 1000.0),
    ("lbf lb lbs", 4.4482216152605),
    ("kip kips kipf", 4448.2216152605),
    ("kgf kp", 9.80665),
    ("gf", 0.00980665),
)
STRAINS = _table(
    "-",
    ("1 - mm/mm m/m in/in cm/cm µm/µm um/um strain ratio unitless dimensionless abs", 1.0),
    ("% percent pct perc prozent pourcent pc", 0.01),
    ("‰ permille permil promille mm/m o/oo", 1e-3),
    (
        "microstrain µε ue µe uε µstrain ustrain microstrains um/m µm/m ppm µin/in uin/in",
        1e-6,
    ),
    ("millistrain mε mstrain µm/mm um/mm", 1e-3),
    ("stretch λ lambda", 1.0),
)
TIMES = _table(
    "s",
    ("s с сек sec secs second seconds sek sekunde sekunden seconde secondes", 1.0),
    ("s hh:mm:ss h:m:s h:mm:ss h:min:s h:min:sec hr:min:sec", 1.0),
    ("s hh:mm:ss.f h:mm:ss.f hh:mm:ss.ms hh:mm:ss.000", 1.0),
    ("mm:ss m:ss m:s min:sec min:s mm:ss.f mm:ss.0 mm:ss.ms", 1.0),
    ("hh:mm h:mm", 1.0),
    ("ms msec msecs millisec millisecond milliseconds", 1e-3),
    ("µs us usec µsec microsecond microseconds", 1e-6),
    ("ns nsec nanosecond nanoseconds", 1e-9),
    ("min mins minute minutes minuten", 60.0),
    ("h hr hrs hour hours std stunde stunden", 3600.0),
    ("d day days tage", 86400.0),
)
STRESSES = {
    **_table("Pa", ("Pa pa pascal pascals n/m2", 1.0), ("dyn/cm2 dyne/cm2", 0.1)),
    **_table(
        "kPa",
        ("kPa kpa кпа kilopascal kilopascals kn/m2", 1.0),
        ("hPa hpa mbar", 0.1),
        ("mmHg mmhg torr", 0.133322),
    ),
    **_table(
        "MPa",
        ("MPa mpa мпа megapascal megapascals", 1.0),
        ("N/mm² n/mm2 mn/m2", 1.0),
        ("bar bars", 0.1),
    ),
    **_table("MPa", ("psi lbf/in2 lb/in2", PSI_MPA), ("ksi kip/in2", 1000 * PSI_MPA)),
    **_table("MPa", ("kgf/mm² kgf/mm2 kg/mm2 kp/mm2", 9.80665)),
    **_table("MPa", ("kgf/cm² kgf/cm2 kg/cm2 kp/cm2", 0.0980665), ("atm", 0.101325)),
    **_table("MPa", ("N/cm² n/cm2", 0.01), ("kN/cm² kn/cm2", 10.0)),
    **_table("GPa", ("GPa gpa gigapascal gigapascals kn/mm2", 1.0), ("Msi msi", 1e3 * PSI_MPA)),
    **_table("mPa", ("mPa", 1.0)),
    **_table("-", ("1 -", 1.0)),
}
FLUXES = _table("T", ("T t tesla", 1.0), ("mT mt", 1e-3), ("G g gs gauss", 1e-4), ("kG kg", 0.1))
FIELDS = _table(
    "A/m",
    ("A/m a/m", 1.0),
    ("kA/m ka/m", 1000.0),
    ("A/cm a/cm", 100.0),
    ("Oe oe oersted", 1000 / (4 * math.pi)),
)
# What is kept as it is where no gauge length and no area make strain and stress of it.
RAW_KINDS = {"mm": "displacement", "N": "force", "T": "flux density", "A/m": "field"}
RAW_TABLES = (LENGTHS, FORCES, FLUXES, FIELDS)
# role -> spelling -> unit; what is written in small letters has any case
UNITS = {
    "time": TIMES,
    "stretch": {**FLUXES, **FIELDS, **FORCES, **LENGTHS, **STRAINS},
    "stress": {**FLUXES, **FIELDS, **LENGTHS, **FORCES, **STRESSES},
}
# Behind a name without brackets these letters are more likely part of the name.
NOT_AS_SUFFIX = {"m", "n", "d", "in", "1", "-", "ratio", "strain", "stretch", "lambda", "λ"}
NOT_AS_SUFFIX |= {"t", "g", "gs", "kg", "mt"}
OTHER_UNITS = {"°c", "c", "k", "degc", "deg", "°", "hz", "v", "mv", "°f", "n/mm", "a", "1/s", "%/s"}
OTHER_UNITS |= {"rad/s", "rad", "khz", "mm/s", "m/s", "mm/min", "m/s2", "ma", "w", "j", "mj", "s-1"}
OTHER_UNITS |= {"nm", "n·m", "n.m", "knm", "pas", "pa·s", "pa.s", "mpas", "mpa·s", "kg", "g", "#"}


def find_unit(role: str, text: str) -> Unit | None:
    """The unit of a role that a text names; None: no such unit.

    Args:
        role: "time", "stretch" or "stress".
        text: such as "N/mm²", "[MPa]" or "msec".
    """
    text = re.sub(r"\s", "", text).strip("()[]{}<>.")
    text = text.replace("\u03bc", "µ").replace("⁻", "-").replace("\u2212", "-").replace("¹", "1")
    text = text.replace("²", "2").replace("^", "").replace("**", "")
    text = re.sub(r"^(.+?)[·⋅*.]?(mm|cm|m|in)-([12])$", _as_fraction, text)
    known = UNITS[role]
    return known.get(text) or known.get(text.lower())


def _as_fraction(match: re.Match[str]) -> str:
    """`N·mm-2` -> `N/mm2`, `A m-1` -> `A/m`."""
    above, below, power = match.groups()
    return f"{above}/{below}{'' if power == '1' else power}"


def unit_names(role: str) -> list[str]:
    """Units of a role as messages write them.

    Args:
        role: "time", "stretch" or "stress".
    """
    own = {"stretch": (STRAINS, LENGTHS), "stress": (STRESSES, FORCES)}.get(role, (UNITS[role],))
    return list(dict.fromkeys(unit.name for table in own for unit in table.values()))


def is_unit(text: str) -> bool:
    """Whether a cell looks like a unit, of whatever quantity."""
    text = text.strip()
    if not text:
        return False
    if re.fullmatch(r"[(\[{<][^)\]}>]*[)\]}>]", text):
        return True
    return text.lower() in OTHER_UNITS or any(find_unit(role, text) for role in UNITS)


def convert_raw(unit: str, target: str) -> float | None:
    """Factor between two units of displacement, force, flux density or field; None if they differ.

    Args:
        unit: such as "mm".
        target: such as "m".
    """
    for table in RAW_TABLES:
        if unit in table and target in table:
            return table[unit].factor / table[target].factor
    return None


def convert_stress(unit: str, target: str) -> float | None:
    """Factor from one unit of stress to another; None if one of them is unknown.

    Args:
        unit: such as "kPa".
        target: such as "MPa".
    """
    in_pa = {"mPa": 1e-3, "Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "GPa": 1e9}
    factors = []
    for name in (unit, target):
        entry = find_unit("stress", name)
        if entry is None or entry.target not in in_pa:
            return None
        factors.append(entry.factor * in_pa[entry.target])
    return factors[0] / factors[1]
