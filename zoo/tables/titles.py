"""Titles of columns: which quantity, in which unit."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from zoo.tables.columns import Columns
from zoo.tables.units import NOT_AS_SUFFIX, RAW_KINDS, Unit, find_unit, unit_names

OPTIONS = {"time": "--time", "stretch": "--stretch", "stress": "--stress", "group": "--group"}
OPTIONS |= {"covariate": "--covariate"}
STRETCHES = ("stretch", "lambda", "λ", "streckung")  # 1 at rest, or 0 in files of this package
# Usual names: single letters count as the first word of a title only.
NAMES = {
    "time": (
        *("time", "t", "zeit", "temps", "tiempo", "tempo", "timestamp", "testtime"),
        *("tijd", "czas", "時間", "时间", "время"),
    ),
    "stretch": (
        *STRETCHES,
        *("strain", "eps", "epsilon", "gamma", "ε", "γ", "dehnung", "déformation", "deformation"),
        *("deformación", "deformazione", "deformação", "scherung", "stauchung"),
        *("rek", "odkształcenie", "ひずみ", "歪", "应变", "деформация"),
    ),
    "stress": (
        *(
            "stress",
            "sigma",
            "sig",
            "tau",
            "σ",
            "τ",
            "spannung",
            "contrainte",
            "tensión",
            "tensione",
        ),
        *("sforzo", "tensão", "spanning", "naprężenie", "応力", "应力"),
        *("esfuerzo", "напряжение"),
    ),
}
# What becomes a strain with a gauge length, and a stress with a cross-section.
RAW_NAMES = {
    "stretch": (
        *("extension", "elongation", "displacement", "verlängerung", "weg", "standardweg", "disp"),
        *("position", "traverse", "crosshead", "deflection", "displ", "längenänderung"),
        *("extensometer", "stroke", "lvdt", "actuator", "verschiebung", "kolbenweg", "hub"),
        *("déplacement", "allongement", "desplazamiento", "spostamento", "verplaatsing"),
        *("位移", "変位", "перемещение"),
    ),
    "stress": (
        *("load", "force", "kraft", "standardkraft", "prüfkraft", "effort", "fuerza", "forza"),
        *("kracht", "力", "载荷", "荷重", "荷载", "сила", "усилие", "нагрузка"),
    ),
}
# Magnetic ones: flux density B is the loading, field H the response, unless named otherwise.
MAGNETIC_NAMES = {
    "stretch": ("b", "flux", "fluxdensity", "induction", "flussdichte"),
    "stress": ("h", "field", "hfield", "feldstärke", "magnetfeld"),
}
# What a title says of a quantity that is kept as it is.
KIND_OF_WORD = {
    **dict.fromkeys(RAW_NAMES["stretch"], "displacement"),
    **dict.fromkeys(RAW_NAMES["stress"], "force"),
    **dict.fromkeys(MAGNETIC_NAMES["stretch"], "flux density"),
    **dict.fromkeys(MAGNETIC_NAMES["stress"], "field"),
}
RAW_OPTIONS = {
    "stretch": "an elongation needs the gauge length [mm] by --gauge-length",
    "stress": "a force needs the cross-section [mm²] by --area",
}
GROUPS = ("specimen", "specimens", "probe", "prüfkörper", "éprouvette", "sample")
# Titles of columns that may label specimens: they do where the time begins again with each.
LABELS = {
    *(*GROUPS, "id", "test", "run", "coupon", "trial", "experiment", "exp", "batch", "series"),
    *("versuch", "versuchsnr", "nr", "muster", "échantillon", "echantillon", "essai", "muestra"),
    *("ensayo", "campione", "prova", "proef", "label", "name", "file", "piece"),
}
# Words that make another quantity of a name behind it.
OTHER = {
    *("rate", "step", "steps", "increment", "inc", "energy", "count", "index", "error", "std"),
    *(
        "limit",
        "setpoint",
        "target",
        "command",
        "velocity",
        "speed",
        "offset",
        "modulus",
        "dehnrate",
    ),
    *("geschwindigkeit", "deviation", "per", "dot", "interval", "ratio", "exponent", "rel"),
}
# Words that make another quantity of a strain, a stress, an elongation or a force anywhere: values
# of a cycle, a part of the strain, another direction, what was asked of the machine.
OTHER_LOADS = {
    *("amplitude", "amp", "ampl", "range", "peak", "valley", "ultimate"),
    *("max", "maximum", "min", "minimum"),
    *("yield", "break", "failure", "fracture", "residual", "permanent", "difference"),
    *("plastic", "elastic", "recoverable", "volumetric", "lateral", "transverse"),
    *("radial", "width", "thickness", "command", "commanded", "cmd", "setpoint", "target", "soll"),
    *("oscillation", "oszillation", "static", "dynamic", "compliance"),
}
OTHER_BEGINNINGS = ("quer",)  # Querdehnung
LOGARITHMS = {"log", "log10", "lg", "ln", "logarithm"}  # of time
# Columns of tests under oscillation, whose rows are averages over cycles.
OSCILLATION = re.compile(
    r"\b(storage|loss|complex|dynamic)[ _]?(modulus|compliance|viscosity|mod)\b|\btan ?(delta|δ)"
    r"|\b(speicher|verlust)modul|^[EGJ]['\u2032\u2019\"\u2033]|\boscillation[ _](strain|stress)"
    r"|\bloss[ _](factor|tangent|angle)\b|\bmodule de (conservation|perte)\b",
    re.IGNORECASE,
)
# What may stand in brackets without being a unit.
QUALIFIERS = {
    *("true", "nominal", "engineering", "eng", "log", "axial", "shear", "tensile", "compressive"),
    *("corrected", "raw", "displacement", "extension", "extensometer", "crosshead", "strain1"),
    *("strain2", "primary", "secondary", "avg", "mean", "smoothed", "filtered", "elapsed", "total"),
    *("technical", "wahre", "technisch", "xx", "yy", "zz", "xy", "cauchy", "pk1", "green"),
    *("ε", "σ", "γ", "τ", "eps", "sigma", "gamma", "tau"),
}
_BRACKET = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|<([^<>]*)>")

_SCALE = re.compile(r"\d\s*\^|10\s*[-−⁻⁰¹²³⁴-⁹]|\d[eE][-+]?\d|[x×*]\s*10")
_PLAIN_NAMES = {name for names in (*NAMES.values(), *RAW_NAMES.values()) for name in names}
_PLAIN_NAMES -= {"t", "b", "h"}
_TIMES = {"time", "t", "zeit", "temps"}
_TEMPERATURE = re.compile(r"[(\[{<_ ](°|deg ?)?[CcFK][)\]}>]?$|°")  # T (°C) is no time


class Column(NamedTuple):
    """A column of a table that serves as a quantity.

    Attributes:
        place: index.
        title: as in the file.
        unit: of the numbers; None if the file does not state it.
    """

    place: int
    title: str
    unit: Unit | None


class UnknownUnit(ValueError):
    """A title names a unit that is not known."""


class UnknownUnitOfColumn(ValueError):
    """A column is in a unit that is not known; the text is for the user."""


def words_of(title: str) -> list[str]:
    """`Stress (MPa)`, `stress_MPa`, `StressTrue` -> stress, mpa; stress, true."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", title)
    return re.findall(r"[^\W_]+|[%‰]", split.lower())


