"""What every recipe's command line does alike: quiet start, one-line errors, exit codes."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Where files go or wait changes nothing of what is made.
PLACES = ("c", "cache", "checkpoint", "out", "reports", "rows", "tensorboard")


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that names defaults where there is something to name."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        empty = action.default is None or action.default is False or action.default == ()
        return action.help if empty else super()._get_help_string(action)


def again(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The command that does this again: what differs from the defaults, but for places of files.

    Paths are told by their last name: the rest is of this machine.
    """
    words = shlex.split(parser.prog)
    for action in parser._actions:
        value = getattr(options, action.dest, action.default)
        if value == action.default or action.dest in PLACES:
            continue
        option = action.option_strings[-1]
        if isinstance(value, bool):
            words.append(option)
        elif isinstance(value, list) and action.nargs is None:  # given several times
            words += [word for each in value for word in (option, _written(each))]
        elif isinstance(value, list):
            words += [option, *map(_written, value)]
        else:
            words += [option, _written(value)]
    return shlex.join(words)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ":".join(f"{part:g}" for part in value)
    return value.name if isinstance(value, Path) else str(value)


def run(main: Callable[[], int | None], *, convolutions: bool = False) -> None:
    """Run `main` as a command: exit 0, 2 with one line for a user's mistake, 130 for Ctrl-C.

    A mistake is what the library answers with ValueError or OSError; set ZOO_TRACEBACK=1 to see
    where it came from.

    Args:
        main: the command; returns its exit code.
        convolutions: whether it trains them. oneDNN then does so, which TensorFlow asks by itself
            on the newest processors only; with AVX2 a step takes three quarters of the time.
    """
    if convolutions:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # TensorFlow greets on standard error unless told otherwise before its import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = main() or 0
    except KeyboardInterrupt:
        print("\ninterrupted: nothing was written", file=sys.stderr)
        code = 130
    except (ValueError, OSError) as error:
        if os.environ.get("ZOO_TRACEBACK"):
            raise
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        code = 2
    sys.exit(code)
