"""The second half of `recipes.memory`: the memory of a given model, layer by layer."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

import zoo.cells
import zoo.recurrent  # noqa: F401  layers of ours that a file may hold
from zoo import memory, plots, store
from zoo.data import hysteresis, measured
from zoo.data.maxwell import Material
from zoo.manifest import read_manifest
from zoo.memory import StepJacobians, fading, paths, terminal
from zoo.memory.material import material_log_memory, network_memory
from zoo.report import Column, Table

if TYPE_CHECKING:
    from zoo.report import Report

WHOLE = 2**29  # bytes of Jacobians that are kept rather than computed again
NOISE_STEPS = 100


class Fed:
    """What a model is fed, and what is known of it."""

    def __init__(self, x: np.ndarray, note: str, stress: np.ndarray | None = None) -> None:
        self.x, self.note, self.stress = x, note, stress
        self.material = stress is not None

    @property
    def dt(self) -> np.ndarray:
        """Time step [s] of every step, (time, batch); 1 where time is counted in steps."""
        return self.x[..., 2].T if self.material else np.ones(self.x.shape[1::-1])


def look(report: "Report", path: Path, options: argparse.Namespace) -> None:
    """Fading, spectra and gates of every recurrent layer; beside the material if it stands for one.

    Args:
        report: gets the sections.
        path: of the model.
        options: of the command line.
    """
    model, facts = opened(path)
    fed = food(model, facts, options)
    runs = memory.passes(model, fed.x)
    print(f"{path.name}: {len(runs)} recurrent layers, fed {fed.note}", file=sys.stderr, flush=True)
    panels, exponents, radius, singular = {}, {}, {}, {}
    gates, constants, rows = {}, {}, []
    for run in runs:
        jacobians = StepJacobians(run)
        if 8 * len(jacobians) * run.x.shape[1] * run.width**2 < WHOLE:
            jacobians = jacobians.array()
        title = run.name if run.name not in panels else f"{run.name} ({len(panels)})"
        panels[title] = curves_of(run, jacobians)
        if fed.material and (known := material_log_memory_of(facts, fed)) is not None:
            panels[title]["material"] = plots.Decay(known[::-1])
        exponents[title] = fading.lyapunov(jacobians).mean(axis=0)
        radius[title] = fading.spectral_radius(jacobians)[:, 0]
        singular[title] = fading.singular_values(jacobians)[:, 0]
        row = [title, type(run.cell).__name__, run.width, panels[title]["full"].log_norm[-1]]
        row[-1] /= np.log(10)
        row += [exponents[title][0], float(singular[title][:, 0].max())]
        if isinstance(run.cell, keras.layers.LSTMCell):
            opening = paths.gates(run)
            gates[title] = {n: getattr(opening, n) for n in ("input", "forget", "output")}
            constants[title] = paths.time_constants(opening.forget, fed.dt).mean(axis=0)
            through = paths.hidden_by_cell(opening.output, run.part("cell"))
            row += [*paths.saturation(opening.forget), float(np.median(through))]
            row += [float(np.median(constants[title]))]
        else:
            row += [None] * 4
        rows.append(row)
    table = Table(
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
            Column("median time constant", "s" if fed.material else "steps", ".2g"),
        ],
        rows,
        f"Recurrent layers of {path.name}, fed {fed.note}.",
    )
    print(table.text())
    report.section(
        f"Inside {path.name}",
        f"Fed: {fed.note}. A layer's Jacobians are taken at fixed inputs of that layer. The state "
        "of a layer does not act on the layers below, so the exponents of all layers together are "
        "those of the whole stack.",
    ).table(table)
    report.figure(
        plots.fading(panels),
        name="layers",
        caption="Geometric mean over paths. For an LSTM, `full` is ∂(h, C)_T/∂(h, C)_t; ∂C/∂C its "
        "block of cell states; `direct` is diag(f_T ... f_{t+1}), all that a held gate leaves; "
        "`remainder` is ∂C/∂C without it, what goes by way of the gates. The material's "
        "own ∂σ_T/∂σ_t, where it is known, is on the same axes.",
        alt="Norms of Jacobian products against the lag for each layer.",
    )
    report.figure(
        plots.spectra(exponents, radius, singular),
        name="spectra",
        caption="Lyapunov exponents by repeated QR over the whole path, mean over paths; spectral "
        "radius, and median and 5 to 95 % of the singular values, along the first path. A radius "
        "below 1 at every step does not keep a product from growing; singular values below 1 do.",
        alt="Three panels: Lyapunov exponents, spectral radius over steps, singular values.",
    )
    if gates:
        report.figure(
            plots.gate_use(gates, constants, unit="s" if fed.material else "steps"),
            name="gates",
            caption="Left: how open the gates stand, over all steps, paths and units. Right: the "
            "time in which the direct path of each unit falls to 1/e, −Δt/ln f.",
            alt="Histograms of gate values, and time constants of units in falling order.",
        )
    if fed.material:
        beside_material(report, model, facts, fed)


def curves_of(run: memory.Pass, jacobians: Any) -> dict[str, plots.Decay]:
    """Named curves of one layer, each the mean over paths."""
    curves = {"full": fading.log_norms(jacobians)}
    if isinstance(run.cell, keras.layers.LSTMCell):
        part, forget = run.parts["cell"], paths.gates(run).forget
        curves["∂C/∂C"] = fading.log_norms(jacobians, part, part)
        curves["direct"] = paths.direct_log_norms(forget, run.counts)
        curves["remainder"] = paths.remainder_log_norms(jacobians, run, forget)
    parted = len(curves) > 1
    decays = {
        name: plots.Decay(logs.mean(axis=1), whole=parted and name == "full")
        for name, logs in curves.items()
    }
    name = getattr(getattr(run.cell, "activation", None), "__name__", None)
    if isinstance(run.cell, keras.layers.SimpleRNNCell) and name in fading.STEEPEST:
        recurrent = np.asarray(run.cell.recurrent_kernel, np.float64)
        bound = fading.log_bound(recurrent, name, len(run.x))
        decays["bound"] = plots.Decay(bound, bound=True)
    return decays


def beside_material(report: "Report", model: keras.Model, facts: dict[str, Any], fed: Fed) -> None:
    """∂σ_T/∂λ_t of the network, and of the material that it learnt if that is known."""
    x, known = fed.x[0], material_log_memory_of(facts, fed)
    modulus = material_of(facts).modulus_mpa
    curves = {}
    if known is not None:
        curves["material"] = np.exp((known[1:] + known[:-1]) / 2)  # an increment amid its step
    curves["network"] = network_memory(lambda path: prediction(model, path), x) / modulus
    text = (
        "One more increment of stretch at time t, and all as before afterwards: how much of it is "
        "in the last stress? The network's answer is a gradient through all its layers and steps."
    )
    if known is not None:
        gap = np.sqrt(np.mean((curves["network"] - curves["material"]) ** 2))
        text += (
            " The material's is known, exp(−(m/κ) ∫ |σ|^(m−1) dt): it falls where the stress is "
            "high and stands where there is none. A gradient that vanishes as this one does is "
            f"no defect but the law. Root mean square difference: {gap:.3f}."
        )
        print(f"memory: network and material differ by {gap:.3f} (RMS, of 1)")
    report.section("How much should be forgotten?", text).figure(
        plots.memory_of_material(np.cumsum(x[:, 2]), x[:, 0], curves),
        name="material",
        caption="What is left at the end of the path of an increment of stretch at time t, as a "
        "share of the stress E Δλ that it made.",
        alt="Share of an increment that is left against the time of the increment.",
    )


def opened(path: Path) -> tuple[keras.Model, dict[str, Any]]:
    """A model and what its manifest says, from a .keras file or a folder of saved_models/."""
    if path.is_dir():
        return store.load(path), read_manifest(path)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(
            f"A .keras file or a folder of saved_models/ was expected. Received: {path}"
            f"{'' if path.exists() else ', which does not exist'}. "
            "Write one by model.save('name.keras')."
        )
    return keras.saving.load_model(path, compile=False), {}


def food(model: keras.Model, facts: dict[str, Any], options: argparse.Namespace) -> Fed:
    """The user's file, else a loading cycle for a model of a material, else noise."""
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 3:
        raise ValueError(
            "A model of one input (batch, time, features) was expected. Received: inputs of shape "
            f"{[tuple(i.shape) for i in model.inputs]}. Use zoo.memory.passes(model, batch) in "
            "Python for others."
        )
    _, steps, features = model.inputs[0].shape
    if features == 3 and options.csv:
        data = measured.read_csv(options.csv).select([0])
        counts = slice(None) if data.weight is None else data.weight[0] > 0
        x, stress = data.x[:, counts], data.y[:, counts, 0]
        return Fed(x[:, :steps], options.csv.name, stress[:, :steps])
    if features == 3:
        data = hysteresis.cycle(material=material_of(facts))
        return Fed(data.x[:, :steps], "two triangular cycles of stretch", data.y[:, :steps, 0])
    if options.csv:
        return Fed(rows_of(options.csv, features)[None, :steps], options.csv.name)
    draw = np.random.default_rng(options.seed)
    shape = (4, steps or NOISE_STEPS, features or 1)
    return Fed(draw.standard_normal(shape, np.float32), "noise of variance 1; better: --csv")


