"""Tutorial: from a CSV file of a testing machine to an identified law and an exported network.

python -m recipes.tutorials.bring_your_own_material_test
"""

from recipes.tutorials.common import call_tutorial
from zoo.cli import command


def main(arguments: list[str] | None = None) -> int:
    """Run the tutorial from the command line; returns the exit code."""
    return call_tutorial("bring_your_own_material_test", __doc__, arguments)


if __name__ == "__main__":
    command.run(main)
