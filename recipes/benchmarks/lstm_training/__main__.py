"""Time of a training step: Keras' LSTM, the visible LSTM with every state, torch, Keras on JAX.

All train on the same random batch with mean squared error and Adam, in turns, so that a busy
machine slows all of them alike; what is compared is processor time. The visible ones return every
hidden and cell state of every step: compiled by XLA as loops with their gradient by hand, in one op
for all steps (up to the width in `zoo/cells/gated/fused.py`), and step by step. Torch and JAX run
in processes of their own, by the interpreters that are named.
"""

import argparse
import os
from pathlib import Path

from recipes.benchmarks.lstm_training.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.lstm_training",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    for option, value, text in (
        ("--units", default.units, "units of each layer"),
        ("--layers", default.layers, "LSTM layers"),
        ("--batch", default.batch, "sequences in a batch"),
        ("--time", default.time, "time steps of a sequence"),
        ("--features", default.features, "width of the input"),
        ("--rounds", default.rounds, "training steps of each implementation"),
        ("--threads", default.threads, "of each process, in an operation"),
    ):
        parser.add_argument(option, type=positive_int, default=value, help=text)
    for option, text in (("--torch", "torch"), ("--jax", "Keras and JAX")):
        parser.add_argument(
            option, type=Path, metavar="PYTHON", help=f"interpreter that has {text}"
        )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    # Here, since NumPy and TensorFlow read the environment when they are imported.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    from recipes.benchmarks.lstm_training import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
