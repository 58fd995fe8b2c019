"""Distillation of a teacher into small sound models, on any backend of Keras."""

from zoo.distillation.distiller import Distiller, Projection, no_input, teacher_embeddings
from zoo.distillation.mixing import REFERENCE_DB, Mixer, MixSettings
from zoo.distillation.schedule import TimeBudget

__all__ = [
    "REFERENCE_DB",
    "Distiller",
    "MixSettings",
    "Mixer",
    "Projection",
    "TimeBudget",
    "no_input",
    "teacher_embeddings",
]
