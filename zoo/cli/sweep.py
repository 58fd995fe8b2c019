"""`zoo sweep RECIPE`: a recipe with every combination of some options, over several seeds."""

import argparse
from pathlib import Path

from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, add_workers, positive_int, workers_of
from zoo.files import hold_folder
from zoo.progress import say
from zoo.targets import check_output_folder


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "sweep",
        help="a recipe with every combination of some options, over several seeds",
        description="Run a recipe with every combination of some of its options, over several "
        "seeds, in processes or on a Ray cluster. Each run has a folder of its own with report and "
        "model. Runs that are done are not repeated: the same command goes on where it was "
        "stopped, and more values or seeds may be added. Exit code 1: a run failed.",
        epilog="example: zoo sweep hysteresis --vary learning-rate 1e-3 3e-3 --vary units 16 32 "
        "--set epochs 8 --seeds 3 --workers 2",
    )
    parser.add_argument(
        "recipe",
        nargs="+",
        metavar="RECIPE",
        help="hysteresis, scenes, ...; with its own words, such as: materials train emsc",
    )
    parser.add_argument(
        "--vary",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="option of the recipe, without its dashes, and its values; may be repeated",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="option of the recipe that every run gets; a switch has no value; may be repeated",
    )
    parser.add_argument(
        "--seeds", type=positive_int, default=1, help="runs of each combination (default: 1)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of all runs (default: runs/sweep-RECIPE)"
    )
    add_workers(parser, "runs")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run what is missing and print a row for each combination.

    Returns:
        Exit code: 0 if every run has its model, else 1.

    Raises:
        ValueError: no such recipe, or options that it cannot have.
    """
    from zoo import sweep  # only now: it imports the recipe's command line

    for option, given in (("vary", options.vary), ("set", options.set)):
        names = [name for name, *_ in given]
        if len(names) > len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"--{option} {twice} is given twice. Expected all its values behind one."
            )
    vary = {name: tuple(values) for name, *values in options.vary}
    for name in (name for name, values in vary.items() if not values):
        raise ValueError(f"--vary {name} has no values. Expected --vary {name} VALUE VALUE.")
    settings = sweep.SweepSettings(
        recipe=tuple(options.recipe),
        vary=vary,
        fixed={name: tuple(values) for name, *values in options.set},
        seeds=options.seeds,
        folder=options.out or Path("runs", f"sweep-{'-'.join(options.recipe)}"),
        workers=workers_of(options),
    )
    check_output_folder(settings.folder)
    hold_folder(settings.folder)
    runs, outcomes = sweep.run_sweep(settings)
    table = sweep.sweep_table(runs)
    if options.json:
        output.print_json({"rows": output.records(table)})
    else:
        output.print_table(table)
    sweep.describe_failures(outcomes)
    say(f"table: {settings.folder / sweep.CSV}")
    return int(any(outcome.error for outcome in outcomes))
