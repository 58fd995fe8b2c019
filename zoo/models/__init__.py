"""Saved models by name or folder: find, list, verify, load and predict; any stress-history model.

Importing this package is light; a function that opens a model imports Keras, TensorFlow or LiteRT
when it is called, and `open_model`, which needs SciPy, is imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.folders import find
from zoo.models.loading import LoadedModel, list_models, load, load_keras_model

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name in ("EXPECTED", "open_model"):
        return getattr(importlib.import_module("zoo.models.stress"), name)
    raise AttributeError(f"module 'zoo.models' has no attribute {name!r}")
