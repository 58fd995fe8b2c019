"""Kill runs of every recipe at random moments, start them again, compare the results.

    python -m recipes.benchmarks.kills --kills 20

A run that was killed and started again must give the weights, losses and scores of one that was
not, to the bit; the exit code is 1 if one does not. A case that failed shows why in its log.txt.
"""

import argparse
import os
from pathlib import Path

from recipes.benchmarks.kills.settings import CASES, Settings
from zoo.cli import command
from zoo.cli.options import positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.kills",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--kills", type=positive_int, default=Settings.kills, help="of each case")
    parser.add_argument("--seed", type=seed_number, default=Settings.seed, help="of the moments")
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, default=Settings.cases, help="what to kill"
    )
    parser.add_argument("--out", type=Path, default=Settings.out, help="folder of the table")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Kill and compare; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(options.kills, options.seed, tuple(options.cases), options.out)
    for threads in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(threads, "1")
    from recipes.benchmarks.kills import experiment  # TensorFlow, only after parsing

    return experiment.run(settings)


if __name__ == "__main__":
    command.run(main)
