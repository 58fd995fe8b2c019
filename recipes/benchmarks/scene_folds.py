"""Classifiers of sound, cross-validated over a corpus' own folds with several seeds.

    python -m recipes.benchmarks.scene_folds --data PATH --models residual_tiny --seeds 3
    python -m recipes.benchmarks.scene_folds --data PATH --ablation

Every fold is a row of the file `--rows`; what stands there is not done again, so that a run that
was stopped goes on, and several can fill one file side by side. From all rows comes the table: mean
and standard deviation over folds and seeds. `--ablation` leaves out, one at a time, what training
does to the sound.
"""

import argparse
import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.scenes import experiment as scenes
from zoo.cli import command
from zoo.cli.options import positive_int
from zoo.names import RENAMED, current_name

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: list[str] | None = None) -> int:
    """Run what is missing, then write and print the table."""
    options = parser().parse_args(arguments)
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    runs = [(model, seed, ()) for seed in range(options.seeds) for model in options.models]
    if options.ablation:
        runs += [(model, 0, (left,)) for model in options.models for left in scenes.CHANGES]
        runs += [(model, 0, scenes.CHANGES) for model in options.models]
    for model, seed, without in runs:
        for row in folds_of(options, model, seed, without):
            with open(options.rows, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    table = table_of(rows_in(options.rows))
    print(table)
    options.rows.with_suffix(".md").write_text(table + "\n", encoding="utf-8")
    return 0


def folds_of(
    options: argparse.Namespace, model: str, seed: int, without: tuple[str, ...]
) -> Iterator[dict]:
    """Train and test on each fold that has no row yet."""
    words = ["--data", str(options.data), "--model", model, "--seed", str(seed)]
    words += ["--epochs", str(options.epochs)]
    if without:
        words += ["--without", *without]
    elif options.checkpoint:
        words += ["--checkpoint", str(options.checkpoint)]
    given = scenes.parser().parse_args(words)
    plan = scenes.plan_of(given)

    from zoo import crossvalidation
    from zoo.convnets import split_model
    from zoo.data.folds import folds
    from zoo.metrics import multiclass as classification

    clips, about = scenes.loaded(given)
    build = scenes.builder(given, clips, about["duration_s"])
    whole = build()
    front, _ = split_model(whole)
    key = {
        "data": options.data.resolve().name,
        "model": model,
        "front": crossvalidation.fixed(front),
        "without": list(without),
        "seed": seed,
        "steps": plan.epochs * plan.steps,
    }
    done = [row["fold"] for row in rows_in(options.rows) if key.items() <= row.items()]
    parts = folds(clips.index, count=scenes.fold_count(clips, given), seed=seed)
    missing = [fold for fold in parts if fold.name not in done]
    if not missing:
        return
    features = scenes.seen(clips, whole, about["duration_s"], without)
    for fold in missing:
        began = time.monotonic()
        result = crossvalidation.on_fold(build, features, fold, plan)
        accuracy, baseline = (
            classification.accuracy(told.labels, told.probabilities)
            for told in (result.test, result.baseline)
        )
        seconds = round(time.monotonic() - began)
        yield {
            **key,
            "fold": fold.name,
            "accuracy": accuracy,
            "baseline": baseline,
            "clips": len(result.test.labels),
            "parameters": whole.count_params(),
            "seconds": seconds,
        }


def rows_in(path: Path) -> list[dict]:
    """All rows so far."""
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{**row, "model": RENAMED.get(row["model"], row["model"])} for row in rows]


def table_of(rows: list[dict]) -> str:
    """Markdown: a line for each model and what was left out, and the commands that made them."""
    import pandas as pd

    from zoo.report import Column, Table

    data = pd.DataFrame(rows)
    data["left out"] = data["without"].map(
        lambda names: "everything" if len(names) == len(scenes.CHANGES) else ", ".join(names) or "–"
    )
    lines = [
        [
            *key,
            runs["seed"].nunique(),
            f"{100 * runs['accuracy'].mean():.1f} ± {100 * runs['accuracy'].std():.1f}",
            ", ".join(f"{100 * x:.1f}" for x in runs.groupby("fold")["accuracy"].mean()),
        ]
        for key, runs in data.groupby(["model", "parameters", "left out", "steps"], sort=False)
    ]
    names = ("model", "parameters", "left out", "batches", "seeds", "accuracy [%]", "by fold [%]")
    baseline = data.groupby("fold")["baseline"].first().mean()
    table = Table(
        [Column(name, number=",d") for name in names],
        lines,
        "Accuracy on folds held out, mean ± standard deviation over folds and seeds. A linear "
        f"regression on band statistics reaches {100 * baseline:.1f} % on the same folds.",
    )
    made_by = "\n".join(f"    {_command(runs)}" for _, runs in data.groupby("model", sort=False))
    return f"{table.markdown()}\n{table.caption}\n\nMade by\n\n{made_by}"


def _command(runs: "pd.DataFrame") -> str:
    """What makes all rows of one model."""
    row, whole = runs.iloc[0], runs["left out"] == "–"
    words = ["python", "-m", "recipes.benchmarks.scene_folds", "--data", row["data"]]
    words += ["--models", row["model"], "--seeds", str(runs[whole]["seed"].nunique())]
    if row["steps"] != 800:
        words += ["--epochs", str(row["steps"] // 20)]
    return shlex.join(words if whole.all() else [*words, "--ablation"])


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.scene_folds", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of a corpus with folds")
    parser.add_argument(
        "--models", nargs="+", type=current_name, choices=scenes.MODELS, default=["residual_tiny"]
    )
    parser.add_argument("--seeds", type=positive_int, default=1, help="how many, from 0")
    parser.add_argument("--ablation", action="store_true", help="leave out each change in turn")
    parser.add_argument("--epochs", type=positive_int, default=40, help="of 20 batches each")
    parser.add_argument("--rows", type=Path, default=Path("reports/scene_folds.jsonl"))
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="that recipes.scenes goes on from"
    )
    return parser


if __name__ == "__main__":
    command.run(main, convolutions=True)
