"""Write a step model as C: `python -m zoo.firmware MODEL --out FOLDER`."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m zoo.firmware",
        description="Write a step model as C: the model as an array, shapes, scales and operations "
        "in a header, the front end's tables, a reference, and a program that checks them.",
    )
    parser.add_argument("model", type=Path, help="folder, such as saved_models/hearing-aid")
    parser.add_argument("--out", type=Path, required=True, help="folder of the C files")
    parser.add_argument("--weights", default="float32", help="of the step file (%(default)s)")
    parser.add_argument("--steps", type=int, default=8, help="of the reference (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        if options.steps < 1:
            raise ValueError(f"--steps must be 1 or more. Received: {options.steps}.")
        from zoo.edge.runtime import quiet
        from zoo.firmware import write

        with quiet():
            files = write(options.model, options.out, weights=options.weights, steps=options.steps)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for file in files:
        print(f"{file}  {file.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
