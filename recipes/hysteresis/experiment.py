"""Teach a recurrent network the stress history of a hysteretic material, and look inside it.

The material is a Maxwell solid with power-law viscosity; its exact simulator makes the data, or a
measured test does (`--csv`). The network reads stretch, stretch rate and time step, and answers
with stress at every step. What it learnt is scored on loading it never saw, drawn, and exported.
"""

import argparse
import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli import command
from zoo.cli.options import positive_float, positive_int, span
from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from zoo.data.split import Split
    from zoo.metrics.regression import Predictor
    from zoo.plots import Loop
    from zoo.report import Report, Table
    from zoo.training import Budget, History

BATCH_SIZE = 32
TEST_SEED = 10_000  # test paths are the same whatever the seed of training
GOLDEN_STEPS = 200  # of each case that is replayed on every exported format
REFINED = 8  # how much finer the time step is when a model is asked whether it contradicts itself


@dataclass(frozen=True)
class Experiment:
    """What is learnt, what it is scored on, and how to speak of it.

    Attributes:
        train: paths to learn from.
        validation: paths that choose the weights.
        tests: named splits to score.
        cycle: one path, to look inside the network with.
        shown: names of the splits whose loops are drawn.
        refinement: the same paths at dt and at dt / REFINED; None where there is no simulator.
        material: what was taught, for the manifest.
        limits: what the model must not be used for.
    """

    train: "Split"
    validation: "Split"
    tests: "dict[str, Split]"
    cycle: "Split"
    shown: tuple[str, ...]
    refinement: "tuple[Split, Split] | None"
    material: dict[str, Any]
    limits: list[str]


def main(arguments: list[str] | None = None) -> int:
    """Load, build, fit, score, look inside, export."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    out = options.out or Path("saved_models") / name_of(options)

    experiment = measured_experiment(options) if options.csv else simulated_experiment(options)
    train = experiment.train
    say(
        f"{len(train.x)} paths of {train.x.shape[1]} steps to learn from, made in "
        f"{time.monotonic() - started:.1f} s"
    )

    from zoo import presets, training
    from zoo.recurrent import plain_model, predictor

    budget = training.Budget(
        epochs=2 if options.quick else options.epochs,
        steps_per_epoch=60 if options.quick else 250,
        learning_rate=options.learning_rate,
    )
    preset = presets.recurrent(options.cell, options.layers, options.units)
    model = preset.build(train.x, train.y, train.weight)
    say(f"{preset.description}, {model.count_params():,} parameters; Ctrl-C keeps the best so far")
    history = fit(model, experiment, budget, options.seed, options.checkpoint)

    laws = fitted_laws(train)
    if options.cell != "rnn" and history.ended != "interrupted":
        laws["SimpleRNN"] = fitted_rnn(options, experiment, budget)
    scores = {
        law: scores_of(predict, experiment)
        for law, predict in {options.cell.upper(): predictor(model), **laws}.items()
    }
    table = table_of(scores)
    print(table.text())

    made_by = command.format_command_line(parser(), options)
    report = report_of(experiment, model, history, table, scores, preset.description, made_by)
    say(f"report: {report.write(options.reports / out.name / 'report.html')[-1]}")

    facts = training_facts(experiment, history, budget, options.seed)
    export(
        out,
        experiment,
        model,
        preset.description,
        scores,
        facts,
        made_by,
        portable=plain_model(model),
        limits=["A gated network is not bound to thermodynamics: it can create energy."],
    )
    say(f"model: {out}, in {time.monotonic() - started:.0f} s from the start")
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hysteresis",
        description=__doc__.split("\n\n")[0],
        formatter_class=command.Help,
    )
    network = parser.add_argument_group("network")
    network.add_argument("--cell", choices=("rnn", "gru", "lstm"), default="lstm", help="kind")
    network.add_argument("--layers", type=positive_int, default=2, help="cells on top of another")
    network.add_argument("--units", type=positive_int, default=32, help="width of each state")

    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive_int, default=28, help="of 250 batches each")
    training.add_argument("--learning-rate", type=positive_float, default=5e-3, help="at its peak")
    training.add_argument("--seed", type=int, default=0, help="of data, weights and batches")
    training.add_argument(
        "--quick",
        action="store_true",
        help="a smoke run under a minute: little data, two short epochs",
    )
    training.add_argument(
        "--checkpoint", type=Path, help="file to continue from if it is there, and to save to"
    )

    material = parser.add_argument_group("simulated material")
    material.add_argument("--modulus", type=positive_float, default=1.0, help="E [MPa]")
    material.add_argument("--nu0", type=positive_float, default=1.0, help="viscous time [s]")
    material.add_argument("--sigma0", type=positive_float, default=1.0, help="stress scale [MPa]")
    material.add_argument("--exponent", type=positive_float, default=3.0, help="m, 0.5 to 8")
    material.add_argument(
        "--dt-range",
        type=span,
        default=None,
        metavar="FROM:TO",
        help="train on time steps [s] that vary within a path over this range, such as 0.003:0.4 "
        "(default: one step a path, 0.025:0.1)",
    )

    measured = parser.add_argument_group("measured material, instead of a simulated one")
    measured.add_argument("--csv", type=Path, help="test with columns time, stretch, stress")
    measured.add_argument("--time", help="name of the time column [s]")
    measured.add_argument("--stretch", help="name of the stretch or strain column [-]")
    measured.add_argument("--stress", help="name of the stress column")
    measured.add_argument("--group", help="name of the column that tells specimens apart")
    measured.add_argument(
        "--cycles", type=int, default=0, help="repeats of a closed loop as start-up"
    )

    parser.add_argument("--out", type=Path, help="model folder (default: saved_models/NAME)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    return parser


def name_of(options: argparse.Namespace) -> str:
    """Name of the model's folder; runs on other data do not replace the shipped models."""
    source = options.csv.stem if options.csv else "hysteresis"
    name = f"{source}-{options.cell}" + ("-wide" if options.dt_range else "")
    return f"{name}-quick" if options.quick else name


