"""Trained models -> folders that stand alone: written, replayed and described in one call.

`write` makes every format in a folder aside, replays golden inputs on each of them in processes
that cannot import this package, and only then puts the folder in its place.
"""

import zoo.tensorflow_only  # noqa: F401  says so in one line on another backend
from zoo.export.manifest import About
from zoo.export.writer import write

__all__ = ["About", "write"]
