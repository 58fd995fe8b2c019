"""`python -m zoo.firmware MODEL` is `zoo firmware MODEL`."""

import sys

from zoo import __main__ as zoo


def main(arguments: list[str] | None = None) -> int:
    """Run `zoo firmware` with these words; returns its exit code."""
    return zoo.main(["firmware", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
