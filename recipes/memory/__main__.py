"""`python -m recipes.memory`."""

from recipes.memory.experiment import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main)
