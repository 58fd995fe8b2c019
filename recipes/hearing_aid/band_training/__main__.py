"""Train the causal network on scenes mixed in the bands of the front end, for a fixed time.

python -m recipes.hearing_aid.band_training --bank bank/* --out runs/hearing --seconds 3600

With `--all-sources` the network learns from the test sources as well, as one does for the model
that is shipped after its figures have been taken from one that did not hear them. Validation
sources stay apart: the decision is fitted to them, and they show whether such a training helps.
"""

import argparse

from recipes.hearing_aid.band_training.settings import BandTraining
from zoo.cli import command
from zoo.cli.options import (
    file_to_read,
    folder_to_read,
    folder_to_write,
    positive_float,
    positive_int,
    seed_number,
    share,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = BandTraining()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid.band_training",
        description="Train the causal network on scenes mixed in the bands of the front end.",
        formatter_class=command.Help,
    )
    parser.add_argument("--bank", type=folder_to_read, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--out", type=folder_to_write, required=True, metavar="FOLDER")
    parser.add_argument(
        "--seconds", type=positive_float, default=default.seconds, help="of training"
    )
    parser.add_argument(
        "--learning-rate", type=positive_float, default=default.learning_rate, help="at its peak"
    )
    parser.add_argument("--batch", type=positive_int, default=default.batch)
    parser.add_argument("--weights", type=file_to_read, metavar="FILE", help="to begin with")
    parser.add_argument("--teacher", type=file_to_read, metavar="FILE", help="yamnet.tflite")
    parser.add_argument(
        "--report-steps",
        type=positive_int,
        default=default.report_steps,
        help="between two checks",
    )
    parser.add_argument(
        "--trained-share",
        type=share,
        default=default.trained_share,
        help="of the trained weights in the final ones, beside those to begin with",
    )
    parser.add_argument(
        "--all-sources",
        action="store_true",
        help="learn from test sources too, for weights to ship whose figures come from others",
    )
    parser.add_argument("--seed", type=seed_number, default=default.seed)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = vars(parser().parse_args(arguments))
    # Here, so that `--help` does not wait for TensorFlow.
    from recipes.hearing_aid.band_training import training

    banks, out = options.pop("bank"), options.pop("out")
    training.train(banks, out, BandTraining(**options))
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
