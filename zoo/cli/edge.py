"""`zoo edge MODEL`: a step model on sound or strain; the same as `zoo-edge` of a device."""

import argparse

from zoo.cli.options import Subcommands, add_words


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand; its options are those of `zoo.edge`."""
    parser = add_words(
        commands, "edge", "run a model on a microphone, a pipe, a recording or a CSV file"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command line of `zoo.edge`; returns its exit code."""
    from zoo.edge.__main__ import main  # only now: NumPy takes a tenth of a second to import

    return main(options.words, prog="zoo edge")
