"""Coverage of the 95 % intervals of identified constants, and errors on data without noise.

python -m recipes.benchmarks.identification_coverage [--repeats 200] [--noise 0.02] [--wrong 0 0.05]
python -m recipes.benchmarks.identification_coverage --materials 300

One walk of the protocol, solved exactly for several exponents; Gaussian noise is added to the
stress, anew in each repeat, and E, m and κ are fitted each time. The share of repeats whose
interval holds the true value should lie between 93 and 97 % (chance alone moves it by 3 % with 200
repeats, by 1.4 % with 1,000). With --wrong 0.05 the data have a second branch, of a twentieth of
the modulus, that the fitted law does not have: coverage is of the constants that fit the data
without noise, and the misfit of the law is in the table. With --profile the intervals are those of
the profile likelihood. --materials 300 chooses a law for as many solids and liquids of one or two
branches, and counts how often it is the true one. --publish writes the table to
recipes/benchmarks/identification_coverage.md or law_choice.md.
"""

import argparse
import sys

from recipes.benchmarks.identification_coverage.settings import Settings
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int, seed_number


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.identification_coverage",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--repeats", type=positive_int, default=default.repeats, help="noisy tests")
    parser.add_argument(
        "--noise", type=positive_float, default=default.noise, help="share of the RMS stress"
    )
    parser.add_argument(
        "--correlation",
        type=float,
        default=default.correlation,
        help="of the noise of neighbouring samples",
    )
    parser.add_argument("--steps", type=positive_int, default=default.steps, help="of a test")
    parser.add_argument(
        "--materials",
        type=int,
        default=default.materials,
        help="instead: so many synthetic solids and liquids, whose law is chosen",
    )
    parser.add_argument(
        "--wrong",
        type=float,
        nargs="+",
        default=list(default.wrong),
        help="shares of the modulus in a second branch that the fitted law does not have",
    )
    parser.add_argument(
        "--profile", action="store_true", help="intervals by profile likelihood, not asymptotic"
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the table to recipes/benchmarks"
    )
    parser.add_argument("--seed", type=seed_number, default=default.seed, help="of path and noise")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run the benchmark; returns the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(**{**vars(options), "wrong": tuple(options.wrong)})
    # Imported here, so that --help is answered without TensorFlow.
    from recipes.benchmarks.identification_coverage import discrimination, experiment

    (discrimination if settings.materials else experiment).run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(command.call(main))
