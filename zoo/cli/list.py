"""`zoo list`: the saved models."""

import argparse
from pathlib import Path

from zoo import folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json
from zoo.description import size_mb
from zoo.manifest import read_manifest
from zoo.report import Column, Table
from zoo.report.model_tables import write_tables


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "list",
        help="saved models: name, task, parameters, size",
        description="List saved models: those of the folder that ZOO_MODELS names, of "
        "./saved_models, and of the package. Of models with one name the first is listed.",
    )
    add_json(parser)
    parser.add_argument(
        "--write-tables",
        type=Path,
        metavar="README",
        help="write saved_models/README.md, and the table of this Markdown file",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print a row for each saved model.

    Raises:
        ValueError: there is none, or a manifest cannot be read.
    """
    if options.write_tables:
        for path in write_tables(Path(folders.SAVED_MODELS), options.write_tables):
            print(path)
        return
    models = [(folder, read_manifest(folder)) for folder in folders.list_folders()]
    if not models:
        roots = ", ".join(map(str, folders.model_roots()))
        raise ValueError(f"No saved models in {roots}. Name their folder in {folders.VARIABLE}.")
    if options.json:
        output.print_json(
            [
                {
                    **{key: manifest[key] for key in ("name", "task", "description", "parameters")},
                    "size_mb": round(size_mb(manifest), 3),
                    "folder": str(folder),
                }
                for folder, manifest in models
            ]
        )
        return
    table = Table(
        ["name", Column("parameters", number=",d"), Column("size", "MB", ".2f"), "task"],
        [[folder.name, m["parameters"], size_mb(m), m["task"]] for folder, m in models],
    )
    places = sorted({str(folder.parent) for folder, _ in models})
    print(f"{table.text()}\n{len(models)} models in {', '.join(places)}")
