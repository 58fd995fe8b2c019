"""`zoo budget MODEL`: bytes, multiply-accumulates and latency of a model beside a budget."""

import argparse

from zoo.cli.options import Subcommands, add_words


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand; its options are those of `zoo.edge.budget`."""
    parser = add_words(commands, "budget", "bytes, multiply-accumulates and latency of a model")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command line of `zoo.edge.budget`; returns its exit code."""
    from zoo.edge.budget import main  # only now: NumPy takes a tenth of a second to import

    return main(options.words, prog="zoo budget")
