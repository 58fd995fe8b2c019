"""`zoo export MODEL --c|--fortran|--abaqus|--renew`: source for a solver, or the formats anew."""

import argparse
from pathlib import Path

from zoo import files, folders
from zoo.cli.options import Subcommands, add_model, add_trust
from zoo.manifest import read_manifest
from zoo.progress import say
from zoo.runs import RunPaths
from zoo.targets import check_output_file


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "export",
        help="a stress model's step as C or Fortran for a solver; or all formats anew",
        description="Write one step of a stress model with its consistent tangent as source code "
        "without dependencies, for a finite element solver. With --renew, export a saved model "
        "again from the weights that it has: same golden outputs, present file formats.",
    )
    add_model(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--c", action="store_true", help="a C99 function")
    what.add_argument("--fortran", action="store_true", help="a subroutine, and a UMAT")
    what.add_argument(
        "--abaqus",
        action="store_true",
        help="the same; the UMAT ends by Abaqus' STDB_ABQERR and XIT where it cannot serve",
    )
    what.add_argument("--renew", action="store_true", help="every format of the saved model")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="source file (default: NAME.c or NAME.f90); with --renew the folder (default: "
        "runs/NAME/model)",
    )
    add_trust(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the source file, or the folder of the renewed model.

    Raises:
        ValueError: no stress model, or one without a step; with `--renew`, a changed model.
    """
    folder = folders.find(options.model)
    manifest = read_manifest(folder, unsealed=options.renew)
    if options.renew:
        from zoo.stress.renewal import renew_model  # only now: TensorFlow takes seconds to import

        out = options.out or RunPaths(manifest["name"]).model
        renew_model(folder, out, progress=say)
        say(f"model: {out}")
        return
    if options.out:
        check_output_file(options.out)
    if "step" not in manifest["signatures"]:
        raise ValueError(f"{options.model}: the model has no endpoint `step`.")
    from zoo import models, solver  # only now: TensorFlow takes seconds to import

    model = models.load(folder, "saved_model", trust=options.trust)
    program = solver.trace_saved_step(manifest, model.signatures["step"])
    errors = "abaqus" if options.abaqus else "standard"
    source = solver.c_source(program) if options.c else solver.fortran_source(program, errors)
    out = options.out or Path(f"{program.name}.{'c' if options.c else 'f90'}")
    check_output_file(out)
    files.write_text(out, source)
    states = len(program.next_states)
    say(f"{out}: {program.name}_step, {states} state variable{'' if states == 1 else 's'}")
