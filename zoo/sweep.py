"""Sweep: a recipe run with every combination of some of its options, over several seeds.

Each run is a run of the recipe as its command line would do it, in a folder of its own, with its
report, model and manifest. Runs that have their model are not repeated, so that a sweep that was
stopped, or that gets more values, goes on where it was.
"""

import csv
import importlib
import importlib.util
import io
import itertools
import re
import runpy
import statistics
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.files import write_text
from zoo.manifest import NAME, read_manifest, verify_folder
from zoo.progress import say
from zoo.report import Column, Table
from zoo.tasks import Outcome, Task, Workers, run_tasks

OWN_OPTIONS = ("seed", "out", "checkpoint", "publish")  # that a sweep gives itself
NEEDED_OPTIONS = ("seed", "out", "publish")  # of a recipe that trains and exports one model
CSV = "sweep.csv"

Values = tuple[str, ...]


@dataclass(frozen=True)
class SweepSettings:
    """A recipe and the options that its runs get.

    Attributes:
        recipe: name, and words behind it: ("hysteresis",) or ("materials", "train", "emsc").
        vary: option without dashes -> values, of which each run gets one.
        fixed: option without dashes -> its words in every run; none for a switch.
        seeds: runs of each combination, from seed 0.
        folder: of all runs and of the table.
        workers: where the runs go; None: one process at a time.
    """

    recipe: tuple[str, ...]
    vary: Mapping[str, Values]
    fixed: Mapping[str, Values]
    seeds: int
    folder: Path
    workers: Workers | None = None


