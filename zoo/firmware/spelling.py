"""How C spells names, numbers and arrays."""

import re
import textwrap
from collections.abc import Sequence

import numpy as np

WIDTH = 96
_SMALLEST = 2.0**-126  # below it float32 is not exact, and many chips round it to zero


def identifier(name: str) -> str:
    """`hearing-aid` -> `hearing_aid`.

    Raises:
        ValueError: a name that begins with a digit or holds more than letters, digits, - and _.
    """
    word = name.replace("-", "_")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word):
        raise ValueError(f"Expected a name of letters, digits, - and _ for C. Received: {name!r}.")
    return word


def number(value: float) -> str:
    """A float literal that is read back to the same float32."""
    value = 0.0 if abs(value) < _SMALLEST else float(np.float32(value))
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def text(value: str) -> str:
    """A string literal."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def floats(name: str, values: np.ndarray) -> str:
    """A constant array of floats."""
    return _array("const float", name, [number(value) for value in np.ravel(values)])


def integers(name: str, values: Sequence[int]) -> str:
    """A constant array of shorts."""
    return _array("const short", name, [str(int(value)) for value in values])


def octets(name: str, content: bytes) -> str:
    """A constant array of bytes where TensorFlow Lite Micro can read it: at a multiple of 16."""
    return _array("ZOO_ALIGNED const unsigned char", name, [f"0x{byte:02x}" for byte in content])


def _array(kind: str, name: str, items: Sequence[str]) -> str:
    body = textwrap.wrap(", ".join(items), WIDTH, break_long_words=False)
    lines = "\n".join(f"  {line}" for line in body)
    return f"{kind} {name}[{len(items)}] = {{\n{lines}\n}};\n"
