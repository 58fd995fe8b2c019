"""Teach a model to listen hop by hop and to pick the program of a hearing aid, steadily.

Scenes are synthesised, and recordings are added to them (`--data`); a network with a memory learns
to follow them, a decision with hysteresis is fitted to what it hears in sequences of scenes, both
are measured on other sequences, and everything is exported as a step model: one hop of samples and
the state in, probabilities and the next state out. With `--model`, a trained model that can stream
takes the place of training.
"""

import argparse
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli import command
from zoo.cli.options import positive_float, positive_int
from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from recipes.hearing_aid.sounds import Pool, Sounds
    from zoo.data.sequences import SceneSequence
    from zoo.edge.decision import Settings
    from zoo.training import History

NETWORK = "crnn_hop"
RATE_HZ = 16_000
CALIBRATING = 2000  # hops of each sequence that integers are calibrated on
MEMORY_S = 5.0  # of a mean over time, for models that have no memory of their own


def main(arguments: list[str] | None = None) -> int:
    """Synthesise, train, fit the decision, measure, draw, export."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    opened = None if options.model is None else trained(options.model)
    heard_of = heard_sounds(options, opened)

    import keras

    from recipes.hearing_aid import decision, scores
    from zoo import firmware
    from zoo.convnets import spectrogram_of, streaming

    keras.utils.set_random_seed(options.seed)
    history = None
    if opened is None:
        model, history = taught(options, heard_of)
        classes = heard_of.classes
    else:
        model, classes = opened
        heard_of = as_said_of(options.model, heard_of)
    step = streaming.streaming_model(model, memory_s=MEMORY_S)
    hop, rate = step.input["waveform"].shape[1], rate_of(model)
    answer = scores.hears(model, step)

    say("listening to sequences of scenes")
    fitting, measuring = listening(options, heard_of, hop, rate)
    settings = decision.fit(classes, decision.listened(fitting, answer), say)
    in_keras = {kind: decision.listened(each, answer) for kind, each in measuring.items()}

    out = options.out or Path("saved_models") / name_of(options)
    states = [name for name in step.input if name != "waveform"]
    found = None

    def judge(folder: Path) -> dict[str, Any]:
        nonlocal found
        say("measuring the step files")
        steps = 1000 if options.quick else 10_000
        found = scores.measured(folder, states, measuring, in_keras, hop / rate, steps)
        return scores.metrics_of(found, settings, classes)

    made_by = command.format_command_line(parser(), options)
    manifest = export(
        out, model, step, classes, settings, heard_of, fitting, history, judge, made_by
    )
    print(scores.table_of(manifest["metrics"]).text())
    front = spectrogram_of(model)
    report = scores.report_of(
        out.name, found, manifest["metrics"], settings, classes, measuring,
        lambda samples: front(samples[None])[0, ..., 0].numpy(), history, made_by,
    )  # fmt: skip
    say(f"report: {report.write(options.reports / out.name / 'report.html')[-1]}")
    if options.c is not None:
        written = firmware.write(out, options.c, weights=found.weights)
        say(f"firmware: {', '.join(map(str, written))}")
    say(f"model: {out}, in {time.monotonic() - started:.0f} s from the start")
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid",
        description=__doc__.split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--model", type=Path, metavar="FOLDER", help="stream this trained model: no training"
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="add recordings: a corpus, or class folders; may be given several times",
    )
    data.add_argument(
        "--clips", type=positive_int, default=32, help="synthetic ones of each class to learn from"
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive_int, help="of 40 batches each (default: 14)")
    training.add_argument("--learning-rate", type=positive_float, default=4e-3, help="at its peak")
    training.add_argument("--seed", type=int, default=0, help="of data, weights and batches")
    training.add_argument("--quick", action="store_true", help="a smoke run: it learns little")
    training.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="continue from there, and save to there"
    )
    parser.add_argument("--c", type=Path, metavar="FOLDER", help="write the step model as C files")
    parser.add_argument("--out", type=Path, help="model folder (default: saved_models/hearing-aid)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    return parser


def name_of(options: argparse.Namespace) -> str:
    """Name of the model's folder; a quick run does not replace a good model."""
    if options.model is not None:
        name = f"{options.model.resolve().name.removesuffix('-quick')}-streaming"
    else:
        name = "hearing-aid"
    return f"{name}-quick" if options.quick else name


def trained(folder: Path) -> "tuple[keras.Model, tuple[str, ...]]":
    """A saved model of sound and its classes.

    Raises:
        ValueError: a folder that holds none, or was changed.
    """
    from zoo.manifest import read_manifest
    from zoo.models import load

    classes = read_manifest(folder).get("classes")
    if not classes:
        raise ValueError(f"{folder}: expected a classifier of sound, got a model without classes.")
    return load(folder).keras, tuple(classes)


def as_said_of(folder: Path, heard_of: "Sounds") -> "Sounds":
    """The sounds of a decision, with the limits and the licence of the model that was trained."""
    from zoo.manifest import read_manifest

    facts = read_manifest(folder)
    note = "Streamed from a trained model: what is said of recordings above is of its own training."
    return dataclasses.replace(heard_of, limits=(*facts["limits"], note), licence=facts["licence"])


def rate_of(model: "keras.Model") -> int:
    """Sample rate of a model of sound [Hz]."""
    from zoo.convnets import front_end_of

    return round(front_end_of(model).sample_rate_hz)


