"""Compare methods of explanation on sounds whose time and frequency are known.

A small network learns five kinds of sound events in noise, another one onsets and offsets. Every
method then says where in time and frequency the evidence for the class is, which is compared with
where the event was. Wheezes follow: synthetic ones, and with --icbhi recorded ones. Blocks of clips
that are done are kept: the same command goes on from them.
"""

import argparse
from pathlib import Path

from recipes.explain.settings import PARTS, Settings
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int, seed_number
from zoo.names import EXPLANATIONS


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.explain",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--clips", type=positive_int, default=default.clips, help="of each kind, to explain"
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        help="besides events: onsets, wheezes, filters of shipped networks",
    )
    parser.add_argument(
        "--methods", nargs="+", choices=EXPLANATIONS, default=list(EXPLANATIONS), help="to compare"
    )
    parser.add_argument(
        "--patch", type=positive_float, default=default.patch_s, help="length of a patch [s]"
    )
    parser.add_argument(
        "--random-clips",
        type=positive_int,
        default=default.random_clips,
        help="of each kind, to explain with random weights, layer by layer",
    )
    parser.add_argument(
        "--wheezes", type=positive_int, default=default.wheezes, help="breaths, to explain"
    )
    parser.add_argument("--icbhi", type=Path, metavar="FOLDER", help="ICBHI corpus, real wheezes")
    parser.add_argument("--epochs", type=positive_int, default=default.epochs, help="of 40 batches")
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=seed_number, default=default.seed, help="of clips and weights")
    run.add_argument("--quick", action="store_true", help="a smoke run: few clips, hardly trained")
    run.add_argument("--out", type=Path, help="folder of the page (default: runs/explain)")
    run.add_argument(
        "--table", type=Path, metavar="FILE", help="Markdown of the results (default: in --out)"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the experiment; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(
        clips=3 if options.quick else options.clips,
        training_clips=8 if options.quick else Settings.training_clips,
        epochs=1 if options.quick else options.epochs,
        parts=tuple(options.parts),
        methods=tuple(options.methods),
        patch_s=options.patch,
        random_clips=1 if options.quick else options.random_clips,
        wheezes=2 if options.quick else options.wheezes,
        icbhi=options.icbhi,
        seed=options.seed,
        quick=options.quick,
        table=options.table,
        out=options.out,
        command=command.format_command_line(parser(), options),
    )
    # Imported here, so that --help and a wrong option are answered without TensorFlow.
    from recipes.explain import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main)
