"""Train or stream a sound classifier that picks the program of a hearing aid.

`python -m recipes.hearing_aid` synthesises scenes (and adds recordings with `--data`), trains a
convolutional recurrent network, fits a decision with hysteresis, measures switching metrics on
other sequences, and exports a step model: one hop of samples and the states in, class probabilities
and the next states out. With `--model`, a trained causal model takes the place of training.
"""

import argparse
from pathlib import Path

from recipes.hearing_aid.settings import Settings
from zoo.cli import command
from zoo.cli.options import (
    add_run_options,
    file_to_read,
    folder_to_write,
    positive_float,
    positive_int,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hearing_aid",
        description="Train or stream a sound classifier that picks the program of a hearing aid.",
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--model", type=Path, metavar="FOLDER", help="stream this trained model: no training"
    )
    parser.add_argument(
        "--refit",
        action="store_true",
        help="with --model: fit the decision again, and keep the name of the model",
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="add recordings: a corpus, or class folders; may be given several times",
    )
    data.add_argument(
        "--bank",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="train on scenes made of the recordings of these sound banks instead",
    )
    data.add_argument(
        "--train-bank",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="with --bank: sound banks that are only trained on, not measured on",
    )
    data.add_argument(
        "--clips", type=positive_int, default=32, help="synthetic training clips of each class"
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive_int, help="of 40 batches each (default: 14)")
    training.add_argument("--learning-rate", type=positive_float, default=4e-3, help="at its peak")
    training.add_argument(
        "--weights",
        type=file_to_read,
        metavar="FILE",
        help="with --bank: to begin with, hearing.npz",
    )
    training.add_argument(
        "--final-weights",
        type=file_to_read,
        metavar="FILE",
        help="with --weights, which the figures then come from: export these, which learnt from "
        "the test sources too (band_training --all-sources)",
    )
    training.add_argument(
        "--seconds", type=positive_float, default=3600.0, help="with --bank: of training"
    )
    training.add_argument(
        "--checkpoint",
        type=folder_to_write,
        metavar="FOLDER",
        help="continue from there, and save to there",
    )
    parser.add_argument("--c", type=Path, metavar="FOLDER", help="write the step model as C files")
    add_run_options(parser, "hearing-aid")
    return parser


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings of a run from its options."""
    return Settings(
        model=options.model,
        refit=options.refit,
        data=tuple(options.data),
        bank=tuple(options.bank),
        train_bank=tuple(options.train_bank),
        weights=options.weights,
        final_weights=options.final_weights,
        seconds=options.seconds,
        clips=options.clips,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        checkpoint=options.checkpoint,
        firmware=options.c,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(parser(), options),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; returns its exit code."""
    settings = settings_of(parser().parse_args(arguments))
    # Here, so that `--help` does not wait for TensorFlow.
    from recipes.hearing_aid import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
