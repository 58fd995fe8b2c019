"""Teach a small network to hear wheeze in a breath, and say how far that can be trusted.

Synthetic patients are made on the spot, or a corpus is read (`--data`): ICBHI 2017, HF_Lung_V1,
folders called normal and wheeze. Patients are tested that were not learnt from, and stethoscopes
too. No medical device.
"""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.wheeze.data import WARNING, Breaths
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int
from zoo.progress import say

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd

    from recipes.wheeze.folds import Judged
    from zoo.crossvalidation import Plan
    from zoo.data.folds import Fold
    from zoo.export.precision import Precise


def main(arguments: list[str] | None = None) -> int:
    """Load, train and test by patient and by device, train on everything, draw, export."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    say(WARNING)
    breaths = loaded(options)
    clips = breaths.clips

    import keras
    import numpy as np

    from recipes.scenes.experiment import some, stacked
    from recipes.wheeze import folds as wheeze_folds
    from recipes.wheeze import report as wheeze_report
    from recipes.wheeze import scores as wheeze_scores
    from zoo import crossvalidation, presets
    from zoo.convnets import standardize_of
    from zoo.explain import add_explanations
    from zoo.export.precision import precisions

    def build() -> "keras.Model":
        keras.utils.set_random_seed(options.seed)
        return presets.wheeze(duration_s=options.duration)

    model, plan = build(), plan_of(options)
    wheezes = int((clips.labels == 1).sum())
    say(f"{len(clips)} breaths, {wheezes} with wheeze; {model.count_params():,} parameters")
    heard = wheeze_folds.heard(clips, model, duration_s=options.duration)

    def audit(model: "keras.Model", learnt: np.ndarray, held: np.ndarray) -> "dict[str, Precise]":
        asked, examples = (stacked(clips[r], options.duration) for r in (held, some(learnt)))
        return precisions(
            model, asked, examples=examples, front=standardize_of(model).name, say=say
        )

    results, scores = {}, {}
    for division, folds in divisions(clips.index, options, options.seed).items():
        first = not results and not options.quick
        results[division] = wheeze_folds.judged(
            build, heard, folds, plan, division=division, audit=audit if first else None
        )
        scores[division] = wheeze_scores.scores_of(results[division], clips)
        say(division)
        print(wheeze_scores.table_of(scores[division]).text())
        if scores[division].files:
            print(wheeze_scores.files_table(scores[division]).text())

    repeated = {}
    for seed in range(options.seed + 1, options.seed + options.seeds):
        division, folds = next(iter(divisions(clips.index, options, seed).items()))
        found = wheeze_folds.judged(build, heard, folds, plan_of(options, seed), division=division)
        repeated[f"seed {seed}"] = wheeze_scores.scores_of(found, clips).breaths.figures["AUC"]
        say(f"{division}, seed {seed}: AUC {repeated[f'seed {seed}']}")

    say("the model to keep: it learns from all patients")
    train, validation = crossvalidation.parted(heard.decibels, np.arange(len(clips)), options.seed)
    _, history = crossvalidation.train_network(
        model, heard.features, train, validation, plan, "whole"
    )
    made_by = command.format_command_line(parser(), options)
    out = options.out or Path("saved_models") / name_of(options)
    page = wheeze_report.report_of(breaths.title, scores, results, repeated, made_by)
    which = "the breaths to which the networks of the folds gave the highest probability of wheeze"
    add_explanations(page, model, clips, surest(results), duration_s=options.duration, source=which)
    say(f"report: {page.write(options.reports / out.name / 'report.html')[-1]}")
    facts = {
        "seed": options.seed,
        "breaths": len(train),
        "validation_breaths": len(validation),
        "epochs": len(history.loss),
        "batches_per_epoch": plan.steps,
        "batch_size": crossvalidation.BATCH_SIZE,
        "learning_rate": plan.learning_rate,
        "weight_decay": plan.weight_decay,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
    export(
        out,
        model,
        breaths,
        options.duration,
        wheeze_scores.metrics_of(scores, repeated),
        facts,
        made_by,
    )
    say(f"model: {out}, in {time.monotonic() - started:.0f} s from the start")
    say(WARNING)
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.wheeze",
        description=f"{__doc__.split(chr(10) * 2)[0]} {WARNING}",
        formatter_class=command.Help,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, help="folder of a corpus (default: synthetic patients)")
    data.add_argument("--layout", help="of --data, if it is not recognised")
    data.add_argument("--rate", type=positive_int, help="resample what has several rates [Hz]")
    data.add_argument("--duration", type=positive_float, default=4.0, help="of a breath [s]")
    data.add_argument("--patients", type=positive_int, default=36, help="synthetic ones")

    training = parser.add_argument_group("training")
    training.add_argument("--folds", type=positive_int, help="test on the first so many only")
    training.add_argument(
        "--seeds", type=positive_int, default=1, help="fold and train so often, from --seed on"
    )
    training.add_argument("--epochs", type=positive_int, default=6, help="of 40 batches each")
    training.add_argument("--learning-rate", type=positive_float, default=1e-2, help="at its peak")
    training.add_argument("--seed", type=int, default=0, help="of data, folds, weights, batches")
    training.add_argument("--quick", action="store_true", help="a smoke run: it learns little")
    training.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="continue from there, and save to there"
    )
    training.add_argument("--tensorboard", type=Path, metavar="FOLDER", help="write logs to it")

    parser.add_argument("--out", type=Path, help="model folder (default: saved_models/NAME)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    return parser


def name_of(options: argparse.Namespace) -> str:
    """Name of the model's folder; a quick run does not replace a good model."""
    name = f"wheeze-{options.data.resolve().name.lower() if options.data else 'synthetic'}"
    return f"{name}-quick" if options.quick else name


