"""States and gates of a recurrent layer over time, for one loading path."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.plots.style import (
    COLOURS,
    FAINT,
    GATE,
    INK,
    QUIET,
    SIGNED,
    column,
    house_style,
    name_lines,
    new_figure,
    require,
)

MAX_LINES = 4  # units drawn as lines; more are drawn as a heat map


class Trace(NamedTuple):
    """A quantity over time, drawn above the states.

    Attributes:
        values: (time,).
        label: label, with unit.
    """

    values: np.ndarray
    label: str


@house_style
def states_over_time(
    time_s: np.ndarray,
    loading: Trace,
    response: Trace,
    states: Mapping[str, np.ndarray],
    *,
    title: str = "",
) -> Figure:
    """Heat maps of every state and gate of one layer, below loading and response.

    Quantities with values in [0, 1] are gates: right-hand column. Others are states: left-hand
    column, on a scale symmetric about zero that the largest 1 % of the values may exceed. All heat
    maps have the same order of units (`order_by_phase` of the first state), so a unit is the same
    row in each; up to four units are drawn as lines. Thin vertical lines mark the reversals of the
    loading.

    Args:
        time_s: time at the end of each step [s], (time,).
        loading: input of the model, for instance `Trace(strain, "strain ε [-]")`.
        response: output of the model, for instance `Trace(stress, "stress σ [MPa]")`.
        states: name -> (time, units), for instance `{"cell": ..., "hidden": ..., "forget": ...}`.
        title: title, for instance 'layer 1'.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no states, or an array does not have as many steps as `time_s`.
    """
    require("states", states)
    time_s = column("time_s", time_s)
    states = {name: _checked(name, values, len(time_s)) for name, values in states.items()}
    edges = np.concatenate([[2 * time_s[0] - time_s[min(1, len(time_s) - 1)]], time_s])
    signed = {name: values for name, values in states.items() if not is_gate(values)}
    gates = {name: values for name, values in states.items() if name not in signed}
    groups = [group for group in (signed, gates) if group]
    traces = (loading, response)
    first = next(iter(states.values()))
    order = order_by_phase(first)
    n_traces = 3 - len(groups)  # one column has both traces, two columns have one each
    figure, grid = _make_grid(n_traces, [len(group) for group in groups])
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    turns = _turning_times(time_s, column("loading", loading.values, len(time_s)))
    for place, group in enumerate(groups):
        for row, trace in enumerate(traces if n_traces == 2 else traces[place : place + 1]):
            _draw_trace(grid[row, place], time_s, trace)
        for panel, (name, values) in zip(grid[n_traces:, place], group.items(), strict=False):
            if values.shape[1] <= MAX_LINES:
                _draw_lines(panel, time_s, values)
            else:
                ordered = values[:, order] if values.shape == first.shape else values
                _draw_map(figure, panel, edges, ordered, gate=group is gates)
            panel.set_title(name)
        _finish_column(grid[: n_traces + len(group), place], turns, (edges[0], edges[-1]))
    return figure


def _finish_column(panels: np.ndarray, turns: np.ndarray, limits: tuple[float, float]) -> None:
    """Mark the reversals of the loading in a column of panels, and label its time axis [s]."""
    for panel in panels:
        for turn in turns:
            panel.axvline(turn, color=QUIET, linewidth=0.5, linestyle=(0, (1, 2)))
    panels[-1].set(xlabel="time [s]", xlim=limits)
    panels[-1].tick_params(labelbottom=True)


def is_gate(values: np.ndarray) -> bool:
    """Whether all values are in [0, 1], as those of a logistic gate."""
    return bool(np.min(values) >= 0 and 0 < np.max(values) <= 1)


def order_by_phase(values: np.ndarray) -> np.ndarray:
    """Order of units that puts units with similar time courses side by side.

    Standardized time courses are projected on their two first principal components; the angle in
    that plane is the phase of a unit. The circle of phases is cut at its widest gap. Constant units
    come last.

    Args:
        values: (time, units).

    Returns:
        Indices of the units, (units,).
    """
    spread = values.std(axis=0)
    varying = np.flatnonzero(spread > 1e-6 * max(spread.max(), np.finfo(float).tiny))
    constant = np.setdiff1d(np.arange(values.shape[1]), varying)
    if len(varying) < 3 or len(values) < 3:
        return np.concatenate([varying, constant])
    centred = (values - values.mean(axis=0))[:, varying] / spread[varying]
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    phase = np.arctan2(components[1], components[0])
    by_phase = np.argsort(phase, kind="stable")
    gaps = np.diff(phase[by_phase], append=phase[by_phase[0]] + 2 * np.pi)
    return np.concatenate([varying[np.roll(by_phase, -1 - int(np.argmax(gaps)))], constant])


def _make_grid(n_traces: int, heights: list[int]) -> tuple[Figure, np.ndarray]:
    """Figure with panels (traces + highest column, columns); those below a column are removed."""
    tallest = max(heights)
    figure = new_figure(
        height_in=0.6 + 0.75 * n_traces + 1.2 * tallest, width_in=7.0 if len(heights) == 2 else 4.6
    )
    grid = figure.subplots(
        n_traces + tallest,
        len(heights),
        sharex=True,
        squeeze=False,
        height_ratios=[0.65] * n_traces + [1] * tallest,
    )
    for place, height in enumerate(heights):
        for panel in grid[n_traces + height :, place]:
            panel.remove()
    return figure, grid


def _draw_trace(axes: Axes, time_s: np.ndarray, trace: Trace) -> None:
    axes.axhline(0, color=FAINT, linewidth=0.6)
    axes.plot(time_s, column(trace.label, trace.values, len(time_s)), color=INK)
    axes.grid(False)
    axes.set_title(trace.label)


def _draw_map(
    figure: Figure, axes: Axes, edges: np.ndarray, values: np.ndarray, *, gate: bool
) -> None:
    if gate:
        low, high, beyond = 0.0, 1.0, "neither"
    else:
        high = float(np.quantile(np.abs(values), 0.99)) or 1.0
        low, beyond = -high, "both" if np.max(np.abs(values)) > 1.02 * high else "neither"
    units = values.shape[1]
    image = axes.pcolormesh(
        edges,
        np.arange(units + 1) + 0.5,
        values.T,
        cmap=GATE if gate else SIGNED,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set(ylim=(units + 0.5, 0.5), yticks=(), ylabel=f"{units} units")
    bar = figure.colorbar(image, ax=axes, extend=beyond, fraction=0.04, pad=0.02, aspect=14)
    ticks = (0, 0.5, 1) if gate else (-_round(high), 0, _round(high))
    numbers = [f"{tick:g}".replace("-", "−") for tick in ticks]
    bar.set_ticks(ticks, labels=("0 closed", "0.5", "1 open") if gate else numbers)
    bar.outline.set_visible(False)


def _draw_lines(axes: Axes, time_s: np.ndarray, values: np.ndarray) -> None:
    for line, colour in zip(values.T, COLOURS, strict=False):
        axes.plot(time_s, line, color=colour)
    if values.shape[1] > 1:
        ends = enumerate(zip(values[-1], COLOURS, strict=False))
        name_lines(axes, {str(unit): (time_s[-1], end, colour) for unit, (end, colour) in ends})


def _round(value: float) -> float:
    """`value` rounded down to one significant digit, so that a tick is within the colour scale."""
    scale = 10.0 ** np.floor(np.log10(value))
    return float(np.floor(value / scale + 1e-9) * scale)


def _turning_times(time_s: np.ndarray, loading: np.ndarray, most: int = 12) -> np.ndarray:
    moves = np.diff(loading)
    at = np.flatnonzero(moves) + 1
    turns = time_s[at[:-1][np.diff(np.sign(moves[at - 1])) != 0]]
    return turns if len(turns) <= most else turns[:0]


def _checked(name: str, values: object, length: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or len(array) != length or array.shape[1] == 0:
        raise ValueError(
            f"State `{name}` must have shape ({length}, units). Received: shape {array.shape}. "
            "Draw one path at a time, for instance hidden[0]."
        )
    return array
