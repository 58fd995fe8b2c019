"""Train a small network to estimate the signal-to-noise ratio of speech, and its sound level.

A regression of spectrograms: two values every hop of 16 ms, over the last seconds. Speech and
noise are synthetic; `--bank` adds voices and noises of sound banks. No speaker and no recording is
on both sides of the split.
"""

import argparse
from pathlib import Path

from recipes.speech_snr.settings import Settings
from zoo.cli import command
from zoo.cli.options import (
    add_run_options,
    check_folder,
    folder_to_write,
    positive_float,
    positive_int,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.speech_snr",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--bank",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="sound banks with voices and noises (default: synthetic sound alone)",
    )
    data.add_argument(
        "--train-bank",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="sound banks that are only trained on",
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive_int, help="of 40 batches each (default: 40)")
    training.add_argument(
        "--learning-rate", type=positive_float, default=Settings.learning_rate, help="at its peak"
    )
    training.add_argument(
        "--start", metavar="MODEL", help="saved model of this recipe to go on with (default: none)"
    )
    training.add_argument(
        "--checkpoint",
        type=folder_to_write,
        metavar="FOLDER",
        help="resume from there and save to there",
    )
    add_run_options(parser, "speech-snr")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment with the options of a command line; returns the exit code.

    Raises:
        ValueError: a folder or option that cannot be used.
    """
    options = parser().parse_args(arguments)
    for folder in (*options.bank, *options.train_bank):
        check_folder(folder)
    settings = Settings(
        bank=tuple(options.bank),
        train_bank=tuple(options.train_bank),
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        start=options.start,
        checkpoint=options.checkpoint,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(parser(), options),
    )
    from recipes.speech_snr import experiment  # TensorFlow, which `--help` need not wait for

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
