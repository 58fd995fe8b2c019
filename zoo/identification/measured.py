"""Constants of a material from a measured test: fitted, doubted, drawn, exported."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.hysteresis import experiment as hysteresis
from zoo.cli.options import positive_int
from zoo.progress import say

if TYPE_CHECKING:
    import numpy as np

    from zoo.data.split import Split
    from zoo.identification import Identification
    from zoo.presets import Preset
    from zoo.report import Report, Table

LAWS = ("maxwell", "prony", "relaxation")
RIDGE = 0.01  # on the weights of a learnt curve, in units of the RMS stress; see `identify`
SPECIMENS_SHOWN = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command, in the order of the arguments of `identify`."""
    parser.add_argument("--csv", type=Path, required=True, help="table: time, stretch, stress")
    parser.add_argument("--law", choices=LAWS, default="maxwell", help="(default maxwell)")
    parser.add_argument(
        "--branches",
        type=positive_int,
        help="of prony (default 3) or relaxation (default 1)",
    )
    parser.add_argument("--cycles", type=int, default=0, help="first cycle repeated as start-up")
    parser.add_argument("--time", help="name of the time column [s]")
    parser.add_argument("--stretch", help="name of the stretch or strain column [-]")
    parser.add_argument("--stress", help="name of the stress column")
    parser.add_argument("--group", help="name of the column that tells specimens apart")
    parser.add_argument("--starts", type=positive_int, default=5, help="(default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the starts")
    parser.add_argument("--out", type=Path, help="model folder (default: saved_models/NAME)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")


def identify(
    csv: Path,
    law: str = "maxwell",
    *,
    branches: int | None = None,
    cycles: int = 0,
    time: str | None = None,
    stretch: str | None = None,
    stress: str | None = None,
    group: str | None = None,
    starts: int = 5,
    seed: int = 0,
    out: Path | None = None,
    reports: Path = Path("reports"),
) -> "Identification":
    """Read a test, fit a law to it, print and draw what came out, export the fitted model.

    Args:
        csv: table with a header; see `zoo.data.measured.read_csv` for it and its columns.
        law: one of `LAWS`.
        branches: of prony or relaxation.
        cycles: repeats of the first full cycle before the data, where a test begins in the middle
            of cyclic loading.
        time: column, and so are stretch, stress and group.
        stretch: see time.
        stress: see time.
        group: see time.
        starts: first guesses.
        seed: of those.
        out: folder of the model; its name is that of the model.
        reports: folder that gets NAME/report.html.

    Raises:
        ValueError: in one line, before anything is written.
    """
    if law not in LAWS:
        raise ValueError(f"`law` must be one of {', '.join(LAWS)}. Received: {law!r}.")
    if law == "maxwell" and branches not in (None, 1):
        raise ValueError(
            f"The law maxwell has one branch. Received: branches={branches}. "
            "Use relaxation or prony for more."
        )
    csv = Path(csv)
    from zoo.data import measured

    columns = {"time": time, "stretch": stretch, "stress": stress, "group": group}
    data = measured.read_csv(csv, cycles=cycles, **columns)
    unit = data.targets[0].unit
    name = f"{csv.stem}-{law}"
    out = Path(out) if out else Path("saved_models") / name
    made_by = _command(csv=csv.name, law=law, branches=branches, cycles=cycles or None, **columns)

    from zoo import identification
    from zoo.recurrent import predictor

    preset = preset_of(law, branches, data)
    model = preset.build(data.x, data.y, data.weight)
    say(f"{preset.description}: {model.count_params()} weights, {starts} starts")
    found = identification.identify(
        model,
        data.x,
        data.y,
        data.weight,
        unit=unit,
        starts=starts,
        seed=seed,
        ridge=RIDGE if law == "relaxation" else 0.0,
        say=say,
    )
    table = table_of(found)
    print(table.text())
    print(f"R² = {found.r2:.5f}, RMS residual {found.rmse:.3g} {unit}\n{found.intervals}")
    for line in found.warnings:
        print(f"warning: {line}")

    page = report_of(found, data, name, preset.description, made_by)
    say(f"report: {page.write(Path(reports) / out.name / 'report.html')[-1]}")
    laws = {law: predictor(model), **hysteresis.fitted_laws(data)}
    experiment = _experiment(data)
    hysteresis.export(
        out,
        experiment,
        model,
        preset.description,
        {each: hysteresis.scores_of(predict, experiment) for each, predict in laws.items()},
        {"seed": seed, "starts": starts, "samples": found.samples, "R2": found.r2},
        made_by,
        limits=[_sentence(line) for line in found.warnings],
        settings={"identification": entry_of(found)},
    )
    say(f"model: {out}")
    return found


