"""Full disks and missing rights: what stood there stays, and the message is one line."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.benchmarks.faults import experiment, injection
from recipes.benchmarks.faults.jobs import JOBS

ROOT = Path(__file__).parents[3]
FAULTS = ("full disk", "quota of 0 bytes a file", "folder may not be written", "target is a folder")


def test_a_full_disk_and_missing_rights_leave_everything_as_it_was(tmp_path):
    """In a process of its own, since it forks before TensorFlow has threads."""
    words = [sys.executable, "-m", "recipes.benchmarks.faults", "--out", "out"]
    words += ["--jobs", "text", "checkpoint", "--faults", *FAULTS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:] if line]
    assert [row[0] for row in rows] == ["text", "checkpoint", "all"]
    tried, held, broke, not_possible = map(int, rows[-1][1:])
    assert (tried + not_possible, held, broke) == (8, tried, 0)
    assert tried >= 4  # where mounts and capabilities are forbidden


@pytest.mark.parametrize(
    ("result", "after", "why"),
    [
        ([2, "", "error: /a/b: No space left on device\n"], "old", ""),
        ([2, "", "error: /a/b: No space left on device\n"], "half", "refused, and left"),
        ([2, "", "error: No space left on device\n"], "old", "does not name the file"),
        ([2, "", "error: /a/.0a1b2c3d.b: No space left\n"], "old", "does not name the file"),
        ([2, "", "error: /a/b: no\nerror: twice\n"], "old", "exit code 2"),
        ([1, "", "Traceback"], "old", "exit code 1"),
        ([0, "read", ""], "new", ""),
        ([0, "read", ""], "half", "exit code 0, left"),
        ([0, "other", ""], "new", "read 'other'"),
        (None, "old", "hung"),
    ],
)
def test_what_counts_as_broken(result, after, why):
    found = experiment._judge(result, "read", "old", after, "new")
    assert found.startswith(why) and bool(found) == bool(why)


def test_a_call_fails_as_on_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "fsync", os.fsync)  # put back afterwards
    injection._fail_call("fsync", 2)
    file = os.open(tmp_path, os.O_RDONLY)
    os.fsync(file)
    with pytest.raises(OSError) as caught:
        os.fsync(file)
    assert caught.value.errno == errno.ENOSPC
    os.fsync(file)
    os.close(file)


def test_every_job_meets_faults():
    for job in JOBS.values():
        assert sum(fault.fits(job) for fault in injection.FAULTS) >= 5
