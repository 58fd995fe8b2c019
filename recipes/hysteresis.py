"""Teach a recurrent network the stress history of a hysteretic material, and look inside it.

The material is a Maxwell solid with power-law viscosity; its exact simulator makes the data, or a
measured test does (`--csv`). The network reads stretch, stretch rate and time step, and answers
with stress at every step. What it learnt is scored on loading it never saw, drawn, and exported.
"""

import argparse
import math
import sys
from pathlib import Path

from recipes import command

TRAIN_PATHS, VALIDATION_PATHS, TEST_PATHS = 8000, 300, 300
BATCH_SIZE = 32


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line; answers `--help` without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.hysteresis",
        description=__doc__.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    network = parser.add_argument_group("network")
    network.add_argument("--cell", choices=("rnn", "gru", "lstm"), default="lstm", help="kind")
    network.add_argument("--layers", type=positive_int, default=2, help="cells on top of another")
    network.add_argument("--units", type=positive_int, default=32, help="width of each state")

    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=positive_int, default=28, help="of 250 batches each")
    training.add_argument("--learning-rate", type=positive_float, default=5e-3, help="at its peak")
    training.add_argument("--seed", type=int, default=0, help="of data, weights and batches")
    training.add_argument(
        "--quick", action="store_true", help="a smoke run under a minute: little data, one epoch"
    )
    training.add_argument(
        "--checkpoint", type=Path, help="file to continue from if it is there, and to save to"
    )

    material = parser.add_argument_group("simulated material")
    material.add_argument("--modulus", type=positive_float, default=1.0, help="E [MPa]")
    material.add_argument("--nu0", type=positive_float, default=1.0, help="viscous time [s]")
    material.add_argument("--sigma0", type=positive_float, default=1.0, help="stress scale [MPa]")
    material.add_argument("--exponent", type=positive_float, default=3.0, help="m, 0.5 to 8")
    material.add_argument(
        "--dt-range",
        type=span,
        default=None,
        metavar="FROM:TO",
        help="train on time steps [s] that vary within a path over this range, such as 0.003:0.4 "
        "(default: one step a path, 0.025:0.1)",
    )

    measured = parser.add_argument_group("measured material, instead of a simulated one")
    measured.add_argument("--csv", type=Path, help="test with columns time, stretch, stress")
    measured.add_argument("--time", help="name of the time column [s]")
    measured.add_argument("--stretch", help="name of the stretch or strain column [-]")
    measured.add_argument("--stress", help="name of the stress column")
    measured.add_argument("--group", help="name of the column that tells specimens apart")
    measured.add_argument(
        "--cycles", type=int, default=0, help="repeats of a closed loop before the data, as start-up"
    )

    parser.add_argument("--out", type=Path, help="model folder (default: saved_models/NAME)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    return parser.parse_args(arguments)


def positive_int(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def positive_float(text: str) -> float:
    """A finite number above zero."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def span(text: str) -> tuple[float, float]:
    """`0.003:0.4` -> (0.003, 0.4)."""
    try:
        low, high = (positive_float(part) for part in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected FROM:TO, such as 0.003:0.4, got {text}") from None
    if low > high:
        raise argparse.ArgumentTypeError(f"expected FROM below TO, got {text}")
    return low, high


def main(arguments: list[str] | None = None) -> int:
    """Load, build, fit, score, look inside, export."""
    options = parse(arguments)
    say = Narrator()

    from zoo import presets, training

    name = f"hysteresis-{options.cell}" + ("-wide" if options.dt_range else "")
    out = options.out or Path("saved_models") / name

    say("data")
    experiment = measured_experiment(options) if options.csv else simulated_experiment(options)
    train, validation = experiment.train, experiment.validation
    say.detail(f"{len(train.x)} paths of {train.x.shape[1]} steps to learn from")

    say("training")
    preset = presets.gated(options.cell, options.layers, options.units)
    model = preset.build(train.x, train.y, train.weight)
    budget = training.Budget(
        epochs=1 if options.quick else options.epochs,
        steps_per_epoch=60 if options.quick else 250,
        learning_rate=options.learning_rate,
    )
    history = fit(model, experiment, budget, options.seed, options.checkpoint)
    return 0


if __name__ == "__main__":
    command.run(main)
