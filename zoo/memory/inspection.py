"""Analysis of the memory of a model, layer by layer, beside the memory of its material."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.data.maxwell import Material
from zoo.memory import lstm
from zoo.memory.fading import (
    MAX_SLOPES,
    Jacobians,
    log_bound,
    log_norms,
    lyapunov_exponents,
    singular_values,
    spectral_radius,
)
from zoo.memory.jacobians import StepJacobians
from zoo.memory.material import material_log_memory, network_memory
from zoo.memory.sample import Sample, make_sample, material_from_manifest
from zoo.memory.states import LayerStates, record_states

MAX_ARRAY_BYTES = 2**29  # Jacobians up to this size are kept, larger ones computed again


@dataclass(frozen=True)
class GateUse:
    """Gates of an LSTM layer over all steps and paths.

    Attributes:
        values: "input", "forget" and "output" -> values in [0, 1], (time, batch, units).
        time_constants: of the direct path of each unit, mean over paths, (units,) [s or steps].
        forget_saturation: share of forget gate values below 0.1 and above 0.9.
        hidden_cell_derivative: median of ∂h/∂C [-].
    """

    values: dict[str, np.ndarray]
    time_constants: np.ndarray
    forget_saturation: lstm.Saturation
    hidden_cell_derivative: float


@dataclass(frozen=True)
class LayerMemory:
    """Memory of one recurrent layer.

    Attributes:
        name: name of the layer, unique in the model.
        cell: class of its cell.
        width: units of its whole state.
        log_norms: name of a curve -> natural logarithm of its norm against the lag, mean over
            paths, (time + 1,): `full` is ‖∂s_T/∂s_t‖; for an LSTM `∂C/∂C`, `direct` and `remainder`
            are its parts; `bound` is an upper bound for a SimpleRNN.
        exponents: Lyapunov exponents in falling order, mean over paths, (width,) [1/step].
        radius: spectral radius of the step Jacobians along the first path, (time,).
        singular_values: of the step Jacobians along the first path, (time, width).
        gates: gates of an LSTM; None for other cells.
    """

    name: str
    cell: str
    width: int
    log_norms: dict[str, np.ndarray]
    exponents: np.ndarray
    radius: np.ndarray
    singular_values: np.ndarray
    gates: GateUse | None = None


@dataclass(frozen=True)
class StressMemory:
    """Share of the stress E Δε of an increment at time t that is left at the end of the path.

    Attributes:
        time_s: time at the end of each step [s], (time,).
        strain: ε [-], (time,).
        network: (∂σ_T/∂ε_t)/E of the model, (time,); E is 1 where the material is not known.
        material: the same of the material in closed form, (time,); None if it is not known.
        material_log: ln ∂σ_T/∂σ_t of the material against the lag, (time + 1,); None likewise.
    """

    time_s: np.ndarray
    strain: np.ndarray
    network: np.ndarray
    material: np.ndarray | None = None
    material_log: np.ndarray | None = None

    @property
    def rms_difference(self) -> float | None:
        """Root mean square difference of model and material [-]; None if that is not known."""
        if self.material is None:
            return None
        return float(np.sqrt(np.mean((self.network - self.material) ** 2)))


@dataclass(frozen=True)
class ModelMemory:
    """Memory of a model on one batch of inputs.

    Attributes:
        name: name of the model.
        sample: the inputs.
        layers: its recurrent layers, in the order of the calls.
        stress: memory of the predicted stress; None if it is not a model of a material.
    """

    name: str
    sample: Sample
    layers: tuple[LayerMemory, ...]
    stress: StressMemory | None = None


def inspect_model(
    model: keras.Model,
    *,
    name: str | None = None,
    manifest: Mapping[str, Any] | None = None,
    csv: Path | None = None,
    seed: int = 0,
) -> ModelMemory:
    """Analyse the memory of every recurrent layer of a model.

    Args:
        model: a Keras model with one input (batch, time, features) and recurrent layers; a model
            with 3 features is taken for a model of a material: strain ε [-], rate [1/s], Δt [s].
        name: name in tables and figures; None: the model's own.
        manifest: its manifest if it is a saved model: names the material that it was trained on.
        csv: inputs, see `zoo.memory.sample.make_sample`; None: a loading cycle, or noise.
        seed: seed of the noise.

    Returns:
        The results.

    Raises:
        ValueError: if the model has other inputs or no recurrent layer, or the file does not fit.
        OSError: if the file cannot be read.
    """
    material = material_from_manifest(manifest or {})
    sample = make_sample(model, material, csv, seed)
    layers: dict[str, LayerMemory] = {}
    for run in record_states(model, sample.x):
        unique = run.name if run.name not in layers else f"{run.name} ({len(layers)})"
        layers[unique] = analyse_layer(run, _layer_dt(sample, run), unique)
    stress = stress_memory(model, sample, material) if sample.is_loading else None
    return ModelMemory(name or model.name, sample, tuple(layers.values()), stress)


def _layer_dt(sample: Sample, run: LayerStates) -> np.ndarray | float:
    """Δt of a layer: that of the input, or the mean of as many as a step spans behind a stride."""
    if sample.dt.shape == run.x.shape[:2]:
        return sample.dt
    return float(sample.dt.mean()) * max(1, round(len(sample.dt) / len(run.x)))


def analyse_layer(run: LayerStates, dt: np.ndarray | float = 1.0, name: str = "") -> LayerMemory:
    """Analyse the memory of one recurrent layer.

    Args:
        run: its recorded states.
        dt: Δt, a number or (time, batch).
        name: name of the result; empty: the layer's own.

    Returns:
        The results.
    """
    jacobians: Jacobians = StepJacobians(run)
    if 8 * len(jacobians) * run.x.shape[1] * run.width**2 < MAX_ARRAY_BYTES:
        jacobians = jacobians.array()
    gates = None
    if isinstance(run.cell, keras.layers.LSTMCell):
        values = lstm.compute_gates(run)
        gates = GateUse(
            {gate: getattr(values, gate) for gate in ("input", "forget", "output")},
            lstm.time_constants(values.forget, dt).mean(axis=0),
            lstm.gate_saturation(values.forget),
            float(np.median(lstm.hidden_cell_derivative(values.output, run.part("cell")))),
        )
    return LayerMemory(
        name=name or run.name,
        cell=type(run.cell).__name__,
        width=run.width,
        log_norms=decay_curves(run, jacobians, gates),
        exponents=lyapunov_exponents(jacobians).mean(axis=0),
        radius=spectral_radius(jacobians)[:, 0],
        singular_values=singular_values(jacobians)[:, 0],
        gates=gates,
    )


def decay_curves(
    run: LayerStates, jacobians: Jacobians, gates: GateUse | None
) -> dict[str, np.ndarray]:
    """Logarithms of norms against the lag, mean over paths, as in `LayerMemory.log_norms`.

    Args:
        run: states of a layer.
        jacobians: its Jacobians.
        gates: its gates if it is an LSTM.

    Returns:
        name -> (time + 1,).
    """
    curves = {"full": log_norms(jacobians)}
    if gates is not None:
        part, forget = run.parts["cell"], gates.values["forget"]
        curves["∂C/∂C"] = log_norms(jacobians, part, part)
        curves["direct"] = lstm.direct_log_norms(forget, run.mask)
        curves["remainder"] = lstm.remainder_log_norms(jacobians, run, forget)
    means = {name: logs.mean(axis=1) for name, logs in curves.items()}
    activation = getattr(getattr(run.cell, "activation", None), "__name__", None)
    if isinstance(run.cell, keras.layers.SimpleRNNCell) and activation in MAX_SLOPES:
        recurrent = np.asarray(run.cell.recurrent_kernel, np.float64)
        means["bound"] = log_bound(recurrent, activation, len(run.x))
    return means


def stress_memory(model: keras.Model, sample: Sample, material: Material | None) -> StressMemory:
    """Memory of the predicted stress, and of the material if it is known.

    Args:
        model: model of a material.
        sample: a loading history.
        material: the material that the model was trained on; None if not known.

    Returns:
        Both on the first path.

    Raises:
        ValueError: if the inputs are not a loading history.
    """
    if sample.stress is None:
        raise ValueError("A loading history with its stress was expected. Received: other inputs.")
    x = sample.x[0]
    modulus_mpa = (material or Material()).modulus_mpa
    network = network_memory(lambda path: call_prediction(model, path), x) / modulus_mpa
    log_memory = None
    if material is not None:
        # with a step of length zero in front: the state at rest
        log_memory = material_log_memory(
            np.append(0.0, sample.stress[0]),
            np.append(0.0, x[:, 2]),
            exponent=material.exponent,
            kappa=material.kappa,
        )
    return StressMemory(
        time_s=np.cumsum(x[:, 2]),
        strain=x[:, 0],
        network=network,
        # the increment of a step counts from its middle
        material=None if log_memory is None else np.exp((log_memory[1:] + log_memory[:-1]) / 2),
        material_log=None if log_memory is None else log_memory[::-1],
    )


def call_prediction(model: Callable[..., Any], x: Any) -> Any:
    """Output `prediction` of a model, or its first or only output."""
    outputs = model(x, training=False)
    if isinstance(outputs, dict):
        return outputs.get("prediction", next(iter(outputs.values())))
    return outputs[0] if isinstance(outputs, list | tuple) else outputs
