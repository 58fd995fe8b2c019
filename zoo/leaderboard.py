"""Leaderboard: models compared under one budget, over several seeds.

Each trial, a model and a seed, runs in a process of its own and leaves one JSON file when it ends,
so that a board that was stopped goes on where it was. `run_trials` runs those that are missing,
`read_board` collects all that are there, `board_table` and `board_csv` write them down.
"""

import csv
import io
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from zoo.files import read_regular, write_text
from zoo.report import Column, Table
from zoo.tasks import Task, Workers, require_done, run_tasks


class Trial(NamedTuple):
    """One run of the board.

    Attributes:
        model: name.
        seed: from 0.
    """

    model: str
    seed: int


@dataclass(frozen=True)
class TrialResult:
    """Outcome of a trial.

    Attributes:
        model: name.
        seed: from 0.
        parameters: of the model.
        seconds: of training [s].
        ended: how training ended, see `zoo.training.History`.
        errors: column of the board -> value [-].
        constants: physical constants of the model, if it has any.
    """

    model: str
    seed: int
    parameters: int
    seconds: float
    ended: str
    errors: dict[str, float]
    constants: dict[str, Any] = field(default_factory=dict)


_FIELDS = {each.name for each in fields(TrialResult)}


def trial_file(folder: Path, trial: Trial) -> Path:
    """JSON file of a trial's result."""
    return folder / f"{trial.model}-{trial.seed}.json"


def checkpoint_file(folder: Path, trial: Trial) -> Path:
    """Checkpoint of a trial that is under way."""
    return trial_file(folder, trial).with_suffix(".npz")


def write_result(folder: Path, result: TrialResult) -> None:
    """Write the JSON file of a trial."""
    path = trial_file(folder, Trial(result.model, result.seed))
    write_text(path, json.dumps(asdict(result), indent=1))


def run_trials(
    trials: Sequence[Trial],
    folder: Path,
    function: str,
    settings: Any,
    *,
    workers: Workers | None = None,
) -> None:
    """Run the trials that have no result yet, each in a process of its own.

    Args:
        trials: of the board.
        folder: of the results.
        function: "package.module:name" of `name(settings, model, seed)`, which runs a trial, goes
            on from its checkpoint, and writes its result.
        settings: of the board; they can be pickled.
        workers: where trials run; None: one process at a time.

    Raises:
        ValueError: trials failed; names the first with its reason.
        KeyboardInterrupt: a trial was interrupted; it goes on from its checkpoint next time.
    """
    tasks = [
        Task(
            f"{trial.model}, seed {trial.seed}",
            function,
            {"settings": settings, "model": trial.model, "seed": trial.seed},
            trial_file(folder, trial),
        )
        for trial in trials
    ]
    outcomes = run_tasks(
        tasks, workers, is_done=lambda task: _read_entries(task.result) is not None
    )
    require_done(outcomes, "trials")


def read_board(folder: Path, models: Sequence[str]) -> dict[str, list[TrialResult]]:
    """Results in a folder by model, sorted by seed.

    Args:
        folder: of the results.
        models: in the order of the board; results of others are left out.
    """
    entries = [_read_entries(path) for path in sorted(folder.glob("*.json"))]
    results = [TrialResult(**each) for each in entries if each is not None]
    board = {m: [r for r in results if r.model == m] for m in models}
    return {m: sorted(trials, key=lambda r: r.seed) for m, trials in board.items() if trials}


def _read_entries(path: Path) -> dict[str, Any] | None:
    """Entries of a trial's file; None where there is none, or not that of a whole trial."""
    try:
        entries = json.loads(read_regular(path))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    if not isinstance(entries, dict) or set(entries) != _FIELDS:
        return None
    return None if entries["ended"] == "interrupted" else entries


def board_table(board: dict[str, list[TrialResult]], caption: str) -> Table:
    """A row for each model: parameters, seeds, median seconds, mean ± deviation of each error.

    Args:
        board: from `read_board`.
        caption: of the table.
    """
    names = list(next(iter(board.values()))[0].errors)
    rows = []
    for model, results in board.items():
        # the median: a trial that was halted for a while does not affect it
        seconds = round(statistics.median(r.seconds for r in results))
        errors = [format_spread([r.errors[name] for r in results]) for name in names]
        rows.append([model, f"{results[0].parameters:,}", len(results), seconds, *errors])
    columns = ["model", "parameters", "seeds", "seconds", *names]
    diverged = [
        f"{r.model}, seed {r.seed}"
        for each in board.values()
        for r in each
        if r.ended == "diverged"
    ]
    if diverged:
        caption += f" Diverged, scored with the weights before: {'; '.join(diverged)}."
    return Table([Column(name) for name in columns], rows, caption)


def board_csv(board: dict[str, list[TrialResult]]) -> str:
    """A row for each trial, in full precision; RFC 4180 but for its line ends."""
    results = [result for each in board.values() for result in each]
    names = list(results[0].errors)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["model", "seed", "parameters", "seconds", *names, "constants"])
    for r in results:
        errors = [r.errors[name] for name in names]
        head = [r.model, r.seed, r.parameters, round(r.seconds, 1)]
        writer.writerow([*head, *errors, json.dumps(r.constants)])
    return file.getvalue()


def board_from_csv(text: str) -> dict[str, list[TrialResult]]:
    """Model -> its trials, from the text of `board_csv`.

    Args:
        text: of the file; empty for no trials.

    Raises:
        ValueError: a text that `board_csv` has not written.
    """
    board: dict[str, list[TrialResult]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        try:
            constants = json.loads(row.pop("constants"))
            model, seed = row.pop("model"), int(row.pop("seed"))
            parameters, seconds = int(row.pop("parameters")), float(row.pop("seconds"))
            errors = {name: float(value) for name, value in row.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"Expected a leaderboard's CSV text. Received a row that is none: {error}."
            ) from None
        trial = TrialResult(model, seed, parameters, seconds, "complete", errors, constants)
        board.setdefault(model, []).append(trial)
    return board


def format_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation, in thousandths; the mean alone for a single value."""
    mean = f"{1e3 * statistics.mean(values):.3g}"
    return f"{mean} ± {1e3 * statistics.stdev(values):.2g}" if len(values) > 1 else mean
