"""`zoo predict MODEL FILE|FOLDER`: predictions of any saved model, as CSV or JSON."""

import argparse
from pathlib import Path

from zoo.cli import output
from zoo.cli.options import (
    Subcommands,
    add_csv_columns,
    add_json,
    add_model,
    add_trust,
    add_warm_up,
    columns_of,
    positive_float,
    share,
)
from zoo.targets import check_output_file


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "predict",
        help="predictions of any saved model for a CSV file, a recording or a folder of them",
        description="Predict with a saved model. Stress models read a CSV file of time and strain "
        "and give the stress of every row. Classifiers of sound read a recording of any length, or "
        "all recordings of a folder, and give label and probabilities of every window; streaming "
        "ones hop by hop, with the chosen program.",
    )
    add_model(parser)
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV file, recording, or folder of recordings"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="CSV (default: standard output)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .png, .pdf or .svg")
    add_json(parser)
    add_trust(parser)
    add_csv_columns(parser.add_argument_group("columns of a CSV file (default: recognised)"))
    add_warm_up(parser)
    sound = parser.add_argument_group("recordings")
    sound.add_argument(
        "--hop",
        type=positive_float,
        metavar="SECONDS",
        help="from window to window (default: the length of a window)",
    )
    sound.add_argument(
        "--threshold",
        type=share,
        metavar="PROBABILITY",
        help="of a detector, from which on it says so; of others, below which they abstain "
        "(default: that of the manifest)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Predict, write the table, draw the picture.

    Raises:
        ValueError: a model or a file that cannot be read, or that do not fit together.
    """
    output.check_picture(options.plot, "--plot")
    for file in (options.out, options.plot):
        if file is not None:
            check_output_file(file, options.file)
    if options.plot is not None and options.file.is_dir():
        raise ValueError(f"{options.file} is a folder: --plot draws one recording.")
    from zoo.predictions import predict_file  # only now: TensorFlow takes seconds to import
    from zoo.sound_predictions import FolderPrediction, WindowSettings

    prediction = predict_file(
        options.model,
        options.file,
        columns_of(options),
        WindowSettings(options.hop, options.threshold),
        trust=options.trust,
        warm_up=options.warm_up,
    )
    table = prediction.table()
    if options.json:
        output.print_json(output.records(table))
    if options.out or not options.json:
        output.write_csv(table, options.out)
    if options.plot and not isinstance(prediction, FolderPrediction):
        output.write_figure(prediction.figure(), options.plot)
