"""`zoo events MODEL RECORDING`: what sounds when, with onset and offset."""

import argparse
from dataclasses import replace
from pathlib import Path

from zoo import files
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, add_model, positive_float, share
from zoo.folders import find
from zoo.manifest import read_manifest
from zoo.progress import say
from zoo.targets import check_output_file


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "events",
        help="what sounds when in a recording: events with onset and offset",
        description="Find events in the probabilities of a sound classifier over time: one begins "
        "where the probability of its class reaches --enter and ends where it falls below --leave. "
        "Classifiers of whole clips give coarse times, as they hear windows. Of a detector of two "
        "classes 0.5 stands for its threshold.",
    )
    add_model(parser)
    parser.add_argument("recording", type=Path, metavar="RECORDING", help="WAV, FLAC, Ogg or MP3")
    parser.add_argument("--enter", type=share, help="(default: that of the model, or 0.5)")
    parser.add_argument(
        "--leave", type=share, help="(default: that of the model, or 0.3; of a detector 0.5)"
    )
    parser.add_argument(
        "--gap",
        type=float,
        metavar="SECONDS",
        help="shorter gaps within a class are closed (default: that of the model, or 0.2)",
    )
    parser.add_argument(
        "--min",
        type=float,
        metavar="SECONDS",
        help="shorter events are left out (default: that of the model, or 0.2)",
    )
    parser.add_argument(
        "--smooth",
        type=float,
        metavar="SECONDS",
        help="moving average of the probabilities (default: that of the model, or none)",
    )
    parser.add_argument(
        "--hop",
        type=positive_float,
        metavar="SECONDS",
        help="from window to window of a classifier of clips (default: 0.5)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table as CSV")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="label track for Audacity")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .png, .pdf or .svg")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the events, and write table, label track and picture.

    Raises:
        ValueError: no classifier of sound, or a recording that cannot be used.
    """
    output.check_picture(options.plot, "--plot")
    for file in (options.out, options.labels, options.plot):
        if file is not None:
            check_output_file(file, options.recording)
    from zoo.events import EventSettings, detect_events  # TensorFlow takes seconds to import

    given = {
        "enter": options.enter,
        "leave": options.leave,
        "max_gap_s": options.gap,
        "min_duration_s": options.min,
        "smoothing_s": options.smooth,
    }
    settings = EventSettings.from_manifest(read_manifest(find(options.model)))
    settings = replace(settings, **{k: v for k, v in given.items() if v is not None})
    detection = detect_events(options.model, options.recording, settings, hop_s=options.hop)
    table = detection.table()
    if options.json:
        output.print_json(output.records(table))
    elif table.rows:
        output.print_table(table)
    else:
        print("no events")
    if options.out:
        output.write_csv(table, options.out)
    if options.labels:
        files.write_text(options.labels, detection.audacity())
        say(f"labels: {options.labels}")
    if options.plot:
        output.write_figure(detection.figure(), options.plot)
