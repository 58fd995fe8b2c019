"""`zoo teach --data FOLDER`: a classifier of one's own sounds from few examples."""

import argparse
from pathlib import Path

from zoo.cli import command
from zoo.cli.options import Subcommands, add_seed


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "teach",
        help="a classifier of one's own sounds from few examples",
        description="Learn the classes of a folder of class folders, as few as one clip each, on "
        "the embedding of a base model, with 'unknown' as an answer. Where there are recordings "
        "enough, its last layers are fine-tuned if cross-validation by recording is for it.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="of class folders"
    )
    parser.add_argument(
        "--base",
        default="sound-embedding",
        metavar="MODEL",
        help="with an embedding, or a model that was taught before, to which the classes are added "
        "(default: %(default)s)",
    )
    parser.add_argument("--name", help="of the model (default: sounds-FOLDER)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/NAME")
    parser.add_argument(
        "--frozen", action="store_true", help="keep the embedding, without trying to fine-tune it"
    )
    add_seed(parser, "of the noisy copies and of fine-tuning")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    """Learn, report, export.

    Raises:
        ValueError: a corpus or a base that cannot be used.
    """
    from zoo.teaching import TeachSettings, teach  # only now: TensorFlow takes seconds to import

    teach(
        TeachSettings(
            data=options.data,
            base=options.base,
            name=options.name,
            out=options.out,
            seed=options.seed,
            frozen=options.frozen,
            command=command.format_command_line(options.parser, options),
        )
    )
