"""Instructions of the firmware's parts, and the C library beside the runtime over long sound.

Needs gcc; instructions are counted with `valgrind --tool=callgrind`, where it is installed.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.firmware.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.firmware",
        description=__doc__,
        formatter_class=command.Help,
    )
    parser.add_argument("model", type=Path, help="such as saved_models/hearing-aid")
    parser.add_argument("--seconds", type=positive_float, default=3600.0, help="of sound")
    parser.add_argument("--hops", type=positive_int, default=20, help="to count instructions of")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="recordings instead of synthetic scenes"
    )
    parser.add_argument("--seed", type=seed_number, default=0, help="of the sound")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(options.model, options.seconds, options.hops, options.data, options.seed)
    from recipes.benchmarks.firmware import experiment  # only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
