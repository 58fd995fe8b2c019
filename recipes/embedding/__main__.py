"""Distil a sound embedding from a teacher; classifiers on it; what it is worth.

    python -m recipes.embedding bank --esc10 esc10 --urbansound urbansound --packages packages
    python -m recipes.embedding distil --teacher yamnet.tflite --bank bank/* --seconds 3600
    python -m recipes.embedding export --weights embedding.npz --fold4 esc50 --esc10 esc10
    python -m recipes.embedding scenes --data esc10
    python -m recipes.embedding transfer --data urbansound --teacher yamnet.tflite

`bank` and `distil` run on any backend of Keras (`KERAS_BACKEND=torch`); `distil` for the time that
`--seconds` gives.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from recipes.embedding.settings import SceneSettings, Settings
from zoo.cli import command
from zoo.cli.options import (
    file_to_read,
    file_to_write,
    folder_to_read,
    folder_to_write,
    positive_float,
    positive_int,
    seed_number,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.embedding",
        description="Distil a sound embedding from a teacher; classifiers on it; what it is worth.",
        formatter_class=command.Help,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_bank(commands.add_parser("bank", help="make sound banks of corpora and packages"))
    _add_distil(commands.add_parser("distil", help="train students on mixtures of the bank"))
    _add_export(commands.add_parser("export", help="measure and export a distilled embedding"))
    _add_scenes(commands.add_parser("scenes", help="a classifier of clips on its first blocks"))
    _add_transfer(commands.add_parser("transfer", help="linear heads on a corpus, fold by fold"))
    return parser


def _add_bank(bank: argparse.ArgumentParser) -> None:
    bank.add_argument("--out", type=folder_to_write, default=Path("bank"), metavar="FOLDER")
    for name, words in (
        ("esc10", "ESC-10"),
        ("urbansound", "UrbanSound8K, folds 1 and 2"),
        ("fold4", "ESC-50, noises of fold 4 for the hearing aid"),
        ("packages", "Debian packages, each unpacked into a folder of its name"),
    ):
        bank.add_argument(f"--{name}", type=folder_to_read, metavar="FOLDER", help=words)


def _add_distil(distil: argparse.ArgumentParser) -> None:
    distil.add_argument(
        "--teacher", type=file_to_read, required=True, metavar="FILE", help="TFLite file"
    )
    distil.add_argument("--bank", type=folder_to_read, nargs="+", required=True, metavar="FOLDER")
    distil.add_argument("--out", type=folder_to_write, required=True, metavar="FOLDER")
    distil.add_argument("--seconds", type=positive_float, default=3600.0, help="of training")
    distil.add_argument("--batch", type=positive_int)
    distil.add_argument("--steps", type=positive_int, help="of an epoch")
    distil.add_argument(
        "--students", nargs="+", default=["embedding=residual_embedding"], metavar="NAME=NETWORK"
    )
    distil.add_argument("--seed", type=seed_number, default=0)
    distil.add_argument("--without", nargs="*", default=[], metavar="KIND")
    distil.add_argument("--free", action="store_true", help="CC BY and freer sound alone")


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("--weights", type=file_to_read, required=True, metavar="FILE")
    export.add_argument(
        "--fold4", type=folder_to_read, required=True, metavar="FOLDER", help="of ESC-50"
    )
    export.add_argument("--esc10", type=folder_to_read, required=True, metavar="FOLDER")
    export.add_argument("--teacher", type=file_to_read, metavar="FILE", help="to measure beside it")
    export.add_argument("--out", type=Path, default=Path("runs/sound-embedding/model"))


def _add_scenes(scenes: argparse.ArgumentParser) -> None:
    scenes.add_argument(
        "--data", type=folder_to_read, required=True, metavar="FOLDER", help="ESC-10"
    )
    scenes.add_argument("--base", default=SceneSettings.base, metavar="MODEL")
    scenes.add_argument(
        "--blocks", type=positive_int, default=SceneSettings.blocks, help="of the base to keep"
    )
    scenes.add_argument(
        "--strangers",
        type=folder_to_read,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="sounds of other classes, to measure how often they are said to be unknown",
    )
    scenes.add_argument("--name", default=SceneSettings.name)
    scenes.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/NAME")
    scenes.add_argument("--publish", action="store_true", help="replace the shipped model")


def _add_transfer(transfer: argparse.ArgumentParser) -> None:
    transfer.add_argument(
        "--data", type=folder_to_read, required=True, metavar="FOLDER", help="UrbanSound8K"
    )
    transfer.add_argument(
        "--teacher", type=file_to_read, metavar="FILE", help="to measure beside it"
    )
    transfer.add_argument("--base", default="sound-embedding", metavar="MODEL")
    transfer.add_argument(
        "--out", type=file_to_write, default=Path("runs/transfer.md"), metavar="FILE"
    )


# Each imports its part here, so that `--help` does not wait for Keras.


def _bank(options: argparse.Namespace) -> None:
    from recipes.embedding import packing

    packing.write_banks(
        options.out, options.esc10, options.urbansound, options.fold4, options.packages
    )


def _distil(options: argparse.Namespace) -> None:
    from recipes.embedding import distil

    given = {name: getattr(options, name) for name in ("batch", "steps") if getattr(options, name)}
    distil.run(
        Settings(
            teacher=options.teacher,
            bank=tuple(options.bank),
            out=options.out,
            seconds=options.seconds,
            networks=dict(each.split("=", 1) for each in options.students),
            without=tuple(options.without),
            free=options.free,
            seed=options.seed,
            **given,
        )
    )


def _export(options: argparse.Namespace) -> None:
    from recipes.embedding import export_model

    made_by = "python -m recipes.embedding distil --teacher yamnet.tflite --bank BANKS"
    corpora = options.fold4, options.esc10
    export_model.run(options.weights, options.out, corpora, options.teacher, made_by)


def _scenes(options: argparse.Namespace) -> None:
    from recipes.embedding import scenes

    given = {
        name: getattr(options, name)
        for name in ("data", "base", "blocks", "name", "out", "publish")
    }
    strangers = tuple(options.strangers)
    names = "".join(f" {folder.name}" for folder in strangers)
    made_by = (
        f"python -m recipes.embedding scenes --data {options.data.name} --blocks {options.blocks} "
        f"{f'--strangers{names} ' if names else ''}--name {options.name}"
    )
    scenes.run(SceneSettings(**given, strangers=strangers, command=made_by))


def _transfer(options: argparse.Namespace) -> None:
    from recipes.embedding import transfer

    teacher = f" --teacher {options.teacher.name}" if options.teacher else ""
    made_by = f"python -m recipes.embedding transfer --data {options.data.name}{teacher}"
    transfer.run(options.data, options.teacher, options.out, options.base, made_by)


RUNS: dict[str, Callable[[argparse.Namespace], None]] = {
    "bank": _bank,
    "distil": _distil,
    "export": _export,
    "scenes": _scenes,
    "transfer": _transfer,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; returns its exit code."""
    options = parser().parse_args(arguments)
    RUNS[options.command](options)
    return 0


if __name__ == "__main__":
    command.run(main)
