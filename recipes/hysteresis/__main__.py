"""`python -m recipes.hysteresis`."""

from zoo.cli import command
from zoo.cli.options import experiment

if __name__ == "__main__":
    command.run(experiment.main)
