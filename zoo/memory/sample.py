"""Inputs for the analysis of a model: a user's CSV file, a loading cycle, or noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.data import hysteresis, measured
from zoo.data.maxwell import Material

NOISE_PATHS, NOISE_STEPS = 4, 100


@dataclass(frozen=True)
class Sample:
    """A batch of inputs for a model under analysis.

    Attributes:
        x: inputs, (batch, time, features).
        description: where the inputs come from, for tables and captions.
        stress: stress that belongs to them [MPa], (batch, time); None if the model is not a model
            of a material.
    """

    x: np.ndarray
    description: str
    stress: np.ndarray | None = None

    @property
    def is_loading(self) -> bool:
        """Whether the inputs are a loading history: strain ε [-], rate dε/dt [1/s], Δt [s]."""
        return self.stress is not None

    @property
    def dt(self) -> np.ndarray:
        """Time step, (time, batch): Δt [s] of a loading history, otherwise 1 [step]."""
        return self.x[..., 2].T if self.is_loading else np.ones(self.x.shape[1::-1])

    @property
    def time_unit(self) -> str:
        """Unit of `dt`."""
        return "s" if self.is_loading else "steps"


def make_sample(
    model: keras.Model, material: Material | None, csv: Path | None = None, seed: int = 0
) -> Sample:
    """Inputs that fit a model: a CSV file, else two loading cycles if it has 3 inputs, else noise.

    Args:
        model: a model with one input (batch, time, features).
        material: material whose stress is computed for the loading cycles; None: the default one.
        csv: a file as `zoo.data.measured.read_csv` reads it for a model with 3 inputs (time,
            strain, stress), otherwise one column per input; None: none.
        seed: seed of the noise.

    Returns:
        The inputs.

    Raises:
        ValueError: if the model has other inputs, or the file does not fit the model.
        OSError: if the file cannot be read.
    """
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 3:
        raise ValueError(
            "A model with one input (batch, time, features) was expected. Received: inputs of "
            f"shape {[tuple(i.shape) for i in model.inputs]}. For others call "
            "zoo.memory.record_states(model, batch) in Python."
        )
    _, steps, features = model.inputs[0].shape
    if features == 3 and csv:
        data = measured.read_csv(csv).select([0])
        rows = slice(None) if data.weight is None else data.weight[0] > 0
        x, stress = data.x[:, rows], data.y[:, rows, 0]
        return Sample(x[:, :steps], csv.name, stress[:, :steps])
    if features == 3:
        data = hysteresis.cycle(material=material or Material())
        return Sample(data.x[:, :steps], "two triangular cycles of strain", data.y[:, :steps, 0])
    if csv:
        return Sample(read_features(csv, features)[None, :steps], csv.name)
    rng = np.random.default_rng(seed)
    shape = (NOISE_PATHS, steps or NOISE_STEPS, features or 1)
    noise = rng.standard_normal(shape, np.float32)
    return Sample(noise, "white noise of variance 1 (use --csv for real inputs)")


def read_features(path: Path, features: int) -> np.ndarray:
    """Numbers of a CSV file with one header line and one column per feature.

    Args:
        path: the file; columns are separated by commas or semicolons.
        features: expected number of columns.

    Returns:
        (time, features) float32.

    Raises:
        ValueError: naming the line that has another number of columns or holds no finite numbers.
        OSError: if the file cannot be read.
    """
    with open(path, encoding="utf-8-sig") as file:
        lines = [line.strip() for line in file][1:]
    values: list[list[float]] = []
    for number, line in enumerate(lines, 2):
        try:
            row = [float(cell) for cell in line.replace(";", ",").split(",")] if line else None
        except ValueError:
            raise ValueError(
                f"{path}, line {number}: numbers expected. Received: {line!r}."
            ) from None
        if row is None:
            continue
        if not np.isfinite(row).all():
            raise ValueError(f"{path}, line {number}: finite numbers expected. Received: {line!r}.")
        if len(row) != features:
            raise ValueError(
                f"{path}, line {number}: {features} columns expected, one for each input of the "
                f"model. Received: {len(row)}."
            )
        values.append(row)
    if not values:
        raise ValueError(f"{path}: a header line and rows of numbers expected. Received: no rows.")
    return np.array(values, np.float32)


def material_from_manifest(manifest: Mapping[str, Any]) -> Material | None:
    """The material that a model was trained on, from its manifest; None if it is not stated."""
    constants = manifest.get("material")
    return Material(**constants) if constants else None
