"""What all tutorials share: their command line, and figures written as PNG."""

import argparse
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from zoo.files import writing
from zoo.runs import RUNS
from zoo.targets import check_output_folder

Tutorial = Callable[[Path, bool], None]


def call_tutorial(
    tutorial: Tutorial, name: str, doc: str | None, arguments: list[str] | None = None
) -> int:
    """Read `--out` and `--quick`, and run a tutorial.

    Args:
        tutorial: function of the folder for figures and of whether to run a smoke test.
        name: name of its module.
        doc: its docstring; the first line is the description.
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
    tutorial(options.out, options.quick)
    return 0


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with writing(path) as temporary:
        figure.savefig(temporary)
    print(f"figure: {path}")
