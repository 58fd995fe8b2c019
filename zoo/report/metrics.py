"""Metrics with confidence intervals as table rows and manifest entries; learning curves of runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.metrics.bootstrap import RESAMPLES, Interval
from zoo.plots import learning_curves
from zoo.report.page import Report
from zoo.report.table import Column, Table

if TYPE_CHECKING:
    from zoo.training import History

Row = tuple[str, Interval | float, float | None]


def interval_table(rows: Iterable[Row], caption: str, *, baseline: str | None = None) -> Table:
    """Table of metrics with confidence intervals.

    Args:
        rows: name, value with or without interval, value of the baseline or None.
        caption: of the table; a sentence on the intervals follows it.
        baseline: name of the column of baselines; None: no such column.
    """
    columns = ["metric", "value", "low", "high", *([baseline] if baseline else [])]
    lines = []
    for name, value, reference in rows:
        if isinstance(value, Interval):
            line = [name, value.value, value.low, value.high]
        else:
            line = [name, value, None, None]
        lines.append([*line, reference] if baseline else line)
    return Table(
        [Column(name) for name in columns],
        lines,
        f"{caption} Low and high: 95 % confidence interval from {RESAMPLES} bootstrap samples of "
        "whole groups.",
    )


def file_table(metrics: Sequence[str], rows: Iterable[Sequence[Any]], caption: str) -> Table:
    """Table of exported files: metrics, size and inference time of each precision.

    Args:
        metrics: names of the metrics.
        rows: precision, one value for each metric, size [kB], time of a clip on one thread [ms].
        caption: of the table.
    """
    columns = [
        Column("weights"),
        *map(Column, metrics),
        Column("file [kB]", number=",.0f"),
        Column("a clip, one thread [ms]"),
    ]
    return Table(columns, rows, caption)


def manifest_metric(
    metric: Interval, baseline: float | None = None, baseline_name: str | None = None
) -> dict[str, Any]:
    """Entry of a manifest: value and interval of a metric, beside a baseline where there is one."""
    entry: dict[str, Any] = {"value": metric.value, "low": metric.low, "high": metric.high}
    if baseline is not None:
        entry |= {"baseline": baseline, "baseline_name": baseline_name}
    return entry


def add_learning_curves(report: Report, histories: Mapping[str, tuple[str, "History"]]) -> None:
    """Add the section "Training": loss over epochs of each run, with the monitored loss beside it.

    Args:
        report: to add to.
        histories: name of the figure -> name of the run, its history.
    """
    report.section("Training")
    for figure, (name, history) in histories.items():
        report.figure(
            learning_curves(
                {"loss": history.loss, "val_loss": history.val_loss},
                loss_label="cross-entropy [nat]",
                held_out="held out, not used for selection",
            ),
            name=figure,
            caption=f"Loss over epochs, {name}; training ended: {history.ended}.",
            alt="Loss of the training clips and of held-out clips over epochs.",
        )
