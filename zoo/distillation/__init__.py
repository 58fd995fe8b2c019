"""Distillation of a teacher into small sound models, on any backend of Keras."""

from zoo.distillation.distiller import Distiller, Projection, no_input, teacher_embeddings
from zoo.distillation.mixing import REFERENCE_DB, Mixer, MixSettings
from zoo.distillation.schedule import TimeBudget
from zoo.distillation.weights import load_weights, read_weights, save_weights

__all__ = [
    "REFERENCE_DB",
    "Distiller",
    "MixSettings",
    "Mixer",
    "Projection",
    "TimeBudget",
    "load_weights",
    "no_input",
    "read_weights",
    "save_weights",
    "teacher_embeddings",
]
