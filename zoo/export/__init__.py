"""Trained models -> folders that stand alone: written, replayed and described in one call.

`write` makes every format in a folder aside, replays golden inputs on each of them in processes
that cannot import this package, and only then puts the folder in its place.
"""

from zoo.export.manifest import About
from zoo.export.writer import write

__all__ = ["About", "write"]
