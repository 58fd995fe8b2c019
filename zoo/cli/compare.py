"""`zoo compare MODEL MODEL`: models side by side on one data set."""

import argparse
from pathlib import Path

from zoo import folders
from zoo.cli import command, output
from zoo.cli.options import (
    Subcommands,
    add_csv_columns,
    add_json,
    add_page,
    add_seed,
    add_trust,
    columns_of,
    require_csv,
)
from zoo.manifest import NAME, read_manifest
from zoo.progress import printable
from zoo.targets import check_output_file

QUICK_PATHS = 10  # of each built-in split
SEED = 10_000


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "compare",
        help="models side by side on one data set",
        description="Score models on the same data: stress models on a measured test (--csv) or on "
        "the built-in test splits, classifiers of sound on a folder of labelled recordings "
        "(--data). Scores are fair only on data that none of the models was trained on.",
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="name of a saved model, or its folder; for stress also a .keras file",
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--csv",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="measured test; once more for each further file",
    )
    data.add_argument("--data", type=Path, metavar="FOLDER", help="labelled recordings")
    add_csv_columns(parser.add_argument_group("columns of the CSV file (default: recognised)"))
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_PATHS} paths of each built-in split"
    )
    add_seed(parser, "of the built-in paths", SEED)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table as CSV")
    add_page(parser, "table, and mistakes of classifiers to be heard")
    add_json(parser)
    add_trust(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    """Print a row for each split and metric, a column for each model.

    Raises:
        ValueError: fewer than two models, models of different kinds, data that do not fit them.
    """
    for file in (options.out, options.page):
        if file is not None:
            check_output_file(file, *options.csv, *options.models)
    require_csv(options)
    if options.quick and (options.csv or options.data):
        raise ValueError(
            "--quick thins the built-in paths, and --csv and --data measure on other data. "
            "Leave it out."
        )
    if len(options.models) < 2:
        raise ValueError(f"Expected two models or more, got {options.models[0]}.")
    for model in options.models:
        folder = folders.find(model)
        has_manifest = (folder / NAME).is_file()
        if not options.data and has_manifest and "front_end" in read_manifest(folder):
            raise ValueError(f"{model} is a classifier of sound. Give labelled recordings: --data.")
    from zoo import comparison  # only now: TensorFlow takes seconds to import

    if options.data:
        result = comparison.compare_classifiers(options.models, options.data, seed=options.seed)
    else:
        result = comparison.compare_stress_models(
            options.models,
            options.csv,
            columns_of(options),
            paths=QUICK_PATHS if options.quick else comparison.PATHS,
            seed=options.seed,
            trust=options.trust,
        )
    if options.json:
        output.print_json({"data": result.data, "rows": result.rows()})
    else:
        print(printable(result.data))
        output.print_table(result.table())
    if options.out:
        output.write_csv(result.table(), options.out)
    if options.page:
        line = command.format_command_line(options.parser, options)
        output.write_page(result.page(line), options.page)
