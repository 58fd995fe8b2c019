"""Figures of memory: Jacobian norms against the lag, spectra, gates, training on a memory task."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from zoo.plots.style import (
    COLOURS,
    FAINT,
    INK,
    MARKERS,
    QUIET,
    house_style,
    key,
    name_lines,
    new_figure,
    note,
    plain_numbers,
    require,
)

MAX_DECADES = 40.0  # norms outside 1e-40 to 1e40 are not drawn
WIDE = 3.2  # line width [pt] of a curve that others are compared with
NAME_MARGIN = 0.05  # of the height of a panel, between its lower edge and the name of a curve


@dataclass(frozen=True)
class Decay:
    """One curve of `fading`.

    Attributes:
        log_norm: natural logarithm of a norm against the lag, (lags,).
        is_bound: whether it is an upper bound: drawn grey and dashed.
        is_total: whether the other curves are parts of it: drawn grey and wide.
    """

    log_norm: np.ndarray
    is_bound: bool = False
    is_total: bool = False


@house_style
def fading(
    panels: Mapping[str, Mapping[str, Decay]], *, lag_label: str = "lag T − t [steps]"
) -> Figure:
    """Norms of ∂s_T/∂s_t against the lag on a logarithmic axis, one panel per layer or model.

    The panels share their vertical axis. Curves that fall below 1e-40 leave it at the lower edge.

    Args:
        panels: title -> name of a curve -> curve.
        lag_label: horizontal label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no panels.
    """
    require("panels", panels)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(height_in=0.3 + 2.4 * rows)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    limits = _height_limits(decay for curves in panels.values() for decay in curves.values())
    for panel in axes[len(panels) :]:
        panel.remove()
    for place, (panel, (title, curves)) in enumerate(zip(axes, panels.items(), strict=False)):
        panel.set_title(title)
        panel.axhline(0, color=FAINT, linewidth=0.6)
        panel.set(ylim=limits, xlabel=lag_label)
        _label_decades(panel)
        if place % columns == 0:
            panel.set_ylabel("‖∂s$_T$/∂s$_t$‖ [-]")
        _draw_decays(panel, curves, limits)
    return figure


@house_style
def memory_of_material(
    time_s: np.ndarray,
    strain: np.ndarray,
    curves: Mapping[str, np.ndarray],
    *,
    truth: str = "material",
) -> Figure:
    """Share of the stress of an increment of strain that is left at the end of a path.

    Args:
        time_s: end of each step [s], (time,).
        strain: loading ε [-], drawn above, (time,).
        curves: name -> ∂σ_T/∂ε_t over the modulus [-], (time,), `truth` among them.
        truth: name of the exact curve, drawn wide.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves.
    """
    require("curves", curves)
    figure = new_figure(height_in=3.6)
    top, main = figure.subplots(2, 1, sharex=True, height_ratios=[0.5, 2])
    top.axhline(0, color=FAINT, linewidth=0.6)
    top.plot(time_s, strain, color=INK)
    top.set_title("strain ε [-]")
    top.grid(False)
    main.axhline(0, color=FAINT, linewidth=0.6)
    colours, ends = cycle(COLOURS), {}
    for name, values in curves.items():
        colour = FAINT if name == truth else next(colours)
        main.plot(time_s, values, color=colour, linewidth=WIDE if name == truth else 1.1)
        ends[name] = (time_s[-1], float(values[-1]), QUIET if name == truth else colour)
    main.set(xlabel="time t of the increment [s]", xlim=(0, time_s[-1]))
    main.set_title("(∂σ$_T$/∂ε$_t$)/E: share of the increment's stress left at the end [-]")
    name_lines(main, ends)
    return figure


@house_style
def spectra(
    exponents: Mapping[str, np.ndarray],
    radius: Mapping[str, np.ndarray],
    singular: Mapping[str, np.ndarray],
) -> Figure:
    """Lyapunov exponents by rank; spectral radius and singular values of the step Jacobians.

    Args:
        exponents: name -> Lyapunov exponents in falling order, (width,) [1/step].
        radius: name -> spectral radius of every step, (time,).
        singular: name -> singular values of every step in falling order, (time, width).

    Returns:
        The figure.

    Raises:
        ValueError: if there are no exponents.
    """
    require("exponents", exponents)
    figure = new_figure(height_in=2.5)
    left, middle, right = figure.subplots(1, 3)
    handles = []
    for (name, values), colour in zip(exponents.items(), cycle(COLOURS), strict=False):
        rank = (np.arange(len(values)) + 0.5) / len(values)
        left.plot(rank, np.where(np.isfinite(values), values, np.nan), color=colour)
        steps = np.arange(1, len(radius[name]) + 1)
        middle.plot(steps, radius[name], color=colour, linewidth=0.8)
        low, median, high = np.quantile(singular[name], (0.05, 0.5, 0.95), axis=0)
        right.plot(rank, median, color=colour)
        right.fill_between(rank, low, high, color=colour, alpha=0.2, linewidth=0)
        handles.append(Line2D([], [], color=colour, label=name))
    left.axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    left.set_title("Lyapunov exponents [1/step]")
    left.set_xlabel("rank / width [-]")
    middle.axhline(1, color=FAINT, linewidth=0.6, zorder=0)
    middle.set_title("spectral radius of J$_t$ [-]")
    middle.set_xlabel("step")
    middle.set_ylim(bottom=0)
    right.axhline(1, color=FAINT, linewidth=0.6, zorder=0)
    right.set_title("singular values of J$_t$ [-]")
    right.set_xlabel("rank / width [-]")
    right.set_ylim(bottom=0)
    key(figure, handles)
    return figure


@house_style
def gate_use(
    gates: Mapping[str, Mapping[str, np.ndarray]],
    constants: Mapping[str, np.ndarray],
    *,
    unit: str = "s",
) -> Figure:
    """Histograms of gate values, and time constants of the units from their forget gates.

    Args:
        gates: name of the layer -> name of a gate -> values in [0, 1], of any shape.
        constants: name of the layer -> time constants of its units, (units,).
        unit: unit of the time constants.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no gates.
    """
    require("gates", gates)
    figure = new_figure(height_in=2.3)
    panels = figure.subplots(1, len(gates) + 1, width_ratios=[1] * len(gates) + [1.1])
    edges = np.linspace(0, 1, 41)
    names = list(next(iter(gates.values())))
    for panel, (layer, values) in zip(panels, gates.items(), strict=False):
        for gate, colour in zip(values.values(), cycle(COLOURS), strict=False):
            counts, _ = np.histogram(gate, edges)
            panel.stairs(counts / counts.sum(), edges, color=colour, linewidth=1.1)
        panel.set_title(layer)
        panel.set(xlabel="gate: 0 closed, 1 open", xlim=(0, 1))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g} %"))
    panels[0].set_ylabel("share of values")
    _draw_time_constants(panels[-1], constants, unit)
    handles = zip(names, cycle(COLOURS), strict=False)
    key(figure, [Line2D([], [], color=colour, label=f"{name} gate") for name, colour in handles])
    return figure


@house_style
def task_errors(errors: Mapping[str, np.ndarray], *, baseline: float, every: int = 1) -> Figure:
    """Test error over training of several networks on one task.

    Args:
        errors: name -> mean squared error at each evaluation, (evaluations,).
        baseline: error of the best constant prediction, drawn as a wide grey line.
        every: training steps between evaluations.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no errors.
    """
    require("errors", errors)
    figure = new_figure(height_in=2.8, width_in=5.2)
    axes = figure.subplots()
    axes.axhline(baseline, color=FAINT, linewidth=WIDE, zorder=0)
    ends, last = {}, 0.0
    for (name, values), colour in zip(errors.items(), cycle(COLOURS), strict=False):
        steps = every * np.arange(1, len(values) + 1)
        axes.plot(steps, values, color=colour)
        ends[name] = (steps[-1], float(values[-1]), colour)
        last = max(last, steps[-1])
    axes.set_yscale("log")
    plain_numbers(axes.yaxis)
    axes.set(xlabel="training step", xlim=(0, last))
    axes.set_title("mean squared error; grey: best constant prediction")
    name_lines(axes, ends)
    return figure


@house_style
def gradients(
    norms: Mapping[str, np.ndarray], clipped: Mapping[str, np.ndarray], *, clip: float | None = None
) -> Figure:
    """Gradient norms over training, one panel per network, with the clipped steps marked.

    Args:
        norms: name -> norm of the gradient of all weights, (steps,).
        clipped: name -> above 0 where the gradient was clipped, (steps,).
        clip: the limit, drawn if given.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no norms.
    """
    require("norms", norms)
    columns = min(3, len(norms))
    rows = -(-len(norms) // columns)
    figure = new_figure(height_in=0.3 + 1.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in panels[len(norms) :]:
        panel.remove()
    for place, (panel, (name, values)) in enumerate(zip(panels, norms.items(), strict=False)):
        steps, is_clipped = np.arange(1, len(values) + 1), np.asarray(clipped[name]) > 0
        panel.plot(steps, values, color=COLOURS[0], linewidth=0.3)
        marked = steps[is_clipped], np.asarray(values)[is_clipped]
        panel.plot(*marked, ".", color=COLOURS[1], markersize=0.8)
        if clip is not None:
            panel.axhline(clip, color=QUIET, linewidth=0.6, linestyle=(0, (4, 2)))
        panel.set_yscale("log")
        plain_numbers(panel.yaxis)
        panel.set_title(name)
        note(panel, f"{100 * is_clipped.mean():.0f} % of steps clipped")
        if place + columns >= len(norms):
            panel.set_xlabel("training step")
            panel.tick_params(labelbottom=True)
        if place % columns == 0:
            panel.set_ylabel("‖gradient‖")
    return figure


def _draw_decays(panel: Axes, curves: Mapping[str, Decay], limits: tuple[float, float]) -> None:
    colours = cycle(COLOURS)
    ends = {}
    for name, decay in curves.items():
        height = np.asarray(decay.log_norm, np.float64) / np.log(10)
        colour = QUIET if decay.is_bound else FAINT if decay.is_total else next(colours)
        panel.plot(
            height,
            color=colour,
            linestyle=(0, (4, 2)) if decay.is_bound else "-",
            linewidth=WIDE if decay.is_total else 1.1,
            zorder=1 if decay.is_total else 2,
        )
        ends[name] = (*_last_visible(height, limits), QUIET if decay.is_total else colour)
    panel.set_xlim(0, max(len(decay.log_norm) - 1 for decay in curves.values()))
    name_lines(panel, ends)


def _draw_time_constants(panel: Axes, constants: Mapping[str, np.ndarray], unit: str) -> None:
    for (layer, values), marker in zip(constants.items(), cycle(MARKERS), strict=False):
        ordered = np.sort(np.asarray(values, np.float64))[::-1]
        panel.plot(
            np.arange(1, len(ordered) + 1),
            ordered,
            marker,
            color=INK,
            markersize=2.5,
            markerfacecolor="white" if marker == "s" else INK,
            markeredgewidth=0.6,
            label=layer,
        )
    panel.set_yscale("log")
    panel.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    plain_numbers(panel.yaxis)
    panel.set_title(f"time constant of a unit [{unit}]")
    panel.set_xlabel("unit, in falling order")
    if len(constants) > 1:
        panel.legend(loc="upper right", handletextpad=0.2)


def _height_limits(decays: Iterable[Decay]) -> tuple[float, float]:
    """Limits of the common vertical axis, in decades."""
    values = [np.asarray(decay.log_norm) / np.log(10) for decay in decays]
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = (finite.min(), finite.max()) if len(finite) else (-1.0, 0.0)
    low, high = max(low, -MAX_DECADES), min(high, MAX_DECADES)
    margin = 0.05 * max(high - low, 1.0)
    return float(low - margin), float(high + margin)


def _last_visible(height: np.ndarray, limits: tuple[float, float]) -> tuple[float, float]:
    """Where to write the name of a curve: at its last point within the panel, off the axis."""
    inside = np.flatnonzero((height >= limits[0]) & (height <= limits[1]))
    last = int(inside[-1]) if len(inside) else 0
    lowest = limits[0] + NAME_MARGIN * (limits[1] - limits[0])
    return last, max(float(height[last]), lowest) if len(inside) else lowest


def _label_decades(axes: Axes) -> None:
    """Label a vertical axis of decimal logarithms with powers of ten."""
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda v, _: "1" if abs(v) < 1e-9 else f"$10^{{{round(v)}}}$")
    )
