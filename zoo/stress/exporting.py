"""Export of a trained stress-history model, with its manifest and card."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import export
from zoo.data.probes import TrainedRange
from zoo.data.quantities import relation
from zoo.data.split import Quantity
from zoo.progress import say
from zoo.recurrent import step_model, view
from zoo.stress.experiment import Experiment
from zoo.stress.robustness import robustness_entry, robustness_limits
from zoo.stress.scoring import metrics_entry
from zoo.stress.trained import TrainedModel

GOLDEN_STEPS = 200  # of each case that is replayed on every exported format
CALIBRATION_PATHS = 48  # training paths that integer formats are calibrated on
HOLD_PATHS = slice(1, 17)  # of the split `relaxation`, for the same; the first one is golden


def export_stress_model(
    folder: Path,
    name: str,
    trained: TrainedModel,
    *,
    training: Mapping[str, Any],
    limits: Sequence[str] = (),
    portable: keras.Model | None = None,
    entries: Mapping[str, Any] | None = None,
) -> None:
    """Write every format of the model, checked in fresh processes, with manifest and card.

    Args:
        folder: of the exported model.
        name: of the model.
        trained: the model, its data and scores.
        training: entry `training` of the manifest, see `zoo.stress.fitting.training_entry`.
        limits: what the model must not be used for, besides the limits of the experiment.
        portable: the same weights in layers that open without this package; None: there is none.
        entries: further entries of the manifest.
    """
    experiment, description = trained.experiment, trained.description
    train = experiment.train
    sequence, step = view(trained.model, fused=False), step_model(trained.model)
    about = export.About(
        name=name,
        task=_task(train.targets[0].name),
        description=f"{description[0].upper()}{description[1:]}: from "
        f"{relation(train.inputs, train.targets)}, at every step.",
        quantities=tensor_quantities(trained, sequence, step),
        metrics=metrics_entry(trained.scores) | robustness_entry(trained.changed),
        limits=[*experiment.limits, *robustness_limits(trained.changed), *limits],
        training=training,
        settings={
            "material": experiment.material,
            "trained_range": (
                experiment.trained_range or TrainedRange.of(train.x, train.weight)
            ).entry(),
            **({"reading": list(train.notes)} if train.notes else {}),
            **(entries or {}),
        },
        data_licence=_data_licence(experiment),
        provenance=f"Made by `{trained.command}`.",
        warnings=trained.warnings,
    )
    # As long as the training paths: a split of coarse steps would be cut short, or cut the others.
    tests = {split: experiment.tests[split] for split in experiment.shown}
    cases = {n: s for n, s in tests.items() if s.x.shape[1] == train.x.shape[1]}
    # Integers are calibrated on training paths and on holds, which those hardly have; rates beyond
    # training would cost more resolution than they bring.
    examples = [train.x[:CALIBRATION_PATHS]]
    if "relaxation" in cases:
        examples.append(cases["relaxation"].x[HOLD_PATHS])
    export.write(
        folder,
        about,
        export.Endpoints(sequence, step, portable),
        {case: split.x[0, :GOLDEN_STEPS] for case, split in cases.items()},
        export.ExportOptions(
            examples=np.concatenate(examples)[:, :GOLDEN_STEPS], smaller_integers=True
        ),
        progress=say,
    )


def _task(response: str) -> str:
    """What a model of this response does, in one line."""
    of = "a hysteretic material" if response == "stress" else "a hysteretic system"
    return f"{response} history of {of}"


def _data_licence(experiment: Experiment) -> str:
    if experiment.refinement:
        return "simulated by this package, Apache-2.0."
    return experiment.data_licence or "measured, under the licence of their owner."


def tensor_quantities(
    trained: TrainedModel, sequence: keras.Model, step: keras.Model
) -> dict[str, Sequence[Quantity]]:
    """Tensor name -> what it holds, for inputs, prediction and every state of both endpoints."""
    train = trained.experiment.train
    loading, response = train.inputs[0].unit, train.targets[0].unit
    cells = [getattr(layer, "cell", None) for layer in trained.model.layers]
    stated = [getattr(cell, "quantity_units", {}) for cell in cells]
    units = {name: unit for each in stated for name, unit in each.items()}
    quantities: dict[str, Sequence[Quantity]] = {"x": train.inputs, "prediction": train.targets}
    for name in {**sequence.output, **step.input}.keys() - quantities.keys():
        kind, layer = name.rsplit("_", 1)
        is_stress = "stress" in kind
        meaning = kind.replace("_", " ") if is_stress or kind in units else f"{kind} state"
        unit = response if is_stress else "-"
        if kind in units:
            unit = units[kind].format(loading=loading, response=response)
        quantities[name] = (Quantity(kind, unit, f"{meaning} of layer {layer}"),)
    return quantities