def has_role(titles: Sequence[str], role: str) -> bool:
    """Whether a title looks like a quantity: "time", "stretch" or "stress"."""
    return any(matches(title, role) for title in titles)


def matches(title: str, role: str) -> bool:
    """Whether a title looks like a quantity, and not like a rate or a limit of it."""
    words = words_of(_BRACKET.sub(" ", title)) or words_of(title)
    if role == "time" and _TEMPERATURE.search(title):
        return False
    if not words or OTHER & set(words[1:]) - ({"ratio"} if role == "stretch" else set()):
        return False
    if _is_other_quantity(title, role):
        return False
    if role == "stretch" and _is_ratio_of_lengths(words):
        return True
    return any(_is_name(word, role, first=k == 0) for k, word in enumerate(words))


def _is_other_quantity(title: str, role: str) -> bool:
    """Whether words of a title make another quantity of it, such as an amplitude."""
    words = set(words_of(title))
    if role == "time":
        return bool(words & LOGARITHMS)
    return bool(words & OTHER_LOADS) or any(each.startswith(OTHER_BEGINNINGS) for each in words)


def _is_name(word: str, role: str, first: bool) -> bool:
    names = NAMES[role]
    if word in names:
        return first or (len(word) > 1 and word != "t")
    if any(word.endswith(end) and end in names for end in ("zeit", "dehnung", "spannung")):
        return True  # German compounds
    ends = [word[len(name) :] for name in names if len(name) > 2 and word.startswith(name)]
    return any(end.isdigit() or find_unit(role, end) for end in ends)


