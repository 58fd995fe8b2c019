"""Every preset trained under one budget and scored on every split, over several seeds.

Each run, a model and a seed, is a process of its own with a checkpoint after every epoch and one
JSON file at its end, so that a board that was stopped goes on where it was.
"""

import csv
import io
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.hysteresis import experiment as hysteresis
from zoo.files import write_text
from zoo.progress import say

TRAINED_PATHS, TESTED_PATHS = 4000, 300


@dataclass(frozen=True)
class Plan:
    """What every model gets.

    Attributes:
        models: names of presets.
        seeds: how many, from 0.
        epochs: of `steps_per_epoch` batches of 32 paths.
        steps_per_epoch: see there.
        folder: of runs and tables.
    """

    models: tuple[str, ...]
    seeds: int
    epochs: int
    steps_per_epoch: int
    folder: Path

    @property
    def runs(self) -> Path:
        """Folder of the runs under this budget: those under another are not on the same board."""
        return self.folder / f"runs-{self.epochs}x{self.steps_per_epoch}"


def leaderboard(plan: Plan, jobs: int) -> Path:
    """Run what is missing, `jobs` at a time, and write table and figure of all that is there.

    Returns:
        The report.
    """
    wanted = [(model, seed) for seed in range(plan.seeds) for model in plan.models]
    missing = [run for run in wanted if not _result(plan, *run).exists()]
    say(f"{len(wanted)} runs, {len(wanted) - len(missing)} of them done before")
    with ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(lambda run: _in_a_process(plan, *run), missing))
    failed = [line for line in done if line]
    if failed:
        raise ValueError(f"{len(failed)} of {len(missing)} runs failed; the first: {failed[0]}")
    return _write(plan)


def run(plan: Plan, model: str, seed: int) -> None:
    """Train and score one model with one seed; writes its JSON file."""
    from zoo import presets, training
    from zoo.data import hysteresis as data
    from zoo.recurrent import predictor

    preset = presets.named(model)
    train = data.split("walk", paths=TRAINED_PATHS, seed=1000 * seed)
    check = data.split("walk", paths=TESTED_PATHS, seed=1000 * seed + 1)
    import keras

    keras.utils.set_random_seed(seed)
    network = preset.build(train.x, train.y)
    history = training.fit(
        network,
        lambda step: train.dataset(hysteresis.BATCH_SIZE, seed=seed, start_step=step),
        check.all_batches(TESTED_PATHS),
        training.Budget(plan.epochs, plan.steps_per_epoch, preset.learning_rate),
        losses={"prediction": "mse"},
        loss_scale=float(train.y.var()),
        seed=seed,
        checkpoint=_result(plan, model, seed).with_suffix(".npz"),
        compiled=preset.compiled,
    )
    # Attention over 2000 steps takes the square of that in memory, for every path of a batch.
    predict = predictor(network, batch_size=8 if model == "transformer" else 300)
    experiment = hysteresis.Experiment(
        train=train,
        validation=check,
        tests=data.protocol(paths=TESTED_PATHS, seed=hysteresis.TEST_SEED),
        cycle=data.cycle(),
        shown=(),
        refinement=data.refinement(
            paths=TESTED_PATHS, seed=hysteresis.TEST_SEED, factor=hysteresis.REFINED
        ),
        material={},
        limits=[],
    )
    scores = hysteresis.scores_of(predict, experiment)
    result = {
        "model": model,
        "seed": seed,
        "parameters": network.count_params(),
        "seconds": history.seconds[-1],
        "ended": history.ended,
        "scores": scores,
        "audit": _audit(predict, experiment.tests),
        "constants": _constants(network),
    }
    write_text(_result(plan, model, seed), json.dumps(result, indent=1))


def _audit(predict: Any, tests: dict[str, Any]) -> dict[str, float]:
    """Share of steps that create energy, and the RMS error of the work of triangular loading."""
    import numpy as np

    from zoo.certificate import measures
    from zoo.data.maxwell import Material

    walk, triangle = tests["walk"], tests["triangle"]
    found, true = (
        measures.step_work(triangle.x, stress).sum(axis=1)
        for stress in (predict(triangle.x), triangle.y)
    )
    return {
        "negative dissipation": measures.negative_dissipation(
            walk.x, predict(walk.x), Material().modulus_mpa
        ),
        "loop area": float(np.sqrt(np.mean((found - true) ** 2) / np.mean(true**2))),
    }


def _constants(network: Any) -> dict[str, Any]:
    """What a cell with physical constants found."""
    for layer in network.layers:
        cell = getattr(layer, "cell", None)
        if hasattr(cell, "constants"):
            return {
                name: value if isinstance(value, float) else list(map(float, value))
                for name, value in cell.constants().items()
            }
    return {}