def simulated_experiment(options: argparse.Namespace) -> Experiment:
    """Paths of the power-law Maxwell solid, and the protocol's splits to test on."""
    from zoo.data import hysteresis
    from zoo.data.maxwell import Material

    material = Material(options.modulus, options.nu0, options.sigma0, options.exponent)
    paths, tests = (400, 30) if options.quick else (8000, 300)
    seed = options.seed
    if options.dt_range:
        family, dt_range = "varied", options.dt_range
    else:
        family, dt_range = "walk", hysteresis.DT_RANGE
    made = {"material": material, "dt_range": dt_range}
    return Experiment(
        train=hysteresis.split(family, paths=paths, seed=seed, **made),
        validation=hysteresis.split(family, paths=tests, seed=seed + 1, **made),
        tests=hysteresis.protocol(paths=tests, seed=TEST_SEED, material=material),
        cycle=hysteresis.cycle(material=material),
        shown=("walk", "triangle", "sine", "relaxation", "multirate", "coarse"),
        refinement=hysteresis.refinement(
            paths=tests, seed=TEST_SEED, factor=REFINED, material=material
        ),
        material=dataclasses.asdict(material),
        limits=[
            "Trained on one simulated material, in one dimension; not on measured data.",
            f"Trained on stretch within ±2, rates 0.2 to 8 /s and time steps {dt_range[0]:g} to "
            f"{dt_range[1]:g} s. Beyond these the error grows: see the splits multirate, fine "
            "and coarse.",
        ],
    )


