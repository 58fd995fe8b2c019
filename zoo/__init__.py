"""A Keras model zoo for signals with memory: hysteretic materials and sound.

    import zoo

    zoo.list_models()                                   # name -> manifest
    zoo.load("hysteresis-lstm").predict(x=x)            # name -> array

Importing `zoo` imports neither Keras nor NumPy; each public name is imported when it is first used.
Keras knows all classes of the package from then on: `keras.models.load_model` opens its files.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from zoo.late_registration import register_late

if TYPE_CHECKING:
    from zoo.models import LoadedModel, find, list_models, load

__version__ = "0.2.0"
__all__ = ["LoadedModel", "__version__", "find", "list_models", "load"]

_MODULES = dict.fromkeys(("LoadedModel", "find", "list_models", "load"), "zoo.models")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


register_late()
# Without it TensorFlow takes all memory of a GPU at its first use, and a second process gets none.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