def heard_sounds(options: argparse.Namespace, opened) -> "Sounds":
    """Clips of the classes that are to be told apart."""
    from recipes.hearing_aid import sounds

    clips, seconds = (2, 2.0) if options.quick else (options.clips, 8.0)
    if opened is None or opened[1] == sounds.CLASSES:
        rate = RATE_HZ if opened is None else rate_of(opened[0])
        return sounds.hearing_aid(
            options.data, clips=clips, seconds=seconds, sample_rate_hz=rate, seed=options.seed
        )
    model, classes = opened
    return sounds.of_classes(
        classes,
        options.data,
        clips=clips,
        seconds=seconds,
        sample_rate_hz=rate_of(model),
        seed=options.seed,
    )


def taught(options: argparse.Namespace, heard_of: "Sounds") -> "tuple[keras.Model, History]":
    """A new network, trained."""
    from recipes.hearing_aid import training
    from zoo import presets
    from zoo.spectrogram import PRESETS

    model = presets.sound(
        NETWORK, len(heard_of.classes), duration_s=None, front_end=PRESETS["hearing_aid"]
    )
    say(f"{NETWORK}: {model.count_params():,} parameters, {len(heard_of.classes)} classes")
    run = options.checkpoint and options.checkpoint / f"{NETWORK}-seed{options.seed}.npz"
    plan = training.Plan(
        epochs=options.epochs or (1 if options.quick else 14),
        steps=2 if options.quick else 40,
        learning_rate=options.learning_rate,
        seed=options.seed,
        checkpoint=run,
    )
    return model, training.train(model, heard_of.train, heard_of.validation, plan)


def listening(
    options: argparse.Namespace, heard_of: "Sounds", hop: int, rate: int
) -> "tuple[list[SceneSequence], dict[str, list[SceneSequence]]]":
    """Sequences to fit the decision to, from clips to learn from; and to measure on, by kind."""
    from recipes.hearing_aid.sounds import sequences

    count, scenes = (1, 3) if options.quick else (6, 10)

    def made(pool: "Pool", name: str) -> "list[SceneSequence]":
        return sequences(
            pool, count, scenes=scenes, hop=hop, sample_rate_hz=rate, seed=options.seed, name=name
        )

    kinds = {"synthetic sequences": heard_of.test, "recorded sequences": heard_of.recorded}
    measuring = {name: made(pool, name) for name, pool in kinds.items() if any(pool)}
    return made(heard_of.validation, "fit"), measuring


def export(
    out: Path,
    model: "keras.Model",
    step: "keras.Model",
    classes: tuple[str, ...],
    settings: "Settings",
    heard_of: "Sounds",
    fitting: "list[SceneSequence]",
    history: "History | None",
    judge,
    made_by: str,
) -> dict[str, Any]:
    """Every format of the model, checked in fresh processes, and what is known of it."""
    import numpy as np

    from zoo import export
    from zoo.convnets import front_end_of, standardize_of, streaming
    from zoo.data.split import Quantity

    front_end = front_end_of(model)
    hop = step.input["waveform"].shape[1]
    hops = max(1, round(2.0 * front_end.sample_rate_hz / hop))  # 2 s for each golden case
    fixed = model.input.shape[1]
    if fixed is not None:
        hops = fixed // hop
    samples = fixed or hops * hop
    if len(model.output["probabilities"].shape) == 3:
        model.get_layer("memory").fused = False  # TFLite has no such op
    starts = np.linspace(0, len(fitting[0].samples) - samples, 4).astype(int)
    pieces = [fitting[0].samples[start : start + samples] for start in starts]
    # steps to calibrate integers on, of every sequence: several scenes
    heard = min(CALIBRATING, *(len(each.truth) for each in fitting))
    facts: dict[str, Any] = {}
    if history is not None:
        facts = {
            "clips": sum(map(len, heard_of.train)),
            "epochs": len(history.loss),
            "best_epoch": history.best_epoch + 1,
            "ended": history.ended,
            "seconds": round(history.seconds[-1], 1),
        }
    about = export.About(
        name=out.name,
        task="hearing scenes hop by hop",
        description=f"{model.name}: a hop of {1000 * hop / front_end.sample_rate_hz:g} ms of sound "
        f"and the state in, the probability of each of {len(classes)} classes and the next state "
        "out, front end inside; the manifest has the decision that turns them into a program.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {front_end.sample_rate_hz:g} Hz"),
            ),
            "probabilities": tuple(
                Quantity(name, "-", f"probability of {name}") for name in classes
            ),
            **{
                name: (Quantity(name, "-", streaming.meaning_of(name)),)
                for name in step.input
                if name != "waveform"
            },
        },
        metrics={},
        limits=list(heard_of.limits),
        training=facts,
        settings={
            "classes": list(classes),
            "front_end": dataclasses.asdict(front_end),
            "decision": settings.to_dict(),
        },
        licence=heard_of.licence,
        provenance=f"Made by `{made_by}`.",
    )
    return export.write(
        out,
        about,
        model,
        golden={f"scenes_{k}": piece for k, piece in enumerate(pieces, 1)},
        step=step,
        examples=np.stack([each.samples[: heard * hop] for each in fitting]),
        files=(("serving_default", "float32"), ("step", "float32"), ("step", "int8")),
        front=standardize_of(model).name,
        judge=judge,
        say=say,
    )
