"""Time and peak memory of all step Jacobians of an LSTM stack, beside two naive methods.

The naive methods call `tape.batch_jacobian` or `tape.jacobian` in eager mode for each step and
layer; `tape.jacobian` also computes the zero blocks between sequences. Both are measured on
`--naive-steps` steps, after a warm-up step, and scaled to all steps. Each method runs in a process
of its own, and its peak memory is that of the process above what it used before. `StepJacobians`
computes every Jacobian in turn and keeps none, as `log_norms` and `lyapunov_exponents` do; its
first round includes the compilation of the graph.
"""

import argparse

from recipes.benchmarks.jacobians.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.jacobians",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    for option, value, text in (
        ("--units", default.units, "units of each layer"),
        ("--layers", default.layers, "LSTM layers"),
        ("--batch", default.batch, "sequences"),
        ("--time", default.time, "time steps"),
        ("--naive-steps", default.naive_steps, "time steps measured with the naive methods"),
    ):
        parser.add_argument(option, type=positive_int, default=value, help=text)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    from recipes.benchmarks.jacobians import experiment  # only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