def material_of(facts: dict[str, Any]) -> Material:
    """What the model was taught, as its manifest has it; else the zoo's own material."""
    return Material(**facts.get("material") or {})


def material_log_memory_of(facts: dict[str, Any], fed: Fed) -> np.ndarray | None:
    """Logarithm of ∂σ_T/∂σ_t at rest and after every step, (time + 1,); None if not known."""
    if not facts.get("material"):
        return None
    material = material_of(facts)
    return material_log_memory(
        np.append(0.0, fed.stress[0]),
        np.append(0.0, fed.x[0, :, 2]),
        exponent=material.exponent,
        kappa=material.kappa,
    )


def rows_of(path: Path, features: int) -> np.ndarray:
    """(time, features) of a file of numbers with one header line."""
    with open(path, encoding="utf-8-sig") as file:
        rows = [line.strip() for line in file][1:]
    values = []
    for number, row in enumerate(rows, 2):
        try:
            values += [[float(cell) for cell in row.replace(";", ",").split(",")]] if row else []
        except ValueError:
            raise ValueError(
                f"{path}, line {number}: numbers expected. Received: {row!r}."
            ) from None
        if row and len(values[-1]) != features:
            raise ValueError(
                f"{path}, line {number}: {features} columns expected, one for each feature of the "
                f"model. Received: {len(values[-1])}."
            )
    if not values:
        raise ValueError(f"{path}: a header line and rows of numbers expected. Received: no rows.")
    return np.array(values, np.float32)


