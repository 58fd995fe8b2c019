"""C syntax: identifiers, literals, constant arrays."""

import re
import textwrap
from collections.abc import Sequence

import numpy as np

LINE_WIDTH = 96
_MIN_NORMAL = 2.0**-126  # below it float32 is not exact, and many chips round it to zero


def identifier(name: str) -> str:
    """C identifier for the name of a model: `hearing-aid` -> `hearing_aid`.

    Raises:
        ValueError: a name that begins with a digit or holds more than letters, digits, - and _.
    """
    result = name.replace("-", "_")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", result):
        raise ValueError(
            f"Expected a name of letters, digits, - and _ of ASCII for C. Received: {name!r}. "
            "Train or teach the model again with another --name."
        )
    return result


def float_literal(value: float) -> str:
    """Float literal that is read back as the same float32; denormal numbers become zero.

    Raises:
        ValueError: NaN or infinity, for which C has no literal.
    """
    if not abs(value) <= np.finfo(np.float32).max:
        raise ValueError(f"Expected a finite number for C. Received: {value}.")
    value = 0.0 if abs(value) < _MIN_NORMAL else float(np.float32(value))
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def string_literal(value: str) -> str:
    """String literal: anything but plain ASCII, quotes, backslashes and ? (trigraphs) in octal."""
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in value.encode()
    )
    return f'"{plain}"'


def comment_text(value: str) -> str:
    """Text that can stand inside a comment: one line of ASCII that neither ends nor begins one."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in value)
    return plain.replace("*/", "*?").replace("/*", "?*").replace("??/", "???").rstrip("\\")


def float_array(name: str, values: np.ndarray) -> str:
    """Constant array of floats."""
    return _array("const float", name, [float_literal(value) for value in np.ravel(values)])


def short_array(name: str, values: Sequence[int] | np.ndarray) -> str:
    """Constant array of shorts."""
    return _array("const short", name, [str(int(value)) for value in values])


def integer_array(name: str, values: Sequence[int] | np.ndarray) -> str:
    """Constant array of 32-bit integers."""
    return _array("const int32_t", name, [str(int(value)) for value in values])


def byte_array(name: str, content: bytes) -> str:
    """Constant array of bytes at a multiple of 16, as TensorFlow Lite Micro needs it."""
    return _array("ZOO_ALIGNED const unsigned char", name, [f"0x{byte:02x}" for byte in content])


def _array(kind: str, name: str, items: Sequence[str]) -> str:
    body = textwrap.wrap(", ".join(items), LINE_WIDTH, break_long_words=False)
    lines = "\n".join(f"  {line}" for line in body)
    return f"{kind} {name}[{len(items)}] = {{\n{lines}\n}};\n"