def measured_experiment(options: argparse.Namespace) -> Experiment:
    """A user's own test; specimens are parted, never rows of one specimen."""
    from zoo.data import measured

    columns = {
        name: value
        for name in ("time", "stretch", "stress", "group")
        if (value := getattr(options, name)) is not None
    }
    data = measured.read_csv(options.csv, cycles=options.cycles, **columns)
    if len(data.x) > 1:
        train, validation = measured.split_by_group(data, (0.8, 0.2), options.seed)
        limits = [f"Trained on {len(train.x)} specimens, checked on {len(validation.x)} others."]
    else:
        train, validation = measured.split_by_time(data, 0.8)
        limits = [
            "Trained on the first part of one specimen, checked on the rest of the same one: how "
            "it does on another specimen is not known."
        ]
        say("one specimen: the last fifth of it is held out; more specimens would tell more")
    return Experiment(
        train=train,
        validation=validation,
        tests={"train": train, "held out": validation},
        cycle=data.select([0]),
        shown=("train", "held out"),
        refinement=None,
        material={},
        limits=limits,
    )


def fit(
    model: "keras.Model",
    experiment: Experiment,
    budget: "Budget",
    seed: int,
    checkpoint: Path | None = None,
    compiled: bool = False,
) -> "History":
    """Mean squared error of the prediction, as a share of the variance of the training data."""
    from zoo import training

    train, validation = experiment.train, experiment.validation
    batch_size = min(BATCH_SIZE, len(train.x))
    return training.fit(
        model,
        lambda step: train.dataset(batch_size, seed=seed, start_step=step),
        validation.all_batches(256),
        budget,
        losses={"prediction": "mse"},
        loss_scale=float(train.y.var()),
        seed=seed,
        checkpoint=checkpoint,
        compiled=compiled,
    )


def training_facts(
    experiment: Experiment, history: "History", budget: "Budget", seed: int
) -> dict[str, Any]:
    """What a manifest says of the training."""
    train = experiment.train
    return {
        "seed": seed,
        "paths": len(train.x),
        "steps": train.x.shape[1],
        "epochs": len(history.loss),
        "best_epoch": history.best_epoch + 1,
        "batch_size": min(BATCH_SIZE, len(train.x)),
        "batches_per_epoch": budget.steps_per_epoch,
        "learning_rate": budget.learning_rate,
        "validation_loss": history.val_loss[history.best_epoch],
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }


