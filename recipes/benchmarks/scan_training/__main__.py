"""Time of a training step by a scan over time and step by step: LRU, minGRU, linear LMU.

Each cell trains on the same random batch with mean squared error and Adam, by a scan, by the loop
of the same cell, and by that loop compiled by XLA, in one process and in turns. What is counted is
processor time, since a busy machine stretches the other; TF_NUM_INTRAOP_THREADS=1 gives it one
thread. The ratio is of medians. The first steps, which trace and compile, are not counted.
"""

import argparse

from recipes.benchmarks.scan_training.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.scan_training",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    for option, value, text in (
        ("--units", default.units, "width of the cell"),
        ("--batch", default.batch, "sequences in a batch"),
        ("--time", default.time, "time steps of a sequence"),
        ("--rounds", default.rounds, "training steps of each implementation"),
    ):
        parser.add_argument(option, type=positive_int, default=value, help=text)
    parser.add_argument(
        "--publish", action="store_true", help="write the table to recipes/benchmarks"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    from recipes.benchmarks.scan_training import experiment  # only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
