"""`zoo verify [MODEL ...]`: whether the files of saved models are those that were exported."""

import argparse
import sys
from pathlib import Path
from typing import Any

from zoo import folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json
from zoo.manifest import verify_folder


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "verify",
        help="compare saved models with their hashes",
        description="Compare every file of saved models with the SHA-256 in its manifest, and the "
        "manifest with its seal. Exit code 1 if a model fails.",
    )
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="name of a saved model, or its folder (default: all of `zoo list`)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Verify each model and print the results.

    Returns:
        Exit code: 1 if a model fails.

    Raises:
        ValueError: there is no such model, or none at all.
    """
    models = [folders.find(name) for name in options.models] or folders.list_folders()
    if not models:
        raise ValueError(f"No saved models found. Name a folder, or set {folders.VARIABLE}.")
    results = []
    width = max(len(folder.name) for folder in models)
    for folder in models:
        result = _verify(folder)
        results.append(result)
        if result["error"]:
            print(f"error: {result['error']}", file=sys.stderr)
        elif not options.json:
            print(f"{result['model']:<{width}}  {result['files']} files as exported")
    if options.json:
        output.print_json(results)
    return 1 if any(result["error"] for result in results) else 0


def _verify(folder: Path) -> dict[str, Any]:
    result = {"model": folder.resolve().name, "folder": str(folder), "files": 0, "error": None}
    try:
        result["files"] = 1 + len(verify_folder(folder)["files"])
    except ValueError as error:
        result["error"] = str(error)
    return result
