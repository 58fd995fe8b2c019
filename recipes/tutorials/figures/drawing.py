"""The two figures of README.

`loops_and_states.png`: hysteresis loops predicted by the saved LSTM beside the exact ones, and its
states and gates. `spectrogram_and_evidence.png`: a synthetic scene, and the times and frequencies
that the classification by `scenes-synthetic` rests on.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import zoo
from zoo.data import hysteresis, synthesis
from zoo.data.split import Split
from zoo.explain import explain
from zoo.files import writing
from zoo.memory import record_states
from zoo.memory.lstm import compute_gates
from zoo.plots.states import order_by_phase
from zoo.plots.style import COLOURS, FAINT, GATE, INK, QUIET, SIGNED, house_style, new_figure

WIDTH_PX = 1200
SCENE, SCENE_SEED = "speech", 103


def write_figures(folder: Path) -> None:
    """Write both figures to a folder."""
    for name, figure in (
        ("loops_and_states", loops_and_states()),
        ("spectrogram_and_evidence", spectrogram_and_evidence()),
    ):
        path = folder / f"{name}.png"
        with writing(path) as temporary:
            figure.savefig(temporary, dpi=WIDTH_PX / figure.get_size_inches()[0])
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


@house_style
def loops_and_states() -> Figure:
    """Loops of the saved LSTM beside the exact ones, and its upper layer during three cycles."""
    model = zoo.load("hysteresis-lstm")
    cycles = hysteresis.cycle(amplitude=1.5, period_s=4.0, cycles=3)
    walk = hysteresis.split("walk", paths=3, seed=0).select([2])  # one with inner loops
    run = record_states(model.keras, cycles.x)[-1]
    gates = compute_gates(run)
    cell = run.part("cell")[:, 0]
    order = order_by_phase(cell)
    edges_s = np.concatenate([[0.0], np.cumsum(cycles.x[0, :, 2])])

    figure = new_figure(height_in=3.5, width_in=8.0)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1, 1.75))[0]
    loops = left.subplots(2, 1, sharex=True)
    for panel, data, title in (
        (loops[0], walk, "random walk"),
        (loops[1], cycles, "triangular cycles"),
    ):
        _draw_loop(panel, data, model.predict(x=data.x)["prediction"][0, :, 0])
        panel.set_title(title)
    loops[1].set_xlabel("strain ε [-]")
    left.legend(
        handles=[
            Line2D([], [], color=FAINT, linewidth=3.2, label="exact"),
            Line2D([], [], color=COLOURS[0], label="LSTM"),
        ],
        loc="outside upper left",
        ncols=2,
    )
    panels = right.subplots(4, 1, sharex=True, height_ratios=(0.7, 1, 1, 1))
    panels[0].plot(edges_s[1:], cycles.x[0, :, 0], color=INK)
    panels[0].set_title("strain ε [-]")
    panels[0].grid(False)
    limit = float(np.quantile(np.abs(cell), 0.97))
    for panel, values, name, colours, span in (
        (panels[1], cell, "cell state C", SIGNED, (-limit, limit)),
        (panels[2], gates.forget[:, 0], "forget gate f: 0 closed, 1 open", GATE, (0, 1)),
        (panels[3], gates.output[:, 0], "output gate o: 0 closed, 1 open", GATE, (0, 1)),
    ):
        _draw_units(panel, edges_s, values[:, order], colours, span)
        panel.set_title(name)
    panels[3].set(xlabel="time [s]", xlim=(0, edges_s[-1]))
    return figure


def spectrogram_and_evidence() -> Figure:
    """A synthetic scene with the evidence of `scenes-synthetic` for its class."""
    model = zoo.load("scenes-synthetic")
    rate_hz = int(model.manifest["front_end"]["sample_rate_hz"])
    samples = model.keras.inputs[0].shape[1]
    clip = synthesis.scene(
        SCENE, seed=SCENE_SEED, duration_s=samples / rate_hz, sample_rate_hz=rate_hz
    )
    explanation = explain(model.keras, clip.samples, model.manifest["classes"])
    print(explanation.sentence())
    return explanation.figure()


def _draw_loop(panel: Axes, data: Split, predicted: np.ndarray) -> None:
    strain = data.x[0, :, 0]
    panel.plot(strain, data.y[0, :, 0], color=FAINT, linewidth=3.2)
    panel.plot(strain, predicted, color=COLOURS[0], linewidth=1.0)
    panel.set_ylabel("stress σ [MPa]")


def _draw_units(
    panel: Axes, edges_s: np.ndarray, values: np.ndarray, colours: str, span: tuple[float, float]
) -> None:
    """Heat map of (time, units) with one row per unit."""
    units = np.arange(values.shape[1] + 1)
    panel.pcolormesh(
        edges_s, units, values.T, cmap=colours, vmin=span[0], vmax=span[1], rasterized=True
    )
    panel.grid(False)
    panel.spines[["left", "bottom"]].set_visible(False)
    panel.set_yticks([])
    panel.set_ylabel(f"{values.shape[1]} units", color=QUIET)
