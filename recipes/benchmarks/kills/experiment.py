"""Kill, start again, compare with a run that nobody stopped."""

import os
import shutil
import signal
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from recipes.benchmarks.kills.cases import PREPARE, RUN
from recipes.benchmarks.kills.settings import CASES, Settings
from zoo.files import write_text
from zoo.progress import say
from zoo.report import Column, Table, earlier_rows

HEADINGS = ("case", "kills", "runs to the end", "of them with another result", "seed")
RESULT, FAILED = "result.txt", "failed"
MAX_S = 600.0  # of one run


def run(settings: Settings) -> int:
    """Kill every case, print and write the table; returns 1 if one ended otherwise.

    Raises:
        ValueError: a case that fails without being killed.
    """
    rows: list[list[Any]] = []
    file = settings.out / "kills.md"
    table = _table(rows, settings)
    work = Path(tempfile.mkdtemp(prefix="zoo-kills-"))
    for name in settings.cases:
        rng = np.random.default_rng([settings.seed, CASES.index(name)])
        rows.append([name, *kill_case(name, work / name, settings.kills, rng), settings.seed])
        say(f"{name}: {rows[-1][1:]}")
        table = _table(_with_earlier(rows, file), settings)
        # after each case: a run may take an hour
        write_text(file, f"{table.markdown()}\n{table.caption}\n")
    print(table.text())
    wrong = sum(row[3] for row in rows)
    if not wrong:
        shutil.rmtree(work)
    return int(wrong > 0)


def _with_earlier(rows: list[list[Any]], file: Path) -> list[list[Any]]:
    """Rows of this run, and of a table that is there those of cases that were not run again."""
    earlier = earlier_rows(file, len(HEADINGS), CASES)
    row_of_case = {name: [name, *map(int, cells[1:])] for name, cells in earlier.items()}
    row_of_case |= {row[0]: row for row in rows}
    return [row_of_case[name] for name in CASES if name in row_of_case]


def _table(rows: list[list[Any]], settings: Settings) -> Table:
    total = ["all", *(sum(row[k] for row in rows) for k in (1, 2, 3)), ""]
    words = f"--kills {settings.kills} --out {settings.out}"
    caption = (
        "kill -9 at random moments of a run, drawn by the seed; started again, it must give "
        f"what a whole run gives: `python -m recipes.benchmarks.kills {words}`, "
        "where `--cases` renews some rows and keeps the others."
    )
    return Table([Column(each) for each in HEADINGS], [*rows, total], caption)


def kill_case(
    name: str, folder: Path, kills: int, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Kill runs of a case until there were enough kills.

    Args:
        name: of the case.
        folder: of its runs, to be made.
        kills: at least so many.
        rng: of the moments.

    Returns:
        Kills; runs that were started again until they ended; how many of these ended otherwise
        than the run that was not killed.

    Raises:
        ValueError: it fails without being killed.
    """
    PREPARE.get(name, lambda: None)()
    started = time.monotonic()
    expected = _run_once(name, folder / "whole", None)
    if expected in (None, FAILED):
        raise ValueError(f"{name}: fails without being killed; see {folder / 'whole' / 'log.txt'}.")
    seconds = time.monotonic() - started
    done = runs = wrong = 0
    while done < kills:
        runs += 1
        result = None
        for _ in range(50):
            after_s = float(rng.uniform(0.05, 1.0)) * seconds
            result = _run_once(name, folder / f"run-{runs}", after_s)
            if result is not None:
                break
            done += 1
            if done >= kills:
                result = _run_once(name, folder / f"run-{runs}", None)
                break
        wrong += result != expected
        if result != expected:
            say(f"{name}, run {runs}: {result!r}, expected {expected!r}")
    return done, runs, wrong


def _run_once(name: str, folder: Path, kill_after_s: float | None) -> str | None:
    """Result of a run in a process of its own; "failed" where it ended by itself; None: killed."""
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / RESULT
    child = os.fork()  # TensorFlow is imported and has not computed anything: no thread is lost
    if child == 0:
        _be_child(name, folder)
    end = time.monotonic() + (MAX_S if kill_after_s is None else kill_after_s)
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
        time.sleep(0.01)
    if result.exists():
        return result.read_text()
    is_killed = kill_after_s is not None and ended[1] == signal.SIGKILL
    return None if is_killed else FAILED


def _be_child(name: str, folder: Path) -> None:
    """Run a case and end the process."""
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        text = RUN[name](folder)
        write_text(folder / RESULT, text)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
