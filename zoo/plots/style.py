"""Style of all figures: sizes, colours, and elements that several figures share.

Figures use matplotlib's objects on an Agg canvas: no pyplot, no display, no window, and no change
of matplotlib's global settings. A user's own matplotlibrc is not read.
"""

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

WIDTH_IN = 7.0  # width of two columns of a journal, and of a report page [in]

INK = "#24292f"
QUIET = "#6b737c"  # ticks, notes
FAINT = "#b7bdc4"  # reference curves, drawn wide below a thin prediction
RULE = "#e3e6e9"
# Okabe and Ito (2008), without yellow and black: distinguishable with any common colour vision. The
# first is the model that a figure is about.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "osD^vPX"  # besides the colour, so that curves differ in a grey print
SIGNED = "RdBu_r"  # quantities around zero
GATE = "PuOr"  # quantities from 0 (closed, orange) to 1 (open, purple)

_STYLE = {
    "figure.dpi": 200,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.borderpad": 0,
    "legend.handlelength": 1.6,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelpad": 3,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.visible": False,
    "lines.linewidth": 1.1,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "patch.linewidth": 0.6,
}

P = ParamSpec("P")
NAME_SPACING_PT = 9.0  # between the names of two curves


def house_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: run a drawing function in this style, matplotlib's settings restored after it."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(["default", _STYLE]):
            return draw(*args, **kwargs)

    return styled


class HouseFigure(Figure):
    """A figure that is saved in this style: matplotlib creates ticks only then."""

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Save the figure; arguments as in matplotlib.

        A character that the font lacks, such as an emoji of a class, is drawn as a box.
        """
        with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            super().savefig(*args, **kwargs)


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure on an Agg canvas.

    Args:
        height_in: height [in].
        width_in: width [in].
    """
    figure = HouseFigure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def column(name: str, values: object, length: int | None = None) -> np.ndarray:
    """`values` as a float64 vector.

    Args:
        name: name for the message of an error.
        values: one-dimensional, not empty.
        length: expected length; None: any.

    Returns:
        (length,) float64.

    Raises:
        ValueError: if `values` has another shape.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or (length is not None and len(array) != length):
        expected = "(time,)" if length is None else f"({length},)"
        raise ValueError(
            f"`{name}` must have shape {expected}. Received: shape {array.shape}. "
            "Draw one path at a time, for instance stress[0, :, 0]."
        )
    return array


def require(what: str, items: Iterable) -> None:
    """Check that there is something to draw.

    Args:
        what: name of the argument, for the message of an error.
        items: any iterable.

    Raises:
        ValueError: if it is empty.
    """
    if not list(items):
        raise ValueError(f"`{what}` must hold at least one entry to draw. Received: none.")


def percent(fraction: float) -> str:
    """A fraction in percent with two significant digits, no exponent: 0.00524 -> '0.52 %'."""
    value = 100 * float(fraction)
    if not math.isfinite(value) or value == 0:
        return f"{value:.0f} %"
    decimals = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f} %"


def note(axes: Axes, text: str) -> None:
    """Write a small grey remark above the right end of a panel."""
    axes.set_title(text, loc="right", color=QUIET, fontsize=7)


def key(figure: Figure, handles: list) -> None:
    """Write a legend in one line above the panels."""
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), columnspacing=1.8)


def settle_layout(axes: Axes) -> None:
    """Compute scales and layout now, so that positions in pixels can be read."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes of this package are always part of a figure
    figure.draw_without_rendering()


def name_lines(axes: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write the name of each curve at its right end, shifted where names would overlap.

    Names move up, and down again where they would leave the panel.

    Args:
        axes: the panel.
        ends: name -> (x, y, colour) of the last point of the curve.
    """
    settle_layout(axes)
    points_per_pixel = 72 / axes.figure.dpi
    heights = {
        name: axes.transData.transform((x, y))[1] * points_per_pixel
        for name, (x, y, _) in ends.items()
    }
    order = sorted(ends, key=heights.__getitem__)
    places, last = dict(heights), -math.inf
    for name in order:
        last = places[name] = max(heights[name], last + NAME_SPACING_PT)
    limit = max(axes.bbox.y1 * points_per_pixel, max(heights.values(), default=0.0))
    for name in reversed(order):
        places[name] = min(places[name], limit)
        limit = places[name] - NAME_SPACING_PT
    for name in order:
        x, y, colour = ends[name]
        axes.annotate(
            name,
            (x, y),
            (5, places[name] - heights[name]),
            textcoords="offset points",
            va="center",
            color=colour,
        )


def plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis 0.01, 0.1, 1 where that is short, otherwise with powers of ten."""

    def major(value: float, _: int) -> str:
        low, high = axis.get_view_interval()
        if low > 5e-5 and high < 2e6:
            return f"{value:,g}" if value < 1 else f"{value:,.0f}"
        return f"$10^{{{round(math.log10(value))}}}$"

    def minor(value: float, _: int) -> str:
        low, high = axis.get_view_interval()
        leading = round(value / 10.0 ** math.floor(math.log10(value)))
        shown = range(2, 10) if high < 10 * low else (2, 5) if high < 100 * low else ()
        return f"{value:,g}" if leading in shown else ""

    axis.set_major_formatter(FuncFormatter(major))
    axis.set_minor_formatter(FuncFormatter(minor))
