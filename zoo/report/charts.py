"""Data of a figure's lines, from which a page draws a chart with hover, zoom and a live legend.

Only figures that consist of lines and points alone become charts; of all others the picture says
more. What is read of matplotlib's objects is their public interface.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

MAX_POINTS = 1200  # of a line: more than a screen has columns
MAX_LINES = 40  # of a figure
DIGITS = 5  # of numbers
_MAX_CHART_BYTES = 400_000  # of a figure; a page stays below 5 MB
_POWER = re.compile(r"\^\{?([-−+\d]+)\}?")
_SUPERSCRIPTS = str.maketrans("-−+0123456789", "⁻⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹")


def chart_data(figure: Any) -> dict[str, Any] | None:
    """Panels, lines and labels of a figure, as JSON has them.

    Args:
        figure: a matplotlib figure, or anything else with `savefig`.

    Returns:
        `columns` of the grid, and `panels`: each with `title`, `note`, `aspect` (height over
        width), `x` and `y` (`label`, `log`, `range`), and `lines` (`name`, `color`, `width`,
        `dash`, `points`: whether they are marked, `x`, `y`). None where there are no axes, or
        something else than lines on them.
    """
    panels = [each for each in getattr(figure, "axes", ()) if each.get_visible() and each.axison]
    if not panels or not all(map(_has_lines_alone, panels)):
        return None
    names = _names_of_keys(figure, panels)
    described = [_panel(panel, names) for panel in panels]
    if not 0 < sum(len(panel["lines"]) for panel in described) <= MAX_LINES:
        return None
    lefts = sorted({round(panel.get_position().x0, 1) for panel in panels})
    chart = {"columns": len(lefts), "panels": described}
    return chart if len(json.dumps(chart)) <= _MAX_CHART_BYTES else None


def _has_lines_alone(panel: Any) -> bool:
    if panel.images or panel.collections or panel.patches or panel.tables:
        return False
    if not panel.get_lines() or panel.name != "rectilinear":
        return False
    scales = {panel.get_xscale(), panel.get_yscale()}
    return scales <= {"linear", "log"} and not any(map(_has_words, (panel.xaxis, panel.yaxis)))


def _has_words(axis: Any) -> bool:
    """Whether the ticks of an axis are names instead of numbers."""
    labels = axis.get_major_formatter().format_ticks(axis.get_majorticklocs())
    return any(not _is_number(each) for each in labels if each)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").replace("−", "-").rstrip("% "))
    except ValueError:
        return "$" in text  # a power of ten
    return True


def _panel(panel: Any, names: dict[Any, str]) -> dict[str, Any]:
    lines = [_line(panel, line, names) for line in panel.get_lines() if line.get_visible()]
    box = panel.get_window_extent()
    return {
        "aspect": round(float(box.height / box.width), 3),
        "title": plain(panel.get_title() or panel.get_title(loc="left")),
        "note": plain(panel.get_title(loc="right")),
        "x": _axis(panel.get_xlabel(), panel.get_xscale(), panel.get_xlim()),
        "y": _axis(panel.get_ylabel(), panel.get_yscale(), panel.get_ylim()),
        "lines": [line for line in lines if line],
    }


def _axis(label: str, scale: str, limits: Sequence[float]) -> dict[str, Any]:
    return {"label": plain(label), "log": scale == "log", "range": _rounded(sorted(limits))}


def _line(panel: Any, line: Any, names: dict[Any, str]) -> dict[str, Any] | None:
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    transform = line.get_transform()
    if transform != panel.transData:  # such as `axhline`: from end to end of an axis
        if len(x) != 2 or not ({*x} <= {0.0, 1.0} or {*y} <= {0.0, 1.0}):
            return None
        ends = panel.transData.inverted().transform(transform.transform(np.stack([x, y], axis=1)))
        x, y = ends.T
    if not len(x) or len(x) != len(y):
        return None
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).round().astype(int))
    is_marked = str(line.get_marker()) not in ("None", "none", "", " ")
    return {
        "name": _name(panel, line, names),
        "color": _hex(line.get_color()),
        "width": round(float(line.get_linewidth()), 2) if _is_drawn(line) else 0,
        "dash": [] if line.get_linestyle() in ("-", "None", "none", "") else [5, 4],
        "points": is_marked,
        "x": _rounded(x[keep]),
        "y": _rounded(y[keep]),
    }


def _is_drawn(line: Any) -> bool:
    return line.get_linestyle() not in ("None", "none", "", " ")


def _rounded(values: Any) -> list[float | None]:
    return [float(f"{v:.{DIGITS}g}") if math.isfinite(v) else None for v in map(float, values)]


def _names_of_keys(figure: Any, panels: Sequence[Any]) -> dict[Any, str]:
    """Look of a line -> its name in a legend."""
    legends = [*figure.legends, *(each.get_legend() for each in panels)]
    handles: Iterator[tuple[Any, Any]] = (
        pair
        for legend in legends
        if legend
        for pair in zip(legend.legend_handles, legend.get_texts(), strict=False)
    )
    return {
        _look(handle): plain(text.get_text())
        for handle, text in handles
        if hasattr(handle, "get_linestyle") and hasattr(handle, "get_color")
    }


def _look(line: Any) -> tuple[str, str]:
    return _hex(line.get_color()), str(line.get_linestyle())


def _name(panel: Any, line: Any, names: dict[Any, str]) -> str:
    """Label of a line: its own, that in a legend, or the text in its colour at its end; or ""."""
    own = str(line.get_label())
    if own and not own.startswith("_"):
        return plain(own)
    if _look(line) in names:
        return names[_look(line)]
    if len(line.get_xdata()) > 1:
        end = float(line.get_xdata()[-1]), float(line.get_ydata()[-1])
        for text in panel.texts:
            is_alike = hasattr(text, "xy") and _hex(text.get_color()) == _hex(line.get_color())
            if is_alike and np.allclose(np.asarray(text.xy, float), end):
                return plain(text.get_text())
    return ""


def _hex(color: Any) -> str:
    from matplotlib.colors import to_hex  # only now: a page without figures needs no matplotlib

    return to_hex(color)


def plain(text: str) -> str:
    """Text without matplotlib's mathematical markup: "$10^{-3}$" becomes "10⁻³"."""
    raised = _POWER.sub(lambda match: match[1].translate(_SUPERSCRIPTS), text)
    return " ".join(raised.translate({ord(c): None for c in "${}\\^"}).split())