def prediction(model: keras.Model, x: Any) -> Any:
    """The first or only output of a model."""
    outputs = model(x, training=False)
    if isinstance(outputs, dict):
        return outputs.get("prediction", next(iter(outputs.values())))
    return outputs[0] if isinstance(outputs, list | tuple) else outputs


def live(path: Path, options: argparse.Namespace) -> None:
    """Draw every state and gate while the user's file, or a loading cycle, streams through."""
    model, facts = opened(path)
    fed = food(model, facts, options)
    rows, answers = {}, np.asarray(prediction(model, fed.x))
    for number, run in enumerate(memory.passes(model, fed.x)):
        shown = {name: run.part(name) for name in run.parts}
        if isinstance(run.cell, keras.layers.LSTMCell):
            opening = paths.gates(run)._asdict()
            shown |= {name: opening[name] for name in ("input", "forget", "output")}
        rows |= {f"{name}_{number}": values[:, 0] for name, values in shown.items()}
    time_s = np.cumsum(fed.dt[:, 0])
    stepwise = answers.ndim == 3 and answers.shape[1] == len(time_s)

    def head(step: int) -> str:
        text = f"step {step + 1}/{len(time_s)}"
        if fed.material:
            text += f"  time {time_s[step]:.2f} s  stretch {fed.x[0, step, 0]:+.3f}"
        return text + (f"  prediction {answers[0, step, 0]:+.3f}" if stepwise else "")

    terminal.play(head, rows, steps_per_second=options.pace)
