"""What all tutorials share: their command line, and figures written as PNG."""

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.files import writing
from zoo.runs import RUNS
from zoo.targets import check_output_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def call_tutorial(name: str, doc: str | None, arguments: list[str] | None = None) -> int:
    """Read `--out` and `--quick`, and call `run` of the tutorial.

    Args:
        name: of its package, whose module `tutorial` is imported after the options are read.
        doc: docstring of the command; its first line is the description.
        arguments: command line; None: that of the process.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m recipes.tutorials.{name}", description=(doc or "").split("\n")[0]
    )
    folder = RUNS / "tutorials" / name
    parser.add_argument(
        "--out", type=Path, default=folder, help=f"folder of the figures (default: {folder})"
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run: hardly trained")
    options = parser.parse_args(arguments)
    check_output_folder(options.out)
    importlib.import_module(f"recipes.tutorials.{name}.tutorial").run(options.out, options.quick)
    return 0


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG."""
    with writing(path) as temporary:
        figure.savefig(temporary)
    print(f"figure: {path}")
