"""Table, manifest entry and report page of an identification."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo import plots
from zoo.data.probes import TrainedRange
from zoo.data.quantities import axis_label
from zoo.data.split import Split
from zoo.identification.constants import constants_of
from zoo.identification.fit import Identification, InitialState
from zoo.identification.proposal import Proposal
from zoo.plots.relaxation import relaxation_rates
from zoo.recurrent import predictor
from zoo.report import Column, Report, Table
from zoo.stress.trained import TrainedModel

MAX_SPECIMENS = 4  # whose fits are drawn
CYCLES, CYCLE_STEPS = 3, 200  # of the loops at other rates


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
                *((e.low, e.high) if e.is_bounded else (None, None)),
                e.constant.meaning,
            ]
            for e in result.estimates.values()
        ],
        f"Constants with 95 % intervals; –: the data give none; R² = {result.r2:.5f}.",
    )


def initial_state_table(
    state: InitialState, specimens: Sequence[str] | np.ndarray | None = None
) -> Table:
    """A row for each path: the states before its first row, with the half width of an interval.

    Args:
        state: fitted.
        specimens: names of the paths; None: numbers.
    """
    columns = [Column("specimen")]
    for name in state.names:
        columns += [Column(name, number=".4g"), Column("±", number=".2g")]
    rows = []
    for path, (values, widths) in enumerate(zip(state.values, state.half_widths, strict=True)):
        name = str(specimens[path]) if specimens is not None else ""
        row: list[str | float | None] = [name or str(path + 1)]
        for value, width in zip(values, widths, strict=True):
            row += [float(value), float(width) if math.isfinite(width) else None]
        rows.append(row)
    return Table(columns, rows, "State before the first row, with 95 % half widths, linearised.")


def conditions_table(trained: TrainedModel, data: Split) -> Table:
    """A row for each condition of the test: its covariates, and the constants there.

    Args:
        trained: a model of one `CovariateCell`.
        data: the test.
    """
    cell = next(layer.cell for layer in trained.model.layers if hasattr(layer, "cell"))
    constants, _ = constants_of(cell.cell, data.targets[0].unit, data.inputs[0].unit)
    conditions = np.unique(data.x[:, 0, 3:].astype(np.float64), axis=0)
    columns = [
        Column(name, "" if unit == "-" else unit, ".4g")
        for name, unit in [
            *((each.name, each.unit) for each in data.inputs[3:]),
            *((each.symbol, each.unit) for each in constants),
        ]
    ]
    return Table(columns, [[*map(float, at), *map(float, cell.values_at(at))] for at in conditions])


def laws_table(proposal: Proposal) -> Table:
    """A row for each law: parameters, error of the fit, held-out error and its range."""
    share = ".3g"
    return Table(
        [
            Column("law"),
            Column("parameters", number=",d"),
            Column("fitted", number=share),
            Column("held out", number=share),
            Column("best fold", number=share),
            Column("worst fold", number=share),
        ],
        [
            [
                each.law.candidate.name,
                each.law.model.count_params(),
                *(each.fitted, each.held_out, min(each.folds), max(each.folds)),
            ]
            for each in proposal.ranked
        ],
        "nRMSE: root mean square error over root mean square stress [-]; held out: "
        f"{proposal.split}, pooled.",
    )


def proposal_entry(proposal: Proposal) -> dict[str, Any]:
    """Laws compared, for a manifest; None in place of an error that is not finite."""
    return {
        "split": proposal.split,
        "choice": proposal.choice.text,
        "laws": {
            each.law.candidate.name: {
                "parameters": each.law.model.count_params(),
                "fitted": each.fitted,
                "held_out": each.held_out if math.isfinite(each.held_out) else None,
            }
            for each in proposal.ranked
        },
    }


def identification_entry(result: Identification) -> dict[str, Any]:
    """Entry `identification` of a manifest; None in place of an interval that data do not give."""
    state = result.initial_state
    initial = (
        {
            "initial_state": {
                "names": list(state.names),
                "values": state.values.tolist(),
                "half_widths": [
                    [width if math.isfinite(width) else None for width in row]
                    for row in state.half_widths.tolist()
                ],
            }
        }
        if state is not None
        else {}
    )
    return initial | {
        "constants": {
            name: {
                "value": e.value,
                "low": e.low if math.isfinite(e.low) and e.is_bounded else None,
                "high": e.high if math.isfinite(e.high) else None,
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
    result: Identification,
    data: Split,
    name: str,
    trained: TrainedModel,
    proposal: Proposal | None = None,
    *,
    has_time: bool = True,
) -> Report:
    """The page: laws compared, constants, warnings, fit, other rates, learnt curve, correlations.

    Args:
        result: of the fit.
        data: the test.
        name: of the fitted model.
        trained: the fitted model, its description and command.
        proposal: laws that were compared; None if the law was given.
        has_time: whether the times of the test were measured.
    """
    unit, labels = data.targets[0].unit, (axis_label(data.inputs[0]), axis_label(data.targets[0]))
    loading, response = data.inputs[0].name, data.targets[0].name
    report = Report(
        f"Identification of {name}",
        f"{sentence(trained.description)} R² = {result.r2:.5f}, RMS residual {result.rmse:.3g} "
        f"{unit}, {result.samples} samples.",
        provenance={"command": trained.command},
    )
    if proposal is not None:
        report.section("Laws compared", proposal.choice.text).table(laws_table(proposal))
    report.section("Constants", result.intervals).table(constants_table(result))
    if data.x.shape[2] > 3:
        report.section(
            "Constants at the conditions of the test",
            "What the constants and their slopes come to at the covariates of the specimens.",
        ).table(conditions_table(trained, data))
    if result.initial_state is not None:
        report.section(
            "Initial state",
            "The test need not begin at rest: the state before the first row of each specimen was "
            "fitted with the constants.",
        ).table(initial_state_table(result.initial_state, data.groups))
    if result.warnings:
        report.section("What the data do not determine")
        for line in result.warnings:
            report.text(sentence(line))
    report.section("Fit and residuals")
    for path in range(min(len(data.x), MAX_SPECIMENS)):
        label = f", specimen {data.groups[path]}" if data.groups[path] else ""
        figure = plots.identified_fit(
            *_curves(result, data, path), strain_label=labels[0], stress_label=labels[1]
        )
        report.figure(
            figure if has_time else plots.number_rows(figure),
            name=f"fit_{path}",
            caption=f"Measured and fitted {response} over {'time' if has_time else 'rows'} and "
            f"{loading}{label}.",
            alt=f"{response.capitalize()} over time with residuals below, and the loop beside it.",
        )
    _add_cycles(report, trained, data, has_time)
    if result.curves:
        report.section(
            "Learnt relaxation",
            "The rate at which a branch relaxes at each stress. Where the test reached no stress, "
            "the band is wide and the curve is held near its first guess.",
        ).figure(
            relaxation_rates(
                [(c.stress, c.rate, c.low, c.high) for c in result.curves],
                stress_label=f"{response} of the branch |s| [{unit}]",
            ),
            name="relaxation",
            caption="Relaxation rate γ with its pointwise 95 % band, fast branches first.",
            alt="Rate against stress, logarithmic axes, a curve with a shaded band a branch.",
        )
    return report.section("Correlation of the errors").table(_correlation_table(result))


def _add_cycles(report: Report, trained: TrainedModel, data: Split, has_time: bool) -> None:
    """The section of predicted cycles: at three rates, or one where no rates are known."""
    loading, response = data.inputs[0].name, data.targets[0].name
    loops = loops_at_other_rates(trained, data)
    levels = [
        f"{each.name} {value:.4g}{'' if each.unit in ('', '-') else f' {each.unit}'}"
        for each, value in zip(data.inputs[3:], data.x[0, 0, 3:], strict=True)
    ]
    at = f" At {', '.join(levels)}, as of the first specimen." if levels else ""
    title = "At other rates"
    text = (
        f"What the law predicts for cycles over the {loading} of the test at its median rate, and "
        f"ten times slower and faster. Rates that were not tested are an extrapolation.{at}"
    )
    if not has_time:
        loops = {"any rate": next(iter(loops.values()))}
        title = "A steady cycle"
        text = (
            f"What the law predicts for cycles over the {loading} of the test. The test has no "
            f"times and the law is rate-independent: the cycle is the same at every rate.{at}"
        )
    report.section(title, text).figure(
        plots.predicted_loops(
            loops, strain_label=axis_label(data.inputs[0]), stress_label=axis_label(data.targets[0])
        ),
        name="rates",
        caption=f"Predicted {response} over {loading} in the third cycle.",
        alt="A loop for each of three rates." if has_time else "One loop.",
    )


def loops_at_other_rates(
    trained: TrainedModel, data: Split
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Strain and predicted stress of a steady triangular cycle, by rate.

    Args:
        trained: the fitted model.
        data: the test, whose strains and median rate are taken.

    Returns:
        Rate, such as "0.01 /s" or "0.2 mm/s" -> strain (rows,), stress (rows,).
    """
    tested = TrainedRange.of(data.x, data.weight)
    low, high = tested.ends
    size = np.abs(data.x[..., 1])
    median = float(np.median(size[size > 1e-6 * size.max()]))
    up = np.linspace(0.0, 1.0, CYCLE_STEPS // 2 + 1)[1:]
    wave = np.concatenate([low + (high - low) * up, high + (low - high) * up])
    strain = np.concatenate([low * up, *[wave] * CYCLES]) if low else np.tile(wave, CYCLES)
    change = np.diff(strain, prepend=0.0)
    loops = {}
    for rate in (median / 10, median, 10 * median):
        dt = np.maximum(np.abs(change), 1e-9 * tested.amplitude) / rate
        x = np.stack([strain, change / dt, dt], axis=-1)[None].astype(np.float32)
        covariates = np.broadcast_to(data.x[:1, :1, 3:], (1, len(strain), data.x.shape[2] - 3))
        x = np.concatenate([x, covariates], axis=-1)
        stress = predictor(trained.model)(x)[0, :, 0]
        last = slice(-CYCLE_STEPS - 1, None)
        unit = data.inputs[1].unit.removeprefix("1")  # "/s" of a strain
        loops[f"{rate:.2g} {unit}"] = (strain[last], stress[last])
    return loops


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
