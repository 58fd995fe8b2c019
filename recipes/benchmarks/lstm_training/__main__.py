"""Time of a training step: Keras' LSTM, the visible LSTM with every state, torch's LSTM.

All train on the same random batch with mean squared error and Adam, in one process and in turns, so
that a busy machine slows all of them alike; the ratio is of medians. TensorFlow's run as
`tf.function` graphs without XLA, which is slower here. The visible ones return every hidden and
cell state of every step: by default, with one op for all steps up to the width in
`zoo/cells/gated/fused.py`, and always step by step.
"""

import argparse

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
    ):
        parser.add_argument(option, type=positive_int, default=value, help=text)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    from recipes.benchmarks.lstm_training import experiment  # only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
