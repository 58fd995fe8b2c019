"""Write two figures of README from the shipped models, by default to this folder.

python -m recipes.tutorials.figures
"""

import argparse
from pathlib import Path

from zoo.cli import command
from zoo.targets import check_output_folder

FOLDER = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Write both figures; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.tutorials.figures",
        description="Write two figures of README from the shipped models.",
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the figures")
    options = parser.parse_args(arguments)
    check_output_folder(options.out)
    # Here, so that `--help` does not wait for TensorFlow.
    from recipes.tutorials.figures.drawing import write_figures

    write_figures(options.out)
    return 0


if __name__ == "__main__":
    command.run(main)
