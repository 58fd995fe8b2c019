"""`zoo export MODEL --c|--fortran`: the step of a stress model as source code for a solver."""

import argparse
from pathlib import Path

from zoo import files, folders
from zoo.cli.options import Subcommands, add_model
from zoo.manifest import read_manifest
from zoo.progress import say


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "export",
        help="a stress model's step as C or Fortran for a solver",
        description="Write one step of a stress model with its consistent tangent as source code "
        "without dependencies, for a finite element solver.",
    )
    add_model(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--c", action="store_true", help="a C99 function")
    what.add_argument("--fortran", action="store_true", help="a subroutine, and a UMAT")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="source file (default: NAME.c or NAME.f90)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the source file.

    Raises:
        ValueError: no stress model, or one without a step.
    """
    manifest = read_manifest(folders.find(options.model))
    if "step" not in manifest["signatures"]:
        raise ValueError(f"{options.model}: the model has no endpoint `step`.")
    from zoo import models, solver  # only now: TensorFlow takes seconds to import
    from zoo.edge.runtime import quiet

    model = models.load(options.model, "saved_model")
    with quiet():
        program = solver.trace_saved_step(manifest, model.signatures["step"])
    source = solver.c_source(program) if options.c else solver.fortran_source(program)
    out = options.out or Path(f"{program.name}.{'c' if options.c else 'f90'}")
    files.write_text(out, source)
    states = len(program.next_states)
    say(f"{out}: {program.name}_step, {states} state variable{'' if states == 1 else 's'}")
