"""`zoo certify MODEL`: whether a stress model behaves as a material, and how far it holds."""

import argparse
from pathlib import Path

from zoo.cli import command, output
from zoo.cli.options import Subcommands, add_json, add_seed, add_trust
from zoo.progress import say
from zoo.runs import RunPaths

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
    """Print the checks and write the page.

    Returns:
        Exit code: 0 if every check passes, else 1.

    Raises:
        ValueError: a model that cannot be opened, or whose input and outputs do not fit.
    """
    from zoo import models  # only now: TensorFlow takes seconds to import
    from zoo.certificate import certify, page

    predict, facts = models.open_model(options.model, trust=options.trust)
    paths = RunPaths(f"certificate-{facts.name}", options.out)
    paths.check(exports=False)
    if options.law:
        facts = facts.with_law(*options.law)
    walks = QUICK_PATHS if options.quick else certify.PATHS
    result = certify.certify_model(predict, facts, paths=walks, seed=options.seed)
    if options.json:
        checks = [
            {"name": c.name, "value": c.value, "threshold": c.threshold, "passed": c.passed}
            for c in result.checks
        ]
        output.print_json({"model": facts.name, "passed": result.passed, "checks": checks})
    else:
        output.print_table(page.certificate_table(result))
        print("passed" if result.passed else "not passed")
    command_line = command.format_command_line(options.parser, options)
    report = page.certificate_report(result, facts, {"command": command_line})
    say(f"report: {report.write(paths.report)[-1]}")
    return 0 if result.passed else 1
