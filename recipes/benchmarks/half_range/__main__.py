"""Errors of a network that was trained on half the length and half the rates it is tested on.

python -m recipes.benchmarks.half_range [--models lstm relaxation] [--seeds 3]

The split `relaxation` lasts 200 steps, and `multirate` has rates of 0.02 to 20 /s. Each model is
trained twice on walks: of 100 steps and the middle half of these rates (on a logarithmic scale),
and of 200 steps and all of them. Errors are relative to the RMS stress of the same steps: each half
of the relaxation split, and the steps of the multirate split at trained rates, slower and faster.
Writes recipes/benchmarks/half_range.md.
"""

import argparse
import sys

from recipes.benchmarks.half_range.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.half_range",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--models", nargs="+", default=list(default.models), help="presets")
    parser.add_argument("--epochs", type=positive_int, default=default.epochs, help="of each run")
    parser.add_argument(
        "--steps", type=positive_int, default=default.steps_per_epoch, help="batches in an epoch"
    )
    parser.add_argument("--seeds", type=positive_int, default=default.seeds, help="from 0")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the benchmark; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(tuple(options.models), options.epochs, options.steps, options.seeds)
    # Imported here, so that --help is answered without TensorFlow.
    from recipes.benchmarks.half_range import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(command.call(main))
