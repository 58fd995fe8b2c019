"""`zoo verify [MODEL ...]`: whether saved models are undamaged, and where they come from."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import folders, provenance
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, add_trust
from zoo.manifest import verify_folder
from zoo.progress import printable

if TYPE_CHECKING:
    from zoo.export.verification import GoldenResult

CHANGED = "changed"  # origin of a model whose files are not those that were exported


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "verify",
        help="whether saved models are undamaged, and where they come from",
        description="Compare every file of saved models with the SHA-256 in its manifest, and the "
        "manifest with its seal: this shows damage, not who made the model. The origin is "
        "'shipped' or 'exported here' where this package or this user's own list knows the seal, "
        "else 'unknown origin'; a model whose files differ is 'changed'. With --golden, also run "
        "every format on the golden inputs and compare with the golden outputs. Exit code 1 if a "
        "model fails.",
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
    add_trust(parser)
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
        result = _verify(folder, options.golden, options.trust)
        results.append(result)
        if result["error"]:
            print(f"error: {result['error']}", file=sys.stderr)
        elif not options.json:
            facts = f"{result['files']} files as exported, {result['origin']}{result['remark']}"
            print(printable(f"{result['model']:<{width}}  {facts}"), flush=True)
            for golden in result["golden"]:
                print(f"{'':<{width}}  {_golden_line(golden)}")
    if options.json:
        output.print_json(results)
    return 1 if any(result["error"] for result in results) else 0


def _verify(folder: Path, golden: bool, trust: bool) -> dict[str, Any]:
    result = {
        "model": folder.resolve().name,
        "folder": str(folder),
        "origin": CHANGED,
        "remark": "",
        "files": 0,
        "golden": [],
        "error": None,
    }
    try:
        manifest = verify_folder(folder)
        result["files"] = 1 + len(manifest["files"])
        result["origin"] = provenance.origin(manifest)
        if result["origin"] == provenance.UNKNOWN and provenance.has_shipped_name(manifest):
            result["remark"] = f": not the {manifest['name']} that this package ships"
        if golden:
            from zoo.export.verification import replay_golden  # only now: it loads Keras

            result["golden"] = replay_golden(folder, trust=trust)
            if not trust and result["origin"] == provenance.UNKNOWN:
                result["remark"] += "; its SavedModel was not opened (--trust opens it)"
            failed = [each.file for each in result["golden"] if not each.passed]
            if failed:
                result["error"] = f"{folder}: {', '.join(failed)} differ from the golden outputs."
    except ValueError as error:
        result["error"] = " ".join(str(error).split())
    return result


def _golden_line(result: "GoldenResult") -> str:
    share = "does not open" if result.share is None else f"{result.share:.1e} of RMS"
    return (
        f"{result.file:<20}  {result.endpoint:<15}  {share}, at export {result.recorded:.1e}"
        f"{'' if result.passed else '  FAIL'}"
    )
