"""Saved models by name or folder: find, list, verify, load and predict; any stress-history model.

Importing this package is light; a function that opens a model imports Keras, TensorFlow or LiteRT
when it is called.
"""

from zoo.folders import find
from zoo.models.loading import LoadedModel, list_models, load, load_keras_model
from zoo.models.stress import EXPECTED, open_model

__all__ = [
    "EXPECTED",
    "LoadedModel",
    "find",
    "list_models",
    "load",
    "load_keras_model",
    "open_model",
]
