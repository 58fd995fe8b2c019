"""Train a small network to say what sounds when: sound events with onset and offset.

Soundscapes are synthesised: events of five kinds, some at once, in backgrounds; the truth is known
to the sample. The network gives a probability of each kind every 16 ms, each for itself.
"""

import argparse

from recipes.sound_events.settings import Settings
from zoo.cli import command
from zoo.cli.options import add_run_options, folder_to_write, positive_float, positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.sound_events",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--soundscapes", type=positive_int, default=Settings.soundscapes, help="of 10 s each"
    )
    training.add_argument("--epochs", type=positive_int, help="of 40 batches each (default: 30)")
    training.add_argument(
        "--learning-rate", type=positive_float, default=Settings.learning_rate, help="at its peak"
    )
    training.add_argument(
        "--checkpoint",
        type=folder_to_write,
        metavar="FOLDER",
        help="resume from there and save to there",
    )
    add_run_options(parser, "sound-events")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment with the options of a command line; returns the exit code.

    Raises:
        ValueError: a folder or option that cannot be used.
    """
    options = parser().parse_args(arguments)
    settings = Settings(
        soundscapes=options.soundscapes,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        checkpoint=options.checkpoint,
        seed=options.seed,
        quick=options.quick,
        force=options.force,
        out=options.out,
        publish=options.publish,
        command=command.format_command_line(parser(), options),
    )
    from recipes.sound_events import experiment  # TensorFlow, which `--help` need not wait for

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
