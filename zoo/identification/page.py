"""Table, manifest entry and report page of an identification."""

import math
from typing import Any

import numpy as np

from zoo import plots
from zoo.data.split import Split
from zoo.identification.fit import Identification
from zoo.plots.relaxation import relaxation_rates
from zoo.report import Column, Report, Table
from zoo.stress.trained import TrainedModel

MAX_SPECIMENS = 4  # whose fits are drawn


def constants_table(result: Identification) -> Table:
    """A row for each constant: value and 95 % interval; no interval where the data give none."""
    number = ".4g"
    return Table(
        [
            Column("constant"),
            Column("unit"),
            Column("value", number=number),
            Column("95 % from", number=number),
            Column("to", number=number),
            Column("meaning"),
        ],
        [
            [
                *(e.constant.symbol, e.constant.unit, e.value),
                *((e.low, e.high) if e.is_determined else (None, None)),
                e.constant.meaning,
            ]
            for e in result.estimates.values()
        ],
        f"Constants with asymptotic 95 % intervals; –: the data give none; R² = {result.r2:.5f}.",
    )


def identification_entry(result: Identification) -> dict[str, Any]:
    """Entry `identification` of a manifest; None in place of an interval that data do not give."""
    return {
        "constants": {
            name: {
                "value": e.value,
                "low": e.low if e.is_determined else None,
                "high": e.high if e.is_determined else None,
                "unit": e.constant.unit,
                "meaning": e.constant.meaning,
            }
            for name, e in result.estimates.items()
        },
        "intervals": result.intervals,
        "R2": result.r2,
        "rmse": result.rmse,
        "warnings": list(result.warnings),
    }


def identification_report(
    result: Identification, data: Split, name: str, trained: TrainedModel
) -> Report:
    """The page: constants, warnings, fit and residuals, the learnt curve, correlations.

    Args:
        result: of the fit.
        data: the test.
        name: of the fitted model.
        trained: the fitted model, its description and command.
    """
    unit = data.targets[0].unit
    report = Report(
        f"Identification of {name}",
        f"{sentence(trained.description)} R² = {result.r2:.5f}, RMS residual {result.rmse:.3g} "
        f"{unit}, {result.samples} samples.",
        provenance={"command": trained.command},
    )
    report.section("Constants", result.intervals).table(constants_table(result))
    if result.warnings:
        report.section("What the data do not determine")
        for line in result.warnings:
            report.text(sentence(line))
    report.section("Fit and residuals")
    for path in range(min(len(data.x), MAX_SPECIMENS)):
        label = f", specimen {data.groups[path]}" if data.groups[path] else ""
        report.figure(
            plots.identified_fit(*_curves(result, data, path), stress_label=f"stress σ [{unit}]"),
            name=f"fit_{path}",
            caption=f"Measured and fitted stress over time and strain{label}.",
            alt="Stress over time with residuals below, and the loop beside it.",
        )
    if result.curves:
        report.section(
            "Learnt relaxation",
            "The rate at which a branch relaxes at each stress. Where the test reached no stress, "
            "the band is wide and the curve is held near its first guess.",
        ).figure(
            relaxation_rates(
                [(c.stress, c.rate, c.low, c.high) for c in result.curves],
                stress_label=f"stress of the branch |s| [{unit}]",
            ),
            name="relaxation",
            caption="Relaxation rate γ with its pointwise 95 % band, fast branches first.",
            alt="Rate against stress, logarithmic axes, a curve with a shaded band a branch.",
        )
    return report.section("Correlation of the errors").table(_correlation_table(result))


def sentence(line: str) -> str:
    """The line with a capital letter and a full stop; a symbol at its start keeps its case."""
    # Capital ν is another letter.
    return f"{line[0].upper() if line[:2].isascii() and line[1].islower() else line[0]}{line[1:]}."


def _correlation_table(result: Identification) -> Table:
    symbols = [e.constant.symbol for e in result.estimates.values()]
    rows = [
        [symbol, *(float(np.round(v, 3)) if math.isfinite(v) else None for v in row)]
        for symbol, row in zip(symbols, result.correlation, strict=True)
    ]
    return Table([Column("constant"), *(Column(s, number=".2f") for s in symbols)], rows)


def _curves(result: Identification, data: Split, path: int) -> tuple[np.ndarray, ...]:
    """Time, strain, measured and fitted stress of the samples of one specimen that count."""
    counts = np.ones(data.x.shape[1], bool) if data.weight is None else data.weight[path] > 0
    time = np.cumsum(data.x[path, :, 2], dtype=float)[counts]
    curves = (data.x[path, :, 0], data.y[path, :, 0], result.fitted[path])
    return (time - time[0], *(curve[counts] for curve in curves))
