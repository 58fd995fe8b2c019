"""Milliseconds for 10 s of sound through each front-end preset, beside librosa and torchaudio.

python -m recipes.benchmarks.front_end [--cores 2] [--repeats 30]
"""

import argparse
import sys

from recipes.benchmarks.front_end.settings import Settings, limit_cores
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.front_end",
        description="Time 10 s of sound through each front-end preset, beside librosa and "
        "torchaudio.",
        formatter_class=command.Help,
    )
    parser.add_argument("--cores", type=positive_int, default=2, help="processor cores to use")
    parser.add_argument("--repeats", type=positive_int, default=30, help="runs; the median counts")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure every preset and print one line each."""
    options = parser().parse_args(arguments)
    limit_cores(options.cores)
    from recipes.benchmarks.front_end import experiment  # TensorFlow reads the limit on import

    return experiment.run(Settings(options.cores, options.repeats))


if __name__ == "__main__":
    sys.exit(command.call(main))