def is_stretch(title: str) -> bool:
    """Whether a title names a stretch, not a strain."""
    words = words_of(title)
    return any(word in STRETCHES for word in words) or _is_ratio_of_lengths(words)


def _is_ratio_of_lengths(words: Sequence[str]) -> bool:
    """Whether words name a stretch as `Extension ratio` or `Draw ratio` does."""
    return "ratio" in words and bool({"extension", "elongation", "draw"} & set(words))


def unit_in_title(title: str, role: str) -> Unit | None:
    """The unit in brackets, behind a slash, or behind the name; None if there is none.

    Raises:
        UnknownUnit: brackets hold what is neither a unit nor a usual remark.
    """
    brackets = [next((p for p in groups if p), "") for groups in _BRACKET.findall(title)]
    for text in reversed(brackets):
        if unit := find_unit(role, text):
            return _checked_unit(unit, title, text)
    _, slash, behind = title.partition("/")
    if slash and not brackets:
        unit = _compound_unit(title, role) or find_unit(role, behind)
        if unit:
            return _checked_unit(unit, title, unit.name)
    plain = _BRACKET.sub(" ", title) if not slash or brackets else title
    if unit := _unit_suffix(plain, role):
        return _checked_unit(unit, title, unit.name)
    for text in brackets:
        key = re.sub(r"[\s_]", "", text).lower()
        is_remark = key in QUALIFIERS or key.isdigit() or " " in text.strip() or len(key) > 10
        if key and (not is_remark or _is_scaled(text, role)):
            raise UnknownUnit(text.strip())
    return None


def _is_scaled(text: str, role: str) -> bool:
    """Whether a text is a unit with a factor, such as `10^6 Pa` or `0.1 s`; `50 mm` is a length."""
    if _SCALE.search(text):
        return True
    number = re.match(r"\s*[\d.,]+\s*(\D+)$", text)
    unit = find_unit(role, number.group(1)) if number else None
    return unit is not None and unit.target != "mm"


def _compound_unit(title: str, role: str) -> Unit | None:
    """A unit that itself has a slash, behind a name without brackets: `H A/m`, `strain_mm/mm`."""
    parts = re.split(r"[\s_]+", title.strip())
    for part in parts[1:]:
        if "/" in part.strip("/") and (unit := find_unit(role, part)):
            return unit
    return None


def _checked_unit(unit: Unit, title: str, text: str) -> Unit:
    """The unit, if a quantity of this name can have it: `Load (kg)` is not in kilogauss.

    Raises:
        UnknownUnit: a unit of flux density or field in the title of another quantity.
    """
    words = [word for word in words_of(_BRACKET.sub(" ", title)) if word in _PLAIN_NAMES]
    if unit.target in ("T", "A/m") and words:
        raise UnknownUnit(text.strip())
    return unit


