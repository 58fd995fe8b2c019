"""Materials with memory: train and certify one model, or compare all under one budget.

train        one material model, trained, scored, certified, exported
leaderboard  every model under one budget, with several seeds, scored on every split
trial        one trial of the leaderboard: a model and a seed
board        every law on every measured data set, each with its fixed split
measured     one law fitted to a measured data set, certified and exported
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from recipes.materials.settings import (
    BOARD_SETS,
    CONTINUOUS_MODELS,
    MATERIAL_MODELS,
    MODELS,
    BoardSettings,
    LeaderboardSettings,
    MeasuredSettings,
    TrainSettings,
)
from zoo.cli import command
from zoo.cli.options import (
    add_run_options,
    add_warm_up,
    add_workers,
    file_to_write,
    positive_int,
    seed_number,
    workers_of,
)

MOVED = ("certify", "identify", "export")  # subcommands of version 0.1


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.materials",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser(
        "train", help="train, certify and export one model", formatter_class=command.Help
    )
    train.add_argument("model", choices=(*MATERIAL_MODELS, *CONTINUOUS_MODELS))
    train.add_argument("--epochs", type=positive_int, default=24, help="of 250 batches each")
    train.add_argument(
        "--checkpoint",
        type=file_to_write,
        help="file to continue from if it is there, and to save to",
    )
    add_run_options(train, "material-MODEL")
    train.set_defaults(act=_train, parser=train)

    board = commands.add_parser(
        "leaderboard", help="every model on every split", formatter_class=command.Help
    )
    board.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    board.add_argument("--seeds", type=positive_int, default=5, help="trials of each model")
    add_workers(board, "trials")
    board.add_argument(
        "--publish", action="store_true", help="write tables and figure to recipes/benchmarks"
    )
    board.set_defaults(act=_leaderboard)

    trial = commands.add_parser(
        "trial", help="one trial of the leaderboard", formatter_class=command.Help
    )
    trial.add_argument("model", choices=MODELS)
    trial.add_argument("seed", type=seed_number)
    trial.set_defaults(act=_trial)
    for each in (board, trial):
        each.add_argument("--epochs", type=positive_int, default=16, help="of each trial")
        each.add_argument("--steps", type=positive_int, default=250, help="batches in an epoch")
        each.add_argument("--quick", action="store_true", help="a smoke run: little data")
        each.add_argument("--out", type=Path, help="folder (default: runs/leaderboard)")
    _add_board(commands)
    return parser


def _add_board(commands: Any) -> None:
    measured = commands.add_parser(
        "board", help="every law on measured data sets", formatter_class=command.Help
    )
    measured.add_argument(
        "--data", type=Path, required=True, help="folder of the data sets, one folder each"
    )
    measured.add_argument("--sets", nargs="+", choices=BOARD_SETS, default=list(BOARD_SETS))
    measured.add_argument("--laws", nargs="+", help="presets (default: those of each set)")
    measured.add_argument("--starts", type=positive_int, default=3, help="first guesses of a fit")
    measured.add_argument(
        "--steps", type=positive_int, default=600, help="batches of a network on each fold"
    )
    measured.add_argument("--out", type=Path, help="folder (default: runs/materials-board)")
    measured.add_argument(
        "--publish", action="store_true", help="write the table to recipes/materials/board.md"
    )
    add_warm_up(measured)
    measured.set_defaults(act=_board)

    one = commands.add_parser(
        "measured", help="one law on one measured data set", formatter_class=command.Help
    )
    one.add_argument("data_set", choices=BOARD_SETS)
    one.add_argument("law", help="preset, such as mooney-rivlin or chaboche")
    one.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    one.add_argument("--starts", type=positive_int, default=3, help="first guesses of a fit")
    one.add_argument("--out", type=Path, help="folder (default: runs/SET-LAW)")
    one.add_argument("--publish", action="store_true", help="write the model to saved_models")
    add_warm_up(one)
    one.set_defaults(act=_measured, parser=one)


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the experiment; returns the exit code.

    Raises:
        ValueError: a subcommand that has moved to `zoo`.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] and words[0] in MOVED:
        raise ValueError(f"{words[0]} is now a command of its own: zoo {words[0]}")
    options = parser().parse_args(words)
    return options.act(options)


# The experiments are imported where they are run, so that --help is answered without TensorFlow.


def _train(options: argparse.Namespace) -> int:
    settings = TrainSettings(
        model=options.model,
        epochs=options.epochs,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        checkpoint=options.checkpoint,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(options.parser, options),
    )
    from recipes.materials import training

    history = training.run(settings)
    return command.INTERRUPTED if history.ended == "interrupted" else 0


def _leaderboard(options: argparse.Namespace) -> int:
    settings = LeaderboardSettings(
        models=tuple(dict.fromkeys(options.models)),
        seeds=options.seeds,
        epochs=options.epochs,
        steps_per_epoch=options.steps,
        quick=options.quick,
        workers=workers_of(options),
        out=options.out,
        publish=options.publish,
    )
    from recipes.materials import leaderboard

    try:
        leaderboard.run(settings)
    except KeyboardInterrupt:
        print(f"\ninterrupted: the same command goes on from {settings.trials}", file=sys.stderr)
        return command.INTERRUPTED
    return 0


def _trial(options: argparse.Namespace) -> int:
    settings = LeaderboardSettings(
        models=(options.model,),
        epochs=options.epochs,
        steps_per_epoch=options.steps,
        quick=options.quick,
        out=options.out,
    )
    from recipes.materials import leaderboard

    leaderboard.run_trial(settings, options.model, options.seed)
    return 0


def _board(options: argparse.Namespace) -> int:
    settings = BoardSettings(
        data=options.data,
        sets=tuple(options.sets),
        laws=tuple(options.laws or ()),
        starts=options.starts,
        out=options.out,
        publish=options.publish,
        warm_up=options.warm_up,
        steps=options.steps,
    )
    from recipes.materials import board

    board.run(settings)
    return 0


def _measured(options: argparse.Namespace) -> int:
    settings = MeasuredSettings(
        data_set=options.data_set,
        law=options.law,
        data=options.data,
        starts=options.starts,
        out=options.out,
        publish=options.publish,
        command=f"python -m recipes.materials measured {options.data_set} {options.law} "
        f"--data PATH --starts {options.starts}"
        + (f" --warm-up {options.warm_up}" if options.warm_up else ""),
        warm_up=options.warm_up,
    )
    from recipes.materials import measured_model, past_model
    from recipes.materials.board import BY, LINEAR

    if settings.law.removesuffix(BY) in LINEAR:
        past_model.run(settings)
    else:
        measured_model.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
