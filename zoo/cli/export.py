"""`zoo export MODEL --c|--fortran|...|--html|--renew`: source code, a page, or the formats anew."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import files, folders
from zoo.cli.options import Subcommands, add_model, add_trust
from zoo.manifest import read_manifest
from zoo.progress import say
from zoo.runs import RunPaths
from zoo.targets import check_export_target, check_output_file

if TYPE_CHECKING:
    from zoo.solver import Program


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "export",
        help="a stress model's step as C, Fortran, JavaScript or a page; or all formats anew",
        description="Write one step of a stress model with its consistent tangent as source code "
        "without dependencies, for a finite element solver or a page. With --html it is a page: "
        "draw a loading path, see loop, history, tangent and states. With --renew, export a saved "
        "model again from the weights that it has: same golden outputs, present file formats.",
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
    what.add_argument(
        "--calculix",
        action="store_true",
        help="the same with CalculiX' stress and tangent, for solids in three dimensions",
    )
    what.add_argument("--javascript", action="store_true", help="an ECMAScript module")
    what.add_argument("--html", action="store_true", help="one page that needs nothing else")
    what.add_argument("--renew", action="store_true", help="every format of the saved model")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="source file (default: NAME.c, .f90, .js or .html); with --renew the folder (default: "
        "runs/NAME/model)",
    )
    add_trust(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the source file, or the folder of the renewed model.

    Raises:
        ValueError: no stress model, or one without a step; with `--renew`, a changed model; with
            `--calculix`, a model that has no form in three dimensions.
    """
    folder = folders.find(options.model)
    manifest = read_manifest(folder, unsealed=options.renew)
    if options.renew:
        from zoo.stress.renewal import renew_model  # only now: TensorFlow takes seconds to import

        out = options.out or RunPaths(manifest["name"]).model
        check_export_target(out)  # before minutes of computing
        renew_model(folder, out, progress=say)
        say(f"model: {out}")
        return
    if options.out:
        check_output_file(options.out)
    if "step" not in manifest["signatures"]:
        raise ValueError(f"{options.model}: the model has no endpoint `step`.")
    program, suffix, source = _source(options, folder, manifest)
    out = options.out or Path(f"{program.name}.{suffix}")
    check_output_file(out)
    files.write_text(out, source)
    states = len(program.next_states)
    say(f"{out}: {program.name}_step, {states} state variable{'' if states == 1 else 's'}")


def _source(
    options: argparse.Namespace, folder: Path, manifest: Mapping[str, Any]
) -> "tuple[Program, str, str]":
    """The traced step, suffix and text of the file that the options ask for."""
    if options.fortran or options.abaqus or options.calculix:
        return _fortran(options, folder, manifest)
    from zoo import solver, studio  # only now: TensorFlow takes seconds to import

    program = _saved_step(options, folder, manifest)
    if options.c:
        return program, "c", solver.c_source(program)
    if options.javascript:
        return program, "js", solver.javascript_source(program)
    return program, "html", studio.model_page(manifest, solver.javascript_source(program))


def _fortran(
    options: argparse.Namespace, folder: Path, manifest: Mapping[str, Any]
) -> "tuple[Program, str, str]":
    """Program, suffix and text, with a UMAT.

    The constants of a material law are arguments of its UMAT, which are known in the Keras file
    only. Everything else is traced from the SavedModel, which opens without its layers.
    """
    from zoo import models, solver  # only now, as above

    errors = next((name for name in ("abaqus", "calculix") if getattr(options, name)), "standard")
    sequence, _ = models.load_keras_model(folder)
    name = solver.program_name(manifest)
    cell = solver.solid_cell(sequence)
    lifted = solver.solid_umat(cell, name, errors) if cell is not None else ""
    if options.calculix and not lifted:
        raise ValueError(
            f"{options.model}: CalculiX calls with six stresses. Expected a hyperelastic-viscous "
            "solid, such as material-vhb4910; this model has the uniaxial form only. Take --c or "
            "--fortran."
        )
    program = solver.trace_law(sequence, name)
    if program is None:
        program = _saved_step(options, folder, manifest)
    program = solver.with_manifest(program, manifest)
    return program, "f90", solver.fortran_source(program, errors, lifted)


def _saved_step(
    options: argparse.Namespace, folder: Path, manifest: Mapping[str, Any]
) -> "Program":
    """The step as the SavedModel has it."""
    from zoo import models, solver  # only now, as above

    model = models.load(folder, "saved_model", trust=options.trust)
    return solver.trace_saved_step(manifest, model.signatures["step"])
