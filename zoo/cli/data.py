"""`zoo data FOLDER`: what is in a folder of recordings."""

import argparse
import sys
from pathlib import Path

from zoo import files
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json
from zoo.progress import printable
from zoo.targets import check_output_file

LAYOUTS = ("esc50", "urbansound8k", "tau", "icbhi", "hf_lung", "folder")
PICTURE = Path("runs", "data", "corpus.png")
_MAX_LISTED = 20  # damaged files named on the screen


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "data",
        help="recordings in a folder: classes, minutes, groups, rates, damaged files",
        description="List what is in a folder of recordings: classes, minutes, groups, rates, "
        "devices, and every damaged file with the reason; and draw it.",
    )
    parser.add_argument("path", type=Path, metavar="FOLDER", help="that a corpus was unpacked into")
    parser.add_argument("--layout", choices=LAYOUTS, help="default: recognised by its files")
    parser.add_argument("--strict", action="store_true", help="stop at the first damaged recording")
    parser.add_argument("--quick", action="store_true", help="read headers only, decode nothing")
    parser.add_argument(
        *("--plot", "--picture"),
        type=Path,
        default=PICTURE,
        metavar="FILE",
        help="where to draw it, .png, .pdf or .svg (default: %(default)s)",
    )
    parser.add_argument(
        "--damaged", type=Path, metavar="FILE", help="write the damaged clips to a CSV file"
    )
    parser.add_argument(
        "--remarks", type=Path, metavar="FILE", help="write the clips with remarks to a CSV file"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the summary of the folder and draw it.

    Raises:
        ValueError: no corpus there, or no recording that can be used; with `--strict`, a damaged
            recording.
    """
    output.check_picture(options.plot, "--plot")
    for file in (options.plot, options.damaged, options.remarks):
        if file is not None:
            check_output_file(file, options.path)
    from zoo.data.summary import summarize_corpus  # only now: pandas takes time to import

    result = summarize_corpus(
        options.path, options.layout, strict=options.strict, decode=not options.quick
    )
    if options.json:
        output.print_json(result.facts())
    else:
        print(printable(result.text(listed=_MAX_LISTED)))
    tables = {
        "damaged clips": (options.damaged, result.damaged_table()),
        "remarks": (options.remarks, result.remarks_table()),
    }
    for what, (file, table) in tables.items():
        if file is not None:
            with files.writing(file) as path:
                table.to_csv(path, index=False)
            print(f"{what}: {file}", file=sys.stderr)
    if result.index.empty:
        raise ValueError(f"{options.path}: none of its recordings can be used, as listed above.")
    output.write_figure(result.figure(), options.plot)
