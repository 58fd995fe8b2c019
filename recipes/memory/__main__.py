"""Why recurrent networks forget, and how the cell state of an LSTM helps.

Five networks learn the adding problem: two numbers, far apart in a long sequence, are to be added.
State Jacobians show which of them can. An ablation table shows the effect of activation,
initialization, forget bias and gradient clipping. Last, a network trained on a material is compared
with that material, whose memory is known in closed form. With `--model` the same analysis is made
of a model of your own, as by `zoo memory`.
"""

import argparse
from pathlib import Path

from recipes.memory.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.memory",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    task = parser.add_argument_group("adding problem")
    task.add_argument("--length", type=int, default=default.length, help="steps of a sequence")
    task.add_argument(
        "--units", type=positive_int, default=default.units, help="units of each network"
    )
    task.add_argument(
        "--steps", type=positive_int, default=default.steps, help="training steps at most"
    )

    own = parser.add_argument_group("analysis of a model")
    own.add_argument(
        "--model",
        type=Path,
        help="a .keras file with SimpleRNN, GRU or LSTM layers, or a saved model",
    )
    own.add_argument(
        "--csv",
        type=Path,
        help="inputs: time, strain, stress for a model of a material (columns as in "
        "recipes.hysteresis), otherwise one column for each input",
    )
    own.add_argument("--live", action="store_true", help="draw states and gates step by step")
    own.add_argument(
        "--pace",
        type=positive_int,
        default=round(default.frames_per_second),
        help="steps drawn in a second",
    )

    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=seed_number, default=default.seed, help="of data and weights")
    run.add_argument("--quick", action="store_true", help="a smoke run: short and hardly trained")
    run.add_argument("--out", type=Path, help="folder of the page (default: runs/memory or alike)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment, or analyse the given model; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(
        length=options.length,
        units=options.units,
        steps=options.steps,
        seed=options.seed,
        quick=options.quick,
        model=options.model,
        csv=options.csv,
        live=options.live,
        frames_per_second=options.pace,
        out=options.out,
        command=command.format_command_line(parser(), options),
    )
    from recipes.memory import experiment  # loads TensorFlow: only after the options are parsed

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
