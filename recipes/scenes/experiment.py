"""Teach a small convolutional network to tell scenes by their sound, and say how sure it is.

Synthetic scenes are made on the spot, or any corpus is read (`--data`): ESC-50, UrbanSound8K, TAU,
a folder of class folders. Scores come from cross-validation over the corpus' own folds; the model
that is exported learnt from all of them.
"""

import argparse
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli import command
from zoo.cli.options import positive_float, positive_int
from zoo.names import current_name
from zoo.progress import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras
    import numpy as np

    from recipes.scenes.scores import Scores
    from zoo.crossvalidation import Plan
    from zoo.data.clips import Clips
    from zoo.export.precision import Precise

MODELS = ("residual_tiny", "residual_tiny_causal", "alexnet_gap", "alexnet_spectrogram")
SPEEDS = (0.8, 0.9, 1.1, 1.25)  # at which the network hears every clip again
LICENCES = {
    "ESC-10": "CC BY (Piczak 2015)",
    "ESC-50": "CC BY-NC (Piczak 2015)",
    "UrbanSound8K": "CC BY-NC (Salamon, Jacoby and Bello 2014)",
    "TAU Urban": "for non-commercial use only (Tampere University)",
}
KNOWN = "ESC-10"  # by whose folds network, front end and training were chosen
MANY = 10_000  # clips: so many bring variety of their own, and five times that take hours
CHANGES = ("speeds", "shifts", "company", "equaliser", "masks")
HIGHEST_RATE_HZ = 32_000  # what lies above 16 kHz tells scenes apart no better