def preset_of(law: str, branches: int | None, data: "Split") -> "Preset":
    """The law with this many branches, their relaxation times spread over two decades."""
    import numpy as np

    from zoo import presets

    if law == "relaxation":
        return presets.material(law, branches=branches or 1)
    if law == "maxwell" or branches in (None, 3):
        return presets.material(law)
    first = presets.material(law).build(data.x, data.y, data.weight).layers[-1].cell.constants()
    spread = np.logspace(-1, 1, branches) if branches > 1 else np.ones(1)
    return presets.material(
        law,
        moduli=[sum(first["moduli"]) / branches] * branches,
        times=(float(np.median(first["times"])) * spread).tolist(),
    )


def table_of(found: "Identification") -> "Table":
    """A row a constant: value and interval."""
    from zoo.report import Column, Table

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
            [e.constant.symbol, e.constant.unit, e.value, e.low, e.high, e.constant.meaning]
            for e in found.estimates.values()
        ],
        f"Constants with asymptotic 95 % intervals; R² = {found.r2:.5f}.",
    )


def entry_of(found: "Identification") -> dict[str, Any]:
    """For the manifest; JSON has no infinity, so an open interval ends in null."""
    import math

    return {
        "constants": {
            name: {
                "value": e.value,
                "low": e.low,
                "high": e.high if math.isfinite(e.high) else None,
                "unit": e.constant.unit,
                "meaning": e.constant.meaning,
            }
            for name, e in found.estimates.items()
        },
        "intervals": found.intervals,
        "R2": found.r2,
        "rmse": found.rmse,
        "warnings": list(found.warnings),
    }


def report_of(
    found: "Identification", data: "Split", name: str, description: str, made_by: str
) -> "Report":
    """The page: constants and doubts, fit and residuals, the learnt curve, correlations."""
    import numpy as np

    from zoo import plots
    from zoo.plots.relaxation import relaxation_rates
    from zoo.report import Column, Report, Table

    unit = data.targets[0].unit
    report = Report(
        f"Identification of {name}",
        f"{_sentence(description)} R² = {found.r2:.5f}, RMS residual {found.rmse:.3g} {unit}, "
        f"{found.samples} samples.",
        provenance={"command": made_by},
    )
    report.section("Constants", found.intervals).table(table_of(found))
    if found.warnings:
        report.section("What the data cannot tell")
        for line in found.warnings:
            report.text(_sentence(line))
    report.section("Fit and residuals")
    for path in range(min(len(data.x), SPECIMENS_SHOWN)):
        label = f", specimen {data.groups[path]}" if data.groups[path] else ""
        report.figure(
            plots.identified_fit(*_curves(found, data, path), stress_label=f"stress σ [{unit}]"),
            name=f"fit_{path}",
            caption=f"Measured and fitted stress over time and stretch{label}.",
            alt="Stress over time with residuals below, and the loop beside it.",
        )
    if found.curves:
        report.section(
            "Learnt relaxation",
            "The rate at which a branch relaxes at each stress. Where no stress was visited, the "
            "band is wide and the curve is held near its first guess.",
        ).figure(
            relaxation_rates(
                [(c.stress, c.rate, c.low, c.high) for c in found.curves],
                stress_label=f"stress of the branch |s| [{unit}]",
            ),
            name="relaxation",
            caption="Relaxation rate γ with its pointwise 95 % band, fast branches first.",
            alt="Rate against stress, logarithmic axes, a curve with a shaded band a branch.",
        )
    symbols = [e.constant.symbol for e in found.estimates.values()]
    rows = [
        [symbol, *(float(np.round(v, 3)) for v in row)]
        for symbol, row in zip(symbols, found.correlation, strict=True)
    ]
    return report.section("Correlation of the errors").table(
        Table([Column("constant"), *(Column(s, number=".2f") for s in symbols)], rows)
    )


def _curves(found: "Identification", data: "Split", path: int) -> "tuple[np.ndarray, ...]":
    """Time, stretch, measured and fitted stress of what counts of one specimen."""
    import numpy as np

    counts = data.weight[path] > 0
    time = np.cumsum(data.x[path, :, 2], dtype=float)[counts]
    curves = (data.x[path, :, 0], data.y[path, :, 0], found.fitted[path])
    return (time - time[0], *(curve[counts] for curve in curves))


def _experiment(data: "Split") -> hysteresis.Experiment:
    specimens = len(data.x)
    return hysteresis.Experiment(
        train=data,
        validation=data,
        tests={"test": data},
        cycle=data.select([0]),
        shown=("test",),
        refinement=None,
        material={},
        limits=[
            f"Identified from {specimens} specimen{'s' if specimens > 1 else ''} and scored on the "
            "same: errors are those of the fit. Other rates and stresses are an extrapolation."
        ],
    )


def _command(**options: Any) -> str:
    words = ["python", "-m", "recipes.materials", "identify"]
    for option, value in options.items():
        if value is not None:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _sentence(line: str) -> str:
    # A symbol keeps its case: capital ν is another letter.
    return f"{line[0].upper() if line[:2].isascii() and line[1].islower() else line[0]}{line[1:]}."
