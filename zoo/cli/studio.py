"""`zoo studio`: the models in a browser, served on this machine, as a folder or as one file."""

import argparse
from pathlib import Path

from zoo.cli.options import Subcommands
from zoo.progress import say
from zoo.targets import check_output_file, check_output_folder


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "studio",
        help="the models in a browser: draw a loading path, speak to the hearing aid",
        description="A web app of the saved models that runs in the browser alone and works "
        "offline: no request leaves the page. Without an option it is served on 127.0.0.1. Its "
        "runtime, LiteRT.js, is fetched from npm once.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, metavar="FOLDER", help="write it for any web server")
    where.add_argument(
        "--single-file", type=Path, metavar="FILE", help="write one HTML file to open or to send"
    )
    where.add_argument("--port", type=int, default=0, help="to serve at (default: a free one)")
    parser.add_argument(
        "--runtime",
        type=Path,
        metavar="PATH",
        help="a copy of LiteRT.js: the archive that `npm pack` writes, or its folder",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write or serve the app.

    Raises:
        ValueError: no runtime, a folder of something else, or a model that was changed.
        OSError: if a file cannot be written, or the port is taken.
    """
    from zoo import studio  # only now: NumPy and LiteRT take a tenth of a second to import

    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port must lie between 0 and 65535. Received: {options.port}.")
    if options.out:
        check_output_folder(options.out)
    if options.single_file:
        check_output_file(options.single_file)
    runtime = studio.find_runtime(options.runtime)
    if options.out:
        size = studio.write_folder(options.out, runtime)
        say(f"{options.out}: {size / 1e6:.1f} MB, to be served by any web server")
    elif options.single_file:
        size = studio.write_page(options.single_file, runtime)
        say(f"{options.single_file}: {size / 1e6:.1f} MB")
    else:
        studio.serve(dict(studio.app_files(runtime)), options.port)
