"""`zoo identify --csv FILE`: which material law a measured test supports, and its constants."""

import argparse
from pathlib import Path

from zoo.cli import command, output
from zoo.cli.options import (
    Subcommands,
    add_csv,
    add_csv_columns,
    add_json,
    add_seed,
    add_warm_up,
    columns_of,
    positive_int,
)
from zoo.identification.settings import LAWS, IdentificationSettings
from zoo.progress import printable


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "identify",
        help="the law of a material and its constants from a measured test, with intervals",
        description="Compare laws on a measured test by cross-validation and fit the best one, or "
        "the one of --law: constants with 95 % intervals, warnings on what the test does not "
        "determine, a report page, and the fitted model as a saved model.",
    )
    add_csv(parser, required=True)
    add_csv_columns(parser.add_argument_group("columns of the file (default: recognised)"))
    parser.add_argument("--law", choices=LAWS, help="fit this one (default: compare all)")
    parser.add_argument(
        "--branches",
        type=positive_int,
        help="number of branches of prony (default: 3), relaxation (default: 1) or a solid "
        "(default: 2; power-solid and mullins: 1), of back-stresses of chaboche (default: 2)",
    )
    parser.add_argument(
        "--shift",
        action="store_true",
        help="with --law and --covariate: a covariate shifts all stiffnesses by one factor and all "
        "relaxation times by another (time–temperature superposition), of prony or a solid",
    )
    parser.add_argument(
        "--cycles",
        type=int,
        default=0,
        help="repeats of the first cycle, put before the data as start-up (default: 0)",
    )
    add_warm_up(parser)
    parser.add_argument(
        "--free-initial-state",
        action="store_true",
        help="with --law: the state before the first row of each specimen is fitted with the "
        "constants, for a test that does not begin at rest",
    )
    parser.add_argument(
        "--starts", type=positive_int, default=5, help="number of first guesses (default: 5)"
    )
    add_seed(parser, "of the first guesses")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of report and model (default: runs/NAME)"
    )
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    """Print the constants, write report and model.

    Raises:
        ValueError: a file that cannot be read, a law that does not fit the options, or a model
            that cannot be exported.
    """
    settings = IdentificationSettings(
        csv=tuple(options.csv),
        law=options.law,
        branches=options.branches,
        columns=columns_of(options),
        cycles=options.cycles,
        starts=options.starts,
        seed=options.seed,
        out=options.out,
        command=command.format_command_line(options.parser, options),
        warm_up=options.warm_up,
        free_initial_state=options.free_initial_state,
        shift=options.shift,
    )
    from zoo.identification import measured  # only now: TensorFlow takes seconds to import

    identified = measured.fit_csv(settings)
    if options.json:
        output.print_json(measured.manifest_entry(identified))
    else:
        text = measured.identification_text(identified.result, identified.proposal)
        print(printable(text), flush=True)
    measured.write_results(identified, settings)  # last: the table stands whatever happens here
