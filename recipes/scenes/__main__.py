"""Train a small convolutional network to classify acoustic scenes, and calibrate it.

Synthetic scenes are generated, or any corpus is read (`--data`): ESC-50, UrbanSound8K, TAU, a
folder of class folders. Metrics come from cross-validation over the corpus' own folds; the exported
model is trained on all of them.
"""

import argparse
from pathlib import Path

from recipes.scenes.settings import (
    AUGMENTATIONS,
    DEFAULT_MODEL,
    MODELS,
    Settings,
    current_augmentation,
)
from zoo.cli import command
from zoo.cli.options import (
    add_fold_options,
    add_run_options,
    add_workers,
    check_folder,
    file_to_read,
    folder_to_read,
    positive_float,
    positive_int,
    workers_of,
)
from zoo.names import current_name


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.scenes",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, help="folder of a corpus (default: synthetic scenes)")
    data.add_argument("--layout", help="of --data, if it is not recognised")
    data.add_argument("--rate", type=positive_int, help="resample everything to this [Hz]")
    data.add_argument(
        "--duration",
        type=positive_float,
        help="of the model's input [s]: shorter clips are repeated, longer ones cut into windows",
    )
    data.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="keep decoded clips there, and the features of large corpora; not in memory",
    )
    data.add_argument(
        "--pretrain",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="other labelled corpora to train on first, without recordings that --data holds",
    )
    data.add_argument(
        "--frozen",
        action="store_true",
        help="with --pretrain: fit the last layer alone to --data, in seconds a fold",
    )
    data.add_argument(
        "--strangers",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="sounds of other classes, to measure how often they are said to be unknown",
    )
    data.add_argument(
        "--sites", type=positive_int, default=Settings.sites, help="of the synthetic scenes"
    )

    add_training_options(parser)
    add_run_options(parser, "scenes-synthetic")
    add_workers(parser, "folds", default=None)
    parser.add_argument("--name", help="of run and model (default: by data and network)")
    return parser


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of network and training."""
    training = parser.add_argument_group("training")
    add_fold_options(training, Settings.learning_rate)
    training.add_argument(
        "--model", type=current_name, choices=MODELS, default=DEFAULT_MODEL, help="network"
    )
    training.add_argument(
        "--epochs", type=positive_int, help="of 20 batches each (default: 12, with --data 40)"
    )
    training.add_argument(
        "--without",
        nargs="+",
        type=current_augmentation,
        choices=AUGMENTATIONS,
        default=Settings.without,
        help="augmentations to leave out",
    )
    training.add_argument(
        "--mixup", type=float, default=Settings.mixup, help="alpha of mixup; 0: none"
    )
    training.add_argument(
        "--teacher",
        type=file_to_read,
        metavar="FILE",
        help="TFLite file of YAMNet: the network learns its embedding and answers as well; in "
        "cross-validation it speaks of training folds alone",
    )
    training.add_argument(
        "--teacher-sound",
        type=folder_to_read,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="other corpora for the teacher to hear, without labels and without recordings that "
        "--data holds",
    )
    training.add_argument(
        "--freq-mixstyle",
        type=float,
        default=Settings.freq_mixstyle,
        metavar="SHARE",
        help="of clips that get the band statistics of another, as of another microphone; 0: none",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment with the options of a command line; returns the exit code.

    Raises:
        ValueError: a folder, corpus or option that cannot be used.
    """
    options = parser().parse_args(arguments)
    for folder in (options.data, *options.pretrain, *options.strangers):
        check_folder(folder)
    if options.frozen and not options.pretrain:
        raise ValueError(
            "--frozen needs --pretrain FOLDER: sound that the other layers learn from."
        )
    if options.teacher_sound and options.teacher is None:
        raise ValueError("--teacher-sound needs --teacher FILE, which hears it.")
    if options.teacher is not None and (options.frozen or options.mixup):
        raise ValueError(
            "--teacher trains all layers on clips as they are: leave out --frozen and --mixup."
        )
    settings = Settings(
        data=options.data,
        layout=options.layout,
        rate_hz=options.rate,
        duration_s=options.duration,
        cache=options.cache,
        sites=options.sites,
        model=options.model,
        pretrain=tuple(options.pretrain),
        frozen=options.frozen,
        teacher=options.teacher,
        teacher_sound=tuple(options.teacher_sound),
        strangers=tuple(options.strangers),
        folds=options.folds,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        without=tuple(options.without),
        mixup=options.mixup,
        freq_mixstyle=options.freq_mixstyle,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        name=options.name,
        checkpoint=options.checkpoint,
        tensorboard=options.tensorboard,
        out=options.out,
        publish=options.publish,
        workers=workers_of(options),
        command=command.format_command_line(parser(), options),
    )
    from recipes.scenes import experiment  # TensorFlow, which `--help` need not wait for

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
