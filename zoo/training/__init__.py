"""Training: learning-rate schedule, best weights, checkpoint and resume, progress."""

from zoo.training.fitting import fit
from zoo.training.history import History, TrainingDiverged, TrainingInterrupted, describe_end
from zoo.training.identity import describe_run, hash_model
from zoo.training.settings import Budget, FitSettings

__all__ = [
    "Budget",
    "FitSettings",
    "History",
    "TrainingDiverged",
    "TrainingInterrupted",
    "describe_end",
    "describe_run",
    "fit",
    "hash_model",
]
