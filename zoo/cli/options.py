"""Options of command lines: their types, and groups of options that several commands share."""

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeAlias

from zoo.data.columns import Columns
from zoo.tables.units import find_unit, unit_names
from zoo.targets import check_output_file, check_output_folder
from zoo.tasks import Workers

MAX_SEED = 2**32 - 1  # of NumPy and Keras

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def positive_int(text: str) -> int:
    """A whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: a number below 1.
        ValueError: no whole number.
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def count_of_rows(text: str) -> int:
    """A whole number of 0 or more.

    Raises:
        argparse.ArgumentTypeError: a number below 0.
        ValueError: no whole number.
    """
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, got {value}")
    return value


def seed_number(text: str) -> int:
    """A seed that NumPy, Keras and TensorFlow take alike: a whole number from 0 to 2³² − 1.

    Raises:
        argparse.ArgumentTypeError: a number outside.
        ValueError: no whole number.
    """
    value = int(text)
    if not 0 <= value <= MAX_SEED:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {MAX_SEED}, got {value}")
    return value


def file_to_read(text: str) -> Path:
    """A file that is there.

    Raises:
        argparse.ArgumentTypeError: it is not, or is a folder.
    """
    path = Path(text)
    if path.is_dir() or not path.exists():
        problem = "is a folder" if path.is_dir() else "does not exist"
        raise argparse.ArgumentTypeError(f"{text} {problem}. Give a file")
    return path


def folder_to_read(text: str) -> Path:
    """A folder that is there.

    Raises:
        argparse.ArgumentTypeError: it is not, or is a file.
    """
    path = Path(text)
    if not path.is_dir():
        problem = "is a file" if path.exists() else "does not exist"
        raise argparse.ArgumentTypeError(f"{text} {problem}. Give a folder")
    return path


def file_to_write(text: str) -> Path:
    """A file that can be written, also where its folder has to be made.

    Raises:
        argparse.ArgumentTypeError: it cannot, or it is a folder.
    """
    return _checked(text, check_output_file)


def folder_to_write(text: str) -> Path:
    """A folder that files can be written into, there or to be made; no saved model.

    Raises:
        argparse.ArgumentTypeError: they cannot, or it is a file.
    """
    return _checked(text, check_output_folder)


def _checked(text: str, check: Callable[[str], None]) -> Path:
    try:
        check(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
    return Path(text)


def positive_float(text: str) -> float:
    """A finite number above zero.

    Raises:
        argparse.ArgumentTypeError: zero, a negative number, infinity or NaN.
        ValueError: no number.
    """
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def share(text: str) -> float:
    """A number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: a number outside.
        ValueError: no number.
    """
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text}")
    return value


def span(text: str) -> tuple[float, float]:
    """Two numbers above zero in rising order: `0.003:0.4` -> (0.003, 0.4).

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    try:
        low, high = (positive_float(part) for part in text.split(":"))
    except ValueError:
        message = f"expected FROM:TO, such as 0.003:0.4, got {text}"
        raise argparse.ArgumentTypeError(message) from None
    if low > high:
        raise argparse.ArgumentTypeError(f"expected FROM below TO, got {text}")
    return low, high


def strain_range(text: str) -> tuple[float, float]:
    """An amplitude `A` -> (-A, A), or a range that holds 0, such as `0:-0.05` -> (-0.05, 0.0).

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    message = f"expected A, or FROM:TO around 0, such as 0:0.05 or 0:-0.05, got {text}"
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        raise argparse.ArgumentTypeError(message) from None
    if len(parts) == 1:
        parts = [-parts[0], parts[0]]
    low, high = min(parts), max(parts)
    if len(parts) != 2 or not (-math.inf < low <= 0 <= high < math.inf and low < high):
        raise argparse.ArgumentTypeError(message)
    return low, high


def check_folder(path: Path | None) -> None:
    """Refuse a folder that is not there, before the packages that would read it are imported.

    Args:
        path: folder; None: not given.

    Raises:
        ValueError: it does not exist, or is a file.
    """
    if path is not None and not path.is_dir():
        problem = "is a file, not a folder" if path.exists() else "does not exist"
        raise ValueError(f"{path} {problem}. Give the folder that a corpus was unpacked into.")


class _Deterministic(argparse.Action):
    """Ask TensorFlow for deterministic operations, here and in the processes that this one starts.

    By its environment variable, which it reads when it is imported: no setting of a recipe.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, *_: object) -> None:
        os.environ["TF_DETERMINISTIC_OPS"] = "1"


