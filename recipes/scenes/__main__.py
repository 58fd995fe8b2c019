"""`python -m recipes.scenes`."""

from recipes.scenes import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main, convolutions=True)
