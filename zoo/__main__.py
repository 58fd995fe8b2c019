"""Look at networks: what one is made of, layer by layer, and what it goes by in a recording.

python -m zoo describe NAME
python -m zoo explain FOLDER RECORDING
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.files import writing
from zoo.names import current_name

if TYPE_CHECKING:
    from zoo.explain.occlusion import Explanation
    from zoo.report import Table

NAMES = (
    "alexnet",
    "alexnet_groups",
    "alexnet_spectrogram",
    "alexnet_gap",
    "residual_tiny",
    "residual_tiny_causal",
    "crnn_hop",
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(arguments)
    # TensorFlow greets on standard error unless told otherwise before its import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options.act(options)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m zoo", description="Look at the networks of this package."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    describe = commands.add_parser(
        "describe", help="layers of a network: size, parameters, multiply-accumulates"
    )
    describe.add_argument(
        "name", type=current_name, choices=NAMES, metavar="NAME", help=", ".join(NAMES)
    )
    describe.add_argument("--classes", type=int, help="default: 1000 for pictures, 10 for sound")
    describe.add_argument("--rate", type=float, default=32_000, help="of sound, default 32000 [Hz]")
    describe.add_argument("--seconds", type=float, default=5.0, help="of sound, default 5 [s]")
    describe.set_defaults(act=_describe)
    why = commands.add_parser("explain", help="what a saved classifier goes by in a recording")
    why.add_argument("folder", type=Path, help="of saved_models/")
    why.add_argument("recording", type=Path, help="WAV, FLAC, Ogg or MP3")
    why.add_argument("--label", help="class to explain, default: the likeliest")
    why.add_argument(
        "--start", type=float, default=0.0, help="where the clip begins, default 0 [s]"
    )
    why.add_argument("--out", type=Path, help="picture, default: explanation.png")
    why.set_defaults(act=_explain)
    return parser


def _describe(options: argparse.Namespace) -> None:
    table, facts = described(options.name, options.classes, options.rate, options.seconds)
    print(f"{table.text().rstrip()}\n\n{facts}")


def _explain(options: argparse.Namespace) -> None:
    out = options.out or Path("explanation.png")
    explanation = explained(options.folder, options.recording, options.label, options.start)
    figure = explanation.figure()
    with writing(out) as temporary:
        figure.savefig(temporary, format=out.suffix.removeprefix(".") or "png")
    print(f"{explanation.sentence()}\npicture: {out}")


def explained(
    folder: Path, recording: Path, label: str | None = None, start_s: float = 0.0
) -> "Explanation":
    """Explanation of a saved classifier of sound for one clip of a recording.

    Args:
        folder: of the model.
        recording: resampled to the model's rate; a short one is repeated, as in training.
        label: class to explain; None: the likeliest.
        start_s: where the clip begins [s].
    """
    from zoo.explain import explain_recording
    from zoo.manifest import verify_folder
    from zoo.models import load

    facts = verify_folder(folder)
    if not facts.get("front_end") or not facts.get("classes"):
        raise ValueError(f"{folder} is no classifier of sound: its manifest has no front end.")
    model = load(folder).keras
    return explain_recording(model, recording, facts["classes"], label=label, start_s=start_s)


def described(
    name: str, classes: int | None = None, rate_hz: float = 32_000, seconds: float = 5.0
) -> "tuple[Table, str]":
    """Table of the layers that a signal passes, and a line of sums.

    Args:
        name: one of `NAMES`.
        classes: how many; None: 1000 for pictures, 10 for sound.
        rate_hz: of sound [Hz].
        seconds: length of a clip of sound [s].
    """
    from zoo import presets
    from zoo.convnets import layer_rows
    from zoo.report import Column, Table

    if (classes is not None and classes < 1) or rate_hz <= 0 or seconds <= 0:
        raise ValueError(
            "`classes`, `rate` and `seconds` must be positive. "
            f"Received: {classes}, {rate_hz:g}, {seconds:g}."
        )
    if name in presets.PICTURES:
        model, seconds = presets.picture(name, classes or 1000), 0.0
    else:
        model = presets.sound(name, classes or 10, sample_rate_hz=rate_hz, duration_s=seconds)
    layers = layer_rows(model)
    columns = [
        *("layer", "kind", "window", "stride", "output"),
        Column("parameters", number=",d"),
        Column("multiply-accumulates", number=",d"),
    ]
    cells = [
        [
            row.name,
            row.kind,
            _times(row.window),
            _times(row.stride),
            _times(row.output),
            row.parameters or None,
            row.macs,
        ]
        for row in layers
    ]
    macs = sum(row.macs or 0 for row in layers)
    facts = f"{model.count_params():,} parameters, {macs / 1e6:,.1f} million multiply-accumulates"
    if seconds:
        facts += f", {macs / seconds / 1e6:,.1f} million a second of sound, without the front end"
    return Table(columns, cells, "Output: (W + 2 P - F) / S + 1 places, then channels"), facts


def _times(shape: tuple[int, ...] | None) -> str | None:
    return shape and " × ".join(map(str, shape))


if __name__ == "__main__":
    sys.exit(main())
