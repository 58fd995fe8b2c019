"""`zoo verify [MODEL ...]`: whether the files of saved models are those that were exported."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json
from zoo.manifest import verify_folder

if TYPE_CHECKING:
    from zoo.export.verification import GoldenResult


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "verify",
        help="compare saved models with their hashes",
        description="Compare every file of saved models with the SHA-256 in its manifest, and the "
        "manifest with its seal; with --golden, also run every format on the golden inputs and "
        "compare with the golden outputs. Exit code 1 if a model fails.",
    )
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="name of a saved model, or its folder (default: all of `zoo list`)",
    )
    parser.add_argument(
        "--golden", action="store_true", help="replay the golden inputs on every format"
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
        result = _verify(folder, options.golden)
        results.append(result)
        if result["error"]:
            print(f"error: {result['error']}", file=sys.stderr)
        elif not options.json:
            print(f"{result['model']:<{width}}  {result['files']} files as exported", flush=True)
            for golden in result["golden"]:
                print(f"{'':<{width}}  {_golden_line(golden)}")
    if options.json:
        output.print_json(results)
    return 1 if any(result["error"] for result in results) else 0


def _verify(folder: Path, golden: bool) -> dict[str, Any]:
    result = {
        "model": folder.resolve().name,
        "folder": str(folder),
        "files": 0,
        "golden": [],
        "error": None,
    }
    try:
        result["files"] = 1 + len(verify_folder(folder)["files"])
        if golden:
            from zoo.export.verification import replay_golden  # only now: it loads Keras

            result["golden"] = replay_golden(folder)
            failed = [each.file for each in result["golden"] if not each.passed]
            if failed:
                result["error"] = f"{folder}: {', '.join(failed)} differ from the golden outputs."
    except ValueError as error:
        result["error"] = str(error)
    return result


def _golden_line(result: "GoldenResult") -> str:
    share = "does not open" if result.share is None else f"{result.share:.1e} of RMS"
    return (
        f"{result.file:<20}  {result.endpoint:<15}  {share}, at export {result.recorded:.1e}"
        f"{'' if result.passed else '  FAIL'}"
    )
