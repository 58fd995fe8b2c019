"""Time and memory of AlexNet at full size: inference and training steps.

python -m recipes.benchmarks.alexnet [--models alexnet alexnet_groups] [--batch 8] [--repeats 5]

Images of 227 x 227 x 3, 1000 classes. Each job runs in a process of its own, so that its peak
memory is its own. Last, the network trains on spectrograms of synthetic scenes, a few steps on one
batch, and the loss must fall; exit code 1 if it does not.
"""

import argparse
import sys

from recipes.benchmarks.alexnet.settings import JOBS, NETWORKS, Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.alexnet",
        description="Time and memory of AlexNet at full size: inference and training steps.",
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--models", nargs="+", choices=NETWORKS, default=["alexnet"], help="networks to measure"
    )
    parser.add_argument("--batch", type=positive_int, default=8, help="images in a batch")
    parser.add_argument(
        "--repeats", type=positive_int, default=5, help="runs of each job; the median counts"
    )
    parser.add_argument(
        "--steps", type=positive_int, default=8, help="training steps on spectrograms"
    )
    # the child process of one job
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; with `--job`, one job of one network in this process, as JSON."""
    options = parser().parse_args(arguments)
    settings = Settings(tuple(options.models), options.batch, options.repeats, options.steps)
    if options.job:
        from recipes.benchmarks.alexnet import jobs  # TensorFlow, in the child process only

        return jobs.run(options.job, settings)
    from recipes.benchmarks.alexnet import experiment  # only after the options are parsed

    return experiment.run(settings)


if __name__ == "__main__":
    sys.exit(command.call(main))
