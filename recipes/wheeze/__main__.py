"""Detect wheeze in a breath by its tones, with intervals over patients.

Synthetic patients are generated, or a corpus is read (`--data`): ICBHI 2017, HF_Lung_V1, folders
called normal and wheeze. Test patients are not in the training data, and neither are the
stethoscopes of the divisions by device. No medical device.
"""

import argparse
from pathlib import Path

from recipes.wheeze.settings import DETECTORS, WARNING, Settings
from zoo.cli import command
from zoo.cli.options import (
    add_fold_options,
    add_run_options,
    check_folder,
    positive_float,
    positive_int,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.wheeze",
        description=f"{(__doc__ or '').split(chr(10) * 2)[0]} {WARNING}",
        formatter_class=command.Help,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, help="folder of a corpus (default: synthetic patients)")
    data.add_argument("--layout", help="of --data, if it is not recognised")
    data.add_argument("--rate", type=positive_int, help="resample what has several rates [Hz]")
    data.add_argument(
        "--duration", type=positive_float, default=Settings.duration_s, help="of a breath [s]"
    )
    data.add_argument(
        "--patients", type=positive_int, default=Settings.patients, help="synthetic ones"
    )

    add_training_options(parser)
    add_run_options(parser, "wheeze-synthetic")
    parser.add_argument("--name", help="of run and model (default: by data)")
    return parser


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of network and training."""
    training = parser.add_argument_group("training")
    training.add_argument(
        "--detector",
        choices=DETECTORS,
        default=Settings.detector,
        help="the height of tones, which needs no training, or a network of a few weights",
    )
    add_fold_options(training, Settings.learning_rate)
    training.add_argument(
        "--seeds",
        type=positive_int,
        default=Settings.seeds,
        help="number of seeds to divide and train with, from --seed on",
    )
    training.add_argument(
        "--epochs", type=positive_int, default=Settings.epochs, help="of 40 batches each"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment with the options of a command line; returns the exit code.

    Raises:
        ValueError: a folder, corpus or option that cannot be used.
    """
    options = parser().parse_args(arguments)
    check_folder(options.data)
    settings = Settings(
        data=options.data,
        layout=options.layout,
        rate_hz=options.rate,
        duration_s=options.duration,
        detector=options.detector,
        patients=options.patients,
        folds=options.folds,
        seeds=options.seeds,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        name=options.name,
        checkpoint=options.checkpoint,
        tensorboard=options.tensorboard,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(parser(), options),
    )
    from recipes.wheeze import experiment  # TensorFlow, which `--help` need not wait for

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
