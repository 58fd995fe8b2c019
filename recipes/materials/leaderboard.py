"""Every model trained under one budget and scored on every split, over several seeds."""

import shlex
import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.materials.settings import LeaderboardSettings
from zoo import plots, presets
from zoo.certificate import measures
from zoo.data.maxwell import Material
from zoo.data.split import Split
from zoo.files import hold_folder, write_bytes, write_text
from zoo.leaderboard import (
    Trial,
    TrialResult,
    board_csv,
    board_from_csv,
    board_table,
    checkpoint_file,
    read_board,
    run_trials,
    write_result,
)
from zoo.metrics.regression import Predictor, nrmse
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.report import Report, Table
from zoo.stress.experiment import Experiment, simulated_experiment
from zoo.stress.fitting import BATCH_SIZE, fit_model
from zoo.stress.scoring import score_model
from zoo.targets import check_output_folder
from zoo.training import Budget

PATHS, TEST_PATHS = 4000, 300
QUICK_PATHS, QUICK_TEST_PATHS = 64, 8
SEED_STRIDE = 1000  # between the training paths of two trials
# Attention over 2000 steps takes the square of that in memory, for every path of a batch.
TRANSFORMER_BATCH_SIZE = 8
PUBLISHED = Path(__file__).parents[1] / "benchmarks"


def run(settings: LeaderboardSettings) -> None:
    """Run the trials that are missing; write table, CSV, figure and report of all there are."""
    check_output_folder(settings.folder)
    hold_folder(settings.folder)
    trials = [Trial(model, seed) for seed in range(settings.seeds) for model in settings.models]
    run_trials(
        trials,
        settings.trials,
        "recipes.materials.leaderboard:run_trial",
        # what a trial depends on, and a folder that it finds from anywhere
        replace(settings, out=settings.folder.absolute(), workers=None),
        workers=settings.workers,
    )
    board = read_board(settings.trials, presets.NAMES)
    if settings.publish:
        board = with_published(settings, board)
    commands = _board_commands(settings, board)
    table = board_table(board, _caption(settings))
    listed = "\n".join(f"    {command}" for command in commands)
    write_text(
        settings.folder / "leaderboard.md",
        f"{table.markdown()}\n{table.caption}\n\nMade by\n\n{listed}\n",
    )
    write_text(settings.folder / "leaderboard.csv", board_csv(board))
    page = _report(board, table, commands).write(settings.folder / "report.html")[-1]
    print(table.text())
    say(f"report: {page}")
    if settings.publish:
        figure = settings.folder / "error_against_parameters.png"
        write_bytes(PUBLISHED / "leaderboard.png", figure.read_bytes())
        for name in ("leaderboard.md", "leaderboard.csv"):
            write_bytes(PUBLISHED / name, (settings.folder / name).read_bytes())
        say(f"published: {PUBLISHED / 'leaderboard'}.md, .csv, .png")


def with_published(
    settings: LeaderboardSettings, board: Mapping[str, list[TrialResult]]
) -> dict[str, list[TrialResult]]:
    """The board with the published trials of other models, if they had the same budget.

    Args:
        settings: of the board.
        board: model -> its trials, of this run.
    """
    table, trials = PUBLISHED / "leaderboard.md", PUBLISHED / "leaderboard.csv"
    if settings.quick or not (table.is_file() and trials.is_file()):
        return dict(board)
    text = table.read_text(encoding="utf-8")
    commands = [line for line in text.splitlines() if line.startswith("    python")]
    budget = f"--epochs {settings.epochs} --steps {settings.steps_per_epoch}"
    if not commands or not all(line.endswith(budget) for line in commands):
        return dict(board)
    joined = {**board_from_csv(trials.read_text(encoding="utf-8")), **board}
    return {model: joined[model] for model in presets.NAMES if model in joined}


def trial_experiment(settings: LeaderboardSettings, seed: int) -> Experiment:
    """Paths of the trials with one seed."""
    return simulated_experiment(
        paths=QUICK_PATHS if settings.quick else PATHS,
        test_paths=QUICK_TEST_PATHS if settings.quick else TEST_PATHS,
        seed=SEED_STRIDE * seed,
    )


