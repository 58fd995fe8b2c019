"""Exit codes, one-line errors and the reproducing command line, for `zoo` and for every recipe."""

import argparse
import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from zoo.progress import one_line

# Options that say where files are kept; they do not change what is computed.
LOCATION_OPTIONS = (
    *("c", "cache", "checkpoint", "json", "out", "page", "publish", "rows", "tensorboard", "wav"),
    *("ray", "workers"),  # nor do those of where it is computed
)
WRITTEN_OPTIONS = ("law", "seed")  # written even where they have their defaults
# Modules that the extra `train` installs, by the name they are imported by.
TRAIN_MODULES = (
    *("tensorflow", "keras", "scipy", "pandas", "matplotlib"),
    *("soundfile", "soxr", "xxhash"),
)
BASE_MODULES = ("numpy", "ai_edge_litert")  # what it installs without an extra
INTERRUPTED = 130  # exit code after Ctrl-C
# How tf.data reports an exception of Python that is a user's mistake, or damage of a file.
_DATA_ERROR = re.compile(r"\b(?:ValueError|DamagedRecording|[A-Za-z]*OSError): ([^\n]+)")
DISTRIBUTION = "signals-with-memory"


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help formatter that shows a default only where there is one to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        empty = action.default is None or action.default is False or action.default == ()
        is_said = "(default: " in (action.help or "")
        return action.help if empty or is_said else super()._get_help_string(action)


def format_command_line(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """Command that repeats a run in the same folder: what differs from the defaults, and the seed.

    Options that only say where results are kept are left out. Paths of input files are written by
    `format_path`: the command stands in cards and pages, which are given away.

    Args:
        parser: that read the options.
        options: that it read.

    Returns:
        One line for a shell, such as "python -m recipes.hysteresis --epochs 160 --seed 0".
    """
    words, positional = shlex.split(parser.prog), []
    for action in parser._actions:
        value = getattr(options, action.dest, action.default)
        is_default = value == action.default and action.dest not in WRITTEN_OPTIONS
        if value is None or is_default or action.dest in LOCATION_OPTIONS:
            continue
        values = [_format_value(each) for each in (value if isinstance(value, list) else [value])]
        if not action.option_strings:
            positional += values  # in front: an option of several values would take them
        elif isinstance(value, bool):
            words.append(action.option_strings[-1])
        elif isinstance(value, list) and action.nargs is None:  # given several times
            words += [word for each in values for word in _option(action, [each])]
        else:
            words += _option(action, values)
    prog = len(shlex.split(parser.prog))
    return shlex.join([*words[:prog], *positional, *words[prog:]])


def _option(action: argparse.Action, values: list[str]) -> list[str]:
    """Words of an option; a value that looks like an option itself is joined to it."""
    name = action.option_strings[-1]
    if len(values) == 1 and values[0].startswith("-"):
        return [f"{name}={values[0]}"]
    return [name, *values]


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ":".join(map(_format_number, value))
    return format_path(value) if isinstance(value, Path) else str(value)


def format_path(path: Path) -> str:
    """A path as it was given; below the present folder relative to it, elsewhere as PATH/NAME.

    A card or page that is given away then does not say how the folders of a computer are named.
    """
    if not path.is_absolute():
        return str(path)
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return f"PATH/{path.name}"


def _format_number(value: float) -> str:
    """Shortest text that is read as the same number."""
    return str(int(value)) if value == int(value) else repr(float(value))


def call(main: Callable[[], int | None]) -> int:
    """Call a command and turn its exceptions into an exit code and one line on standard error.

    A user's mistake arrives as ValueError or OSError, a package that is not installed as
    ModuleNotFoundError. With ZOO_TRACEBACK=1 in the environment these are raised, so that their
    origin is shown.

    Args:
        main: the command; returns its exit code, None for 0.

    Returns:
        That code; 2 for a mistake or a missing package; 130 for Ctrl-C; 0 where the reader of a
        pipe has closed it.

    Raises:
        Exception: any other kind, which is a defect of the program.
    """
    # TensorFlow greets on standard error unless told otherwise before its import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _print_any_name()
    try:
        code = main() or 0
        sys.stdout.flush()  # here, so that a closed pipe is met inside
        return code
    except KeyboardInterrupt as stopped:
        print(
            f"\ninterrupted{f': {one_line(str(stopped))}' if str(stopped) else ''}", file=sys.stderr
        )
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        if os.environ.get("ZOO_TRACEBACK"):
            raise
        text = str(error)
        if isinstance(error, FileNotFoundError) and error.filename is None:  # of os.getcwd
            text = "the working folder is not there any more. Change to one that is."
        print(f"error: {one_line(text)}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if os.environ.get("ZOO_TRACEBACK") or package in ("", "zoo", "recipes"):
            raise
        name = DISTRIBUTION if package in BASE_MODULES else package
        name = f"{DISTRIBUTION}[train]" if package in TRAIN_MODULES else name
        name = f"{DISTRIBUTION}[cluster]" if package == "ray" else name
        print(
            f"error: the package {package} is not installed. Install it: pip install '{name}'",
            file=sys.stderr,
        )
        return 2
    except Exception as error:
        fault = _fault_of_data(error)
        if fault is None or os.environ.get("ZOO_TRACEBACK"):
            raise
        print(f"error: {one_line(fault)}", file=sys.stderr)
        return 2


def _fault_of_data(error: Exception) -> str | None:
    """What a reader of data said, where tf.data wraps its exception; None: something else.

    TensorFlow raises an error of its own, whose text holds `ValueError: ...` and a traceback.
    """
    if not type(error).__module__.startswith("tensorflow."):
        return None
    match = _DATA_ERROR.search(str(error))
    return match[1] if match else None


def _print_any_name() -> None:
    """Let the streams print names of files in any encoding: what is no text becomes an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(main: Callable[[], int | None], *, convolutions: bool = False) -> NoReturn:
    """Call `main` as `call` does and exit with its code.

    Args:
        main: the command; returns its exit code, None for 0.
        convolutions: whether it trains convolutions. oneDNN then computes them, which TensorFlow
            chooses by itself on the newest processors only; with AVX2 a step takes three quarters
            of the time.

    Raises:
        SystemExit: always, with the exit code.
    """
    if convolutions:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    sys.exit(call(main))
