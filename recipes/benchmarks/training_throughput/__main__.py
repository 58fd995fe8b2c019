"""Training throughput of sound classifiers, and the share of time spent waiting for batches.

    python -m recipes.benchmarks.training_throughput --data PATH --models residual_tiny alexnet_gap

Trains on the batches of `recipes.scenes`. Blocks of steps on its input pipeline alternate with
blocks on one batch kept in memory, so that a busy machine slows both alike. Waiting is the time
until the next batch is there; the pipeline also takes processor time from the network, which the
second row shows. Exit code 1 if the network waits for more than 5 % of the time.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.training_throughput.settings import Settings
from recipes.scenes.settings import MODELS
from zoo.cli import command
from zoo.cli.options import check_folder, positive_int
from zoo.names import current_name


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.training_throughput",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--data", type=Path, help="corpus in any layout (default: synthetic)")
    parser.add_argument(
        "--models",
        nargs="+",
        type=current_name,
        choices=MODELS,
        default=Settings.models,
        help="networks",
    )
    parser.add_argument(
        "--blocks", type=positive_int, default=Settings.blocks, help="of either kind"
    )
    parser.add_argument("--steps", type=positive_int, default=Settings.steps, help="in a block")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure every network and print two lines each; returns the exit code."""
    options = parser().parse_args(arguments)
    check_folder(options.data)
    settings = Settings(**{**vars(options), "models": tuple(options.models)})
    from recipes.benchmarks.training_throughput import experiment  # TensorFlow, only after parsing

    return experiment.run(settings)


if __name__ == "__main__":
    command.run(main, convolutions=True)
