"""The report page of a trained stress-history model: errors, loops, states, training curves."""

import dataclasses
from collections.abc import Iterator

import keras
import matplotlib.figure
import numpy as np

from zoo import plots
from zoo.data.quantities import axis_label, relation
from zoo.data.split import Split
from zoo.metrics.regression import Predictor
from zoo.recurrent import predictor, view
from zoo.report import Report
from zoo.stress.experiment import CHOSEN_BY, HELD_OUT, Experiment
from zoo.stress.scoring import score_table
from zoo.stress.trained import TrainedModel
from zoo.training import History


def training_report(trained: TrainedModel, history: History) -> Report:
    """Page with the errors, loops, what is inside the network, and the training curves."""
    experiment, scores, name = trained.experiment, trained.scores, trained.name
    inputs, targets = experiment.train.inputs, experiment.train.targets
    labels = axis_label(inputs[0]), axis_label(targets[0])
    predict = predictor(trained.model)
    report = Report(
        f"{targets[0].name.capitalize()} history, learnt by {name}",
        f"A {trained.description}, trained: from {relation(inputs, targets)}.",
        provenance={"command": trained.command},
        notices=list(trained.warnings),
    )
    report.section("Error on every split", trained.recommendation).table(score_table(scores))
    report.figure(
        plots.error_by_split(
            {law: {split: f["nrmse"] for split, f in s.items()} for law, s in scores.items()}
        ),
        name="error_by_split",
        caption="nRMSE of the network and of its baselines. " + _seen_splits(experiment),
        alt="Dot plot: a row for each split, a dot for each model, logarithmic error axis.",
    )
    if trained.changed:
        report.section(
            "Changed loading", "Walks as in the split walk, changed by one thing each."
        ).table(score_table(trained.changed))
    loops = {split: typical_loop(experiment.tests[split], predict) for split in experiment.shown}
    report.section("Loops").figure(
        plots.loops(
            loops,
            nrmse={split: scores[name][split]["nrmse"] for split in loops},
            truth="exact" if experiment.refinement else "measured",
            strain_label=labels[0],
            stress_label=labels[1],
        ),
        name="loops",
        caption=f"{targets[0].name.capitalize()} against {inputs[0].name}, the path of median "
        "error in each split; the number in a panel is the nRMSE of all paths of the split.",
        alt="Small multiples of hysteresis loops: truth wide and grey, prediction thin and blue.",
    )
    report.section(
        "Inside the network",
        "States and gates under one loading. A gate near 1 is open: what a forget or update gate "
        "lets pass, the network remembers.",
    )
    for layer, figure, states in state_figures(trained.model, experiment.cycle, labels):
        report.figure(
            figure,
            name=f"states_{layer}",
            caption=f"All states and gates of layer {layer} under that loading.",
            alt=f"Heat maps over time of {', '.join(states)}, a row for each unit.",
        )
    report.section("Training").figure(
        plots.learning_curves(dataclasses.asdict(history), loss_label="MSE / variance [-]"),
        name="learning_curves",
        caption=f"Loss over epochs; training ended: {history.ended}.",
        alt="Training and validation loss on a logarithmic axis, learning rate below.",
    )
    return report


def _seen_splits(experiment: Experiment) -> str:
    """Sentence on which of the splits had a part in the training."""
    if CHOSEN_BY not in experiment.tests:
        return "None of them was trained on these paths."
    return (
        f"They were trained on the split train; {CHOSEN_BY} chose the weights of the networks; "
        f"only {HELD_OUT} had no part in the training."
    )


def typical_loop(data: Split, predict: Predictor) -> plots.Loop:
    """The path of median error, from rest, without the samples of weight zero."""
    prediction = predict(data.x)
    counts = np.ones(data.x.shape[:2], bool) if data.weight is None else data.weight > 0
    error = np.where(counts, (prediction - data.y)[..., 0] ** 2, 0).sum(axis=1) / counts.sum(axis=1)
    path = int(np.argsort(error)[len(error) // 2])
    curves = [values[path, counts[path]] for values in (data.x[..., 0], data.y[..., 0])]
    curves.append(prediction[path, counts[path], 0])
    if data.weight is None:  # a simulated path starts at rest at zero, before its first sample
        curves = [np.concatenate([[0.0], curve]) for curve in curves]
    return plots.Loop(*curves)


def state_figures(
    model: keras.Model, cycle: Split, labels: tuple[str, str]
) -> Iterator[tuple[int, matplotlib.figure.Figure, list[str]]]:
    """For each recurrent layer: its number, its states and gates over time, their names.

    Args:
        model: recurrent, or of a material cell.
        cycle: one path; padding at its end is not drawn.
        labels: of loading and response, with units.
    """
    x = cycle.x if cycle.weight is None else cycle.x[:, : np.flatnonzero(cycle.weight[0])[-1] + 1]
    outputs = view(model, show=lambda cell: list(cell.visible))(x)
    values = {name: np.asarray(each)[0] for name, each in outputs.items()}
    time_s = np.cumsum(x[0, :, 2])
    layers = {int(name.rsplit("_", 1)[1]) for name in values if name != "prediction"}
    for layer in sorted(layers):
        states = {
            name.removesuffix(f"_{layer}"): each
            for name, each in values.items()
            if name.endswith(f"_{layer}")
        }
        # Units are sorted by the first quantity: the cell state where there is one.
        states = {k: states[k] for k in sorted(states, key=lambda name: name != "cell")}
        figure = plots.states_over_time(
            time_s,
            plots.Trace(x[0, :, 0], labels[0]),
            plots.Trace(values["prediction"][:, 0], labels[1]),
            states,
            title=f"Layer {layer}",
        )
        yield layer, figure, list(states)
