"""A run that is killed at a random moment and started again ends as one that was not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recipes.benchmarks.kills import experiment
from recipes.benchmarks.kills.settings import CASES, Settings

ROOT = Path(__file__).parents[3]


# The folds of scenes and of wheeze are resumed by the same function; those of scenes take the time
# of all others together, and are left to the command.
KILLED = [name for name in CASES if name != "scenes"]


def test_every_way_to_resume_goes_on_to_the_bit_after_a_kill(tmp_path):
    """In a process of its own, since it forks before TensorFlow has threads."""
    words = [sys.executable, "-m", "recipes.benchmarks.kills", "--kills", "1", "--out", "out"]
    words += ["--cases", *KILLED]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out" / "kills.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    counts = {row[0]: [int(cell) for cell in row[1:4]] for row in rows if len(row) == 5}
    assert set(counts) == {*KILLED, "all"}
    assert all(kills >= 1 and runs >= 1 and wrong == 0 for kills, runs, wrong in counts.values())


def run_later(seconds):
    """A case that takes a while, by a command of the system, and notes how often it was begun."""

    def run(folder):
        with (folder / "begun").open("a") as file:
            file.write("x")
        if (folder / "begun").stat().st_size > 1 and (folder.parent / "fails").exists():
            raise ValueError("cannot go on")
        subprocess.run(["sleep", str(seconds)], check=True)
        return "done"

    return run


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_that_cannot_go_on_after_a_kill_is_no_kill_but_wrong(tmp_path, monkeypatch, fails):
    monkeypatch.setitem(experiment.RUN, "identify", run_later(0.3))
    if fails:
        (tmp_path / "fails").touch()
    rng = np.random.default_rng(0)
    kills, runs, wrong = experiment.kill_case("identify", tmp_path, 3, rng)
    assert kills == 3 and runs >= 1
    assert (wrong > 0) == fails


def test_rows_of_cases_that_are_not_run_again_stay(tmp_path):
    file = tmp_path / "kills.md"
    first = [["hysteresis", 8, 7, 0, 0], ["scenes", 8, 1, 0, 0]]
    table = experiment._table(first, Settings(out=tmp_path))
    file.write_text(f"{table.markdown()}\n{table.caption}\n")
    rows = experiment._with_earlier([["scenes", 3, 2, 1, 5], ["identify", 1, 1, 0, 5]], file)
    assert rows == [["hysteresis", 8, 7, 0, 0], ["scenes", 3, 2, 1, 5], ["identify", 1, 1, 0, 5]]
