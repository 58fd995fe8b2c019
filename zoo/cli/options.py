"""Types of command-line options."""

import argparse
import math
from pathlib import Path


def positive_int(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def positive_float(text: str) -> float:
    """A finite number above zero."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def span(text: str) -> tuple[float, float]:
    """`0.003:0.4` -> (0.003, 0.4)."""
    try:
        low, high = (positive_float(part) for part in text.split(":"))
    except ValueError:
        message = f"expected FROM:TO, such as 0.003:0.4, got {text}"
        raise argparse.ArgumentTypeError(message) from None
    if low > high:
        raise argparse.ArgumentTypeError(f"expected FROM below TO, got {text}")
    return low, high


def add_run_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Options `--out`, `--publish`, `--seed`, `--quick` that every training recipe has.

    Args:
        parser: of the recipe.
        name: of its default model, for the help.
    """
    group = parser.add_argument_group("run")
    group.add_argument("--seed", type=int, default=0, help="of data, weights and batches")
    group.add_argument("--quick", action="store_true", help="a smoke run: little data, short")
    group.add_argument(
        "--out", type=Path, help=f"folder of report and model (default: runs/{name} or alike)"
    )
    group.add_argument(
        "--publish", action="store_true", help=f"write the model to saved_models/{name} or alike"
    )
