"""Numbers and clock times as test machines write them."""

import datetime
import math
import re
from typing import NamedTuple

MISSING = {
    *("", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--", "---", "-nan", "+nan"),
    *("nan(ind)", "-nan(ind)", "1.#qnan", "-1.#ind", "1.#ind", "#div/0!", "#value!", "#num!"),
}
INFINITE = {"inf", "+inf", "-inf", "infinity", "-infinity", "+infinity"}
_NUMBER = {
    ".": re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII),
    ",": re.compile(r"[+-]?(?:\d+(?:,\d+)?|,\d+)(?:[eEdD][+-]?\d+)?", re.ASCII),
}
_GROUPED = {  # with decimals, or two marks between thousands: one alone may stand before decimals
    ".": re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})", re.ASCII),
    ",": re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})", re.ASCII),
}
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[ '\u2019\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?", re.ASCII)
ONLY_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_CLOCK = re.compile(
    r"(?:(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4})[T ]\s*)?"
    r"(?:(\d{1,5}):)?(\d{1,5}):(\d{1,2})(?:[.,](\d{1,12}))?\s*([AaPp][Mm])?"
    r"(?:Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


class Clock(NamedTuple):
    """A time of day or since the start.

    Attributes:
        date: as it is written; empty if there is none.
        hours: None where two parts only are given.
        first: minutes, or hours where two parts mean hours and minutes.
        last: seconds, or minutes.
        has_fraction: whether decimals follow, which only seconds have.
    """

    date: str
    hours: int | None
    first: int
    last: float
    has_fraction: bool


def parse_number(text: str, decimal: str) -> float | None:
    """The value of a cell; NaN where the value is missing; None if it is no number.

    Args:
        text: without blanks around it.
        decimal: "." or ",", the mark in front of decimals.
    """
    if _NUMBER[decimal].fullmatch(text):
        return _value(text, decimal)
    low = text.lower()
    if low in MISSING:
        return math.nan
    if low in INFINITE:
        return math.inf
    if text.startswith("\u2212"):  # the minus sign of typography
        return parse_number("-" + text[1:], decimal) if text[1:2].isdigit() else None
    if _GROUPED[decimal].fullmatch(text):
        return _value(text.replace("," if decimal == "." else ".", ""), decimal)
    if _SPACED.fullmatch(text):
        return parse_number(re.sub(r"[^\d.,+-]", "", text), decimal)
    return None


def _value(text: str, decimal: str) -> float:
    text = text.replace(",", ".") if decimal == "," else text
    try:
        return float(text)
    except ValueError:  # Fortran's exponent
        return float(text.lower().replace("d", "e"))


def parse_clock(text: str) -> Clock | None:
    """`00:01:30.5`, with or without a date; None if it is no time of a clock."""
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    date, hours, first, last, fraction, half = match.groups()
    seconds = float(f"{int(last)}.{fraction or 0}")
    if half and hours is not None:
        hours = str(int(hours) % 12 + (12 if half.lower() == "pm" else 0))
    return Clock(
        date or "",
        None if hours is None else int(hours),
        int(first),
        seconds,
        fraction is not None,
    )


def day_of(date: str) -> int | None:
    """Number of a day written 2024-05-02 or 02.05.2024; None where day and month may be swapped."""
    try:
        if "-" in date:
            year, month, day = map(int, date.split("-"))
        elif "." in date:
            day, month, year = map(int, date.split("."))
        else:
            return None
        return datetime.date(year, month, day).toordinal()
    except ValueError:
        return None
