"""Say what is in a folder of recordings, and draw it: `python -m zoo.data PATH`."""

import argparse
import sys
from pathlib import Path

from zoo.files import writing

LAYOUTS = ("esc50", "urbansound8k", "tau", "icbhi", "hf_lung", "folder")
_LISTED = 20  # damaged files named on the screen


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m zoo.data",
        description="Say what is in a folder of recordings: classes, minutes, groups, rates, "
        "devices, and every damaged file with the reason; and draw it.",
    )
    parser.add_argument("path", type=Path, help="folder that a corpus was unpacked into")
    parser.add_argument("--layout", choices=LAYOUTS, help="default: recognised")
    parser.add_argument("--strict", action="store_true", help="stop at the first damaged recording")
    parser.add_argument("--quick", action="store_true", help="read headers only, decode nothing")
    parser.add_argument(
        "--picture",
        type=Path,
        default=Path("reports", "corpus.png"),
        metavar="FILE",
        help="where to draw it, .png, .pdf or .svg (default: %(default)s)",
    )
    parser.add_argument(
        "--damaged", type=Path, metavar="FILE", help="write the damaged clips to a CSV file"
    )
    options = parser.parse_args(arguments)
    try:
        _report(options)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    return 0


def _report(options: argparse.Namespace) -> None:
    from zoo.data import corpora
    from zoo.data.inspection import listen, look
    from zoo.data.summary import Summary

    if options.picture.suffix not in (".png", ".pdf", ".svg"):
        raise ValueError(f"--picture must end in .png, .pdf or .svg. Received: {options.picture}.")
    corpus = corpora.read(options.path, options.layout)
    if options.strict and len(corpus.damaged):
        first = corpus.damaged.iloc[0]
        raise ValueError(f"{first['path']}: {first['reason']}.")
    listing = look(corpus.index, strict=options.strict)
    findings = listing.findings if options.quick else listen(listing, strict=options.strict)
    summary = Summary.of(corpus, listing, findings, checked=not options.quick)
    print(summary.text(listed=_LISTED))
    if options.damaged:
        _write(options.damaged, lambda path: summary.damaged.to_csv(path, index=False))
        print(f"damaged   {options.damaged}")
    if not summary.index.empty:
        from zoo.plots.corpus import corpus as draw

        figure = draw(*summary.picture())
        kind = options.picture.suffix[1:]
        _write(options.picture, lambda path: figure.savefig(path, format=kind))
        print(f"picture   {options.picture}")


def _write(path: Path, write) -> None:
    """Write beside, then rename: a file is whole or not there."""
    with writing(path) as temporary:
        write(temporary)


if __name__ == "__main__":
    sys.exit(main())
