"""Distil a sound embedding from a teacher, and scene classifiers that start from it.

    python -m recipes.embedding bank --esc10 esc10 --urbansound urbansound --packages packages
    python -m recipes.embedding distil --teacher yamnet.tflite --bank bank/* --seconds 3600
    python -m recipes.embedding scenes --teacher yamnet.tflite --bank bank/esc10* --out runs/scenes

    python -m recipes.embedding export --weights embedding.npz --fold4 esc50 --esc10 esc10

Every part runs on any backend of
Keras (`KERAS_BACKEND=torch`), for the time that `--seconds` gives.
"""

import argparse
from pathlib import Path

from recipes.embedding.settings import SceneSettings, Settings
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.embedding",
        description="Distil a sound embedding from a teacher, and scene classifiers from it.",
        formatter_class=command.Help,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("distil", "train students on mixtures of the bank"),
        ("scenes", "cross-validate classifiers of ESC-10 that start from students"),
    ):
        part = commands.add_parser(name, help=words)
        part.add_argument("--teacher", type=Path, required=True, metavar="FILE", help="TFLite file")
        part.add_argument("--bank", type=Path, nargs="+", required=True, metavar="FOLDER")
        part.add_argument("--out", type=Path, required=True, metavar="FOLDER")
        part.add_argument("--seconds", type=positive_float, default=3600.0, help="of training")
        part.add_argument("--batch", type=positive_int)
        part.add_argument("--steps", type=positive_int, help="of an epoch")
        part.add_argument(
            "--students",
            nargs="+",
            default=["embedding=residual_embedding"],
            metavar="NAME=NETWORK",
        )
        part.add_argument("--seed", type=int, default=0)
    distil = commands.choices["distil"]
    distil.add_argument("--without", nargs="*", default=[], metavar="KIND")
    distil.add_argument("--free", action="store_true", help="CC BY and freer sound alone")
    scenes = commands.choices["scenes"]
    scenes.add_argument("--until", type=positive_float, default=1e9, help="end of all [s]")
    bank = commands.add_parser("bank", help="make sound banks of corpora and packages")
    bank.add_argument("--out", type=Path, default=Path("bank"), metavar="FOLDER")
    for name, words in (
        ("esc10", "ESC-10"),
        ("urbansound", "UrbanSound8K, folds 1 and 2"),
        ("fold4", "ESC-50, noises of fold 4 for the hearing aid"),
        ("packages", "Debian packages, each unpacked into a folder of its name"),
    ):
        bank.add_argument(f"--{name}", type=Path, metavar="FOLDER", help=words)
    export = commands.add_parser("export", help="measure and export a distilled embedding")
    export.add_argument("--weights", type=Path, required=True, metavar="FILE")
    export.add_argument("--fold4", type=Path, required=True, metavar="FOLDER", help="of ESC-50")
    export.add_argument("--esc10", type=Path, required=True, metavar="FOLDER")
    export.add_argument("--teacher", type=Path, metavar="FILE", help="to measure beside it")
    export.add_argument("--out", type=Path, default=Path("runs/sound-embedding/model"))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; returns its exit code."""
    options = parser().parse_args(arguments)
    # Here, so that `--help` does not wait for Keras.
    if options.command == "bank":
        from recipes.embedding import packing

        packing.write_banks(
            options.out, options.esc10, options.urbansound, options.fold4, options.packages
        )
        return 0
    if options.command == "export":
        from recipes.embedding import export_model

        made_by = "python -m recipes.embedding distil --teacher yamnet.tflite --bank BANKS"
        corpora = options.fold4, options.esc10
        export_model.run(options.weights, options.out, corpora, options.teacher, made_by)
        return 0
    students = dict(each.split("=", 1) for each in options.students)
    given = {name: getattr(options, name) for name in ("batch", "steps") if getattr(options, name)}
    shared = {"teacher": options.teacher, "bank": tuple(options.bank), "out": options.out}
    if options.command == "distil":
        from recipes.embedding import distil

        distil.run(
            Settings(
                **shared,
                **given,
                seconds=options.seconds,
                networks=students,
                without=tuple(options.without),
                free=options.free,
                seed=options.seed,
            )
        )
    else:
        from recipes.embedding import scenes

        scenes.run(
            SceneSettings(
                **shared,
                **given,
                seconds=options.seconds,
                until=options.until,
                students=students,
                seed=options.seed,
            )
        )
    return 0


if __name__ == "__main__":
    command.run(main)