def _unit_suffix(title: str, role: str) -> Unit | None:
    """The unit behind a name without brackets: `stress_n/mm²`, `strain %`, `strainpct`."""
    parts = [part for part in re.split(r"[\s_.,;:-]+", title.strip()) if part]
    # Of a quantity that is kept as it is, such as `b_t` or `displacement_m`, they are its unit.
    excluded = () if (words_of(title) or [""])[0] in KIND_OF_WORD else NOT_AS_SUFFIX
    for k in range(1, len(parts)):
        for joint in ("", "/"):
            text = joint.join(parts[k:])
            if text.lower() not in excluded and (unit := find_unit(role, text)):
                return unit
    for part in parts[1:]:
        is_unit = part.lower() not in excluded and (len(part) > 1 or part in "%‰sh")
        if is_unit and (unit := find_unit(role, part)):
            return unit
    last = parts[-1] if parts else ""
    for name in sorted(NAMES[role], key=len, reverse=True):
        if len(name) > 2 and last.lower().startswith(name) and len(last) > len(name):
            end = last[len(name) :]
            if end.lower() not in NOT_AS_SUFFIX and (unit := find_unit(role, end)):
                return unit
    return None


def find_column(
    where: str,
    titles: Sequence[str],
    role: str,
    name: str | None,
    *,
    is_raw: bool = False,
    units: Sequence[str] = (),
) -> int:
    """Index of the column for a role: by the title given, or by what is usual.

    Args:
        where: file and line, for messages.
        titles: of all columns.
        role: "time", "stretch", "stress" or "group".
        name: title that the user gave; None: recognised.
        is_raw: whether an elongation or a force will do.
        units: of the row of units.

    Raises:
        ValueError: no such column, or more than one; the text lists the titles.
    """
    if name is not None:
        places = [k for k, title in enumerate(titles) if title == name.strip()]
        sought = f"called {brief(name)}"
    else:
        places = [k for k, title in enumerate(titles) if matches(title, role)]
        sought = f"looks like {role}"
        if role == "time" and len(places) > 1:  # as a machine's own clock beside that of a cycle
            plain = [k for k in places if words_of(titles[k])[0] in _TIMES]
            total = [k for k in places if "total" in words_of(titles[k])]
            places = next((each for each in (plain, total) if len(each) == 1), places)
    raw = []
    if not places and name is None and role in RAW_NAMES:
        names = RAW_NAMES[role]
        own = [(k, words_of(title)) for k, title in enumerate(titles)]
        own = [(k, words) for k, words in own if words and _can_be_raw(titles[k], words, role)]
        raw = [k for k, words in own if words[0] in names] or [
            k for k, words in own if set(names) & set(words)
        ]
        raw = raw or _magnetic(titles, role)
        places = (
            raw if is_raw else [k for k in raw if _is_strain(titles[k], role, units[k : k + 1])]
        )
    if len(places) != 1:
        several = places or (raw if len(raw) > 1 else [])
        count = "more than one column" if several else "no column"
        sought += f" ({_listed(titles, several)})" if several else ""
        listed = ", ".join(brief(title) for title in titles[:20] if title)
        cure = f"Name it by {OPTIONS[role]} COLUMN"
        if role == "time" and not places:
            logarithms = [
                t for t in titles if LOGARITHMS & set(w := words_of(t)) and set(w) & _TIMES
            ]
            if logarithms:
                cure = f"{brief(logarithms[0])} is a logarithm: write the time itself"
            cure += (
                ", or give --time-step SECONDS; a test without time suits laws that need none, "
                "such as zoo identify --law chaboche"
            )
        if raw and not is_raw:
            cure += f"; {RAW_OPTIONS[role]}"
        raise ValueError(f"{where}: {count} {sought}. {cure}; the file has: {listed}.")
    return places[0]


def _can_be_raw(title: str, words: Sequence[str], role: str) -> bool:
    """Whether a title may name an elongation or a force, and not a rate or an extreme of one."""
    return not OTHER & set(words[1:]) and not _is_other_quantity(title, role)