def surest(results: "dict[str, list[Judged]]", count: int = 4) -> "np.ndarray":
    """Rows of the breaths that the first division's networks were surest of, highest first."""
    import numpy as np

    folds = next(iter(results.values()))
    rows = np.concatenate([fold.test for fold in folds])
    return rows[np.argsort(-np.concatenate([fold.probability for fold in folds]))[:count]]


def plan_of(options: argparse.Namespace, seed: int | None = None) -> "Plan":
    """How every fold is trained; with `--seed`, or another."""
    from zoo.crossvalidation import Plan

    seed = options.seed if seed is None else seed
    run = f"wheeze-seed{seed}"
    return Plan(
        epochs=1 if options.quick else options.epochs,
        steps=4 if options.quick else 40,
        learning_rate=options.learning_rate,
        equaliser=0.0,  # of a microphone's colour the front end leaves no trace
        shifts=False,
        seed=seed,
        checkpoints=options.checkpoint and options.checkpoint / run,
        logs=options.tensorboard and options.tensorboard / run,
    )


def loaded(options: argparse.Namespace) -> Breaths:
    """Synthetic patients, or the breaths of `--data`."""
    from recipes.wheeze import data as wheeze_data

    if options.data is None:
        patients = 12 if options.quick else options.patients
        return wheeze_data.synthetic(patients, seed=options.seed, duration_s=options.duration)
    return wheeze_data.recorded(options.data, layout=options.layout, rate_hz=options.rate)


def divisions(
    index: "pd.DataFrame", options: argparse.Namespace, seed: int
) -> "dict[str, list[Fold]]":
    """How patients are parted: as the corpus does, or in folds; then by device where there are two.

    An official division with patients on both sides comes second to one without them. Folds by
    patient are whole: all breaths of a patient in one part, whatever device they were recorded
    with. Where a device is left out, so is every patient who was recorded with it.
    """
    import numpy as np

    from zoo.data.folds import folds, groups_of, without_device

    wanted = 5 if options.data else 2 if options.quick else 3
    count = min(wanted, len(np.unique(groups_of(index))))
    given = {"count": count, "seed": seed}
    clean = folds(index, leak_free=True, **given)
    official = index["fold"].notna().any()
    found = {"official division, leak-free" if official else "folds by patient": clean}
    raw = folds(index, **given)
    leaking = [name for fold in raw for name in fold.leaking]
    if leaking:
        say(f"in both parts of the official division: patients {', '.join(leaking)}")
        found["official division, with its leaks"] = raw
    wheeze = (index["label"].astype(str) == "wheeze").to_numpy()
    apart = [
        fold
        for fold in without_device(index)
        if all(len(set(wheeze[part])) == 2 for part in (fold.train, fold.test))
    ]
    for fold in [] if options.quick else apart:
        found[f"{fold.name.removeprefix('without ')}, from other devices"] = [fold]
    return {name: folds[: options.folds] for name, folds in found.items()}


def export(
    out: Path,
    model: "keras.Model",
    breaths: Breaths,
    duration_s: float,
    metrics: dict[str, Any],
    facts: dict[str, Any],
    made_by: str,
) -> None:
    """Every format of the model, checked in fresh processes, and what is known of it."""
    import dataclasses

    import numpy as np

    from recipes.scenes.experiment import some, stacked
    from zoo import export
    from zoo.convnets import front_end_of, standardize_of
    from zoo.data.split import Quantity
    from zoo.data.synthesis import breath, draw_patient

    clips = breaths.clips
    samples = model.inputs[0].shape[1]
    golden = {
        # made, not recorded: a patient's breath stays where it was recorded
        name: np.resize(
            breath(draw_patient(0, name), seed=0, duration_s=max(2.0, duration_s)).samples, samples
        )
        for name in ("normal", "wheeze")
    }
    limits = [
        WARNING,
        "Intended for research and teaching: finding breaths that are worth listening to.",
        *breaths.limits,
        "Scored on patients held out; the weights here learnt from all of them together.",
        f"A breath of other length than {duration_s:g} s is cut to its centre, or repeated.",
    ]
    auc = next(iter(metrics.values()))["AUC"]
    if auc["value"] <= auc["baseline"]:
        limits.append(f"It was no better than one number a breath, {auc['baseline_name']}.")
    about = export.About(
        name=out.name,
        task="wheeze in a breath, research only",
        description="A network of a few weights, none of which lets more of a tone count for less: "
        f"from {duration_s:g} s of breath at {clips.sample_rate_hz} Hz to the probability of a "
        "wheeze, front end inside.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {clips.sample_rate_hz} Hz"),
            ),
            "probabilities": tuple(
                Quantity(name, "-", f"probability of {name}") for name in clips.classes
            ),
        },
        metrics=metrics,
        limits=limits,
        training=facts,
        settings={
            "classes": list(clips.classes),
            "front_end": dataclasses.asdict(front_end_of(model)),
        },
        licence=breaths.licence,
        provenance=f"Made by `{made_by}`.",
    )
    export.write(
        out,
        about,
        model,
        golden=golden,
        examples=stacked(clips[some(np.arange(len(clips)))], duration_s),
        front=standardize_of(model).name,
        say=say,
    )
