"""Export of trained models to folders that open without this package: SavedModel, TFLite, .keras.

`write` makes every format in a temporary folder, replays golden inputs on each of them in processes
that cannot import this package, and only then puts the folder in its place. `renew` exports a saved
model again from the weights that it has.
"""

import zoo.tensorflow_only  # noqa: F401  says so in one line on another backend
from zoo.export.entries import About
from zoo.export.renewal import renew
from zoo.export.writer import Endpoints, ExportOptions, write

__all__ = ["About", "Endpoints", "ExportOptions", "renew", "write"]
