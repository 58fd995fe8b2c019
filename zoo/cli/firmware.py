"""`zoo firmware MODEL --out FOLDER`: a model of steps or clips as C for a microcontroller."""

import argparse
from pathlib import Path

from zoo import folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, add_model, positive_int


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "firmware",
        help="a model of steps or clips as C files for a microcontroller",
        description="Write a model as C: the model as an array, shapes, scales and operations "
        "in a header, the front end's tables, a reference, and a program that checks them.",
    )
    add_model(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the C files")
    parser.add_argument(
        "--weights", default="float32", help="precision of the TFLite file (%(default)s)"
    )
    parser.add_argument(
        "--steps", type=positive_int, help="of the reference (default: 8 steps, or one clip)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the C files and print their names and sizes.

    Raises:
        ValueError: a model that cannot be written as C.
    """
    from zoo import firmware  # only now: NumPy takes a tenth of a second to import

    files = firmware.write(
        folders.find(options.model), options.out, weights=options.weights, steps=options.steps
    )
    if options.json:
        output.print_json([{"file": file, "bytes": file.stat().st_size} for file in files])
        return
    for file in files:
        print(f"{file}  {file.stat().st_size:,} bytes")
