"""Kill workers and machines, fill disks, and compare results; measure one worker against two.

    python -m recipes.benchmarks.cluster --rounds 10

A training whose worker or machine was killed, or whose disk was full for a while, must end with
the weights and losses of one that nothing happened to, to the bit; the exit code is 1 if one does
not. Parts with "ray" in their name need the extra `cluster`, those with "disk" the right to mount a
file system (root).
"""

import argparse
import os
from pathlib import Path

from recipes.benchmarks.cluster.settings import PARTS, Settings
from zoo.cli import command
from zoo.cli.options import positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.cluster",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--rounds", type=positive_int, default=Settings.rounds, help="of a fault")
    parser.add_argument("--seed", type=seed_number, default=Settings.seed, help="of the moments")
    parser.add_argument(
        "--training",
        choices=("keras", "numpy"),
        default=Settings.training,
        help="of the tasks; NumPy's take a tenth of the time",
    )
    parser.add_argument(
        "--parts",
        nargs="*",
        choices=PARTS,
        default=Settings.parts,
        help="what to measure; nothing: only write the page of what was measured before",
    )
    parser.add_argument("--out", type=Path, default=Settings.out, help="folder of the page")
    parser.add_argument(
        "--publish", action="store_true", help="write the page to recipes/benchmarks/cluster.md"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure; returns the exit code."""
    options = parser().parse_args(arguments)
    for threads in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(threads, "1")
    from recipes.benchmarks.cluster import experiment  # only after parsing

    settings = Settings(
        options.rounds,
        options.seed,
        options.training,
        tuple(options.parts),
        options.out,
        options.publish,
    )
    return experiment.run(settings)


if __name__ == "__main__":
    command.run(main)
