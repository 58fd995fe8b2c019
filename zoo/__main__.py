"""The command `zoo`, also `python -m zoo`: everything that is applied to a model or to data.

One module of `zoo.cli` a subcommand. Each imports what it calls after its options were read, so
that `--help` is answered at once.
"""

import argparse
import sys

import zoo
from zoo.cli import (
    budget,
    certify,
    command,
    compare,
    data,
    describe,
    edge,
    events,
    explain,
    export,
    firmware,
    identify,
    memory,
    predict,
    studio,
    sweep,
    teach,
    verify,
)
from zoo.cli import list as list_models

SUBCOMMANDS = (
    *(list_models, describe, verify),
    *(predict, events, explain, memory, compare, data),
    *(certify, identify),
    teach,
    sweep,
    *(export, edge, budget, firmware),
    studio,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        arguments: words of the command line; None: those of this process.

    Returns:
        Exit code, see `zoo.cli.command.call`.

    Raises:
        SystemExit: after `--help`, and for options that cannot be read.
    """
    options = parser().parse_args(arguments)
    return command.call(lambda: options.run(options))


def parser() -> argparse.ArgumentParser:
    """Options of `zoo` and all its subcommands."""
    parser = argparse.ArgumentParser(
        prog="zoo",
        description="Look into, verify, run and export models for signals with memory.",
        epilog="`zoo COMMAND --help` lists the options of a command. Recipes that train models are "
        "modules: python -m recipes.hysteresis --help",
    )
    parser.add_argument("--version", action="version", version=f"zoo {zoo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for module in SUBCOMMANDS:
        module.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
