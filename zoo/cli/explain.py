"""`zoo explain MODEL RECORDING`: which frequencies and times a classifier's prediction rests on."""

import argparse
from pathlib import Path

from zoo import folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, add_model
from zoo.manifest import verify_folder
from zoo.progress import printable
from zoo.targets import check_output_file


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "explain",
        help="which frequencies and times a classifier's prediction rests on",
        description="Occlude one patch of the spectrogram after the other and draw by how much the "
        "log-odds of a class fall.",
    )
    add_model(parser)
    parser.add_argument("recording", type=Path, metavar="RECORDING", help="WAV, FLAC, Ogg or MP3")
    parser.add_argument(
        "--label",
        help="class to explain (default: the likeliest; of a detector, the class that it detects)",
    )
    parser.add_argument(
        "--start",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="start of the clip in the recording (default: 0)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="picture: .png, .pdf or .svg (default: %(default)s)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the region that the prediction rests on, and draw the evidence.

    Raises:
        ValueError: no classifier of sound, or a recording that cannot be used.
    """
    output.check_picture(options.out, "--out")
    check_output_file(options.out, options.recording)
    from zoo import explain, models  # only now: TensorFlow takes seconds to import
    from zoo.edge.labels import LabelRule

    manifest = verify_folder(folders.find(options.model))
    if not manifest.get("front_end") or not manifest.get("classes"):
        raise ValueError(f"{options.model} is no classifier of sound: it has no front end.")
    explanation = explain.explain_recording(
        models.load(options.model).keras,
        options.recording,
        manifest["classes"],
        label=options.label or LabelRule.from_manifest(manifest).positive,
        start_s=options.start,
    )
    if options.json:
        output.print_json(explanation)
    else:
        print(printable(explanation.sentence()))
    output.write_figure(explanation.figure(), options.out)
