"""Accuracy of sound classifiers by cross-validation over a corpus' own folds, with several seeds.

    python -m recipes.benchmarks.scene_folds --data PATH --models alexnet_gap residual_tiny
    python -m recipes.benchmarks.scene_folds --data PATH --ablation

Every fold is a row of the file `--rows`; folds that have a row are skipped, so that an interrupted
run is resumed, and several processes can fill one file side by side. The table of all rows has mean
and standard deviation over folds and seeds. `--ablation` leaves out one augmentation at a time.
"""

import argparse
from pathlib import Path

from recipes.benchmarks.scene_folds.settings import Settings
from recipes.scenes.settings import MODELS
from zoo.cli import command
from zoo.cli.options import check_folder, folder_to_write, positive_int
from zoo.names import current_name


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.scene_folds",
        description=(__doc__ or "").split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of a corpus with folds")
    parser.add_argument(
        "--models",
        nargs="+",
        type=current_name,
        choices=MODELS,
        default=Settings.models,
        help="networks",
    )
    parser.add_argument(
        "--seeds", type=positive_int, default=Settings.seeds, help="number of seeds, from 0"
    )
    parser.add_argument(
        "--ablation", action="store_true", help="leave out each augmentation in turn"
    )
    parser.add_argument(
        "--epochs", type=positive_int, default=Settings.epochs, help="of 20 batches each"
    )
    parser.add_argument("--rows", type=Path, default=Settings.rows, help="file of the rows")
    parser.add_argument(
        "--checkpoint",
        type=folder_to_write,
        metavar="FOLDER",
        help="of recipes.scenes, to resume from",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the missing folds, write and print the table; returns the exit code."""
    options = parser().parse_args(arguments)
    check_folder(options.data)
    settings = Settings(**{**vars(options), "models": tuple(options.models)})
    from recipes.benchmarks.scene_folds import experiment  # TensorFlow, only after parsing

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    command.run(main, convolutions=True)