@dataclass(frozen=True)
class Run:
    """One run of a sweep.

    Attributes:
        values: option -> value, those that are varied.
        seed: of the run.
        folder: of its report and model.
        words: command line behind the recipe's name.
    """

    values: dict[str, str]
    seed: int
    folder: Path
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its values and its seed, also the name of its folder."""
        return self.folder.name

    @property
    def model(self) -> Path:
        """Folder of its exported model."""
        return self.folder / "model"


def run_sweep(settings: SweepSettings) -> tuple[list[Run], list[Outcome]]:
    """Run what is missing and write `sweep.csv`, a row for each run.

    Args:
        settings: recipe, options, seeds, folder, workers.

    Returns:
        The runs, and how each of them ended.

    Raises:
        ValueError: no such recipe, or one that exports no model; an option that a sweep sets.
        SystemExit: options that the recipe refuses, with its own message.
        KeyboardInterrupt: the same command goes on.
    """
    module = recipe_module(settings.recipe[0])
    runs = make_runs(settings, module)
    tasks = [
        Task(
            run.name,
            "zoo.sweep:run_recipe",
            {"module": module, "words": run.words},
            run.model / NAME,
            run.folder / "log.txt",
        )
        for run in runs
    ]
    outcomes = run_tasks(tasks, settings.workers, is_done=lambda task: _is_exported(task.result))
    write_text(settings.folder / CSV, sweep_csv(runs, outcomes))
    return runs, outcomes


def recipe_module(name: str) -> str:
    """Module of a recipe's command line.

    Raises:
        ValueError: there is no such recipe.
    """
    module = f"recipes.{name.replace('-', '_')}"
    if not re.fullmatch(r"[\w-]+", name) or not _has_command_line(module):
        raise ValueError(f"{name}: no such recipe. Expected one such as hysteresis or scenes.")
    return module


def _has_command_line(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    if not is_package or importlib.util.find_spec(f"{module}.__main__") is None:
        return False
    # `recipes.app` has a command line and no parser of a run's options: it trains nothing
    return hasattr(importlib.import_module(f"{module}.__main__"), "parser")


def make_runs(settings: SweepSettings, module: str) -> list[Run]:
    """Runs of a sweep: all combinations, seed by seed; the recipe has read the options of each.

    Args:
        settings: of the sweep.
        module: of the recipe.

    Raises:
        ValueError: see `run_sweep`.
        SystemExit: see `run_sweep`.
    """
    for name in (*settings.vary, *settings.fixed):
        if name in OWN_OPTIONS:
            raise ValueError(
                f"--{name} is set by the sweep. Leave it out; --seeds and --out are its own."
            )
    if both := [name for name in settings.vary if name in settings.fixed]:
        raise ValueError(f"--{both[0]} is both varied and set. Leave out one of them.")
    parser: ArgumentParser = importlib.import_module(f"{module}.__main__").parser()
    combinations = [
        dict(zip(settings.vary, values, strict=True))
        for values in itertools.product(*settings.vary.values())
    ]
    runs = [
        _make_run(settings, parser, values, seed)
        for seed in range(settings.seeds)
        for values in combinations
    ]
    if len({run.folder for run in runs}) < len(runs):
        raise ValueError("Two runs are the same. Give every value of --vary once.")
    return runs


def _make_run(
    settings: SweepSettings, parser: ArgumentParser, values: dict[str, str], seed: int
) -> Run:
    named = [*(f"{name}={value}" for name, value in values.items()), f"seed={seed}"]
    folder = settings.folder / re.sub(r"[^\w.=,+-]", "_", ",".join(named))
    words = list(settings.recipe[1:])
    for name, value in values.items():
        words.append(f"--{name}={value}")  # in one word: a value may begin with a dash
    for name, fixed in settings.fixed.items():
        words += [f"--{name}={fixed[0]}"] if len(fixed) == 1 else [f"--{name}", *fixed]
    words += [f"--seed={seed}", f"--out={folder}"]
    options = parser.parse_args(words)
    if missing := [name for name in NEEDED_OPTIONS if not hasattr(options, name)]:
        raise ValueError(
            f"{' '.join(settings.recipe)} has no --{missing[0]}. Expected a recipe that trains and "
            "exports one model, such as hysteresis, scenes or materials train lstm."
        )
    if _has_checkpoint_file(parser, options):
        words.append(f"--checkpoint={folder / 'checkpoint.npz'}")
    return Run(values, seed, folder, tuple(words))


def _has_checkpoint_file(parser: ArgumentParser, options: Namespace) -> bool:
    """Whether a recipe keeps a checkpoint in a file only where it is told to.

    Recipes with a folder of checkpoints keep them in the folder of the run.
    """
    actions = getattr(options, "parser", parser)._actions
    return any(each.dest == "checkpoint" and each.metavar != "FOLDER" for each in actions)


def run_recipe(module: str, words: Sequence[str]) -> None:
    """In a worker: run a recipe as its command line does.

    Args:
        module: of the recipe.
        words: of the command line.

    Raises:
        SystemExit: with its exit code.
    """
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _is_exported(manifest: Path) -> bool:
    """Whether a run has its model; an interrupted training has no result."""
    try:
        training = verify_folder(manifest.parent).get("training")
    except (ValueError, OSError):
        return False
    return not isinstance(training, dict) or training.get("ended") != "interrupted"


def read_metrics(run: Run) -> dict[str, float]:
    """Metrics in the manifest of a run, "data: metric" -> value; empty without a model."""
    if not _is_exported(run.model / NAME):
        return {}
    metrics: Mapping[str, Mapping[str, Any]] = read_manifest(run.model)["metrics"]
    return {
        f"{data}: {name}": entry["value"]
        for data, entries in metrics.items()
        for name, entry in entries.items()
        if entry.get("value") is not None
    }


def sweep_csv(runs: Sequence[Run], outcomes: Sequence[Outcome]) -> str:
    """A row for each run: values, seed, every metric in full precision, and why it failed."""
    metrics = [read_metrics(run) for run in runs]
    names = list(dict.fromkeys(name for each in metrics for name in each))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*runs[0].values, "seed", *names, "error"])
    for run, values, outcome in zip(runs, metrics, outcomes, strict=True):
        row = [values.get(name, "") for name in names]
        writer.writerow([*run.values.values(), run.seed, *row, outcome.error])
    return file.getvalue()


def sweep_table(runs: Sequence[Run]) -> Table:
    """A row for each combination: the first metric of each data set, mean and spread over seeds.

    Args:
        runs: of the sweep, those without a model included.
    """
    groups: dict[tuple[str, ...], list[dict[str, float]]] = {}
    for run in runs:
        groups.setdefault(tuple(run.values.values()), []).append(read_metrics(run))
    every = [name for results in groups.values() for each in results for name in each]
    first: dict[str, str] = {}
    for name in dict.fromkeys(every):
        first.setdefault(name.partition(": ")[0], name)
    rows = []
    for values, results in groups.items():
        done = [each for each in results if each]
        cells = [_mean_and_spread([e[name] for e in done if name in e]) for name in first.values()]
        rows.append([*values, f"{len(done)} of {len(results)}", *cells])
    columns = [*runs[0].values, "runs", *first.values()]
    return Table([Column(name) for name in columns], rows)


def _mean_and_spread(values: Sequence[float]) -> str | None:
    if not values:
        return None
    mean = f"{statistics.mean(values):.3g}"
    return f"{mean} ± {statistics.stdev(values):.2g}" if len(values) > 1 else mean


def describe_failures(outcomes: Sequence[Outcome]) -> None:
    """Write a line for each run that failed, with the place of its log."""
    for outcome in outcomes:
        if outcome.error:
            say(f"{outcome.task.name}: {outcome.error} (log: {outcome.task.log})")
