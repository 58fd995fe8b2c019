"""Tutorial: from a folder of recordings to a TFLite file that classifies them.

python -m recipes.tutorials.bring_your_own_sounds
"""

from recipes.tutorials.common import call_tutorial
from zoo.cli import command


def main(arguments: list[str] | None = None) -> int:
    """Run the tutorial from the command line; returns the exit code."""
    return call_tutorial("bring_your_own_sounds", __doc__, arguments)


if __name__ == "__main__":
    command.run(main, convolutions=True)
