"""The exact simulator: seconds for many paths, and its distance from SciPy's Radau on a few.

python -m recipes.benchmarks.simulator [--paths 10000] [--steps 200] [--repeats 3] [--checked 4]

Paths are those of the training family, `walk`, and of `multirate`, whose rates span three decades.
The distance is the largest |σ − σ_Radau| over the path's largest |σ|; Radau runs at rtol 1e-10. On
a busy machine processor seconds mean more than the clock's.
"""

import argparse
import sys

from recipes.benchmarks.simulator.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.simulator",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--paths", type=positive_int, default=default.paths, help="timed paths")
    parser.add_argument("--steps", type=positive_int, default=default.steps, help="of a path")
    parser.add_argument(
        "--repeats", type=positive_int, default=default.repeats, help="runs; the median counts"
    )
    parser.add_argument(
        "--checked", type=positive_int, default=default.checked, help="paths solved by Radau too"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the benchmark; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    # Imported here, so that --help is answered without SciPy.
    from recipes.benchmarks.simulator import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(command.call(main))
