"""Tables and report page: metrics, confusion matrix, calibration, abstention, training."""

from collections.abc import Sequence

import numpy as np

from recipes.scenes.data import SceneData
from recipes.scenes.scores import MIN_ACCURACY, Scores, compare_with_simplest
from recipes.scenes.settings import Settings
from zoo.crossvalidation import FoldResult, add_mistakes
from zoo.metrics import calibration, multiclass
from zoo.plots import multiclass as plots
from zoo.report import QUICK_NOTICE, Column, Report, Table
from zoo.report.metrics import Row, add_learning_curves, file_table, interval_table


def make_report(
    settings: Settings, data: SceneData, scores: Scores, results: Sequence[FoldResult]
) -> Report:
    """Report page of the cross-validation."""
    classes = data.clips.classes
    report = Report(
        f"Sound classification of {data.title} by {settings.model}",
        f"Accuracy {scores.metrics['accuracy']} in {len(results)} folds; chance is "
        f"{1 / len(classes):.2g}.",
        provenance={"command": settings.command},
        notices=list_notices(settings, data, scores),
    )
    report.section("Metrics").table(metrics_table(scores))
    if scores.by_device:
        report.figure(
            plots.intervals({n: (i.value, i.low, i.high) for n, i in scores.by_device.items()}),
            name="devices",
            caption="Accuracy on each device, with its confidence interval over groups.",
            alt="A dot and a line for each recording device.",
        )
    matrix = multiclass.confusion_matrix(scores.test.labels, np.eye(len(classes))[scores.decisions])
    report.section("Confusion matrix").figure(
        plots.confusion_matrix(matrix, classes),
        name="confusion",
        caption="Clips by true class (rows) and predicted class (columns), all test folds.",
        alt="A square matrix of counts; correct predictions are on its diagonal.",
    )
    add_mistakes(report, data.clips, scores.test, scores.decisions, duration_s=data.duration_s)
    if scores.robustness:
        report.section("Robustness").table(robustness_table(scores))
    add_calibration(report, scores)
    if scores.files:
        report.section(
            "Quantized files",
            "The front end stays in float32; the network behind it is quantized.",
        ).table(files_table(scores))
    add_learning_curves(
        report, {f"learning_{k}": (r.name, r.history) for k, r in enumerate(results, 1)}
    )
    return report


def list_notices(settings: Settings, data: SceneData, scores: Scores) -> list[str]:
    """Warnings of the run: smoke run, worse than the baseline, remarks on the corpus."""
    quick = [QUICK_NOTICE] if settings.quick else []
    return [*quick, *compare_with_simplest(scores).warnings, *data.notes]


def add_calibration(report: Report, scores: Scores) -> None:
    """Add the reliability diagram and the risk-coverage curve."""
    report.section(
        "Calibration",
        "Temperature scaling divides the logits by one number, chosen on validation clips: "
        f"{scores.temperature:.2f}. It does not change the predicted class.",
    ).figure(
        plots.reliability_diagram(
            {n: (r.confidence, r.accuracy, r.count) for n, r in scores.reliability.items()},
            {n: r.ece for n, r in scores.reliability.items()},
        ),
        name="reliability",
        caption="Reliability diagram: accuracy of the predictions of each confidence, with the "
        "expected calibration error (ECE); a calibrated model lies on the diagonal.",
        alt="Two curves of accuracy over confidence beside the diagonal.",
    )
    _, coverage, accuracy = calibration.risk_coverage(scores.test.labels, scores.test.probabilities)
    report.section("Selective prediction", describe_abstention(scores)).figure(
        plots.accuracy_coverage(coverage, accuracy, chosen=scores.selective),
        name="risk_coverage",
        caption="Risk-coverage curve: accuracy of the predicted clips over their share, as the "
        "confidence threshold falls.",
        alt="A falling step curve from few confident predictions to all clips.",
    )


def metrics_table(scores: Scores) -> Table:
    """Every metric with its interval, beside the baseline; accuracy by device and by fold."""
    rows: list[Row] = [
        *((name, each, scores.baseline_metrics.get(name)) for name, each in scores.metrics.items()),
        *((f"accuracy, {name}", each, None) for name, each in scores.by_device.items()),
        *((f"accuracy, {name}", value, None) for name, value in scores.by_fold.items()),
    ]
    deviation = np.std(list(scores.by_fold.values()), ddof=1) if len(scores.by_fold) > 1 else 0.0
    return interval_table(
        rows,
        f"Test clips of all folds. Standard deviation of accuracy over folds: {deviation:.3f}.",
        baseline="linear baseline",
    )


def files_table(scores: Scores) -> Table:
    """Accuracy, size and time of each precision."""
    return file_table(
        ("accuracy", "agreement with the trained model"),
        [
            [name, each.accuracy, each.agreement, each.bytes / 1e3, each.milliseconds]
            for name, each in scores.files.items()
        ],
        "Files of the models of all folds, on the test clips of their folds.",
    )


def robustness_table(scores: Scores) -> Table:
    """Accuracy on the test clips, softer, noisy, filtered, reverberant and cut."""
    return Table(
        [Column("test clips"), Column("accuracy", number=".3f")],
        list(scores.robustness.items()),
        "Test clips of all folds, changed before they enter the model.",
    )


def print_tables(scores: Scores) -> None:
    """Print the tables to standard output."""
    print(metrics_table(scores).text())
    if scores.robustness:
        print(robustness_table(scores).text())
    if scores.files:
        print(files_table(scores).text())


def describe_abstention(scores: Scores) -> str:
    """The confidence threshold, its coverage and accuracy, in one sentence."""
    if scores.threshold is None or scores.selective is None:
        return f"No confidence threshold reaches {MIN_ACCURACY:.0%} accuracy in every fold."
    coverage, accuracy = scores.selective
    return (
        f"Abstain below a confidence of {scores.threshold:.2f}, chosen on validation clips for "
        f"{MIN_ACCURACY:.0%} accuracy: on the test clips the coverage is then {coverage:.0%} and "
        f"the accuracy {accuracy:.0%}."
    )
