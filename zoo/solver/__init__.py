"""Step models for finite element solvers and pages: C, Fortran or JavaScript, with the tangent.

`trace` turns a step model into scalar operations, `writer` into statements, each with its
derivative with respect to strain, `languages` spells them in C, Fortran or JavaScript, `source`
and `javascript` add the interface. `solid` is the three-dimensional law of a hyperelastic-viscous
solid, `umat` Abaqus' interface. The files depend on no library.
"""

from zoo.solver.javascript import javascript_source
from zoo.solver.saved import program_name, trace_saved_step, with_manifest
from zoo.solver.solid import solid_cell, solid_constants, solid_umat
from zoo.solver.source import c_source, fortran_source
from zoo.solver.trace import Program, trace, trace_function, trace_law

__all__ = [
    "Program",
    "c_source",
    "fortran_source",
    "javascript_source",
    "program_name",
    "solid_cell",
    "solid_constants",
    "solid_umat",
    "trace",
    "trace_function",
    "trace_law",
    "trace_saved_step",
    "with_manifest",
]
