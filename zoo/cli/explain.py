"""`zoo explain MODEL RECORDING`: which frequencies and times a classifier's prediction rests on."""

import argparse
from pathlib import Path

from zoo import files, folders
from zoo.cli import command, output
from zoo.cli.options import Subcommands, add_json, add_model, add_page, positive_float
from zoo.manifest import verify_folder
from zoo.names import DEFAULT_EXPLANATION, EXPLANATIONS
from zoo.progress import printable, say
from zoo.targets import check_output_file


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "explain",
        help="which frequencies and times a classifier's prediction rests on",
        description="Draw by how much the log-odds of a class fall without a patch of the "
        "spectrogram: tried patch by patch, or estimated from gradients (--method). One window of "
        "the recording is explained, of the length of the model's input, or all of them.",
    )
    add_model(parser)
    parser.add_argument("recording", type=Path, metavar="RECORDING", help="WAV, FLAC, Ogg or MP3")
    parser.add_argument(
        "--label",
        help="class to explain (default: the likeliest; of a detector, the class that it detects)",
    )
    parser.add_argument(
        "--method",
        choices=EXPLANATIONS,
        default=DEFAULT_EXPLANATION,
        help="how evidence is found (default: %(default)s)",
    )
    parser.add_argument(
        "--start",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="start of the window in the recording (default: 0)",
    )
    parser.add_argument(
        "--at",
        type=float,
        metavar="SECONDS",
        help="of a streaming model, the time whose prediction is explained (default: the mean over "
        "the window)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="explain all windows of the recording; their pictures are numbered",
    )
    parser.add_argument(
        "--hop",
        type=positive_float,
        metavar="SECONDS",
        help="with --all, from window to window (default: the length of a window)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="picture: .png, .pdf or .svg (default: %(default)s)",
    )
    parser.add_argument(
        "--wav",
        type=Path,
        metavar="FILE",
        help="the sound behind a mask of its evidence, to listen to",
    )
    add_page(parser, "pictures and sound of the windows")
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> None:
    """Print the region that the prediction rests on, and draw the evidence.

    Raises:
        ValueError: no classifier of sound, or a recording that cannot be used.
    """
    _check(options)
    from zoo import explain, models  # only now: TensorFlow takes seconds to import
    from zoo.data.page_sound import wav_content
    from zoo.edge.labels import LabelRule

    manifest = verify_folder(folders.find(options.model))
    if not manifest.get("front_end") or not manifest.get("classes"):
        raise ValueError(f"{options.model} is no classifier of sound: evidence is for a class.")
    model, classes = models.load(options.model).keras, manifest["classes"]
    of = {
        "label": options.label or LabelRule.from_manifest(manifest).positive,
        "method": options.method,
    }
    file = options.recording
    if options.all:
        results = list(explain.explain_windows(model, file, classes, hop_s=options.hop, **of))
    else:
        times = {"start_s": options.start, "at_s": options.at}
        results = [explain.explain_recording(model, file, classes, **times, **of)]
    if not results:
        raise ValueError(f"{options.recording}: no window holds sound.")
    if options.json:
        output.print_json(results if options.all else results[0])
    else:
        print(printable("\n".join(each.sentence() for each in results)))
    for path, each in zip(_pictures(options, len(results)), results, strict=True):
        output.write_figure(each.figure(), path)
    if options.wav:
        sound, rate_hz = explain.evidence_of_recording(model, options.recording, results[0])
        files.write_bytes(options.wav, wav_content(sound, rate_hz))
        say(f"sound: {options.wav}")
    if options.page:
        line = command.format_command_line(options.parser, options)
        page = explain.explanation_page(options.model, model, options.recording, results, line)
        output.write_page(page, options.page)
    if not options.all and not results[0].is_whole:
        say("one window of the recording was explained; --start SECONDS or --all explain others")


def _check(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other, and files that cannot be written."""
    output.check_picture(options.out, "--out")
    for file in (options.out, options.page):
        if file is not None:
            check_output_file(file, options.recording)
    if options.hop is not None and not options.all:
        raise ValueError(
            "--hop is the distance of the windows of --all. Add --all, or give --start."
        )
    if options.wav:
        if options.all:
            raise ValueError("--wav is the evidence of one window. Leave out --all.")
        check_output_file(options.wav, options.recording)
    if options.all and options.at is not None:
        raise ValueError("--at is a time of one window. Leave out --all, or give --start.")
    if options.all and options.start:
        raise ValueError("--all explains every window, --start one. Give one of them.")


def _pictures(options: argparse.Namespace, count: int) -> list[Path]:
    """Path of each picture: numbered where all windows are explained."""
    out: Path = options.out
    if not options.all:
        return [out]
    return [out.with_name(f"{out.stem}_{number}{out.suffix}") for number in range(1, count + 1)]
