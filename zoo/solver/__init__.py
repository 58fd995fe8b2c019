"""Step models for finite element solvers and pages: C, Fortran or JavaScript, with the tangent.

`trace` turns a step model into scalar operations, `writer` into statements, each with its
derivative with respect to strain, `languages` spells them in C, Fortran or JavaScript, `source`
and `javascript` add the interface. The files depend on no library.
"""

from zoo.solver.javascript import javascript_source
from zoo.solver.saved import trace_saved_step
from zoo.solver.source import c_source, fortran_source
from zoo.solver.trace import Program, trace, trace_function

__all__ = [
    "Program",
    "c_source",
    "fortran_source",
    "javascript_source",
    "trace",
    "trace_function",
    "trace_saved_step",
]
