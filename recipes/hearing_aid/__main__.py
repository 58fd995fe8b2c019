"""`python -m recipes.hearing_aid`."""

from recipes.hearing_aid.experiment import experiment
from zoo.cli import command

if __name__ == "__main__":
    command.run(experiment.main, convolutions=True)
