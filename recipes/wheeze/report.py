"""The page about a wheeze detector: warning, scores, curves, patients, devices, training."""

import numpy as np

from recipes.wheeze.data import WARNING
from recipes.wheeze.folds import Judged
from recipes.wheeze.scores import Level, Scores, files_table, table_of
from zoo.metrics import binary
from zoo.metrics.bootstrap import Interval
from zoo.plots import binary as plots
from zoo.plots import learning_curves, multiclass
from zoo.report import Column, Report, Table

GRID = np.linspace(0, 1, 101)  # false alarms at which the band of a curve is drawn


def report_of(
    title: str,
    scores: dict[str, Scores],
    results: dict[str, list[Judged]],
    repeated: dict[str, Interval],
    made_by: str,
) -> Report:
    """The page.

    Args:
        title: of the corpus.
        scores: division of the patients -> what it found; the first is the headline.
        results: the same divisions, fold by fold.
        repeated: seed -> area under the curve of the first division, folded and trained anew.
        made_by: the command.
    """
    headline = next(iter(scores.values()))
    best, gain = headline.gain
    report = Report(
        f"Wheeze in breath: {title}",
        f"{WARNING}\nAUC {headline.breaths.figures['AUC']} over breaths of patients that it had "
        f"not heard, {headline.patients.figures['AUC']} over patients; {best} alone reaches "
        f"{headline.baselines[best]}, a difference of {gain}.",
        provenance={"command": made_by},
    )
    for division, each in scores.items():
        report.section(division[0].upper() + division[1:]).table(table_of(each))
        if each.files:
            report.table(files_table(each))
        report.figure(
            _roc(each, results[division]),
            name=f"roc_{_plain(division)}",
            caption="Breaths. Around the network's curve, 95 % of 1000 bootstrap samples of whole "
            "patients.",
            alt="Curves of sensitivity over false alarms above the diagonal.",
        )
    if repeated:
        report.section("With other seeds").table(
            Table(
                ("seed", Column("AUC"), Column("low"), Column("high")),
                [[name, each.value, each.low, each.high] for name, each in repeated.items()],
                "Patients divided and networks trained anew.",
            )
        )
    report.section("Patient by patient").figure(
        plots.scores_by_group(_patients(headline)),
        name="patients",
        caption="Each dot a breath, each column a patient, by the mean probability of wheeze; "
        "patients whose breaths are all normal stand left.",
        alt="Columns of dots, coloured by whether a breath is marked as wheeze.",
    )
    devices = {
        division if name in division else f"{name}, {division}": (
            value.value,
            value.low,
            value.high,
        )
        for division, each in scores.items()
        for name, value in each.by_device.items()
    }
    if devices:
        report.section("Device by device").figure(
            multiclass.intervals(devices, label="AUC over breaths [-]"),
            name="devices",
            caption="Breaths recorded with each device; where it says from other devices, none "
            "recorded with it was learnt from.",
            alt="A dot and a line for each device.",
        )
    report.section("Training")
    for division, folds in results.items():
        for fold in folds:
            report.figure(
                learning_curves(
                    {"loss": fold.history.loss, "val_loss": fold.history.val_loss},
                    loss_label="cross-entropy [nat]",
                    held_out="held out, not chosen by",
                ),
                name=f"learning_{_plain(division)}_{_plain(fold.name)}",
                caption=f"{division}, {fold.name}: training ended {fold.history.ended}.",
                alt="Loss on training breaths and on breaths held out, over epochs.",
            )
    return report


def _roc(scores: Scores, folds: list[Judged]):
    level = scores.breaths
    curves = {
        f"network, AUC {level.figures['AUC'].value:.2f}": binary.roc(level.labels, level.scores)
    }
    for name, figure in scores.baselines.items():
        said = np.concatenate([fold.baselines[name] for fold in folds])
        curves[f"{name}, AUC {figure.value:.2f}"] = binary.roc(level.labels, said)

    return plots.roc_curves({n: c[:2] for n, c in curves.items()}, band=_band(level))


def _band(level: Level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share found at each share of false alarms: 95 % of bootstrap samples of whole patients."""
    names, of_row = np.unique(level.groups, return_inverse=True)
    members = [np.flatnonzero(of_row == k) for k in range(len(names))]
    rng, curves = np.random.default_rng(0), []
    for _ in range(1000):
        draw = np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])
        labels = level.labels[draw]
        if labels.any() and not labels.all():
            false, found, _ = binary.roc(labels, level.scores[draw])
            curves.append(np.interp(GRID, false, found))
    return (GRID, *np.quantile(curves, [0.025, 0.975], axis=0))


def _patients(scores: Scores) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    level, people = scores.breaths, scores.patients
    order = np.lexsort((people.scores, people.labels))
    return {
        people.groups[k]: (level.labels[of], level.scores[of])
        for k in order
        for of in [np.flatnonzero(level.groups == people.groups[k])]
    }


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.lower())
