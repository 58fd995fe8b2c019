"""Tutorial: look inside an LSTM that predicts the stress of a material with memory.

python -m recipes.tutorials.look_inside_an_lstm
"""

from recipes.tutorials.common import call_tutorial
from zoo.cli import command


def main(arguments: list[str] | None = None) -> int:
    """Run the tutorial from the command line; returns the exit code."""
    return call_tutorial("look_inside_an_lstm", __doc__, arguments)


if __name__ == "__main__":
    command.run(main)
