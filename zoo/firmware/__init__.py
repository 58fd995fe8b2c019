"""Step models for microcontrollers: the model as a C array, and all that a port is checked with.

`write` puts C files beside each other: the array, a header that says what goes in and out, the
tables of the front end with a plain function that uses them, and a reference: inputs and the
answers to them. The array of a sound model begins behind that function. `python -m zoo.firmware`
does it from a model folder.
"""

from zoo.firmware.writer import write

__all__ = ["write"]
