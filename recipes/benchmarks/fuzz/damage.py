"""Damage: bytes, text and JSON changed by chance."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

_INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS = (
    *("nan", "inf", "-inf", "1e999", "-1", "0", "", "1e-400", "0x10", "1,5", "1_000", "٣", "1e15"),
    *("../../../etc/passwd", "/etc/passwd", "=1+1", "\x1b[2J", "\x00", '"', "'", "\u2028", "<b>"),
    *("x" * 5000, "\r", "\n", ";", "\t", "#", "NULL", "true"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**30, 0.5, 1e308, "", "x" * 5000, "../../etc/passwd"),
    *([], {}, [[]], {"": None}, [None] * 20, "\x1b[2J\n", "*/ system(1); /*"),
)


def damage_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to four places flipped, replaced, cut, removed, doubled or inserted."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data) + 1))
        if rng.random() < 0.4:  # headers stand at the beginning
            at = int(rng.integers(min(len(data), 128) + 1))
        length = int(rng.integers(1, 17))
        kind = int(rng.integers(7))
        if kind == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            value = _INTEGERS[int(rng.integers(len(_INTEGERS)))]
            width = (1, 2, 4, 8)[int(rng.integers(4))]
            order = "little" if rng.random() < 0.5 else "big"
            data[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, order)
        elif kind == 2:
            data[at : at + length] = rng.bytes(length)
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = data[at : at + 8 * length]
        elif kind == 5:
            data[at:at] = rng.bytes(length)
        elif rng.random() < 0.3:
            del data[at:]
        if not data:
            break
    return bytes(data)


def damage_text(content: bytes, rng: np.random.Generator) -> bytes:
    """A table with cells replaced by odd ones, rows doubled, removed or exchanged; or bytes."""
    if rng.random() < 0.3:
        return damage_bytes(content, rng)
    lines = content.decode(errors="replace").split("\n")
    for _ in range(int(rng.integers(1, 4))):
        row = int(rng.integers(len(lines)))
        kind = int(rng.integers(5))
        if kind == 0:
            del lines[row]
        elif kind == 1:
            lines.insert(row, lines[int(rng.integers(len(lines)))])
        elif kind == 2:
            other = int(rng.integers(len(lines)))
            lines[row], lines[other] = lines[other], lines[row]
        else:
            separator = next((each for each in ",;\t " if each in lines[row]), ",")
            cells = lines[row].split(separator)
            place = int(rng.integers(len(cells)))
            cells[place] = _WORDS[int(rng.integers(len(_WORDS)))]
            lines[row] = separator.join(cells if rng.random() < 0.9 else cells[:place])
        if not lines:
            return b""
    return "\n".join(lines).encode(errors="surrogateescape")


def damage_json(content: bytes, rng: np.random.Generator) -> bytes:
    """JSON with one to three entries removed, replaced by odd values, or exchanged."""
    value = json.loads(content)
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(value))
        if not places:
            break
        container, key = places[int(rng.integers(len(places)))]
        kind = int(rng.integers(4))
        if kind == 0:
            del container[key]
        elif kind == 1:
            container[key] = _VALUES[int(rng.integers(len(_VALUES)))]
        elif kind == 2 and isinstance(container[key], int | float):
            factor = (-1, 0, 1e-9, 3, 1e3, 1e6, 1e9)[int(rng.integers(7))]
            changed = container[key] * factor
            container[key] = int(changed) if isinstance(container[key], int) else changed
        else:
            other, name = places[int(rng.integers(len(places)))]
            if isinstance(other, list) or name in other:
                taken = other[name] if not isinstance(other, list) or name < len(other) else None
                container[key] = json.loads(json.dumps(taken))
    return json.dumps(value, indent=1, ensure_ascii=False).encode(errors="replace")


def _places(value: Any) -> Any:
    """Every (container, key) of a JSON value, outer ones first."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in list(pairs):
        yield value, key
        yield from _places(each)


Damage = Callable[[bytes, np.random.Generator], bytes]
