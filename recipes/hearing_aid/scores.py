"""What a step model costs, how it decides on sequences of scenes, and the page about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.hearing_aid import decision
from recipes.hearing_aid.decision import Heard
from zoo.data.sequences import SceneSequence
from zoo.edge import cost
from zoo.edge.budget import read_budget
from zoo.edge.decision import Settings
from zoo.edge.runtime import StepModel
from zoo.metrics.switching import NO_PROGRAM, SwitchingMetrics
from zoo.plots import Timeline, learning_curves, timeline
from zoo.report import Column, Report, Table

if TYPE_CHECKING:
    import keras

    from zoo.training import History

BUDGET = Path(cost.__file__).with_name("hearing_aid.toml")
FALSE_PER_MIN, DELAY_S = 1.0, 4.0  # what a hearing aid may have
AGREEMENT, POINTS = 0.99, 1.0  # of the 8-bit model with the float one
_COSTS = {
    "hop_s": ("hop [ms]", 1e3),
    "macs_per_s": ("multiply-accumulates a second [million]", 1e-6),
    "weights_bytes": ("weights [kB]", 1e-3),
    "state_bytes": ("state [kB]", 1e-3),
    "p50_s": ("median step [ms]", 1e3),
    "p99_share_of_hop": ("step, 99 of 100, share of a hop [%]", 100),
}


@dataclass(frozen=True)
class Measured:
    """What the files of a model do.

    Attributes:
        weights: "int8", or "float32" where the export left the 8-bit file out.
        heard: kind of sequences -> what that file heard.
        heard_in_float: the same of the float file.
        streaming_error: largest difference of a probability, step by step in float32 against the
            whole sequence at once.
        cost: of the file.
    """

    weights: str
    heard: Mapping[str, list[Heard]]
    heard_in_float: Mapping[str, list[Heard]]
    streaming_error: float
    cost: cost.Cost


def hears(model: "keras.Model", step: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """A function from a waveform (samples,) to probabilities of each hop (hops, classes), in Keras.

    A model that answers at every frame hears a waveform at once; one that answers at its end, step
    by step.
    """
    import tensorflow as tf

    if len(model.output["probabilities"].shape) == 3:
        whole = tf.function(
            lambda x: model(x, training=False)["probabilities"],
            input_signature=[tf.TensorSpec((1, None))],
        )
        return lambda samples: whole(samples[None])[0].numpy()
    run = tf.function(lambda inputs: step(inputs, training=False))
    shapes = {name: tuple(each.shape[1:]) for name, each in step.input.items()}
    hop = shapes["waveform"][0]

    def by_steps(samples: np.ndarray) -> np.ndarray:
        states = {n: tf.zeros((1, *shape)) for n, shape in shapes.items() if n != "waveform"}
        told = []
        for now in samples.reshape(-1, 1, hop):
            outputs = run({"waveform": tf.constant(now), **states})
            states = {name: outputs[f"{name}_next"] for name in states}
            told.append(outputs["probabilities"][0].numpy())
        return np.array(told)

    return by_steps


def measured(
    folder: Path,
    states: Sequence[str],
    sequences: Mapping[str, Sequence[SceneSequence]],
    in_keras: Mapping[str, Sequence[Heard]],
    hop_s: float,
    steps: int,
) -> Measured:
    """Run the step files in `folder` over sequences, as a device does, and count what they cost.

    Args:
        folder: with step.tflite and, unless it was left out, step_int8.tflite.
        states: names.
        sequences: by kind.
        in_keras: what the trained model heard of the same.
        hop_s: of a step [s].
        steps: to time.
    """
    described = {"signatures": {"step": {"inputs": {name: {} for name in states}}}}
    heard = {}
    weights = "int8" if (folder / "step_int8.tflite").exists() else "float32"
    chosen = "step_int8.tflite" if weights == "int8" else "step.tflite"
    for file in dict.fromkeys(("step.tflite", chosen)):
        model = StepModel((folder / file).read_bytes(), described, file)
        heard[file] = {
            kind: decision.listened(each, lambda samples, model=model: _stepped(model, samples))
            for kind, each in sequences.items()
        }
    error = max(
        float(np.abs(a.probabilities - b.probabilities).max())
        for kind, each in heard["step.tflite"].items()
        for a, b in zip(each, in_keras[kind], strict=True)
    )
    return Measured(
        weights,
        heard[chosen],
        heard["step.tflite"],
        error,
        cost.measure_bytes((folder / chosen).read_bytes(), chosen, hop_s, steps),
    )


def _stepped(model: StepModel, samples: np.ndarray) -> np.ndarray:
    model.reset()
    hops = samples.reshape(-1, *model.input_shape)
    return np.array([model.step(hop)["probabilities"] for hop in hops])


def metrics_of(found: Measured, settings: Settings, classes: Sequence[str]) -> dict[str, Any]:
    """Figures for a manifest: the 8-bit file on each kind of sequences, its cost and its rounding.

    Beside the decisions stand those of the likeliest class of every hop; beside the rest, what is
    allowed.
    """
    metrics: dict[str, Any] = {}
    for kind, heard in found.heard.items():
        decided = _figures(decision.judged(settings, classes, heard))
        plain = _figures(decision.undecided(heard))
        metrics[kind] = {
            name: {"value": value, "baseline": plain[name], "baseline_name": "likeliest class"}
            for name, value in decided.items()
        }
        metrics[kind] |= _by_class(heard, settings, classes)
        if found.weights == "int8":
            metrics[kind] |= _rounding(heard, found.heard_in_float[kind], settings, classes)
    metrics["step"] = {
        "largest difference of streaming in float from the whole": _allowed(
            found.streaming_error, 1e-4
        )
    }
    limits = read_budget(BUDGET)
    for name, (text, scale) in _COSTS.items():
        value = getattr(found.cost, name)
        if value is not None:
            limit = limits.get(name)
            metrics["step"][text] = _allowed(scale * value, limit and scale * limit)
    return metrics


def _figures(of: SwitchingMetrics) -> dict[str, float | None]:
    delays = {"median delay [s]": of.delay_s(0.5), "delay of 9 in 10 changes [s]": of.delay_s(0.9)}
    return {
        "accuracy over time": of.accuracy,
        "false switches a minute": of.false_per_min,
        "switches a minute": of.switches_per_min,
        # JSON has no infinity; a scene that was missed has no delay
        **{name: value if np.isfinite(value) else None for name, value in delays.items()},
    }


def _by_class(heard, settings, classes) -> dict[str, Any]:
    """Share of the time of each class in which its program runs, delays included."""
    truth = np.concatenate([each.truth for each in heard])
    programs = np.concatenate([decision.decided(settings, classes, each) for each in heard])
    plain = np.concatenate([each.probabilities.argmax(axis=1) for each in heard])
    return {
        f"accuracy over time in {name.replace('_', ' ')}": {
            "value": float(np.mean(programs[truth == k] == k)),
            "baseline": float(np.mean(plain[truth == k] == k)),
            "baseline_name": "likeliest class",
        }
        for k, name in enumerate(classes)
        if (truth == k).any()
    }


def _rounding(heard, in_float, settings, classes) -> dict[str, Any]:
    """What 8 bits change: agreement of decisions, and points of accuracy."""
    programs, exact = (
        np.concatenate([decision.decided(settings, classes, each) for each in part])
        for part in (heard, in_float)
    )
    rounded, plain = (
        np.concatenate([each.probabilities.argmax(axis=1) for each in part])
        for part in (heard, in_float)
    )
    truth = np.concatenate([each.truth for each in heard])
    points = 100 * abs(float(np.mean(rounded == truth)) - float(np.mean(plain == truth)))
    return {
        "agreement of the program, 8 bits and float": _allowed(
            float(np.mean(programs == exact)), AGREEMENT
        ),
        "agreement of the likeliest class, 8 bits and float": _allowed(
            float(np.mean(rounded == plain)), AGREEMENT
        ),
        "difference of hop accuracy by 8 bits [points]": _allowed(points, POINTS),
    }


def _allowed(value: float, limit: float | None) -> dict[str, Any]:
    return {
        "value": value,
        "baseline": limit,
        "baseline_name": None if limit is None else "allowed",
    }


def table_of(metrics: Mapping[str, Any]) -> Table:
    """All figures of a manifest in rows."""
    rows = [
        (
            f"{name}, {split}",
            each["value"],
            each.get("baseline"),
            each.get("baseline_name") or "",
        )
        for split, figures in metrics.items()
        for name, each in figures.items()
    ]
    return Table(
        ("figure", Column("value"), Column("beside"), "which is"),
        rows,
        "Of the step model, in 8 bits if there is one; a dash is a delay of scenes that were "
        "missed.",
    )


def by_class(found: Measured, settings: Settings, classes: Sequence[str]) -> Table:
    """Share of the time of each class in which its program runs, by kind of sequences."""
    rows = []
    for kind, heard in found.heard.items():
        truth = np.concatenate([each.truth for each in heard])
        programs = np.concatenate([decision.decided(settings, classes, each) for each in heard])
        for k, name in enumerate(classes):
            its = programs[truth == k]
            if its.size:
                wrong = its[(its != k) & (its != NO_PROGRAM)]
                often = classes[np.bincount(wrong).argmax()] if wrong.size else ""
                rows.append(
                    (f"{name}, {kind}", np.mean(its == k), np.mean(its == NO_PROGRAM), often)
                )
    share = Column("right", number=".1%"), Column("abstained", number=".1%")
    columns = ("class", *share, "most often taken for")
    return Table(columns, rows, "Shares of time, delays after changes included.")


def report_of(
    name: str,
    found: Measured,
    metrics: Mapping[str, Any],
    settings: Settings,
    classes: Sequence[str],
    sequences: Mapping[str, Sequence[SceneSequence]],
    spectrogram: Callable[[np.ndarray], np.ndarray],
    history: "History | None",
    made_by: str,
) -> Report:
    """The page: figures, timelines, cost, training."""
    report = Report(
        name,
        "A classifier that listens hop by hop and changes its mind only when the scene does.",
        provenance={"command": made_by},
    )
    report.section("Figures").table(table_of(metrics)).table(by_class(found, settings, classes))
    report.text(f"The decision: {decision.described(settings)}.")
    report.section("Timelines", "Probabilities and decisions of the step model.")
    for kind, heard in found.heard.items():
        sequence, first = sequences[kind][0], heard[0]
        samples = sequence.samples[: len(first.truth) * sequence.hop]
        report.figure(
            timeline(
                Timeline(
                    samples=samples,
                    sample_rate_hz=sequence.sample_rate_hz,
                    level_db=spectrogram(samples),
                    probabilities=first.probabilities,
                    truth=first.truth,
                    programs=decision.decided(settings, classes, first),
                    classes=classes,
                )
            ),
            name=f"timeline_{kind.split()[0]}",
            caption=f"The first of the {kind}.",
            alt="Waveform, spectrogram, probabilities of the classes, and the program over time.",
        )
    if history is not None:
        report.section("Training").figure(
            learning_curves(
                {"loss": history.loss, "val_loss": history.val_loss},
                loss_label="cross-entropy [nat]",
            ),
            name="learning",
            caption=f"Training ended {history.ended}.",
            alt="Training and validation loss over epochs.",
        )
    return report
