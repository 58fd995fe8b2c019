"""A child process ends with its parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo.processes import with_parent

ROOT = Path(__file__).parents[2]
PARENT = """
import subprocess, sys
from zoo.processes import with_parent
child = subprocess.Popen(with_parent([sys.executable, "-c", "import time; time.sleep(60)"]))
print(child.pid, flush=True)
child.wait()
"""


def has_ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone can do this")
def test_a_child_ends_when_its_parent_is_killed():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        assert not has_ended(pid)
        parent.kill()
    ends = time.monotonic() + 20
    while not has_ended(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    assert has_ended(pid)


def test_the_command_runs_as_it_is():
    words = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "-c"]
    done = subprocess.run(with_parent(words), capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', '-c']\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone can do this")
def test_a_child_whose_parent_is_gone_already_does_not_begin():
    words = with_parent([sys.executable, "-c", "print('ran')"])
    words[words.index(str(os.getpid()))] = "1"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