def fitted_rnn(
    options: argparse.Namespace, experiment: Experiment, budget: "Budget"
) -> "Predictor":
    """The oldest recurrent network, of the same width, in Keras' own layers, trained for less."""
    from zoo import presets, training
    from zoo.recurrent import plain_model, predictor

    train = experiment.train
    short = training.Budget(max(1, budget.epochs // 4), budget.steps_per_epoch, 2e-3)
    say(f"baseline: keras.layers.SimpleRNN of the same width, {short.epochs} epochs")
    preset = presets.recurrent("rnn", options.layers, options.units)
    model = plain_model(preset.build(train.x, train.y, train.weight))
    checkpoint = options.checkpoint
    if checkpoint is not None:
        checkpoint = checkpoint.with_name(f"{checkpoint.stem}-baseline{checkpoint.suffix}")
    fit(model, experiment, short, options.seed, checkpoint)
    return predictor(model)


def fitted_laws(train: "Split") -> "dict[str, Predictor]":
    """Simple laws fitted to the training data, as functions of x."""
    from zoo.baselines.laws import Elastic, LinearMaxwell

    data = (train.x, train.y, train.weight)
    return {
        "elastic": Elastic.fit(*data).predict,
        "linear Maxwell": LinearMaxwell.fit(*data).predict,
    }


def scores_of(predict: "Predictor", experiment: Experiment) -> dict[str, dict[str, float]]:
    """Errors on every split, and the contradiction between two time steps."""
    from zoo.metrics import regression

    splits = {name: (s.x, s.y, s.weight) for name, s in experiment.tests.items()}
    figures = regression.errors_by_split(predict, splits)
    if experiment.refinement:
        coarse, fine = experiment.refinement
        difference = regression.self_consistency(predict, coarse.x, fine.x, REFINED, coarse.y)
        figures["self-consistency"] = {"nrmse": difference}
    return figures


def table_of(scores: dict[str, dict[str, dict[str, float]]]) -> "Table":
    """A row a split, a column a model; the first model's 95th percentile over paths beside it."""
    from zoo.report import Column, Table

    model, *others = scores
    columns = [Column("split"), Column(model), Column("95 % of paths below")]
    columns += [Column(name) for name in others]
    rows = [
        [split, figures["nrmse"], figures.get("nrmse_p95")]
        + [scores[name][split]["nrmse"] for name in others]
        for split, figures in scores[model].items()
    ]
    return Table(columns, rows, "nRMSE: root mean square error over root mean square stress [-]")


def report_of(
    experiment: Experiment,
    model: "keras.Model",
    history: "History",
    table: "Table",
    scores: dict[str, dict[str, dict[str, float]]],
    description: str,
    made_by: str,
) -> "Report":
    """The page: what was learnt, loops, what the network does inside, how training went."""
    from zoo import plots
    from zoo.recurrent import predictor
    from zoo.report import Report

    name = next(iter(scores))
    stress_label = f"stress σ [{experiment.train.targets[0].unit}]"
    predict = predictor(model)
    shown = {split: typical_loop(experiment.tests[split], predict) for split in experiment.shown}
    report = Report(
        f"Hysteresis learnt by {name}",
        f"A {description}, taught the stress history of a material from stretch, stretch rate and "
        "time step.",
        provenance={"command": made_by},
    )
    report.section("Error on every split").table(table)
    report.figure(
        plots.error_by_split(
            {law: {split: f["nrmse"] for split, f in s.items()} for law, s in scores.items()}
        ),
        name="error_by_split",
        caption="nRMSE of the network and of simpler laws, on loading that none of them saw.",
        alt="Dot plot: a row for each split, a dot for each model, logarithmic error axis.",
    )
    report.section("Loops").figure(
        plots.loops(
            shown,
            nrmse={split: scores[name][split]["nrmse"] for split in shown},
            truth="exact" if experiment.refinement else "measured",
            stress_label=stress_label,
        ),
        name="loops",
        caption="Stress against stretch, the path of median error in each split; the figure in a "
        "panel is the nRMSE of all paths of the split.",
        alt="Small multiples of hysteresis loops: truth wide and grey, prediction thin and blue.",
    )
    report.section(
        "Inside the network",
        "One loading, and every quantity inside. A gate near 1 is open: what a forget or update "
        "gate lets pass, the network remembers.",
    )
    for layer, figure, states in inside(experiment.cycle, model, stress_label):
        report.figure(
            figure,
            name=f"states_{layer}",
            caption=f"Everything inside layer {layer} under that loading.",
            alt=f"Heat maps over time of {', '.join(states)}, a row a unit.",
        )
    report.section("Training").figure(
        plots.learning_curves(dataclasses.asdict(history), loss_label="MSE / variance [-]"),
        name="learning_curves",
        caption=f"Loss over epochs; training ended: {history.ended}.",
        alt="Training and validation loss on a logarithmic axis, learning rate below.",
    )
    return report


def typical_loop(data: "Split", predict: "Predictor") -> "Loop":
    """The path of median error, from rest, without what does not count."""
    import numpy as np

    from zoo import plots

    prediction = predict(data.x)
    counts = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    error = np.where(counts, (prediction - data.y)[..., 0] ** 2, 0).sum(axis=1) / counts.sum(axis=1)
    path = int(np.argsort(error)[len(error) // 2])
    curves = [values[path, counts[path]] for values in (data.x[..., 0], data.y[..., 0])]
    curves.append(prediction[path, counts[path], 0])
    if data.weight is None:  # a simulated path starts at rest at zero, before its first sample
        curves = [np.concatenate([[0.0], curve]) for curve in curves]
    return plots.Loop(*curves)


def inside(
    cycle: "Split", model: "keras.Model", stress_label: str
) -> Iterator[tuple[int, Any, list[str]]]:
    """For each layer: its number, its states and gates over time as a figure, their names."""
    import numpy as np

    from zoo import plots
    from zoo.recurrent import view

    outputs = view(model, show=lambda cell: cell.visible)(cycle.x)
    seen = {name: np.asarray(values)[0] for name, values in outputs.items()}
    time_s = np.cumsum(cycle.x[0, :, 2])
    layers = {int(name.rsplit("_", 1)[1]) for name in seen if name != "prediction"}
    for layer in sorted(layers):
        states = {
            name.removesuffix(f"_{layer}"): values
            for name, values in seen.items()
            if name.endswith(f"_{layer}")
        }
        # Units are put in the order of the first quantity: the cell state where there is one.
        states = {k: states[k] for k in sorted(states, key=lambda name: name != "cell")}
        figure = plots.states_over_time(
            time_s,
            plots.Trace(cycle.x[0, :, 0], "stretch λ [-]"),
            plots.Trace(seen["prediction"][:, 0], stress_label),
            states,
            title=f"Layer {layer}",
        )
        yield layer, figure, list(states)


def export(
    out: Path,
    experiment: Experiment,
    model: "keras.Model",
    description: str,
    scores: dict[str, dict[str, dict[str, float]]],
    facts: dict[str, Any],
    made_by: str,
    *,
    limits: Sequence[str],
    portable: "keras.Model | None" = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Every format of the model, checked in fresh processes, and what is known of it."""
    import numpy as np

    from zoo import export
    from zoo.data.probes import TrainedRange
    from zoo.data.split import Quantity
    from zoo.recurrent import step_model, view

    train = experiment.train
    sequence, step = view(model, fused=False), step_model(model)
    quantities = {"x": train.inputs, "prediction": train.targets}
    for name in {**sequence.output, **step.input}.keys() - quantities.keys():
        kind, layer = name.rsplit("_", 1)
        unit = train.targets[0].unit if "stress" in kind else "-"
        meaning = kind.replace("_", " ") if "stress" in kind else f"{kind} state"
        quantities[name] = (Quantity(kind, unit, f"{meaning} of layer {layer}"),)
    measured = experiment.refinement is None
    about = export.About(
        name=out.name,
        task="stress history of a hysteretic material",
        description=f"{description[0].upper()}{description[1:]}: from stretch, stretch rate and "
        "time step to stress, at every step.",
        quantities=quantities,
        metrics=metrics_of(scores),
        limits=[*experiment.limits, *limits],
        training=facts,
        settings={
            "material": experiment.material,
            "trained_range": TrainedRange.of(train.x, train.weight).entry(),
            **(settings or {}),
        },
        licence="The weights carry the licence of the code that made them"
        + (", the data that of their owner." if measured else "; so does the simulated data."),
        provenance=f"Made by `{made_by}`.",
    )
    # As long as the training paths: a split of coarse steps would be cut short, or cut the others.
    length = train.x.shape[1]
    tests = {name: experiment.tests[name] for name in experiment.shown}
    shown = {name: split for name, split in tests.items() if split.x.shape[1] == length}
    # Integers are calibrated on training paths and on holds, which those hardly have; rates beyond
    # training would cost more resolution than they bring.
    examples = [train.x[:48], *(shown[name].x[1:17] for name in ("relaxation",) if name in shown)]
    export.write(
        out,
        about,
        sequence,
        step=step,
        portable=portable,
        golden={name: split.x[0, :GOLDEN_STEPS] for name, split in shown.items()},
        examples=np.concatenate(examples)[:, :GOLDEN_STEPS],
        say=say,
    )


def metrics_of(scores: dict[str, dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Every figure of the model beside the best of the simpler laws."""
    model, *laws = scores
    metrics = {}
    for split, figures in scores[model].items():
        metrics[split] = {}
        for metric, value in figures.items():
            best = min(laws, key=lambda law: scores[law][split][metric])
            judged = {"baseline": scores[best][split][metric], "baseline_name": best}
            metrics[split][metric.replace("nrmse", "nRMSE").replace("_", " ")] = {
                "value": value,
                **judged,
            }
    return metrics
