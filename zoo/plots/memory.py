"""How memory fades: gradients against the lag, spectra, gates, training."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from zoo.plots.style import (
    COLOURS,
    FAINT,
    INK,
    QUIET,
    house_style,
    key,
    name_lines,
    new_figure,
    note,
    plain_numbers,
    require,
)

DEEPEST = 40.0  # decades of a fading that are drawn: beyond them nothing is left in any sense


class Decay(NamedTuple):
    """One curve of a fading: natural logarithm of a norm against the lag."""

    log_norm: np.ndarray
    bound: bool = False  # a bound is dashed and grey
    whole: bool = False  # what the others are parts of is wide and pale


@house_style
def fading(
    panels: Mapping[str, Mapping[str, Decay]], *, lag_label: str = "lag T − t [steps]"
) -> Figure:
    """Norms of ∂s_T/∂s_t against the lag, one panel a layer or model, logarithmic, common axes.

    What falls deeper than 40 decades below 1 leaves the panel at its lower edge.

    Args:
        panels: title -> name of a curve -> `Decay`.
        lag_label: horizontal label.
    """
    require("panels", panels)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(height_in=0.3 + 2.4 * rows)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    lowest, highest = _range(decay for curves in panels.values() for decay in curves.values())
    for panel in axes[len(panels) :]:
        panel.remove()
    for place, (panel, (title, curves)) in enumerate(zip(axes, panels.items(), strict=False)):
        panel.set_title(title)
        panel.axhline(0, color=FAINT, linewidth=0.6)
        panel.set(ylim=(lowest, highest), xlabel=lag_label)
        _decades(panel)
        if place % columns == 0:
            panel.set_ylabel("‖∂s$_T$/∂s$_t$‖ [-]")
        colours = iter(COLOURS)
        ends = {}
        for name, decay in curves.items():
            height = np.asarray(decay.log_norm, np.float64) / np.log(10)
            colour = QUIET if decay.bound else FAINT if decay.whole else next(colours)
            panel.plot(
                height,
                color=colour,
                linestyle=(0, (4, 2)) if decay.bound else "-",
                linewidth=3.2 if decay.whole else 1.1,
                zorder=1 if decay.whole else 2,
            )
            ends[name] = (*_end(height, lowest, highest), QUIET if decay.whole else colour)
        panel.set_xlim(0, max(len(decay.log_norm) - 1 for decay in curves.values()))
        name_lines(panel, ends)
    return figure


@house_style
def memory_of_material(
    time_s: np.ndarray,
    stretch: np.ndarray,
    curves: Mapping[str, np.ndarray],
    *,
    truth: str = "material",
) -> Figure:
    """What the last stress still holds of an increment of stretch at each earlier time.

    Args:
        time_s: end of each step [s], (time,).
        stretch: loading, above.
        curves: name -> ∂σ_T/∂λ_t over the modulus [-], (time,), `truth` among them.
        truth: name of the exact curve, drawn wide.
    """
    require("curves", curves)
    figure = new_figure(height_in=3.6)
    top, main = figure.subplots(2, 1, sharex=True, height_ratios=[0.5, 2])
    top.axhline(0, color=FAINT, linewidth=0.6)
    top.plot(time_s, stretch, color=INK)
    top.set_title("stretch λ [-]")
    top.grid(False)
    main.axhline(0, color=FAINT, linewidth=0.6)
    colours, ends = iter(COLOURS), {}
    for name, values in curves.items():
        colour = FAINT if name == truth else next(colours)
        main.plot(time_s, values, color=colour, linewidth=3.2 if name == truth else 1.1)
        ends[name] = (time_s[-1], float(values[-1]), QUIET if name == truth else colour)
    main.set(xlabel="time t of the increment [s]", xlim=(0, time_s[-1]))
    main.set_title("(∂σ$_T$/∂λ$_t$)/E, left of an increment at the end of the path [-]")
    name_lines(main, ends)
    return figure


@house_style
def spectra(
    exponents: Mapping[str, np.ndarray],
    radius: Mapping[str, np.ndarray],
    singular: Mapping[str, np.ndarray],
) -> Figure:
    """Lyapunov exponents by rank; singular values and spectral radius of single steps.

    Args:
        exponents: name -> (width,), largest first, per step.
        radius: name -> spectral radius of every step, (time,).
        singular: name -> (time, width).
    """
    require("exponents", exponents)
    figure = new_figure(height_in=2.5)
    left, middle, right = figure.subplots(1, 3)
    handles = []
    for (name, values), colour in zip(exponents.items(), COLOURS, strict=False):
        share = (np.arange(len(values)) + 0.5) / len(values)
        left.plot(share, np.where(np.isfinite(values), values, np.nan), color=colour)
        steps = np.arange(1, len(radius[name]) + 1)
        middle.plot(steps, radius[name], color=colour, linewidth=0.8)
        quantiles = np.quantile(singular[name], (0.05, 0.5, 0.95), axis=0)
        right.plot(share, quantiles[1], color=colour)
        right.fill_between(share, quantiles[0], quantiles[2], color=colour, alpha=0.2, linewidth=0)
        handles.append(Line2D([], [], color=colour, label=name))
    left.axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    left.set_title("Lyapunov exponents [1/step]")
    left.set_xlabel("rank over width")
    middle.axhline(1, color=FAINT, linewidth=0.6, zorder=0)
    middle.set_title("spectral radius of J$_t$ [-]")
    middle.set_xlabel("step")
    middle.set_ylim(bottom=0)
    right.axhline(1, color=FAINT, linewidth=0.6, zorder=0)
    right.set_title("singular values of J$_t$ [-]")
    right.set_xlabel("rank over width")
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
    """How open the gates stand, and the time constants that the forget gates make of it.

    Args:
        gates: name of the layer -> name of a gate -> values, of any shape, in 0 to 1.
        constants: name of the layer -> time constants of its units, (units,).
        unit: of the time constants.
    """
    require("gates", gates)
    figure = new_figure(height_in=2.3)
    panels = figure.subplots(1, len(gates) + 1, width_ratios=[1] * len(gates) + [1.1])
    edges = np.linspace(0, 1, 41)
    names = list(next(iter(gates.values())))
    for panel, (layer, values) in zip(panels, gates.items(), strict=False):
        for (_, gate), colour in zip(values.items(), COLOURS, strict=False):
            share, _ = np.histogram(gate, edges)
            panel.stairs(share / share.sum(), edges, color=colour, linewidth=1.1)
        panel.set_title(layer)
        panel.set(xlabel="gate: 0 shut, 1 open", xlim=(0, 1))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g} %"))
    panels[0].set_ylabel("share of values")
    last = panels[-1]
    for (layer, values), marker in zip(constants.items(), "osD^vP", strict=False):
        ordered = np.sort(np.asarray(values, np.float64))[::-1]
        last.plot(
            np.arange(1, len(ordered) + 1),
            ordered,
            marker,
            color=INK,
            markersize=2.5,
            markerfacecolor="white" if marker == "s" else INK,
            markeredgewidth=0.6,
            label=layer,
        )
    last.set_yscale("log")
    last.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    plain_numbers(last.yaxis)
    last.set_title(f"time constant of a unit [{unit}]")
    last.set_xlabel("unit, by its time constant")
    if len(constants) > 1:
        last.legend(loc="upper right", handletextpad=0.2)
    handles = zip(names, COLOURS, strict=False)
    key(figure, [Line2D([], [], color=colour, label=name) for name, colour in handles])
    return figure


@house_style
def race(losses: Mapping[str, np.ndarray], *, guess: float, every: int = 1) -> Figure:
    """Error over training of several networks on one task, beside the error of a constant answer.

    Args:
        losses: name -> error at each of its checks.
        guess: error of the best constant answer.
        every: training steps between checks.
    """
    require("losses", losses)
    figure = new_figure(height_in=2.8, width_in=5.2)
    axes = figure.subplots()
    axes.axhline(guess, color=FAINT, linewidth=3.2, zorder=0)
    ends, last = {}, 0.0
    for (name, values), colour in zip(losses.items(), COLOURS, strict=False):
        steps = every * np.arange(1, len(values) + 1)
        axes.plot(steps, values, color=colour)
        ends[name] = (steps[-1], float(values[-1]), colour)
        last = max(last, steps[-1])
    axes.set_yscale("log")
    plain_numbers(axes.yaxis)
    axes.set(xlabel="training step", xlim=(0, last))
    axes.set_title("mean squared error; grey: always the same answer")
    name_lines(axes, ends)
    return figure


@house_style
def gradients(
    norms: Mapping[str, np.ndarray], clipped: Mapping[str, np.ndarray], *, clip: float | None = None
) -> Figure:
    """Norm of the whole gradient over training, one panel a network, with the clipped steps marked.

    Args:
        norms: name -> (steps,).
        clipped: name -> (steps,), above 0 where the gradient was cut.
        clip: the limit, drawn if given.
    """
    require("norms", norms)
    columns = min(3, len(norms))
    rows = -(-len(norms) // columns)
    figure = new_figure(height_in=0.3 + 1.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in panels[len(norms) :]:
        panel.remove()
    for place, (panel, (name, values)) in enumerate(zip(panels, norms.items(), strict=False)):
        steps, cut = np.arange(1, len(values) + 1), np.asarray(clipped[name]) > 0
        panel.plot(steps, values, color=COLOURS[0], linewidth=0.3)
        panel.plot(steps[cut], np.asarray(values)[cut], ".", color=COLOURS[1], markersize=0.8)
        if clip is not None:
            panel.axhline(clip, color=QUIET, linewidth=0.6, linestyle=(0, (4, 2)))
        panel.set_yscale("log")
        plain_numbers(panel.yaxis)
        panel.set_title(name)
        note(panel, f"{100 * cut.mean():.0f} % of steps clipped")
        if place + columns >= len(norms):
            panel.set_xlabel("training step")
            panel.tick_params(labelbottom=True)
        if place % columns == 0:
            panel.set_ylabel("‖gradient‖")
    return figure


def _range(decays) -> tuple[float, float]:
    values = [np.asarray(decay.log_norm) / np.log(10) for decay in decays]
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = (finite.min(), finite.max()) if len(finite) else (-1.0, 0.0)
    low, high = max(low, -DEEPEST), min(high, DEEPEST)
    margin = 0.05 * max(high - low, 1.0)
    return float(low - margin), float(high + margin)


def _end(height: np.ndarray, lowest: float, highest: float) -> tuple[float, float]:
    """Last point of a curve that is within the panel."""
    inside = np.flatnonzero((height >= lowest) & (height <= highest))
    at = int(inside[-1]) if len(inside) else 0
    return at, float(height[at]) if len(inside) else lowest


def _decades(axes: Axes) -> None:
    """Label a vertical axis of logarithms to base ten with the numbers."""
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda v, _: "1" if abs(v) < 1e-9 else f"$10^{{{round(v)}}}$")
    )
