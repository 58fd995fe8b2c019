"""A generated UMAT in CalculiX: one element against the Python law, and a notched strip.

python -m recipes.benchmarks.calculix --source FOLDER [--model material-vhb4910]

CalculiX loads no libraries, so its sources are compiled with the generated file in place of their
empty `umat`. FOLDER is their `src` and is copied, not changed. On Debian 12 (version 2.20):

    apt-get install gfortran make libspooles-dev libarpack2-dev liblapack-dev libblas-dev dpkg-dev
    apt-get source calculix-ccx        # needs a line "Types: deb-src" in the sources
    python -m recipes.benchmarks.calculix --source calculix-ccx-2.20/ccx_2.20/src

The first build takes minutes; where FOLDER holds object files they are taken over.
"""

import argparse
import sys
from pathlib import Path

from recipes.benchmarks.calculix.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_int


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings(Path())
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.calculix",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=command.Help,
    )
    parser.add_argument(
        "--source",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="CalculiX' sources, with umat.f",
    )
    parser.add_argument("--model", default=default.model, help="a hyperelastic-viscous solid")
    parser.add_argument("--out", type=Path, default=default.out, metavar="FOLDER", help="results")
    parser.add_argument(
        "--elements", type=positive_int, default=default.elements, help="across half the strip"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the benchmark; returns the exit code."""
    settings = Settings(**vars(parser().parse_args(arguments)))
    # Imported here, so that --help is answered without TensorFlow.
    from recipes.benchmarks.calculix import experiment

    experiment.run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(command.call(main))
