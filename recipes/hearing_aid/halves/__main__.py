"""Fit the decision to one half of the held-out sources, measure on the other, and turn about.

python -m recipes.hearing_aid.halves runs/hearing-aid-recorded/figures --bank bank/*

The manifest has one of the two directions; sources differ more than models do, so see both.
"""

import argparse
from pathlib import Path

from recipes.hearing_aid.halves.settings import Settings
from zoo.cli import command
from zoo.cli.options import folder_to_read, positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid.halves",
        description="Fit the decision to one half of the held-out sources, measure on the other.",
        formatter_class=command.Help,
    )
    parser.add_argument("model", type=Path, help="such as runs/hearing-aid-recorded/figures")
    parser.add_argument("--bank", type=folder_to_read, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--clips", type=positive_int, default=Settings.clips, help="of each class")
    parser.add_argument("--seed", type=seed_number, default=Settings.seed, help="of the scenes")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = parser().parse_args(arguments)
    # Here, so that `--help` does not wait for TensorFlow.
    from recipes.hearing_aid.halves import experiment

    experiment.run(Settings(options.model, tuple(options.bank), options.clips, options.seed))
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