def main(arguments: list[str] | None = None) -> int:
    """Load, cross-validate, score, train on everything, draw, export."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    clips, about = loaded(options)

    import numpy as np

    from recipes.scenes import scores as scenes_scores
    from zoo import crossvalidation
    from zoo.convnets import standardize_of
    from zoo.data.folds import folds
    from zoo.explain import add_explanations
    from zoo.export.precision import precisions

    duration_s = options.duration or about["duration_s"]
    plan = plan_of(options)
    build = builder(options, clips, duration_s)
    model = build()
    say(f"{options.model}: {model.count_params():,} parameters, {len(clips.classes)} classes")
    features = seen(clips, model, duration_s, options.without)
    chosen = folds(clips.index, count=fold_count(clips, options), seed=options.seed)

    def audit(model: "keras.Model", learnt: np.ndarray, held: np.ndarray) -> "dict[str, Precise]":
        heard, examples = (stacked(clips[rows], duration_s) for rows in (held, some(learnt)))
        return precisions(
            model, heard, examples=examples, front=standardize_of(model).name, say=say
        )

    results = crossvalidation.cross_validate(
        build, features, chosen[: options.folds], plan, None if options.quick else audit
    )
    scores = scenes_scores.scores_of(results, clips)
    table = scenes_scores.table_of(scores)
    print(table.text())
    if scores.files:
        print(scenes_scores.files_table(scores).text())

    say("the model to keep: it learns from all folds")
    rows = np.arange(len(clips))
    _, history = crossvalidation.train_network(model, features, rows, None, plan, "whole")
    sharpen(model, scores.temperature)

    made_by = command.format_command_line(parser(), options)
    report = scenes_scores.report_of(
        options.model, about["title"], scores, results, table, clips.classes, made_by
    )
    firsts = np.unique(clips.labels, return_index=True)[1]
    which = "the first clip of each class, a training clip"
    add_explanations(report, model, clips, firsts, duration_s=duration_s, source=which)
    out = options.out or Path("saved_models") / name_of(options)
    say(f"report: {report.write(options.reports / out.name / 'report.html')[-1]}")
    facts = {
        "seed": options.seed,
        "clips": len(rows),
        "epochs": len(history.loss),
        "batches_per_epoch": plan.steps,
        "batch_size": crossvalidation.BATCH_SIZE,
        "learning_rate": plan.learning_rate,
        "weight_decay": plan.weight_decay,
        "temperature": scores.temperature,
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
    export(out, model, clips, duration_s, about, scores, facts, made_by)
    say(f"model: {out}, in {time.monotonic() - started:.0f} s from the start")
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.scenes",
        description=__doc__.split("\n\n")[0],
        formatter_class=command.Help,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, help="folder of a corpus (default: synthetic scenes)")
    data.add_argument("--layout", help="of --data, if it is not recognised")
    data.add_argument("--rate", type=positive_int, help="resample everything to this [Hz]")
    data.add_argument("--duration", type=positive_float, help="cut or repeat clips to this [s]")
    data.add_argument(
        "--cache", type=Path, metavar="FOLDER", help="keep decoded clips there, not in memory"
    )
    data.add_argument("--sites", type=positive_int, default=24, help="of the synthetic scenes")

    training = parser.add_argument_group("training")
    training.add_argument(
        "--model", type=current_name, choices=MODELS, default="residual_tiny", help="network"
    )
    training.add_argument("--folds", type=positive_int, help="test on the first so many folds only")
    training.add_argument(
        "--epochs", type=positive_int, help="of 20 batches each (default: 12, with --data 40)"
    )
    training.add_argument("--learning-rate", type=positive_float, default=3e-3, help="at its peak")
    training.add_argument(
        "--without", nargs="+", choices=CHANGES, default=(), help="leave out of what is heard"
    )
    training.add_argument(
        "--mixup", type=float, default=0.0, help="alpha of mixed clips and labels; 0: none"
    )
    training.add_argument("--seed", type=int, default=0, help="of data, weights and batches")
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
    name = f"scenes-{options.data.resolve().name.lower() if options.data else 'synthetic'}"
    if options.model != parser().get_default("model"):
        kind = options.model.removeprefix("alexnet_").removeprefix("residual_")
        name += f"-{kind.replace('_', '-')}"
    return f"{name}-quick" if options.quick else name


def plan_of(options: argparse.Namespace) -> "Plan":
    """How every fold is trained."""
    from zoo.crossvalidation import Plan

    epochs = options.epochs or (2 if options.quick else 40 if options.data else 12)
    run = f"{options.model}-seed{options.seed}"
    return Plan(
        epochs=epochs,
        steps=4 if options.quick else 20,
        learning_rate=options.learning_rate,
        mixup=options.mixup,
        company=0.0 if "company" in options.without else 0.5,
        shifts="shifts" not in options.without,
        masks="masks" not in options.without,
        equaliser=0.0 if "equaliser" in options.without else Plan.equaliser,
        seed=options.seed,
        checkpoints=options.checkpoint and options.checkpoint / run,
        logs=options.tensorboard and options.tensorboard / run,
    )


def fold_count(clips: "Clips", options: argparse.Namespace) -> int:
    """Folds to make where the corpus has none of its own: three of the synthetic scenes, else 5."""
    import numpy as np

    from zoo.data.folds import groups_of

    wanted = 5 if options.data else 2 if options.quick else 3
    return min(wanted, len(np.unique(groups_of(clips.index))))


def loaded(options: argparse.Namespace) -> "tuple[Clips, dict[str, Any]]":
    """The clips, and what is to be said of them: title, duration_s, licence, limits.

    Raises:
        ValueError: a corpus that cannot be used, in one line.
    """
    if options.data is None:
        from zoo.data.synthesis.collection import scene_clips

        sites, seconds = (6, 1.0) if options.quick else (options.sites, options.duration or 3.0)
        if sites < 4:
            raise ValueError(f"--sites must be 4 or more, to be parted. Received: {sites}.")
        say(f"making scenes at {sites} sites")
        clips = scene_clips(
            sites=sites,
            seed=options.seed,
            duration_s=seconds,
            sample_rate_hz=options.rate or 16_000,
        )
        return clips, {
            "title": "synthetic scenes",
            "duration_s": seconds,
            "licence": "The sounds are synthetic: weights and data carry the licence of the code.",
            "limits": [
                "Learnt from synthetic scenes alone: how it does on recordings is not known.",
                "Groups are sites, each with one microphone: no site is on both sides of a fold.",
            ],
        }

    from zoo.data import corpora

    corpus = corpora.read(options.data, options.layout)  # before TensorFlow: mistakes cost nothing
    for note in corpus.notes:
        say(note)
    found = sorted({str(label) for label in corpus.index["label"]})
    if len(found) < 2:
        raise ValueError(
            f"{options.data} has one class only, {', '.join(found)}: nothing to tell apart."
        )
    import numpy as np

    from zoo.data import pipeline
    from zoo.data.inspection import look

    listing = look(corpus.index)
    rates = sorted({header.sample_rate_hz for header in listing.headers.values()})
    if len(rates) > 1 and options.rate is None:
        raise ValueError(
            f"{options.data} mixes sample rates, {', '.join(map(str, rates))} Hz: say with --rate "
            "which one everything is to be resampled to."
        )
    rate = options.rate or min([HIGHEST_RATE_HZ, *rates])
    clips = pipeline.load(corpus.index, sample_rate_hz=rate, cache=options.cache or "memory")
    if len(clips.damaged):
        first = clips.damaged.iloc[0]
        say(f"{len(clips.damaged)} damaged clips are left out, the first: {first['path']}")
    limits = [f"Learnt from {corpus.title} alone: other microphones and places may differ."]
    if corpus.title.startswith(KNOWN):
        limits.append(
            "The defaults of network, front end and training were chosen with scores over these "
            "folds in view, which flatters the scores a little."
        )
    return clips, {
        "title": corpus.title,
        "duration_s": float(np.median(clips.source.lengths[clips.rows]) / rate),
        "licence": licence(corpus.title),
        "limits": limits,
    }


def licence(title: str) -> str:
    """Of weights that learnt from this corpus."""
    known = next((text for name, text in LICENCES.items() if title.startswith(name)), None)
    if known is None:
        return (
            f"The weights carry the licence of the data they were learnt from, {title}; look it up "
            "before you use them."
        )
    return f"The weights carry the licence of the data they were learnt from: {title}, {known}."


def builder(
    options: argparse.Namespace, clips: "Clips", duration_s: float
) -> "Callable[[], keras.Model]":
    """What makes the whole model anew, with the same first weights each time."""
    import keras

    from zoo import presets

    def build() -> keras.Model:
        keras.utils.set_random_seed(options.seed)
        return presets.sound(
            options.model,
            len(clips.classes),
            sample_rate_hz=clips.sample_rate_hz,
            duration_s=duration_s,
        )

    return build


def seen(
    clips: "Clips", model: "keras.Model", duration_s: float, without: "Sequence[str]" = ()
) -> "Clips":
    """What the front of `model` makes of every clip, at every speed; see `MANY`."""
    from zoo.convnets import split_model
    from zoo.data.speed import at_speeds

    once = "speeds" in without or len(clips) > MANY
    played = at_speeds(clips, () if once else SPEEDS)
    front, _ = split_model(model)
    return played.through(front, duration_s=duration_s)


def stacked(clips: "Clips", duration_s: float) -> "np.ndarray":
    """(clips, samples) all waveforms, cut and padded as for the network."""
    import numpy as np

    return np.concatenate([x.numpy() for x, _ in clips.all_batches(64, duration_s=duration_s)])


def some(rows: "np.ndarray", count: int = 64) -> "np.ndarray":
    """At most `count` of them, evenly spread: enough to calibrate integers on."""
    return rows[:: -(-len(rows) // count)]


def sharpen(model: "keras.Model", temperature: float) -> None:
    """Put the temperature into the last layer: softmax((W x + b) / T)."""
    last = model.get_layer("probabilities")
    last.set_weights([weights / temperature for weights in last.get_weights()])


def trimming(model: "keras.Model") -> str:
    """What its layer `trim` does, for the description; nothing without one."""
    trim = next((layer for layer in model.layers if layer.name == "trim"), None)
    if trim is None:
        return ""
    return (
        f"; what lies more than {trim.range_db:g} dB below the loudest moment is cut off both "
        "ends, and the rest repeated"
    )


def export(
    out: Path,
    model: "keras.Model",
    clips: "Clips",
    duration_s: float,
    about: dict[str, Any],
    scores: "Scores",
    facts: dict[str, Any],
    made_by: str,
) -> None:
    """Every format of the model, checked in fresh processes, and what is known of it."""
    import numpy as np

    from recipes.scenes.scores import abstaining, metrics_of
    from zoo import export
    from zoo.convnets import front_end_of, standardize_of
    from zoo.data.split import Quantity
    from zoo.data.synthesis import scene

    samples = model.inputs[0].shape[1]
    golden = {
        # made, not recorded: what a corpus' licence keeps from being passed on stays out of it
        name: np.resize(scene(name, seed=0, duration_s=max(1.0, duration_s)).samples, samples)
        for name in ("music", "rain", "speech", "traffic")
    }
    limits = list(about["limits"])
    limits.append("Scored by cross-validation; the weights here learnt from all folds together.")
    limits.append(abstaining(scores))
    written = export.About(
        name=out.name,
        task=f"{about['title']}, told apart by their sound",
        description=f"{model.name}: from {duration_s:g} s of sound to the probability of each of "
        f"{len(clips.classes)} classes, front end inside{trimming(model)}.",
        quantities={
            "waveform": (
                Quantity("waveform", "1", f"sound in [-1, 1] at {clips.sample_rate_hz} Hz"),
            ),
            "probabilities": tuple(
                Quantity(name, "-", f"probability of {name}") for name in clips.classes
            ),
        },
        metrics=metrics_of(scores),
        limits=limits,
        training=facts,
        settings={
            "classes": list(clips.classes),
            "front_end": dataclasses.asdict(front_end_of(model)),
            "abstain_below": scores.threshold,
        },
        licence=about["licence"],
        provenance=f"Made by `{made_by}`.",
    )
    export.write(
        out,
        written,
        model,
        golden=golden,
        examples=stacked(clips[some(np.arange(len(clips)))], duration_s),
        front=standardize_of(model).name,
        say=say,
    )
