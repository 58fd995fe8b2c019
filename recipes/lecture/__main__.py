"""`python -m recipes.lecture`."""

from recipes.lecture.experiment import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main)
