"""`python -m zoo.data FOLDER` is `zoo data FOLDER`."""

import sys

from zoo import __main__ as zoo


def main(arguments: list[str] | None = None) -> int:
    """Run `zoo data` with these words; returns its exit code."""
    return zoo.main(["data", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