def _result(plan: Plan, model: str, seed: int) -> Path:
    return plan.runs / f"{model}-{seed}.json"


def _in_a_process(plan: Plan, model: str, seed: int) -> str:
    """Run one; a line that says why it failed, or nothing."""
    began = time.monotonic()
    _result(plan, model, seed).parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "recipes.materials", "run", model, str(seed)),
        *("--epochs", str(plan.epochs), "--steps", str(plan.steps_per_epoch)),
        *("--folder", str(plan.folder)),
    ]
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    done = subprocess.run(
        command, env={**os.environ, **threads}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"{model}, seed {seed}: {done.stderr.strip().splitlines()[-1]}"
    say(f"{model}, seed {seed}: {time.monotonic() - began:.0f} s")
    return ""


def _write(plan: Plan) -> Path:
    """leaderboard.csv, leaderboard.md and the report, from every run that is in the folder."""
    from zoo import plots, presets
    from zoo.report import Column, Report, Table

    files = sorted(plan.runs.glob("*.json"))
    results = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    board: dict[str, list[dict[str, Any]]] = {}
    for name in presets.NAMES:
        if runs := [result for result in results if result["model"] == name]:
            board[name] = runs
    splits, audits = list(results[0]["scores"]), list(results[0]["audit"])
    columns = ["model", "parameters", "seeds", "seconds", *splits, *audits]
    rows, points = [], {}
    for model, runs in board.items():
        figures = [[run["scores"][split]["nrmse"] for run in runs] for split in splits]
        points[model] = (runs[0]["parameters"], statistics.mean(figures[0]))
        figures += [[run["audit"][name] for run in runs] for name in audits]
        # the median: a run that was halted for a while says nothing of the others
        seconds = statistics.median(run["seconds"] for run in runs)
        size = f"{runs[0]['parameters']:,}"
        rows.append([model, size, len(runs), round(seconds), *map(_spread, figures)])
    commands = [_command(plan, board, seeds) for seeds in sorted({*map(len, board.values())})]
    table = Table(
        [Column(name) for name in columns],
        rows,
        "nRMSE and the figures behind it, × 1000, mean ± standard deviation over seeds. Each model "
        f"was trained for {plan.epochs * plan.steps_per_epoch} batches of {hysteresis.BATCH_SIZE} "
        f"out of {TRAINED_PATHS} paths; seconds: their median, on one thread of a busy machine.",
    )
    made_by = "\n".join(f"    {command}" for command in commands)
    text = f"{table.markdown()}\n{table.caption}\n\nMade by\n\n{made_by}\n"
    csv_text = _csv([run for runs in board.values() for run in runs], splits)
    for name, content in (("leaderboard.md", text), ("leaderboard.csv", csv_text)):
        write_text(plan.folder / name, content)
    report = Report(
        "Materials with memory: one board",
        "Every model of the zoo, trained on the same paths for as many steps, on loading that none "
        "of them saw.",
        provenance={"command": "; ".join(commands)},
    )
    report.section("Error on every split").table(table)
    report.figure(
        plots.error_against_parameters(points),
        name="error_against_parameters",
        caption="Mean nRMSE on the training family against the number of parameters.",
        alt="Scatter of models, parameters across, error up, both logarithmic.",
    )
    about = "; ".join(f"{m}: {presets.named(m).description}" for m in board)
    report.section("The models", about)
    return report.write(plan.folder / "leaderboard.html")[-1]


def _command(plan: Plan, board: dict[str, list[Any]], seeds: int) -> str:
    """The command that makes the runs of all models that have so many seeds."""
    models = [model for model, runs in board.items() if len(runs) == seeds]
    return shlex.join(
        [
            *("python", "-m", "recipes.materials", "leaderboard", "--models", *models),
            *("--seeds", str(seeds), "--epochs", str(plan.epochs)),
            *("--steps", str(plan.steps_per_epoch)),
        ]
    )


def _spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation, in thousandths."""
    mean = 1e3 * statistics.mean(values)
    if len(values) == 1:
        return f"{mean:.3g}"
    return f"{mean:.3g} ± {1e3 * statistics.stdev(values):.2g}"


def _csv(results: Sequence[dict[str, Any]], splits: Sequence[str]) -> str:
    """Every run in full precision."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    audit = list(results[0]["audit"])
    writer.writerow(["model", "seed", "parameters", "seconds", *splits, *audit, "constants"])
    for run in results:
        row = [run["model"], run["seed"], run["parameters"], round(run["seconds"], 1)]
        row += [run["scores"][split]["nrmse"] for split in splits]
        row += [run["audit"][name] for name in audit]
        writer.writerow([*row, json.dumps(run["constants"])])
    return file.getvalue()
