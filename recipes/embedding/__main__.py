"""Distil a sound embedding from a teacher; classifiers on it; what it is worth.

    python -m recipes.embedding bank --esc10 esc10 --urbansound urbansound --packages packages
    python -m recipes.embedding distil --teacher yamnet.tflite --bank bank/* --out distilled
    python -m recipes.embedding export --weights distilled/embedding.npz --fold4 esc50 --esc10 esc10
    python -m recipes.embedding scenes --data esc10
    python -m recipes.embedding transfer --data urbansound --teacher yamnet.tflite

`bank` and `distil` run on any backend of Keras (`KERAS_BACKEND=torch`); `distil` for the time that
`--seconds` gives.
"""

import argparse
import shlex
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

TRANSFER_BASE = "sound-embedding"


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


def _student(text: str) -> tuple[str, str]:
    """Name and network of a student."""
    name, _, network = text.partition("=")
    if not name or not network:
        raise argparse.ArgumentTypeError(
            f"expected NAME=NETWORK, such as embedding=residual_embedding, got {text!r}"
        )
    return name, network


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
        "--students",
        type=_student,
        nargs="+",
        default=[("embedding", "residual_embedding")],
        metavar="NAME=NETWORK",
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
    transfer.add_argument("--base", default=TRANSFER_BASE, metavar="MODEL")
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
            networks=dict(options.students),
            without=tuple(options.without),
            free=options.free,
            seed=options.seed,
            **given,
        )
    )


def _export(options: argparse.Namespace) -> None:
    from recipes.embedding import export_model

    made_by = "python -m recipes.embedding distil --teacher yamnet.tflite --bank BANKS --out FOLDER"
    corpora = options.fold4, options.esc10
    export_model.run(options.weights, options.out, corpora, options.teacher, made_by)


def _scenes(options: argparse.Namespace) -> None:
    from recipes.embedding import scenes

    given = {
        name: getattr(options, name)
        for name in ("data", "base", "blocks", "name", "out", "publish")
    }
    strangers = tuple(options.strangers)
    words = [
        "--data",
        options.data.name,
        "--blocks",
        options.blocks,
        *_base_of(options, SceneSettings.base),
    ]
    words += ["--strangers", *(folder.name for folder in strangers)] if strangers else []
    made_by = _command("scenes", *words, "--name", options.name)
    scenes.run(SceneSettings(**given, strangers=strangers, command=made_by))


def _transfer(options: argparse.Namespace) -> None:
    from recipes.embedding import transfer

    words = ["--data", options.data.name, *_base_of(options, TRANSFER_BASE)]
    words += ["--teacher", options.teacher.name] if options.teacher else []
    made_by = _command("transfer", *words)
    transfer.run(options.data, options.teacher, options.out, options.base, made_by)


def _base_of(options: argparse.Namespace, default: str) -> list[str]:
    """The option of the embedding, where it is another one than the shipped."""
    return [] if options.base == default else ["--base", Path(options.base).name]


def _command(name: str, *words: object) -> str:
    """The command line of a part, as a shell takes it."""
    return shlex.join(["python", "-m", "recipes.embedding", name, *map(str, words)])


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
