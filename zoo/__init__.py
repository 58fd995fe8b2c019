"""A Keras zoo for signals with memory: hysteretic materials and sound."""

__version__ = "0.1.0"
