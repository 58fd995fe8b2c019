"""Plain text with a little markup -> HTML: `code`, indices as in J_{t+1}, powers as in x^{m−1}."""

import html
import re

_CODE = re.compile(r"`([^`\n]+)`")
# One letter, or what ends a bracket, then an index in braces or of one character.
_INDEX = re.compile(
    r"((?<![A-Za-z0-9_])[^\W\d_][¹²³⁰-⁹⁽⁾]*|[)\]‖])_(?:\{([^{}]*)\}|([^\W_])(?![A-Za-z0-9_]))"
)

_POWER = re.compile(r"\^\{([^{}]*)\}")


def to_html(text: str) -> str:
    """Escaped text, with `code` as <code>, an index as in h_t or J_{t+1} as <sub>, x^{2} as <sup>.

    Only an index of one character, or in braces, behind a single letter is one: names such as
    `hidden_0` stay as they are.

    Args:
        text: from anywhere.
    """
    parts = _CODE.split(text)  # code at the odd places
    return "".join(
        f"<code>{html.escape(part)}</code>" if place % 2 else _indices(part)
        for place, part in enumerate(parts)
    )


def to_text(text: str) -> str:
    """Text for an attribute, where no markup is shown: h_{t+1} becomes h t+1, x^{2} x 2.

    Args:
        text: from anywhere, not escaped.
    """
    plain = _CODE.sub(r"\1", _POWER.sub(r" \1", text))
    return _INDEX.sub(lambda match: f"{match[1]} {match[2] or match[3]}", plain)


def _indices(text: str) -> str:
    raised = _POWER.sub(r"<sup>\1</sup>", html.escape(text))
    return _INDEX.sub(lambda match: f"{match[1]}<sub>{match[2] or match[3]}</sub>", raised)
