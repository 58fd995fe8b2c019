"""`zoo memory MODEL`: how long every recurrent layer of a model remembers."""

import argparse
from pathlib import Path

from zoo.cli import command, output
from zoo.cli.options import Subcommands, add_json, add_seed, positive_int
from zoo.progress import say
from zoo.runs import RunPaths


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "memory",
        help="how fast the memory of every recurrent layer fades",
        description="Analyse the memory of a model with recurrent layers: state Jacobians and "
        "their products, Lyapunov exponents, gates and time constants, layer by layer; beside the "
        "memory of the material where it is known.",
    )
    parser.add_argument(
        "model", metavar="MODEL", help="name of a saved model, its folder, or a .keras file"
    )
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="input: time, strain, stress for a model of a material, else one column for each "
        "feature (default: two loading cycles, or noise)",
    )
    parser.add_argument("--live", action="store_true", help="draw states and gates step by step")
    parser.add_argument(
        "--pace", type=positive_int, default=20, help="steps drawn in a second (default: 20)"
    )
    add_seed(parser, "of the noise")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the page (default: runs/memory-NAME)"
    )
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    """Print a row for each recurrent layer and write the page; or draw the states.

    Raises:
        ValueError: a model without recurrent layers, or a file that does not fit it.
    """
    from zoo import memory, models  # only now: TensorFlow takes seconds to import
    from zoo.memory import live, report

    name = Path(options.model).resolve().name.removesuffix(".keras")
    paths = RunPaths(f"memory-{name}", options.out)
    if not options.live:
        paths.check(exports=False)
    model, manifest = models.load_keras_model(options.model)
    inputs = {"manifest": manifest, "csv": options.csv, "seed": options.seed}
    if options.live:
        live.play_model(model, **inputs, steps_per_second=options.pace)
        return
    result = memory.inspect_model(model, name=name, **inputs)
    table = report.layer_table(result)
    if options.json:
        output.print_json(output.records(table))
    else:
        output.print_table(table)
    provenance = {"command": command.format_command_line(options.parser, options)}
    page = report.memory_report(result, provenance)
    say(f"report: {page.write(paths.report)[-1]}")
