"""`python -m recipes.wheeze`."""

from recipes.wheeze import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main, convolutions=True)
