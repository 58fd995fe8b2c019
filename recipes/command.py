"""What every recipe's command line does alike: quiet start, one-line errors, exit codes."""

import argparse
import os
import sys
from collections.abc import Callable


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that names defaults where there is something to name."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        empty = action.default is None or action.default is False or action.default == ()
        return action.help if empty else super()._get_help_string(action)


def run(main: Callable[[], int | None]) -> None:
    """Run `main` as a command: exit 0, 2 with one line for a user's mistake, 130 for Ctrl-C.

    A mistake is what the library answers with ValueError or OSError; set ZOO_TRACEBACK=1 to see
    where it came from.
    """
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
