"""Step models for finite element solvers: one C or Fortran file, with the consistent tangent.

`trace` turns a step model into scalar operations, `writer` into statements, each with its
derivative with respect to strain, `languages` spells them in C or Fortran, `source` adds the
interface. The files depend on no library.
"""

from zoo.solver.saved import trace_saved_step
from zoo.solver.source import c_source, fortran_source
from zoo.solver.trace import Program, trace, trace_function

__all__ = ["Program", "c_source", "fortran_source", "trace", "trace_function", "trace_saved_step"]
