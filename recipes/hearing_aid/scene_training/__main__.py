"""Train the causal network on scenes of recordings, for a fixed time, on any backend.

python -m recipes.hearing_aid.scene_training --bank bank/* --out runs/hearing --seconds 3600
"""

import argparse

from zoo.cli import command
from zoo.cli.options import (
    folder_to_read,
    folder_to_write,
    positive_float,
    positive_int,
    seed_number,
)

BATCH, EPOCH_STEPS = 96, 25


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid.scene_training",
        description="Train the causal network on scenes of recordings.",
        formatter_class=command.Help,
    )
    parser.add_argument("--bank", type=folder_to_read, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--out", type=folder_to_write, required=True, metavar="FOLDER")
    parser.add_argument("--seconds", type=positive_float, default=3600.0, help="of training")
    parser.add_argument("--batch", type=positive_int, default=BATCH, help="scenes of a step")
    parser.add_argument("--steps", type=positive_int, default=EPOCH_STEPS, help="of an epoch")
    parser.add_argument("--seed", type=seed_number, default=0, help="of weights and scenes")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = vars(parser().parse_args(arguments))
    # Here, so that `--help` does not wait for Keras.
    from recipes.hearing_aid.scene_training import training

    banks, out = options.pop("bank"), options.pop("out")
    training.train(banks, out, **options)
    return 0


if __name__ == "__main__":
    command.run(main)
