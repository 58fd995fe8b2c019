"""Clips per second from files that are not in the system's cache to batches of log-mel features.

    python -m recipes.benchmarks.audio_pipeline [--data ESC-10] [--cores 2] [--repeats 3]

Every variant computes librosa's default log-mel (22.05 kHz, 2048, 512, 128 bands) of the same
clips, and the results are compared. Before every run with files they are dropped from the system's
cache. Without --data, 320 clips of 5 s are synthesised. Each corpus is also measured as 16-bit WAV.
On a busy machine compare processor times, which do not include waiting.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.audio_pipeline.settings import Settings, limit_cores
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.audio_pipeline",
        description="Clips per second from files to batches of log-mel features, beside librosa.",
        formatter_class=command.Help,
    )
    parser.add_argument("--data", type=Path, help="corpus in any layout (default: synthetic)")
    parser.add_argument("--cores", type=positive_int, default=2, help="processors to use")
    parser.add_argument("--repeats", type=positive_int, default=3, help="runs; the median counts")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = parser().parse_args(arguments)
    limit_cores(options.cores)
    # Here, since NumPy and TensorFlow read the environment when they are imported.
    from recipes.benchmarks.audio_pipeline import experiment

    experiment.run(Settings(options.data, options.cores, options.repeats))
    return 0


if __name__ == "__main__":
    command.run(main)
