"""Let the disk be full, take rights away, put folders in the way: does every job hold?

    python -m recipes.benchmarks.faults

Held: the command ended in one line that names the file, and what stood there is as it was; or it
did its work all the same. After the fault it has to work again. As root, rights are taken away by
dropping the capabilities that override them, and disks are small file systems in memory that only
the case sees; where the system forbids that, a case is counted as not possible. The exit code is 1
if a job did not hold.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.faults.settings import JOBS, Settings
from zoo.cli import command


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.faults",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--jobs", nargs="+", choices=JOBS, default=Settings.jobs, help="what to disturb"
    )
    parser.add_argument("--faults", nargs="+", default=Settings.faults, help="default: all")
    parser.add_argument("--out", type=Path, default=Settings.out, help="folder of the table")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Disturb and judge; returns the exit code."""
    options = parser().parse_args(arguments)
    from recipes.benchmarks.faults import experiment  # NumPy, only after parsing

    return experiment.run(Settings(tuple(options.jobs), tuple(options.faults), options.out))


if __name__ == "__main__":
    command.run(main)
