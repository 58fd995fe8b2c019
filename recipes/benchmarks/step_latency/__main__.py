"""Latency [µs] of a step and size of every TFLite step model of a folder, on one thread."""

import argparse
from pathlib import Path

from recipes.benchmarks.step_latency.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.step_latency",
        description=__doc__,
        formatter_class=command.Help,
    )
    parser.add_argument(
        "folders", type=Path, nargs="+", help="such as saved_models/hysteresis-lstm"
    )
    parser.add_argument("--steps", type=positive_int, default=10_000, help="calls of every file")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(folders=tuple(options.folders), steps=options.steps)
    from recipes.benchmarks.step_latency import experiment  # only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
