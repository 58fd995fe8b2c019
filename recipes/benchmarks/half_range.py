"""What breaks in a network that saw half as long a path and half the rates that it is asked about.

python -m recipes.benchmarks.half_range [--models lstm relaxation] [--seeds 3]

The split `relaxation` lasts 200 steps, and `multirate` has rates of 0.02 to 20 /s. Each model is
trained twice on walks: of 100 steps and the middle half of these rates (on their logarithm), and of
200 steps and all of them. Errors are over the RMS stress of what is looked at: each half of the
relaxation split, and the steps of the multirate split at trained rates, slower and faster. Writes
recipes/benchmarks/half_range.md.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from zoo.files import write_text

WHOLE_STEPS, WHOLE_RATES = 200, (0.02, 20.0)
HALF_STEPS, HALF_RATES = 100, (0.1125, 3.557)  # as far apart as their logarithms' half
PATHS, TESTED_PATHS, BATCH_SIZE = 4000, 300, 32
TABLE = Path(__file__).with_suffix(".md")


def main() -> int:
    """Train, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lstm", "relaxation"])
    parser.add_argument("--epochs", type=int, default=8, help="(default 8)")
    parser.add_argument("--steps", type=int, default=250, help="batches an epoch (default 250)")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 (default 3)")
    options = parser.parse_args()
    if min(options.epochs, options.steps, options.seeds) < 1:
        print("error: --epochs, --steps and --seeds must be 1 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from zoo import presets
    from zoo.report import Column, Table

    if unknown := set(options.models) - set(presets.NAMES):
        print(
            f"error: no model {', '.join(sorted(unknown))}; expected some of "
            f"{', '.join(presets.NAMES)}",
            file=sys.stderr,
        )
        return 2
    rows = []
    for model in options.models:
        for name, steps, rates in (
            ("half", HALF_STEPS, HALF_RATES),
            ("whole", WHOLE_STEPS, WHOLE_RATES),
        ):
            found = []
            for seed in range(options.seeds):
                found.append(list(_errors(model, steps, rates, options, seed).values()))
                print(model, name, *map("{:.2g}".format, found[-1]), file=sys.stderr, flush=True)
            rows.append([model, name, *map(_spread, zip(*found, strict=True))])
    columns = ("first half", "second half", "trained rates", "slower", "faster")
    table = Table(
        ["model", "trained on", *map(Column, columns)],
        rows,
        "nRMSE × 1000 on the relaxation split, steps 1 to 100 and 101 to 200, and on the multirate "
        f"split, by the rate of the step: within, below and above {HALF_RATES[0]:.2g} to "
        f"{HALF_RATES[1]:.2g} /s. `half`: trained on walks of {HALF_STEPS} steps at these rates; "
        f"`whole`: of {WHOLE_STEPS} steps at {WHOLE_RATES[0]:g} to {WHOLE_RATES[1]:g} /s. "
        f"{options.epochs * options.steps} batches of {BATCH_SIZE}; mean ± standard deviation "
        f"over {options.seeds} seeds.",
    )
    print(table.text())
    text = (
        f"{table.markdown()}\n{table.caption}\n\nMade by\n\n"
        "    python -m recipes.benchmarks.half_range "
        f"--models {' '.join(options.models)} --epochs {options.epochs} --steps {options.steps} "
        f"--seeds {options.seeds}\n"
    )
    write_text(TABLE, text)
    return 0


def _spread(errors: tuple[float, ...]) -> str:
    """Mean ± standard deviation, in thousandths."""
    mean = f"{1e3 * statistics.mean(errors):.3g}"
    return f"{mean} ± {1e3 * statistics.stdev(errors):.2g}" if len(errors) > 1 else mean


def _errors(
    model: str,
    steps: int,
    rates: tuple[float, float],
    options: argparse.Namespace,
    seed: int,
) -> dict[str, float]:
    """Train one model and look where it fails."""
    import keras
    import numpy as np

    from zoo import presets, training
    from zoo.data import hysteresis
    from zoo.data.loading import walk
    from zoo.data.maxwell import Material
    from zoo.recurrent import predictor

    def walks(name: str, paths: int, seed: int) -> Any:
        loading = walk(np.random.default_rng(seed), paths, steps, rates=rates)
        return hysteresis.simulate(name, loading, Material())

    train, check = (
        walks("train", PATHS, 1000 * seed),
        walks("check", TESTED_PATHS, 1000 * seed + 1),
    )
    preset = presets.named(model)
    keras.utils.set_random_seed(seed)
    network = preset.build(train.x, train.y)
    training.fit(
        network,
        lambda step: train.dataset(BATCH_SIZE, seed=seed, start_step=step),
        check.all_batches(TESTED_PATHS),
        training.Budget(options.epochs, options.steps, preset.learning_rate),
        training.FitSettings(
            losses={"prediction": "mse"},
            loss_scale=float(train.y.var()),
            seed=seed,
            compiled=preset.compiled,
        ),
    )
    predict = predictor(network, batch_size=TESTED_PATHS)

    def error(split: Any, where: "np.ndarray") -> float:
        wrong = (predict(split.x) - split.y)[..., 0][where]
        return float(np.sqrt(np.mean(wrong**2) / np.mean(split.y[..., 0][where] ** 2)))

    hold, mixed = (
        hysteresis.split(name, paths=TESTED_PATHS, seed=10_000)
        for name in ("relaxation", "multirate")
    )
    step = np.arange(hold.x.shape[1]) * np.ones((len(hold.x), 1))
    rate = np.abs(mixed.x[..., 1])
    slow, fast = HALF_RATES
    return {
        "first half": error(hold, step < HALF_STEPS),
        "second half": error(hold, step >= HALF_STEPS),
        "trained rates": error(mixed, (rate >= slow) & (rate <= fast)),
        "slower": error(mixed, rate < slow),
        "faster": error(mixed, rate > fast),
    }


if __name__ == "__main__":
    sys.exit(main())