def add_run_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Add `--seed`, `--deterministic`, `--quick`, `--force`, `--out` and `--publish` to a recipe.

    Args:
        parser: of the recipe.
        name: of its default model, for the help.
    """
    group = parser.add_argument_group("run")
    group.add_argument("--seed", type=seed_number, default=0, help="of data, weights and batches")
    group.add_argument(
        "--deterministic",
        action=_Deterministic,
        help="operations that give the same bits every time on a GPU too; some are slower",
    )
    group.add_argument("--quick", action="store_true", help="a smoke run: little data, short")
    group.add_argument(
        "--force",
        action="store_true",
        help="export a model that is worse than its simplest baseline; a smoke run does anyway",
    )
    group.add_argument(
        "--out", type=Path, help=f"folder of report and model (default: runs/{name} or alike)"
    )
    group.add_argument(
        "--publish", action="store_true", help=f"write the model to saved_models/{name} or alike"
    )


def add_workers(parser: argparse._ActionsContainer, what: str, *, default: int | None = 1) -> None:
    """Add `--workers` and `--ray`: `workers_of` reads them.

    Args:
        parser: of the command.
        what: runs in them, in the plural.
        default: workers; None: none, but one after the other in the process of the command.
    """
    here = "one after the other, in this process" if default is None else default
    parser.add_argument(
        *("--workers", "--jobs"),
        type=positive_int,
        default=default,
        metavar="N",
        help=f"{what} at a time, each in a process of its own with one thread (default: {here})",
    )
    parser.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help=f"run the {what} on a Ray cluster at HOST:PORT, whose processors then decide how many "
        "run at a time; without an address in a Ray of this machine",
    )


def workers_of(options: argparse.Namespace) -> Workers | None:
    """Workers that the options of `add_workers` ask for; None: neither of them was given."""
    if options.workers is None and options.ray is None:
        return None
    return Workers(count=options.workers or 1, ray=options.ray)


def add_words(commands: Subcommands, name: str, text: str) -> argparse.ArgumentParser:
    """Add a subcommand that another parser reads: all words behind it, `--help` included.

    Args:
        commands: of the parser.
        name: of the subcommand.
        text: its line in the help.

    Returns:
        A parser whose options hold the list `words`.
    """
    # With a prefix that no word has, none of the words is taken for an option.
    parser = commands.add_parser(name, help=text, add_help=False, prefix_chars="\0")
    parser.add_argument("words", nargs="*")
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument MODEL: the name or the folder of a saved model."""
    parser.add_argument(
        "model", metavar="MODEL", help="name of a saved model (see `zoo list`), or its folder"
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add `--trust`: open a SavedModel of unknown origin."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="open a SavedModel of unknown origin: opening it can run any program",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`: the result as one JSON document on standard output."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_page(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--page FILE`: an HTML page of the result.

    Args:
        parser: of the command.
        text: what is on the page.
    """
    parser.add_argument("--page", type=Path, metavar="FILE", help=f"HTML page: {text}")


def add_seed(parser: argparse.ArgumentParser, text: str, default: int = 0) -> None:
    """Add `--seed`.

    Args:
        parser: of the command.
        text: what the seed is of.
        default: seed.
    """
    parser.add_argument(
        "--seed", type=seed_number, default=default, help=f"{text} (default: {default})"
    )


def add_csv(parser: argparse._ActionsContainer, *, required: bool = False) -> None:
    """Add `--csv FILE`, which may be repeated: several files hold several specimens.

    Args:
        parser: of the command.
        required: whether the command needs one.
    """
    parser.add_argument(
        "--csv",
        type=Path,
        nargs="+",
        action="extend",
        default=None if required else [],
        required=required,
        metavar="FILE",
        help="test of time, strain or stretch, and stress; several files: several specimens",
    )


def add_csv_columns(parser: argparse._ActionsContainer) -> None:
    """Add the options that name columns of a CSV file and their units: `columns_of` reads them."""
    parser.add_argument("--time", metavar="COLUMN", help="time")
    parser.add_argument(
        "--stretch", "--strain", metavar="COLUMN", help="strain, stretch or elongation"
    )
    parser.add_argument("--stress", metavar="COLUMN", help="stress or force")
    parser.add_argument("--group", metavar="COLUMN", help="label of the specimen")
    parser.add_argument("--time-unit", metavar="UNIT", help="such as ms, min, hh:mm (default: s)")
    parser.add_argument(
        *("--stretch-unit", "--strain-unit"),
        metavar="UNIT",
        help="such as %%, 1, µε; stretch: 1 at rest (default: 1)",
    )
    parser.add_argument("--stress-unit", metavar="UNIT", help="such as MPa, N/mm², psi")
    parser.add_argument(
        "--gauge-length", type=positive_float, metavar="MM", help="strain = elongation / this [mm]"
    )
    parser.add_argument(
        "--area", type=positive_float, metavar="MM2", help="stress = force / this [mm²]"
    )
    parser.add_argument(
        "--time-step", type=positive_float, metavar="S", help="for a file without time [s]"
    )
    parser.add_argument(
        "--covariate",
        action="append",
        default=[],
        metavar="COLUMN",
        help="constant over a specimen, such as a temperature; may be repeated",
    )


def add_warm_up(parser: argparse._ActionsContainer) -> None:
    """Add `--warm-up N`: rows of a test that are its given past."""
    parser.add_argument(
        "--warm-up",
        type=count_of_rows,
        default=0,
        metavar="N",
        help="rows at the beginning of each test that are its given past: the model runs through "
        "them, they are not scored (default: 0)",
    )


def columns_of(options: argparse.Namespace) -> Columns:
    """Columns and units that the options of `add_csv_columns` name.

    Raises:
        ValueError: a unit that is not known, or a covariate given twice.
    """
    for title in options.covariate:
        if options.covariate.count(title) > 1:
            raise ValueError(f"--covariate {title} is given twice. Expected each column once.")
    names = ("time", "stretch", "stress")
    for name in names:
        unit = getattr(options, f"{name}_unit")
        if unit is not None and find_unit(name, unit) is None:
            known = ", ".join(unit_names(name))
            raise ValueError(f"--{name}-unit {unit}: not a known unit. Expected one of {known}.")
    return Columns(
        *(getattr(options, name) for name in (*names, "group")),
        *(getattr(options, f"{name}_unit") for name in names),
        gauge_length_mm=options.gauge_length,
        area_mm2=options.area,
        time_step_s=options.time_step,
        covariates=tuple(options.covariate),
    )


def require_csv(options: argparse.Namespace) -> None:
    """Refuse options of `add_csv_columns` and `--cycles` where no file is given.

    Args:
        options: of a parser with `--csv`.

    Raises:
        ValueError: an option that would have no effect.
    """
    names = [field.name for field in fields(Columns)]
    names = ["covariate" if name == "covariates" else name for name in names]
    names = [name.removesuffix("_mm2").removesuffix("_mm").removesuffix("_s") for name in names]
    given = [name for name in [*names, "cycles"] if getattr(options, name, None)]
    if given and not options.csv:
        raise ValueError(
            f"--{given[0].replace('_', '-')} describes a file. Give the file by --csv FILE, or "
            "leave it out."
        )


def add_fold_options(training: argparse._ArgumentGroup, learning_rate: float) -> None:
    """Add the options that every cross-validated classifier has: folds, rate, checkpoints, logs.

    Args:
        training: group of options to add to.
        learning_rate: default.
    """
    training.add_argument("--folds", type=positive_int, help="test on the first so many folds only")
    training.add_argument(
        "--learning-rate", type=positive_float, default=learning_rate, help="at its peak"
    )
    training.add_argument(
        "--checkpoint",
        type=folder_to_write,
        metavar="FOLDER",
        help="resume from there and save to there (default: in the run's folder, until it is done)",
    )
    training.add_argument(
        "--tensorboard", type=folder_to_write, metavar="FOLDER", help="write logs to it"
    )
