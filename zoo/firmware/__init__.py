"""Step models for microcontrollers: the model as a C array, and what a port is checked with.

`write` writes C files into one folder: the array, a header with inputs, outputs and sizes, the
tables of the front end with a plain function that uses them, and a reference: inputs and the
outputs for them. The array of a sound model begins behind that function. `zoo firmware` does it
from a model folder.
"""

from zoo.firmware.writer import REFERENCE_STEPS, microcontroller_file, write

__all__ = ["REFERENCE_STEPS", "microcontroller_file", "write"]
