"""Train a recurrent network on the stress history of a hysteretic material, and look inside it.

The material is a Maxwell solid with power-law viscosity, simulated exactly, or the material of a
measured test (`--csv`). The network reads strain, strain rate and time step, and predicts the
stress at every step.
"""

import argparse
from pathlib import Path

from recipes.hysteresis.settings import Settings
from zoo.cli import command
from zoo.cli.options import (
    add_csv,
    add_csv_columns,
    add_run_options,
    columns_of,
    file_to_write,
    positive_float,
    positive_int,
    require_csv,
    span,
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hysteresis",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--cell", choices=("rnn", "gru", "lstm"), default=default.cell, help="kind of cell"
    )
    network.add_argument(
        "--layers", type=positive_int, default=default.layers, help="on top of each other"
    )
    network.add_argument(
        "--units", type=positive_int, default=default.units, help="width of each state"
    )

    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs", type=positive_int, default=default.epochs, help="of 250 batches each"
    )
    training.add_argument(
        "--learning-rate", type=positive_float, default=default.learning_rate, help="at its peak"
    )
    training.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="of recipes.hysteresis.train_on_gpu: score and export them instead of training",
    )
    training.add_argument(
        "--start",
        type=Path,
        metavar="FILE|FOLDER",
        help="of the same, or a saved model: go on training from them",
    )
    training.add_argument(
        "--baseline-weights",
        type=Path,
        metavar="FILE",
        help="SimpleRNN of the same, to compare with",
    )
    training.add_argument(
        "--checkpoint",
        type=file_to_write,
        help="file to continue from if it is there, and to save to",
    )

    _add_material_options(parser, default)
    add_run_options(parser, "hysteresis-lstm")
    return parser


def _add_material_options(parser: argparse.ArgumentParser, default: Settings) -> None:
    """Add the constants of a simulated material, and the files of a measured one."""
    material = parser.add_argument_group("simulated material")
    constants = {
        "modulus": (default.modulus_mpa, "E [MPa]"),
        "nu0": (default.nu0_s, "viscous time ν0 [s]"),
        "sigma0": (default.sigma0_mpa, "stress scale σ0 [MPa]"),
        "exponent": (default.exponent, "m, 0.5 to 8 [-]"),
    }
    for name, (value, text) in constants.items():
        material.add_argument(f"--{name}", type=positive_float, default=value, help=text)
    material.add_argument(
        "--loading",
        choices=("walk", "broad", "broad+staircase"),
        default=default.loading,
        help="to train on: walks of one amplitude, with one time step a path; or amplitudes, "
        "rates, time steps and holds over decades, which takes ten times the epochs; or those with "
        "every third path a staircase, steps at high rate between holds",
    )
    material.add_argument(
        "--dt-range",
        type=span,
        metavar="FROM:TO",
        help="train on time steps [s] that vary within a path over this range, such as 0.003:0.4 "
        "(default: one time step a path, 0.025:0.1)",
    )

    measured = parser.add_argument_group("measured material, instead of a simulated one")
    add_csv(measured)
    add_csv_columns(measured)
    measured.add_argument(
        "--cycles",
        type=int,
        default=default.cycles,
        help="repeats of the first closed loop, put before the data as start-up",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from the options of `parser`.

    Raises:
        ValueError: options of a measured material without a file, or of a simulated one with it,
            or two that exclude each other.
    """
    require_csv(options)
    simulated = ("modulus", "nu0", "sigma0", "exponent", "loading", "dt_range")
    simulated += ("weights", "start", "baseline_weights")
    given = [name for name in simulated if getattr(options, name) != parser().get_default(name)]
    if options.csv and given:
        raise ValueError(
            f"--{given[0].replace('_', '-')} belongs to the simulated material, --csv to a "
            "measured one. Leave out one of them."
        )
    if options.weights and options.start:
        raise ValueError(
            "--weights scores a network as it is, --start goes on training one. Leave out one of "
            "them."
        )
    if options.dt_range and options.loading != "walk":
        raise ValueError(
            f"--loading {options.loading} has time steps of its own, --dt-range sets those of "
            "walk. Leave out one of them."
        )
    return Settings(
        cell=options.cell,
        layers=options.layers,
        units=options.units,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        modulus_mpa=options.modulus,
        nu0_s=options.nu0,
        sigma0_mpa=options.sigma0,
        exponent=options.exponent,
        loading=options.loading,
        dt_range=options.dt_range,
        csv=tuple(options.csv),
        columns=columns_of(options),
        cycles=options.cycles,
        weights=options.weights,
        start=options.start,
        baseline_weights=options.baseline_weights,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        checkpoint=options.checkpoint,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(parser(), options),
    )


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the experiment; returns the exit code."""
    settings = settings_of(parser().parse_args(arguments))
    # Imported here, so that --help and a wrong option are answered without TensorFlow.
    from recipes.hysteresis import experiment

    history = experiment.run(settings)
    return command.INTERRUPTED if history.ended == "interrupted" else 0


if __name__ == "__main__":
    command.run(main)
