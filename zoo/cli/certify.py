"""`zoo certify MODEL`: whether a stress model behaves as a material, and how far it holds."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli import command, output
from zoo.cli.options import (
    Subcommands,
    add_csv,
    add_csv_columns,
    add_json,
    add_seed,
    add_trust,
    columns_of,
    require_csv,
    span,
    strain_range,
)
from zoo.progress import say
from zoo.runs import RunPaths

if TYPE_CHECKING:
    from zoo.certificate.facts import ModelFacts

SEED = 30_000  # of the paths: neither training's nor the test splits'
QUICK_PATHS = 8  # random walks of each check


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "certify",
        help="pass or fail a stress model against stated thresholds",
        description="Check a stress model as a material: rest, refinement of the time step, "
        "dissipation, relaxation, errors in and beyond its trained range. Exit code 1: a check "
        "fails.",
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="name of a saved model, its folder, a .keras file or a SavedModel folder",
    )
    parser.add_argument(
        "--law",
        type=float,
        nargs=4,
        metavar=("E", "NU0", "SIGMA0", "M"),
        help="constants of the true law [MPa, s, MPa, -], if known and not in a manifest",
    )
    loading = parser.add_argument_group(
        "loading to check with (default: the trained range that a manifest states)"
    )
    add_csv(loading)
    loading.add_argument(
        "--amplitude",
        type=strain_range,
        metavar="A|FROM:TO",
        help="strain within ±A, or a range such as 0:0.05, or 0:-0.05 for compression alone",
    )
    loading.add_argument("--rates", type=span, metavar="FROM:TO", help="strain rates [1/s]")
    loading.add_argument("--dt", type=span, metavar="FROM:TO", help="time steps [s]")
    add_csv_columns(parser.add_argument_group("columns of the CSV file (default: recognised)"))
    parser.add_argument("--quick", action="store_true", help="fewer paths for each check")
    add_seed(parser, "of the paths", SEED)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder of the page (default: runs/certificate-NAME)",
    )
    add_json(parser)
    add_trust(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Print the loading and the checks, and write the page.

    Returns:
        Exit code: 0 if every check passes, else 1.

    Raises:
        ValueError: a model that cannot be opened, or whose input and outputs do not fit; a file
            that cannot be read.
    """
    require_csv(options)
    from zoo import models  # only now: TensorFlow takes seconds to import
    from zoo.certificate import certify, page

    predict, facts = models.open_model(options.model, trust=options.trust)
    facts = _with_range(facts, options)
    paths = RunPaths(f"certificate-{facts.name}", options.out)
    paths.check(exports=False)
    if options.law:
        facts = facts.with_law(*options.law)
    loading = page.describe_loading(facts)
    if not options.json:
        print(loading, flush=True)
    walks = QUICK_PATHS if options.quick else certify.PATHS
    result = certify.certify_model(predict, facts, paths=walks, seed=options.seed)
    if options.json:
        checks = [
            {"name": c.name, "value": c.value, "threshold": c.threshold, "passed": c.passed}
            for c in result.checks
        ]
        for check, entry in zip(result.checks, checks, strict=True):
            entry["reason"] = check.meaning if check.passed is None else None
        output.print_json(
            {
                "model": facts.name,
                "loading": loading,
                "passed": result.passed,
                "checks": checks,
            }
        )
    else:
        output.print_table(page.certificate_table(result))
        for line in page.skipped_lines(result):
            print(line)
        print("passed" if result.passed else "not passed")
    command_line = command.format_command_line(options.parser, options)
    report = page.certificate_report(result, facts, {"command": command_line})
    say(f"report: {report.write(paths.report)[-1]}")
    return 0 if result.passed else 1


def _with_range(facts: "ModelFacts", options: argparse.Namespace) -> "ModelFacts":
    """The facts with the range of the measured test, or with what is given by hand.

    Raises:
        ValueError: a file that cannot be read, or numbers that are no range.
    """
    from zoo.data import measured  # only now: it imports pandas
    from zoo.data.probes import TrainedRange
    from zoo.predictions import in_unit_of

    given = {name: getattr(options, name) for name in ("amplitude", "rates", "dt")}
    by_hand = [f"--{name}" for name, value in given.items() if value]
    if not (options.csv or by_hand):
        return facts
    source = "the trained range that its manifest states" if facts.trained else "else assumed"
    trained = facts.trained or TrainedRange()
    if options.csv:
        data = measured.read_csv(options.csv, columns_of(options))
        data = in_unit_of(options.csv[0], data, [facts])
        trained = TrainedRange.of(data.x, data.weight)
        source = "of " + ", ".join(path.name for path in options.csv)
    changes: dict[str, Any] = {}
    if given["amplitude"]:
        low, high = given["amplitude"]
        is_symmetric = low == -high
        changes |= {"amplitude": max(-low, high), "strain": None if is_symmetric else (low, high)}
    if given["rates"]:
        changes["rates"] = given["rates"]
    if given["dt"]:
        changes["dt_s"] = given["dt"]
    if by_hand:
        every = len(by_hand) == len(given)
        source = f"{', '.join(by_hand)} by hand" + ("" if every else f"; {source}")
    return replace(facts, trained=replace(trained, **changes), trained_source=source)
