"""A child process ends with its parent."""

import ast
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

POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from zoo.processes import end_with_parent
with ProcessPoolExecutor(1, initializer=end_with_parent, initargs=(os.getpid(),)) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def has_ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone can do this")
@pytest.mark.parametrize("code", [PARENT, POOL], ids=["command", "pool"])
def test_a_child_ends_when_its_parent_is_killed(code):
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
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


def test_every_child_of_the_package_ends_with_it():
    """A Python process or a pool that is started bare would outlive a killed command."""
    bare, count = [], 0
    paths = [*ROOT.glob("zoo/**/*.py"), *ROOT.glob("recipes/**/*.py")]
    for path in [each for each in paths if "benchmarks" not in each.parts]:
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in ("subprocess.run", "subprocess.Popen") and node.args:
                count += 1
                if "sys.executable" in ast.unparse(node.args[0]):
                    is_bound = ast.unparse(node.args[0]).startswith("with_parent(")
                    bare += [] if is_bound else [f"{path}:{node.lineno}"]
            if name.endswith("ProcessPoolExecutor"):
                count += 1
                is_bound = any(each.arg == "initializer" for each in node.keywords)
                bare += [] if is_bound else [f"{path}:{node.lineno}"]
    assert bare == [] and count >= 4
