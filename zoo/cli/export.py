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
from zoo.targets import check_output_file

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
    suffix, source = _source(options, manifest, program)
    out = options.out or Path(f"{program.name}.{suffix}")
    check_output_file(out)
    files.write_text(out, source)
    states = len(program.next_states)
    say(f"{out}: {program.name}_step, {states} state variable{'' if states == 1 else 's'}")


def _source(
    options: argparse.Namespace, manifest: Mapping[str, Any], program: "Program"
) -> tuple[str, str]:
    """Suffix and text of the file that the options ask for."""
    from zoo import solver, studio  # only now, as above

    if options.c:
        return "c", solver.c_source(program)
    if options.javascript:
        return "js", solver.javascript_source(program)
    if options.html:
        return "html", studio.model_page(manifest, solver.javascript_source(program))
    return "f90", solver.fortran_source(program, "abaqus" if options.abaqus else "standard")
