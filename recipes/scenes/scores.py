"""What cross-validation of a classifier found: figures with intervals, and the page about them."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.crossvalidation import FoldResult, Told, pooled
from zoo.data.folds import groups_of
from zoo.metrics import bootstrap, calibration, multiclass
from zoo.plots import learning_curves
from zoo.plots import multiclass as plots
from zoo.report import Column, Report, Table

if TYPE_CHECKING:
    from zoo.data.clips import Clips

WANTED = 0.95  # accuracy among answered clips that the threshold for abstaining aims at
LEAST = 10  # validation clips that a threshold must rest on
MOST_DEVICES = 12  # more are groups by another name, and too many to read


@dataclass(frozen=True)
class FileScore:
    """One precision of the exported model on clips that it has not learnt from.

    accuracy: over all test folds. agreement: share of clips told as the trained model tells them.
    bytes: size of the file. milliseconds: median of a clip, one thread [ms].
    """

    accuracy: float
    agreement: float
    bytes: int
    milliseconds: float


@dataclass(frozen=True)
class Scores:
    """What cross-validation found.

    Attributes:
        test: of all folds, with calibrated probabilities.
        raw: the same before calibration.
        baseline: what the linear baseline said.
        figures: name -> figure with its interval over groups.
        baseline_figures: the same of the baseline, without intervals.
        by_fold: accuracy of each.
        by_device: accuracy on each device, where several are known.
        reliability: before and after calibration.
        temperature: median over the folds.
        threshold: confidence below which to abstain, median over the folds, each chosen on its
            validation clips; None unless one suffices in every fold.
        answered: coverage and accuracy on the test clips, at the threshold of each fold.
        files: precision -> what its file does on the test clips.
    """

    test: Told
    raw: Told
    baseline: Told
    figures: dict[str, bootstrap.Interval]
    baseline_figures: dict[str, float]
    by_fold: dict[str, float]
    by_device: dict[str, bootstrap.Interval]
    reliability: dict[str, calibration.Reliability]
    temperature: float
    threshold: float | None
    answered: tuple[float, float] | None
    files: dict[str, FileScore]


def scores_of(results: list[FoldResult], clips: "Clips") -> Scores:
    """Figures over all folds together, with intervals over groups."""
    # each fold by its own validation clips: no test clip calibrates itself
    degrees = [
        calibration.fit_temperature(r.validation.labels, r.validation.probabilities)
        for r in results
    ]
    tests, checked = (
        [
            dataclasses.replace(
                part, probabilities=calibration.apply_temperature(part.probabilities, degree)
            )
            for part, degree in zip(parts, degrees, strict=True)
        ]
        for parts in ([r.test for r in results], [r.validation for r in results])
    )
    thresholds = [
        calibration.abstention_threshold(
            part.labels, part.probabilities, min_accuracy=WANTED, min_clips=LEAST
        )
        for part in checked
    ]
    calibrated = pooled(tests)
    raw, baseline = pooled([r.test for r in results]), pooled([r.baseline for r in results])
    groups = groups_of(clips.index)[calibrated.rows]

    def figure(measure, told: Told, chosen: np.ndarray | None = None) -> bootstrap.Interval:
        rows = np.arange(len(told.labels)) if chosen is None else chosen
        labels, p = told.labels[rows], told.probabilities[rows]
        return bootstrap.bootstrap_interval(
            lambda draw: measure(labels[draw], p[draw]), groups[rows]
        )

    answered = None
    if all(thresholds):
        sure = np.concatenate(
            [
                part.probabilities.max(axis=1) >= threshold.confidence
                for part, threshold in zip(tests, thresholds, strict=True)
            ]
        )
        right = calibrated.probabilities.argmax(axis=1) == calibrated.labels
        answered = (float(sure.mean()), float(right[sure].mean()) if sure.any() else 0.0)
    devices = clips.index["device"].astype(object).iloc[calibrated.rows].to_numpy()
    on = {
        device: rows
        for device in sorted({name for name in devices if isinstance(name, str)})
        if len(np.unique(groups[rows := np.flatnonzero(devices == device)])) > 1
    }  # the doubt about a device cannot be told from one group
    return Scores(
        test=calibrated,
        raw=raw,
        baseline=baseline,
        figures={
            "accuracy": figure(multiclass.accuracy, calibrated),
            "macro F1": figure(multiclass.macro_f1, calibrated),
            "log loss": figure(multiclass.log_loss, calibrated),
            "calibration error": figure(lambda y, p: calibration.reliability(y, p).ece, calibrated),
        },
        baseline_figures={
            "accuracy": multiclass.accuracy(baseline.labels, baseline.probabilities),
            "macro F1": multiclass.macro_f1(baseline.labels, baseline.probabilities),
        },
        by_fold={r.name: multiclass.accuracy(r.test.labels, r.test.probabilities) for r in results},
        by_device={name: figure(multiclass.accuracy, calibrated, rows) for name, rows in on.items()}
        if 1 < len(on) <= MOST_DEVICES
        else {},
        reliability={
            "as trained": calibration.reliability(raw.labels, raw.probabilities),
            "calibrated": calibration.reliability(calibrated.labels, calibrated.probabilities),
        },
        temperature=float(np.median(degrees)),
        threshold=float(np.median([t.confidence for t in thresholds])) if answered else None,
        answered=answered,
        files=files_of(results),
    )


def files_of(results: list[FoldResult]) -> dict[str, FileScore]:
    """How each precision does, the files of all folds together."""
    shared = set.intersection(*(set(r.files) for r in results))
    scores = {}
    for name in (name for name in results[0].files if name in shared):
        files = [r.files[name] for r in results]
        told = np.concatenate([f.answers.argmax(axis=-1) for f in files])
        labels = np.concatenate([r.test.labels for r in results])
        trained = np.concatenate([r.test.probabilities.argmax(axis=1) for r in results])
        scores[name] = FileScore(
            accuracy=float((told == labels).mean()),
            agreement=float((told == trained).mean()),
            bytes=int(np.median([f.bytes for f in files])),
            milliseconds=1e3 * float(np.median([f.seconds for f in files])),
        )
    return scores


def table_of(scores: Scores) -> Table:
    """Every figure with its interval, beside the baseline."""
    rows = [
        [name, each.value, each.low, each.high, scores.baseline_figures.get(name)]
        for name, each in scores.figures.items()
    ]
    rows += [
        [f"accuracy, {name}", each.value, each.low, each.high, None]
        for name, each in scores.by_device.items()
    ]
    for name, value in scores.by_fold.items():
        rows.append([f"accuracy, {name}", value, None, None, None])
    columns = ("figure", Column("value"), Column("low"), Column("high"), Column("linear baseline"))
    spread = np.std(list(scores.by_fold.values()), ddof=1) if len(scores.by_fold) > 1 else 0.0
    return Table(
        columns,
        rows,
        "Clips that the network had not seen. Low and high: 95 % of 1000 bootstrap samples of "
        f"whole groups. Standard deviation of the accuracy over folds: {spread:.3f}.",
    )


def files_table(scores: Scores) -> Table:
    """Accuracy, size and time of each precision."""
    return Table(
        (
            "weights",
            Column("accuracy"),
            Column("agrees with the trained model"),
            Column("file [kB]", number=",.0f"),
            Column("a clip, one thread [ms]"),
        ),
        [
            [name, each.accuracy, each.agreement, each.bytes / 1e3, each.milliseconds]
            for name, each in scores.files.items()
        ],
        "Files of the models that were trained on the other folds, asked about the same clips.",
    )


def report_of(
    model: str,
    title: str,
    scores: Scores,
    results: list[FoldResult],
    table: Table,
    classes: tuple[str, ...],
    made_by: str,
) -> Report:
    """The page: scores, who is taken for whom, how sure, when to abstain, how training went."""
    report = Report(
        f"{title[0].upper()}{title[1:]} told apart by {model}",
        f"Accuracy {scores.figures['accuracy']} in {len(results)} folds; chance is "
        f"{1 / len(classes):.2g}.",
        provenance={"command": made_by},
    )
    report.section("Scores").table(table)
    if scores.by_device:
        report.figure(
            plots.intervals({n: (i.value, i.low, i.high) for n, i in scores.by_device.items()}),
            name="devices",
            caption="Accuracy on each device, with its interval over groups.",
            alt="A dot and a line for each recording device.",
        )
    report.section("Who is taken for whom").figure(
        plots.confusion_matrix(
            multiclass.confusion_matrix(scores.test.labels, scores.test.probabilities), classes
        ),
        name="confusion",
        caption="Clips by true class (rows) and told class (columns), all test folds together.",
        alt="A square matrix of counts, darkest on its diagonal where the network is right.",
    )
    report.section(
        "How sure it is",
        "Temperature scaling divides the last layer's output by one number, chosen on validation "
        f"clips: {scores.temperature:.2f}. The likeliest class stays the likeliest.",
    ).figure(
        plots.reliability_diagram(
            {n: (r.confidence, r.accuracy, r.count) for n, r in scores.reliability.items()},
            {n: r.ece for n, r in scores.reliability.items()},
        ),
        name="reliability",
        caption="Accuracy of the answers given with each confidence; on the grey line a model is "
        "right as often as it says.",
        alt="Two curves of accuracy over confidence beside the diagonal.",
    )
    _, coverage, right = calibration.risk_coverage(scores.test.labels, scores.test.probabilities)
    report.section("When to abstain", abstaining(scores)).figure(
        plots.accuracy_coverage(coverage, right, chosen=scores.answered),
        name="abstaining",
        caption="Accuracy among the answered clips over their share, as the threshold falls.",
        alt="A falling step curve from few sure answers to all answers.",
    )
    if scores.files:
        report.section(
            "Smaller files", "The front end stays in float32; the network behind it is rounded."
        ).table(files_table(scores))
    report.section("Training")
    for k, result in enumerate(results, 1):
        report.figure(
            learning_curves(
                {"loss": result.history.loss, "val_loss": result.history.val_loss},
                loss_label="cross-entropy [nat]",
                held_out="held out, not chosen by",
            ),
            name=f"learning_{k}",
            caption=f"{result.name}: training ended {result.history.ended}.",
            alt="Loss on training clips and on clips held out, over epochs.",
        )
    return report


def abstaining(scores: Scores) -> str:
    """The threshold in words."""
    if scores.threshold is None:
        return f"Not in every fold a confidence suffices for {WANTED:.0%} right answers."
    share, right = scores.answered
    return (
        f"Answer only at a confidence of {scores.threshold:.2f} or more, chosen on "
        f"validation clips for {WANTED:.0%} right answers: on the test clips it then answers "
        f"{share:.0%}, of which {right:.0%} are right."
    )


def metrics_of(scores: Scores) -> dict[str, dict[str, dict[str, Any]]]:
    """Split -> figure -> value with its interval, beside the baseline; then of every file."""
    files = {
        f"cross-validation, {name} file": {
            "accuracy": {
                "value": each.accuracy,
                "baseline": scores.figures["accuracy"].value,
                "baseline_name": "as trained",
            },
            "agreement with the trained model": {"value": each.agreement},
            "a clip on one thread [ms]": {"value": each.milliseconds},
        }
        for name, each in scores.files.items()
    }
    return {"cross-validation": _figures(scores), **files}


def _figures(scores: Scores) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "baseline": scores.baseline_figures.get(name),
            "baseline_name": "linear, on band statistics"
            if name in scores.baseline_figures
            else None,
        }
        for name, each in scores.figures.items()
    }