def run_trial(
    settings: LeaderboardSettings, model: str, seed: int, experiment: Experiment | None = None
) -> None:
    """Train and score one model with one seed; write its result.

    Args:
        settings: of the board.
        model: name of a preset.
        seed: of the paths and of the weights.
        experiment: paths of this seed, where they are there; None: made here.
    """
    preset = presets.named(model)
    experiment = experiment or trial_experiment(settings, seed)
    keras.utils.set_random_seed(seed)
    network = preset.build(experiment.train.x, experiment.train.y, None)
    history = fit_model(
        network,
        experiment.train,
        experiment.validation,
        Budget(settings.epochs, settings.steps_per_epoch, preset.learning_rate),
        seed=seed,
        checkpoint=checkpoint_file(settings.trials, Trial(model, seed)),
        compiled=preset.compiled,
    )
    batch_size = TRANSFORMER_BATCH_SIZE if model == "transformer" else TEST_PATHS
    predict = predictor(network, batch_size=batch_size)
    scores = score_model(predict, experiment.tests, experiment.refinement)
    errors = {split: figures["nrmse"] for split, figures in scores.items()}
    result = TrialResult(
        model=model,
        seed=seed,
        parameters=network.count_params(),
        seconds=history.seconds[-1],
        ended=history.ended,
        errors=errors | energy_errors(predict, experiment.tests),
        constants=physical_constants(network),
    )
    write_result(settings.trials, result)


def energy_errors(predict: Predictor, tests: Mapping[str, Split]) -> dict[str, float]:
    """Share of steps that create energy, and nRMSE of the work done by triangular loading [-]."""
    walk, triangle = tests["walk"], tests["triangle"]
    work, true_work = (
        measures.step_work(triangle.x, stress).sum(axis=1)
        for stress in (predict(triangle.x), triangle.y)
    )
    return {
        "negative dissipation": measures.negative_dissipation(
            walk.x, predict(walk.x), Material().modulus_mpa
        ),
        "loop area": nrmse(true_work, work),
    }


def physical_constants(network: keras.Model) -> dict[str, Any]:
    """Fitted constants of a cell that has physical ones."""
    for layer in network.layers:
        cell = getattr(layer, "cell", None)
        if cell is not None and hasattr(cell, "constants"):
            return {
                name: value if isinstance(value, float) else np.asarray(value, float).tolist()
                for name, value in cell.constants().items()
            }
    return {}


def _board_commands(
    settings: LeaderboardSettings, board: Mapping[str, list[TrialResult]]
) -> list[str]:
    """Commands that repeat the board, one for each number of seeds."""
    counts = {model: len(results) for model, results in board.items()}
    return [
        shlex.join(
            [
                *("python", "-m", "recipes.materials", "leaderboard"),
                *("--models", *(model for model in counts if counts[model] == seeds)),
                *("--seeds", str(seeds), "--epochs", str(settings.epochs)),
                *("--steps", str(settings.steps_per_epoch)),
                *(["--quick"] if settings.quick else []),
            ]
        )
        for seeds in sorted(set(counts.values()))
    ]


def _caption(settings: LeaderboardSettings) -> str:
    paths = QUICK_PATHS if settings.quick else PATHS
    return (
        "nRMSE and the figures behind it, × 1000, mean ± standard deviation over seeds. Each model "
        f"was trained for {settings.epochs * settings.steps_per_epoch} batches of {BATCH_SIZE} out "
        f"of {paths} paths; seconds: their median, on one thread of a busy machine."
    )


def _report(board: Mapping[str, list[TrialResult]], table: Table, commands: list[str]) -> Report:
    """The page: table, error against parameters, the models."""
    report = Report(
        "Leaderboard of stress-history models",
        "Every model of the zoo, trained on the same paths for as many steps, and scored on "
        "loading that none was trained on.",
        provenance={"command": "; ".join(commands)},
    )
    report.section("Error on every split").table(table)
    report.figure(
        plots.error_against_parameters(
            {
                model: (
                    results[0].parameters,
                    statistics.mean(result.errors["walk"] for result in results),
                )
                for model, results in board.items()
            }
        ),
        name="error_against_parameters",
        caption="Mean nRMSE on the training family against the number of parameters.",
        alt="Scatter of models, parameters across, error up, both logarithmic.",
    )
    models = "; ".join(f"{model}: {presets.named(model).description}" for model in board)
    return report.section("Models", models)
