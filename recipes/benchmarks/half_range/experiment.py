"""Train each model on half and on the whole of the tested range, and measure its errors."""

from pathlib import Path

import keras
import numpy as np

from recipes.benchmarks.half_range.settings import Settings
from zoo import presets
from zoo.data import hysteresis
from zoo.data.loading import MULTIRATE_RATES, STEPS, Span, walk
from zoo.data.maxwell import Material
from zoo.data.split import Split
from zoo.files import write_text
from zoo.leaderboard import format_spread
from zoo.metrics.regression import nrmse
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.report import Column, Table
from zoo.stress.experiment import TEST_SEED
from zoo.stress.fitting import BATCH_SIZE, fit_model
from zoo.training import Budget

HALF_STEPS, HALF_RATES = 100, (0.1125, 3.557)  # half as wide as MULTIRATE_RATES on a log scale
RANGES = {"half": (HALF_STEPS, HALF_RATES), "whole": (STEPS, MULTIRATE_RATES)}
PATHS, TEST_PATHS = 4000, 300
COLUMNS = ("first half", "second half", "trained rates", "slower", "faster")
TABLE = Path(__file__).parents[1] / "half_range.md"


def run(settings: Settings) -> None:
    """Train, measure, print, write.

    Raises:
        ValueError: an unknown model.
    """
    if unknown := set(settings.models) - set(presets.NAMES):
        raise ValueError(
            f"no model {', '.join(sorted(unknown))}; expected some of {', '.join(presets.NAMES)}"
        )
    rows = []
    for model in settings.models:
        for name, (steps, rates) in RANGES.items():
            errors = []
            for seed in range(settings.seeds):
                errors.append(measure_errors(model, steps, rates, settings, seed))
                say(" ".join([model, name, *map("{:.2g}".format, errors[-1])]))
            rows.append([model, name, *map(format_spread, zip(*errors, strict=True))])
    table = Table(["model", "trained on", *map(Column, COLUMNS)], rows, _caption(settings))
    print(table.text())
    options = (
        f"--models {' '.join(settings.models)} --epochs {settings.epochs} "
        f"--steps {settings.steps_per_epoch} --seeds {settings.seeds}"
    )
    write_text(
        TABLE,
        f"{table.markdown()}\n{table.caption}\n\nMade by\n\n"
        f"    python -m recipes.benchmarks.half_range {options}\n",
    )


def measure_errors(
    model: str, steps: int, rates: Span, settings: Settings, seed: int
) -> list[float]:
    """Train one model on one range; its nRMSE for each of `COLUMNS` [-].

    Args:
        model: name of a preset.
        steps: in a training path.
        rates: of the training paths [1/s].
        settings: budget.
        seed: of paths, weights and batches.
    """
    train = _walks(PATHS, steps, rates, 1000 * seed)
    validation = _walks(TEST_PATHS, steps, rates, 1000 * seed + 1)
    preset = presets.named(model)
    keras.utils.set_random_seed(seed)
    network = preset.build(train.x, train.y, None)
    fit_model(
        network,
        train,
        validation,
        Budget(settings.epochs, settings.steps_per_epoch, preset.learning_rate),
        seed=seed,
        compiled=preset.compiled,
    )
    predict = predictor(network, batch_size=TEST_PATHS)
    hold, multirate = (
        hysteresis.split(name, paths=TEST_PATHS, seed=TEST_SEED)
        for name in ("relaxation", "multirate")
    )
    step = np.arange(hold.x.shape[1]) * np.ones((len(hold.x), 1))
    rate = np.abs(multirate.x[..., 1])
    slow, fast = HALF_RATES
    masks = (
        *((hold, mask) for mask in (step < HALF_STEPS, step >= HALF_STEPS)),
        (multirate, (rate >= slow) & (rate <= fast)),
        *((multirate, mask) for mask in (rate < slow, rate > fast)),
    )
    return [nrmse(split.y, predict(split.x), mask) for split, mask in masks]


def _walks(paths: int, steps: int, rates: Span, seed: int) -> Split:
    loading = walk(np.random.default_rng(seed), paths, steps, rates=rates)
    return hysteresis.simulate("walk", loading, Material())


def _caption(settings: Settings) -> str:
    return (
        "nRMSE × 1000 on the relaxation split, steps 1 to 100 and 101 to 200, and on the multirate "
        f"split, by the rate of the step: within, below and above {HALF_RATES[0]:.2g} to "
        f"{HALF_RATES[1]:.2g} /s. `half`: trained on walks of {HALF_STEPS} steps at these rates; "
        f"`whole`: of {STEPS} steps at {MULTIRATE_RATES[0]:g} to {MULTIRATE_RATES[1]:g} /s. "
        f"{settings.epochs * settings.steps_per_epoch} batches of {BATCH_SIZE}; mean ± standard "
        f"deviation over {settings.seeds} seeds."
    )
