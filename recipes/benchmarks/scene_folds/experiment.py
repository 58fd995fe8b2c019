"""Evaluation of the missing folds, one row each, and the table of all rows."""

import dataclasses
import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recipes.benchmarks.scene_folds.settings import Settings
from recipes.scenes import data as scene_data
from recipes.scenes import experiment as scenes
from recipes.scenes.settings import AUGMENTATIONS, STEPS_PER_EPOCH, current_augmentation
from recipes.scenes.settings import Settings as SceneSettings
from zoo import crossvalidation
from zoo.convnets import split_model
from zoo.data.folds import Fold, make_folds
from zoo.files import write_text
from zoo.metrics import multiclass
from zoo.names import RENAMED
from zoo.report import Column, Table

GROUPED_BY = ["model", "parameters", "left out", "steps"]
Row = dict[str, Any]


def run(settings: Settings) -> None:
    """Run the missing folds, then write and print the table.

    Raises:
        ValueError: a corpus that cannot be used.
    """
    path = settings.rows
    path.parent.mkdir(parents=True, exist_ok=True)
    for model, seed, without in list_runs(settings):
        scene_settings = SceneSettings(
            data=settings.data,
            model=model,
            seed=seed,
            epochs=settings.epochs,
            without=without,
            checkpoint=None if without else settings.checkpoint,
        )
        for row in evaluate_missing_folds(scene_settings, path):
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    table = make_table(read_rows(path))
    print(table)
    write_text(path.with_suffix(".md"), table + "\n")


def list_runs(settings: Settings) -> list[tuple[str, int, tuple[str, ...]]]:
    """Network, seed and augmentations left out of every run."""
    models = settings.models
    runs: list[tuple[str, int, tuple[str, ...]]]
    runs = [(model, seed, ()) for seed in range(settings.seeds) for model in models]
    if settings.ablation:
        runs += [(model, 0, (name,)) for model in models for name in AUGMENTATIONS]
        runs += [(model, 0, AUGMENTATIONS) for model in models]
    return runs


def evaluate_missing_folds(settings: SceneSettings, path: Path) -> Iterator[Row]:
    """Train and test on each fold that has no row yet.

    Args:
        settings: of the experiment.
        path: file of the rows.

    Yields:
        A row a fold.
    """
    data = scene_data.load_data(settings)
    training = scenes.training_settings(settings)
    if settings.checkpoint is None:
        training = dataclasses.replace(training, checkpoints=None)
    build = scenes.make_builder(settings, data)
    model = build()
    key = {
        "data": settings.data.resolve().name if settings.data else "synthetic",
        "model": settings.model,
        "front": crossvalidation.front_end_key(split_model(model)[0]),
        "without": list(settings.without),
        "seed": settings.seed,
        "steps": training.epochs * training.steps_per_epoch,
    }
    missing = list_missing_folds(settings, data, key, path)
    if not missing:
        return
    features = scenes.compute_features(
        data.clips,
        model,
        data.duration_s,
        settings.without,
        parts=all_folds(settings, data),
        seed=settings.seed,
    )
    for fold in missing:
        began = time.monotonic()
        result = crossvalidation.evaluate_fold(build, features, fold, training)
        accuracy, baseline = (
            multiclass.accuracy(predictions.labels, predictions.probabilities)
            for predictions in (result.test, result.baseline)
        )
        yield {
            **key,
            "fold": fold.name,
            "accuracy": accuracy,
            "baseline": baseline,
            "clips": len(result.test.labels),
            "parameters": model.count_params(),
            "seconds": round(time.monotonic() - began),
        }


def list_missing_folds(
    settings: SceneSettings, data: scene_data.SceneData, key: Row, path: Path
) -> list[Fold]:
    """Folds without a row in a file.

    Args:
        settings: of the experiment.
        data: clips with their folds.
        key: what all rows of this run have in common.
        path: file of the rows.
    """
    finished = {row["fold"] for row in read_rows(path) if key.items() <= row.items()}
    return [fold for fold in all_folds(settings, data) if fold.name not in finished]


def all_folds(settings: SceneSettings, data: scene_data.SceneData) -> list[Fold]:
    """Folds of the clips, the corpus' own or by group."""
    count = scene_data.fold_count(data.clips, settings)
    return make_folds(data.clips.index, count=count, seed=settings.seed)


def read_rows(path: Path) -> list[Row]:
    """All rows of a file, with present names of networks and augmentations; none without it."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        names = list(map(current_augmentation, row["without"]))
        rows.append({**row, "model": RENAMED.get(row["model"], row["model"]), "without": names})
    return rows


def make_table(rows: list[Row]) -> str:
    """Markdown table, a line for each network and ablation, and the commands that repeat it."""
    data = pd.DataFrame(rows)
    data["left out"] = [
        "all" if len(names) == len(AUGMENTATIONS) else ", ".join(names) or "–"
        for names in data["without"]
    ]
    lines = [
        [
            *(runs.iloc[0][name] for name in GROUPED_BY),
            runs["seed"].nunique(),
            f"{100 * runs['accuracy'].mean():.1f} ± {100 * runs['accuracy'].std():.1f}",
            ", ".join(
                f"{100 * x:.1f}" for x in np.asarray(runs.groupby("fold")["accuracy"].mean())
            ),
        ]
        for _, runs in data.groupby(GROUPED_BY, sort=False)
    ]
    names = ("model", "parameters", "left out", "batches", "seeds", "accuracy [%]", "by fold [%]")
    baseline = data.groupby("fold")["baseline"].first().mean()
    table = Table(
        [Column(name, number=",d") for name in names],
        lines,
        "Accuracy on held-out folds, mean ± standard deviation over folds and seeds. A linear "
        f"regression on band statistics reaches {100 * baseline:.1f} % on the same folds.",
    )
    commands = "\n".join(
        f"    {format_command(runs)}" for _, runs in data.groupby("model", sort=False)
    )
    return f"{table.markdown()}\n{table.caption}\n\nMade by\n\n{commands}"


def format_command(runs: pd.DataFrame) -> str:
    """Command that repeats all rows of one network."""
    row, is_whole = runs.iloc[0], (runs["left out"] == "–").to_numpy()
    seeds = len(set(runs["seed"][is_whole]))
    words = ["python", "-m", "recipes.benchmarks.scene_folds", "--data", row["data"]]
    words += ["--models", row["model"], "--seeds", str(seeds)]
    if row["steps"] != Settings.epochs * STEPS_PER_EPOCH:
        words += ["--epochs", str(row["steps"] // STEPS_PER_EPOCH)]
    return shlex.join(words if is_whole.all() else [*words, "--ablation"])
