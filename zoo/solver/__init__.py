"""Step models for finite element solvers and pages: C, Fortran or JavaScript, with the tangent.

`trace` turns a step model into scalar operations (`program`), `writer` these into statements, each
with its derivative with respect to strain, `languages` spells them; `c`, `fortran` and `javascript`
write the file, with what they share in `header`. `umat` is Abaqus' interface, `truss` its form with
one stress, `solid` the three-dimensional law of a hyperelastic-viscous solid. The files depend on
no library.
"""

from zoo.solver.c import c_source
from zoo.solver.fortran import fortran_source
from zoo.solver.javascript import javascript_source
from zoo.solver.program import Program
from zoo.solver.saved import program_name, trace_saved_step, with_manifest
from zoo.solver.solid import solid_cell, solid_constants, solid_umat
from zoo.solver.trace import trace, trace_function, trace_law

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
