"""Step models for solvers: one file of C or Fortran, with the consistent tangent, needing nothing.

A step model is traced into scalar operations (`trace`), and these are written down in either
language (`source`), each with its derivative along the stretch beside it.
"""

from zoo.solver.saved import trace_saved_step
from zoo.solver.source import c_source, fortran_source
from zoo.solver.trace import Program, trace, trace_function

__all__ = ["Program", "c_source", "fortran_source", "trace", "trace_function", "trace_saved_step"]
