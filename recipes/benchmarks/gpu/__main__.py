"""Training steps on a GPU: recurrent networks, convolutions, front end, augmentation.

    python -m recipes.benchmarks.gpu [--table gpu.md] [--deterministic]

Beside each network the same in Keras' own layers, whose LSTM is cuDNN's on a GPU, and in torch, if
it is installed. One process, one batch kept on the device, medians of the time to the loss; about
six minutes with the default of six seconds a row. It runs on a CPU as well, and the first line says
which device it was; `--tiny` only shows that it runs.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.gpu.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_float


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.gpu",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--seconds", type=positive_float, default=Settings.seconds, help="of each row"
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="operations that give the same bits every time"
    )
    parser.add_argument("--tiny", action="store_true", help="smallest sizes, two steps a row")
    parser.add_argument("--table", type=Path, metavar="FILE", help="Markdown file to write besides")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    from recipes.benchmarks.gpu import experiment  # TensorFlow, only after parsing

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