def _listed(titles: Sequence[str], places: Sequence[int]) -> str:
    return ", ".join(brief(titles[k]) for k in places[:6])


def _is_strain(title: str, role: str, below: Sequence[str]) -> bool:
    """Whether an elongation is given as a strain, such as `Elongation (%)`."""
    if role != "stretch":
        return False
    try:
        unit = unit_in_title(title, role) or find_unit(role, "".join(below))
    except UnknownUnit:
        return False
    return unit is not None and unit.target == "-"


def _magnetic(titles: Sequence[str], role: str) -> list[int]:
    """Places of titles such as `b_t` or `H (A/m)`, if the file has both quantities."""
    places = {
        each: [k for k, title in enumerate(titles) if _first_quantity(title) in names]
        for each, names in MAGNETIC_NAMES.items()
    }
    return places[role] if all(places.values()) else []


def _first_quantity(title: str) -> str:
    """The first word of a title that is not "magnetic", which field and flux density both are."""
    return next((word for word in words_of(title) if not word.startswith("magneti")), "")


def raw_kind(column: Column) -> str | None:
    """What a column holds that is kept as it is, such as "force"; None of a strain or a stress.

    Args:
        column: with its unit.
    """
    if column.unit is not None:
        return RAW_KINDS.get(column.unit.target)
    return next((KIND_OF_WORD[w] for w in words_of(column.title) if w in KIND_OF_WORD), None)


def are_kept(
    where: str, titles: Sequence[str], units: Sequence[str], columns: Columns, with_stress: bool
) -> bool:
    """Whether loading and response are kept as they are, such as displacement and force.

    They are where neither is a strain or a stress and no gauge length and no area are given.

    Args:
        where: file and line, for messages.
        titles: of all columns.
        units: of the row of units; empty texts where there is none.
        columns: names and units that the user gave.
        with_stress: whether there has to be a response.

    Raises:
        UnknownUnitOfColumn: a column is in a unit that is not known.
    """
    if columns.gauge_length_mm is not None or columns.area_mm2 is not None:
        return False
    for role in ("stretch", "stress")[: 1 + with_stress]:
        try:
            column = column_of(where, titles, units, role, columns, is_raw=True)
        except UnknownUnitOfColumn:
            raise
        except ValueError:
            return False
        if raw_kind(column) is None:
            return False
    return True


def column_of(
    where: str,
    titles: Sequence[str],
    units: Sequence[str],
    role: str,
    columns: Columns,
    *,
    is_raw: bool = False,
) -> Column:
    """The column of a role and its unit.

    Args:
        where: file and line, for messages.
        titles: of all columns.
        units: of the row of units; empty texts where there is none.
        role: "time", "stretch" or "stress".
        columns: names and units that the user gave.
        is_raw: whether a displacement, a force, a flux density or a field will do.

    Raises:
        ValueError: no such column, or a unit that is not known.
    """
    size = {"stretch": columns.gauge_length_mm, "stress": columns.area_mm2}.get(role)
    name, is_raw = getattr(columns, role), is_raw or size is not None
    free = ["" if title in columns.covariates else title for title in titles]
    place = find_column(where, free, role, name, is_raw=is_raw, units=units)
    title, given = titles[place], getattr(columns, f"{role}_unit")
    try:
        if given is not None:
            return Column(place, title, find_unit(role, given))
        unit = unit_in_title(title, role)
        below = units[place].strip("()[]{}<> ") if place < len(units) else ""
        if unit is None and below:
            unit = find_unit(role, below)
            if unit is None:
                raise UnknownUnit(below)
    except UnknownUnit as error:
        known = ", ".join(unit_names(role))
        raise UnknownUnitOfColumn(
            f"{where}: {role} is in {brief(str(error))}, which is not known. Give its unit by "
            f"--{role}-unit, one of {known}."
        ) from None
    return Column(place, title, unit)


def brief(text: str) -> str:
    """As a literal, so that it stays on one line, and short."""
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}..."
