"""A run that is killed at a random moment and started again ends as one that was not."""

import os
import subprocess
import sys
from pathlib import Path

from recipes.benchmarks.kills.settings import CASES

ROOT = Path(__file__).parents[3]


def test_every_recipe_resumes_to_the_bit_after_a_kill(tmp_path):
    """In a process of its own, since it forks before TensorFlow has threads."""
    words = [sys.executable, "-m", "recipes.benchmarks.kills", "--kills", "1", "--out", "out"]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    rows = [row for row in rows if row and all(cell.isdigit() for cell in row[1:])]
    counts = {row[0]: [int(cell) for cell in row[1:]] for row in rows}
    assert set(counts) == {*CASES, "all"}
    assert all(kills >= 1 and runs >= 1 and wrong == 0 for kills, runs, wrong in counts.values())
