"""Formulas and worked examples of the lecture, beside what Keras' and the zoo's layers compute.

One page from the recurrent neural network (RNN) and its vanishing gradient, through LSTM,
convolution, pooling and AlexNet, to the spectrogram. Each printed number is computed twice, in
plain Python and by layers; where it holds only under an assumption, or not as printed, the page
states it.
"""

import argparse
from pathlib import Path

from recipes.lecture.settings import Settings
from zoo.cli import command
from zoo.cli.options import seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.lecture",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    default = Settings()
    parser.add_argument(
        "--seed",
        type=seed_number,
        default=default.seed,
        help="of the drawn weights and of the sound",
    )
    parser.add_argument("--out", type=Path, help="folder of the page (default: runs/lecture)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Write the page and print the table of results; returns the exit code."""
    options = parser().parse_args(arguments)
    repeat = command.format_command_line(parser(), options)
    settings = Settings(seed=options.seed, out=options.out, command=repeat)
    from recipes.lecture import experiment  # loads TensorFlow: only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
