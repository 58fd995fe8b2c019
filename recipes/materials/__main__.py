"""`python -m recipes.materials`."""

from recipes.materials.experiment import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main)
