"""Damage the input of every parser by chance and count what becomes of it.

    python -m recipes.benchmarks.fuzz --minutes 30
    python -m recipes.benchmarks.fuzz --minutes 240 --cases 550 --out recipes/benchmarks

Each case is known by seed and number. Whatever ends in a crash, a hang, a traceback, a message of
several lines, more than 6 GiB, or another answer where damage must be noticed, is counted as
broken, and the exit code is 1.
"""

import argparse
import sys
from pathlib import Path

from recipes.benchmarks.fuzz.settings import TARGETS, Settings
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.fuzz",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--minutes", type=positive_float, default=Settings.minutes, help="in all")
    parser.add_argument("--cases", type=positive_int, help="of each target at most")
    parser.add_argument("--seed", type=seed_number, default=Settings.seed, help="of the damage")
    parser.add_argument(
        "--targets", nargs="+", choices=TARGETS, default=Settings.targets, help="what to damage"
    )
    parser.add_argument("--out", type=Path, default=Settings.out, help="folder of the table")
    parser.add_argument("--worker", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, or be one of the processes that do; returns the exit code."""
    options = parser().parse_args(arguments)
    from recipes.benchmarks.fuzz import experiment  # TensorFlow, only after parsing

    if options.worker:  # its time is in seconds
        cases = range(options.first, options.cases or sys.maxsize)
        experiment.run_worker(options.worker, options.seed, cases, options.minutes, options.out)
        return 0
    targets = tuple(options.targets)
    return experiment.run(
        Settings(options.minutes, options.seed, targets, options.out, options.cases)
    )


if __name__ == "__main__":
    command.run(main)
