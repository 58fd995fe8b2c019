"""Tables and figures of a model's memory: the page of `zoo memory`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo import plots
from zoo.memory.inspection import LayerMemory, ModelMemory, StressMemory
from zoo.report import Column, Report, Table


def memory_report(result: ModelMemory, provenance: Mapping[str, object]) -> Report:
    """Report page on the memory of one model.

    Args:
        result: from `zoo.memory.inspect_model`.
        provenance: how to reproduce the page, for instance {"command": ..., "seed": ...}.

    Returns:
        The page, to be written by `Report.write`.
    """
    report = Report(
        f"Memory of {result.name}",
        "State Jacobians of every recurrent layer: how fast the influence of a past state fades "
        "with the lag, and which gates cause it.",
        provenance,
    )
    add_sections(report, result)
    return report


def add_sections(report: Report, result: ModelMemory) -> None:
    """Append the layers, and the stress memory of a model of a material, to a page.

    Args:
        report: the page.
        result: from `zoo.memory.inspect_model`.
    """
    report.section(
        f"Recurrent layers of {result.name}",
        f"Input: {result.sample.description}. The Jacobians of a layer are taken at fixed inputs "
        "of that layer. The state of a layer does not act on the layers below it, so the Lyapunov "
        "exponents of all layers together are those of the whole stack.",
    ).table(layer_table(result))
    report.figure(
        plots.fading(_decay_panels(result)),
        name="layers",
        caption="Geometric mean over paths. For an LSTM, `full` is ∂(h, C)_T/∂(h, C)_t and ∂C/∂C "
        "its block of cell states; `direct` is diag(f_T ⋯ f_{t+1}), the path at fixed gates; "
        "`remainder` is ∂C/∂C without it, the paths through the gates. Where the material is "
        "known, its own ∂σ_T/∂σ_t is on the same axes.",
        alt="Norms of Jacobian products against the lag, one panel for each layer.",
    )
    layers = result.layers
    report.figure(
        plots.spectra(
            {layer.name: layer.exponents for layer in layers},
            {layer.name: layer.radius for layer in layers},
            {layer.name: layer.singular_values for layer in layers},
        ),
        name="spectra",
        caption="Lyapunov exponents by repeated QR over the whole path, mean over paths; spectral "
        "radius, and median and 5 to 95 % of the singular values, along the first path. A spectral "
        "radius below 1 at every step does not keep a product from growing; singular values below "
        "1 do.",
        alt="Three panels: Lyapunov exponents, spectral radius over steps, singular values.",
    )
    _add_gates(report, layers, result.sample.time_unit)
    if result.stress is not None:
        _add_stress_memory(report, result.stress)


def layer_table(result: ModelMemory) -> Table:
    """Table with one row per recurrent layer.

    Args:
        result: from `zoo.memory.inspect_model`.

    Returns:
        The table; columns about gates are empty for layers without them.
    """
    return Table(
        [
            "layer",
            "cell",
            Column("width of the state", number="d"),
            Column("log10 ‖∂s_T/∂s_0‖", number=".1f"),
            Column("largest Lyapunov exponent", "1/step", ".3f"),
            Column("largest singular value of a step", number=".2f"),
            Column("forget gate below 0.1", number=".0%"),
            Column("above 0.9", number=".0%"),
            Column("median of ∂h/∂C", number=".2f"),
            Column("median time constant", result.sample.time_unit, ".2g"),
        ],
        [_row(layer) for layer in result.layers],
        f"Recurrent layers of {result.name}. Input: {result.sample.description}.",
    )


def _row(layer: LayerMemory) -> list[Any]:
    gates: list[float | None] = [None] * 4
    if layer.gates is not None:
        gates = [
            *layer.gates.forget_saturation,
            layer.gates.hidden_cell_derivative,
            float(np.median(layer.gates.time_constants)),
        ]
    return [
        layer.name,
        layer.cell,
        layer.width,
        layer.log_norms["full"][-1] / np.log(10),
        layer.exponents[0],
        float(layer.singular_values[:, 0].max()),
        *gates,
    ]


def _decay_panels(result: ModelMemory) -> dict[str, dict[str, plots.Decay]]:
    panels = {}
    for layer in result.layers:
        has_parts = "direct" in layer.log_norms
        panels[layer.name] = {
            name: plots.Decay(logs, is_bound=name == "bound", is_total=has_parts and name == "full")
            for name, logs in layer.log_norms.items()
        }
        if result.stress is not None and result.stress.material_log is not None:
            panels[layer.name]["material"] = plots.Decay(result.stress.material_log)
    return panels


def _add_gates(report: Report, layers: tuple[LayerMemory, ...], time_unit: str) -> None:
    gates = {layer.name: layer.gates for layer in layers if layer.gates is not None}
    if not gates:
        return
    report.figure(
        plots.gate_use(
            {name: use.values for name, use in gates.items()},
            {name: use.time_constants for name, use in gates.items()},
            unit=time_unit,
        ),
        name="gates",
        caption="Left: histogram of gate values over all steps, paths and units. Right: time "
        "constant −Δt/ln f of each unit, the time in which its direct path decays to 1/e.",
        alt="Histograms of gate values, and time constants of the units in falling order.",
    )


def _add_stress_memory(report: Report, memory: StressMemory) -> None:
    text = (
        "The strain gets one more increment at time t, and all later increments are unchanged: "
        "how much of its stress is left at the end of the path? For the network this is a gradient "
        "through all layers and steps."
    )
    curves = {"network": memory.network}
    if memory.material is None:
        text += " The modulus E of its material is not known: it is taken as 1."
    else:
        curves = {"material": memory.material, **curves}
        text += (
            " For the material it is known in closed form, exp(−(m/κ) ∫ |σ|^{m−1} dt): memory "
            "fades where the stress is high, and is kept where it is zero. A gradient that fades "
            "like this one is correct: the material forgets. Root mean square difference of "
            f"network and material: {memory.rms_difference:.3f}."
        )
    report.section("Memory of network and material", text).figure(
        plots.memory_of_material(memory.time_s, memory.strain, curves),
        name="material",
        caption="Share of the stress E Δε of an increment of strain at time t that is left at the "
        "end of the path.",
        alt="Share of an increment that is left, against the time of the increment.",
    )
