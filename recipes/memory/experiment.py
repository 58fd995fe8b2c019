"""See why recurrent networks forget, and how a cell state helps.

Five networks try to add two numbers that lie far apart; Jacobians from step to step tell who can.
A table says what activation, initialisation, forget bias and clipping have to do with it. Last, a
network that learnt a material is laid beside that material, whose own memory is known exactly.
With `--model` the same is asked of a model of yours.
"""

import argparse
import sys
import time
from pathlib import Path

from zoo.cli import command

MATERIAL_MODEL = Path(__file__).parent.parent / "saved_models" / "hysteresis-lstm"


def main(arguments: list[str] | None = None) -> int:
    """Race, ablate, compare with the material; or look at a given model."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    from recipes.memory import inspection as memory_looks
    from recipes.memory import race as memory_race
    from zoo.report import Report

    if options.live:
        model = options.model or MATERIAL_MODEL
        say(f"{model.name}: opened and followed through all steps, then drawn")
        memory_looks.live(model, options)
        return 0

    made = {"command": command.format_command_line(parser(), options), "seed": options.seed}
    if options.model:
        name = f"memory-{options.model.stem}"
        report = Report(
            f"The memory of {options.model.name}",
            "What of a state is left some steps later, layer by layer, and why.",
            made,
        )
        memory_looks.look(report, options.model, options)
    else:
        name = "memory-quick" if options.quick else "memory"
        report = Report("Seeing memory fade", STORY, made)
        say(f"the adding problem, {memory_race.length(options)} steps long")
        memory_race.race(report, options)
        say("the ablation table")
        memory_race.ablation(report, options)
        if MATERIAL_MODEL.is_dir():
            say(f"memory of a material and of {MATERIAL_MODEL.name}")
            memory_looks.look(report, MATERIAL_MODEL, options)
    page = report.write(options.reports / name / "report.html")[-1]
    say(f"report: {page}, in {time.monotonic() - started:.0f} s")
    return 0


STORY = (
    "A recurrent network learns from the past only what the gradient brings back from there, and "
    "the gradient comes through a product of Jacobians: ∂s_T/∂s_t = J_T ... J_{t+1}. It fades "
    "where they shrink, and explodes where they stretch."
)


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.memory",
        description=__doc__.split("\n\n")[0],
        formatter_class=command.Help,
    )
    task = parser.add_argument_group("the adding problem")
    task.add_argument("--length", type=at_least(4), default=100, help="steps of a sequence")
    task.add_argument("--units", type=at_least(1), default=32, help="width of each network")
    task.add_argument("--steps", type=at_least(1), default=2400, help="training steps at most")
    task.add_argument("--seed", type=int, default=0, help="of data and weights")
    task.add_argument("--quick", action="store_true", help="a smoke run: short and hardly trained")

    own = parser.add_argument_group("a model of your own")
    own.add_argument(
        "--model",
        type=Path,
        help="a .keras file with SimpleRNN, GRU or LSTM layers, or a folder of saved_models/",
    )
    own.add_argument(
        "--csv",
        type=Path,
        help="what to feed it: time, stretch, stress for a model of a material (as "
        "recipes.hysteresis reads them), else one column for each feature",
    )
    own.add_argument("--live", action="store_true", help="draw states and gates step by step")
    own.add_argument("--pace", type=at_least(1), default=20, help="steps drawn in a second")

    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    return parser


def at_least(least: int):
    """A whole number of `least` or more, for argparse."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {value}")
        return value

    number.__name__ = "whole number"
    return number


def say(text: str) -> None:
    """One line of progress on standard error; results go to standard output."""
    print(text, file=sys.stderr, flush=True)
