"""Tables and report page: warning, metrics, ROC curves, patients, devices, training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from recipes.wheeze.data import Breaths
from recipes.wheeze.folds import FoldResult
from recipes.wheeze.scores import Level, Scores, compare_with_simplest
from recipes.wheeze.settings import WARNING, Settings
from zoo.crossvalidation import add_mistakes, pool_predictions
from zoo.metrics import binary
from zoo.metrics.bootstrap import Interval, resample_groups
from zoo.metrics.operating_point import OperatingPoint
from zoo.plots import binary as plots
from zoo.plots import multiclass
from zoo.report import QUICK_NOTICE, Column, Report, Table
from zoo.report.metrics import Row, add_learning_curves, file_table, interval_table

FALSE_POSITIVE_RATES = np.linspace(0, 1, 101)  # at which the band of a ROC curve is drawn


def make_report(
    settings: Settings,
    breaths: Breaths,
    scores: Mapping[str, Scores],
    results: Mapping[str, Sequence[FoldResult]],
    repeated: Mapping[str, Interval],
) -> Report:
    """Report page.

    Args:
        settings: of the experiment.
        breaths: clips, title and notes.
        scores: division of the patients -> metrics; the first is the headline.
        results: the same divisions, fold by fold.
        repeated: seed -> AUC of the first division, divided and trained with that seed.
    """
    headline = next(iter(scores.values()))
    best = headline.best_baseline
    report = Report(
        f"Wheeze in breath: {breaths.title}",
        f"{WARNING}\nAUC {headline.breaths.metrics['AUC']} over breaths of patients outside the "
        f"training data, {headline.patients.metrics['AUC']} over patients; the baseline {best} "
        f"reaches {headline.baselines[best]}, a difference of {headline.gain}.",
        provenance={"command": settings.command},
        notices=list_notices(settings, breaths, headline),
    )
    if headline.operating_point is not None:
        report.section("Operating point", describe_operating_point(headline.operating_point))
    for division, each in scores.items():
        add_division(report, division, each, results[division])
    if repeated:
        report.section("Other seeds").table(
            interval_table(
                [(f"AUC, {name}", value, None) for name, value in repeated.items()],
                "Patients divided and networks trained with other seeds.",
            )
        )
    report.section("Scores by patient").figure(
        plots.scores_by_group(scores_by_patient(headline)),
        name="patients",
        caption="Each dot is a breath, each column a patient, ordered by the mean probability of "
        "wheeze before calibration; patients whose breaths are all labelled normal are at the "
        "left.",
        alt="Columns of dots, coloured by whether a breath is labelled wheeze.",
    )
    add_devices(report, scores)
    first = pool_predictions([fold.test for fold in next(iter(results.values()))])
    decisions = headline.breaths.decisions.astype(int)
    add_mistakes(report, breaths.clips, first, decisions, duration_s=settings.duration_s)
    histories = {}
    for division, folds in results.items():
        for fold in (each for each in folds if each.history.loss):
            name = f"learning_{figure_name(division)}_{figure_name(fold.name)}"
            histories[name] = (f"{division}, {fold.name}", fold.history)
    if histories:
        add_learning_curves(report, histories)
    return report


def list_notices(settings: Settings, breaths: Breaths, headline: Scores) -> list[str]:
    """Warnings of the run: smoke run, worse than the baseline, remarks on the corpus."""
    comparison = compare_with_simplest(headline)
    worse = [] if comparison is None else comparison.warnings
    return [*([QUICK_NOTICE] if settings.quick else []), *worse, *breaths.notes]


def add_division(
    report: Report, division: str, scores: Scores, results: Sequence[FoldResult]
) -> None:
    """Add metrics, files and ROC curves of one division."""
    report.section(division[0].upper() + division[1:]).table(metrics_table(scores))
    if scores.robustness:
        report.table(robustness_table(scores))
    if scores.files:
        report.table(files_table(scores))
    report.figure(
        roc_figure(scores, results),
        name=f"roc_{figure_name(division)}",
        caption="ROC curves over breaths. The band around the network's curve is its 95 % "
        "confidence interval from 1000 bootstrap samples of whole patients.",
        alt="Curves of sensitivity over false positive rate above the diagonal.",
    )


def add_devices(report: Report, scores: Mapping[str, Scores]) -> None:
    """Add AUC by recording device, unless no device is known."""
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
        report.section("AUC by device").figure(
            multiclass.intervals(devices, label="AUC over breaths [-]"),
            name="devices",
            caption="Breaths recorded with each device; where the name says from other devices, no "
            "training breath was recorded with it.",
            alt="A dot and a line for each device.",
        )


def roc_figure(scores: Scores, results: Sequence[FoldResult]) -> Figure:
    """ROC curves of network and baselines over breaths."""
    level = scores.breaths
    values = {
        f"network, AUC {level.metrics['AUC'].value:.2f}": level.scores,
        **{
            f"{name}, AUC {auc.value:.2f}": np.concatenate([r.baselines[name] for r in results])
            for name, auc in scores.baselines.items()
        },
    }
    curves = {name: binary.roc(level.labels, each)[:2] for name, each in values.items()}
    return plots.roc_curves(curves, band=roc_band(level))


def roc_band(level: Level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Band around a ROC curve: 95 % of bootstrap samples of whole patients.

    Returns:
        False positive rates, lower and upper true positive rates, (101,) each.
    """
    curves = []
    for rows in resample_groups(level.groups):
        labels = level.labels[rows]
        if labels.any() and not labels.all():
            false_positive_rate, true_positive_rate, _ = binary.roc(labels, level.scores[rows])
            curves.append(np.interp(FALSE_POSITIVE_RATES, false_positive_rate, true_positive_rate))
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return FALSE_POSITIVE_RATES, low, high


