"""Export the streaming model with its decision, limits and metrics."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.hearing_aid.pools import SoundPools
from zoo import export
from zoo.convnets import front_end_of, last_float_layer_of, streaming
from zoo.data.sequences import SceneSequence
from zoo.data.split import Quantity
from zoo.edge.decision import DecisionSettings
from zoo.export.sound import INPUT_CONTRACT
from zoo.progress import say
from zoo.recurrent import VisibleRNN
from zoo.training import History

CALIBRATION_HOPS = 2000  # of each sequence, to calibrate integers on
GOLDEN_CASES, GOLDEN_S = 4, 2.0
FILES = (("serving_default", "float32"), ("step", "float32"), ("step", "int8"))


@dataclass(frozen=True)
class StreamingModel:
    """A trained model with its decision.

    Attributes:
        model: sound model.
        step: its streaming twin.
        classes: their names.
        decision: fitted settings.
        history: of training; None: the model was trained before.
        warnings: first lines of the card.
        origin: manifest of the model whose decision was fitted again; empty: trained now.
    """

    model: keras.Model
    step: keras.Model
    classes: tuple[str, ...]
    decision: DecisionSettings
    history: History | None
    warnings: Sequence[str] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hop(self) -> int:
        """Samples of a hop."""
        return self.step.input["waveform"].shape[1]

    @property
    def states(self) -> list[str]:
        """Names of the states."""
        return [name for name in self.step.input if name != "waveform"]


def export_model(
    folder: Path,
    name: str,
    trained: StreamingModel,
    pools: SoundPools,
    sequences: Sequence[SceneSequence],
    *,
    evaluate: Callable[[Path], Mapping[str, Any]],
    command: str,
) -> dict[str, Any]:
    """Write every format of the model, checked in fresh processes.

    Args:
        folder: target; an existing one is replaced as a whole.
        name: of the model.
        trained: model, streaming twin and decision.
        pools: that it was trained on.
        sequences: of scenes, for golden cases and to calibrate integers on.
        evaluate: folder with the files -> metrics for the manifest.
        command: command line that repeats the run.

    Returns:
        The manifest.

    Raises:
        RuntimeError: a model.keras or SavedModel that cannot be made or gives other outputs.
    """
    model, hop = trained.model, trained.hop
    hops = max(1, round(GOLDEN_S * front_end_of(model).sample_rate_hz / hop))
    fixed = model.input.shape[1]
    samples = fixed or hops * hop
    for layer in model.layers:
        if isinstance(layer, VisibleRNN):
            layer.fused = False  # TFLite does not have the fused operation
    first = sequences[0].samples
    starts = np.linspace(0, len(first) - samples, GOLDEN_CASES).astype(int)
    golden = {
        f"scenes_{number}": first[start : start + samples] for number, start in enumerate(starts, 1)
    }
    calibration = min(CALIBRATION_HOPS, *(len(each.truth) for each in sequences))
    return export.write(
        folder,
        _about(name, trained, pools, command),
        export.Endpoints(model, trained.step),
        golden,
        export.ExportOptions(
            examples=np.stack([each.samples[: calibration * hop] for each in sequences]),
            files=FILES,
            front=last_float_layer_of(model),
            evaluate=evaluate,
        ),
        progress=say,
    )


def _about(name: str, trained: StreamingModel, pools: SoundPools, command: str) -> export.About:
    """Entries of the manifest."""
    front_end = front_end_of(trained.model)
    rate_hz = front_end.sample_rate_hz
    return export.About(
        name=name,
        task="sound scene classification, hop by hop",
        description=f"{trained.model.name}: takes a hop of {1000 * trained.hop / rate_hz:g} ms of "
        f"sound and the states, returns the probability of each of {len(trained.classes)} classes "
        "and the next states. The front end is inside. The manifest holds the settings of the "
        "decision that turns probabilities into a program.",
        quantities={
            "waveform": (Quantity("waveform", "1", f"sound in [-1, 1] at {rate_hz:g} Hz"),),
            "probabilities": tuple(
                Quantity(label, "-", f"probability of {label}") for label in trained.classes
            ),
            **{
                state: (Quantity(state, "-", streaming.meaning_of(state)),)
                for state in trained.states
            },
        },
        metrics={},
        limits=list(pools.limits),
        training=trained.origin.get("training") or _training_facts(trained.history, pools),
        settings={
            "classes": list(trained.classes),
            "front_end": dataclasses.asdict(front_end),
            "input_contract": INPUT_CONTRACT,
            "decision": trained.decision.to_dict(),
        },
        data_licence=pools.data_licence,
        provenance=_provenance(trained.origin, command),
        warnings=trained.warnings,
    )


def _provenance(origin: Mapping[str, Any], command: str) -> str:
    if not origin:
        return f"Made by `{command}`."
    first = str(origin["provenance"]).partition(" Decision fitted again")[0]
    return f"{first} Decision fitted again, and measured, by `{command}`."


def _training_facts(history: History | None, pools: SoundPools) -> dict[str, Any]:
    if history is None:
        return {}
    return {
        "clips": sum(map(len, pools.train)),
        "epochs": len(history.loss),
        "best_epoch": history.best_epoch + 1,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