def scores_by_patient(scores: Scores) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Labels and scores of each patient's breaths, ordered by label, then by mean score."""
    level, patients = scores.breaths, scores.patients
    result = {}
    for k in np.lexsort((patients.scores, patients.labels)):
        rows = np.flatnonzero(level.groups == patients.groups[k])
        result[patients.groups[k]] = (level.labels[rows], level.scores[rows])
    return result


def metrics_table(scores: Scores) -> Table:
    """Network, by breath and by patient; baselines; folds; devices."""
    breaths, patients = scores.breaths, scores.patients
    rows: list[Row] = []
    for what, level in (("breaths", breaths), ("patients", patients)):
        rows += [(f"{name}, {what}", value, None) for name, value in level.metrics.items()]
    if scores.calibration is not None:
        rows += [
            ("log loss, breaths [nat]", scores.calibration.log_loss, None),
            ("log loss, breaths, as trained [nat]", scores.calibration.uncalibrated_log_loss, None),
            ("calibration error, breaths", scores.calibration.error, None),
            ("calibration error, breaths, as trained", scores.calibration.uncalibrated_error, None),
        ]
    for name, value in scores.baselines.items():
        rows.append((f"AUC, breaths, baseline: {name}", value, None))
    rows.append((f"AUC gained over {scores.best_baseline}", scores.gain, None))
    if len(scores.by_fold) > 1:
        rows += [(f"AUC, breaths, {name}", value, None) for name, value in scores.by_fold.items()]
    rows += [(f"AUC, breaths, {name}", value, None) for name, value in scores.by_device.items()]
    return interval_table(
        rows,
        f"{len(breaths.labels)} breaths, {breaths.labels.sum()} with wheeze, of "
        f"{len(patients.labels)} patients, {patients.labels.sum()} with wheeze, none of them in "
        "the training data. ICBHI score: mean of sensitivity and specificity, at a threshold "
        "chosen on other patients. The intervals resample patients.",
    )


def describe_operating_point(point: OperatingPoint) -> str:
    """Threshold, sensitivity and specificity in one sentence."""
    return (
        f"Operating point: wheeze where its calibrated probability is at least "
        f"{point.threshold:.3g}; sensitivity {point.sensitivity}, specificity {point.specificity} "
        f"over breaths of other patients. The probabilities hold where {point.prior:.1%} of the "
        "breaths have a wheeze."
    )


def files_table(scores: Scores) -> Table:
    """AUC, size and time of each precision."""
    return file_table(
        ("AUC",),
        [
            [name, file.auc, file.kilobytes, file.milliseconds]
            for name, file in scores.files.items()
        ],
        "Files of the model of the first fold, on its test part.",
    )


def robustness_table(scores: Scores) -> Table:
    """AUC, sensitivity and specificity on softer, noisy, reverberant and cut breaths."""
    return Table(
        (
            "breaths",
            *(Column(name, number=".3f") for name in ("AUC", "sensitivity", "specificity")),
        ),
        [
            (name, each.auc, each.sensitivity, each.specificity)
            for name, each in scores.robustness.items()
        ],
        "Test breaths of all folds, changed before they enter the model; thresholds are those of "
        "breaths as recorded.",
    )


def print_tables(division: str, scores: Scores) -> None:
    """Print the tables of a division to standard output."""
    print(division)
    print(metrics_table(scores).text())
    if scores.robustness:
        print(robustness_table(scores).text())
    if scores.files:
        print(files_table(scores).text())


def figure_name(name: str) -> str:
    """Name as part of a file name: small letters, digits and underscores."""
    return "".join(c if c.isalnum() else "_" for c in name.lower())
