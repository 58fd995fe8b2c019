"""Run tests in forks of a process that has imported TensorFlow, Keras and SciPy, but never `zoo`.

`mutate.py` starts this with the Python that has the packages. A fork costs a second where a new
process costs five; TensorFlow starts its threads with its first computation, which the parent never
makes. Records which lines each test runs, and tries changed modules on the tests that run the line.
"""

import contextlib
import hashlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

IMPORTS = (
    *("numpy", "scipy.optimize", "scipy.signal", "scipy.special", "scipy.integrate", "pandas"),
    *("tensorflow", "keras", "matplotlib.pyplot", "soundfile", "soxr", "pytest"),
    "ai_edge_litert.interpreter",
)
RECORD_S = 1800.0  # of one test file
TOOK_TOO_LONG = "time"


class Recorder:
    """Pytest plugin: lines that the import, the set-up and the call of each test run."""

    def __init__(self, root: Path, modules: list[str]) -> None:
        self.files = {str(root / module): module for module in modules}
        self.imports: set[tuple[str, int]] = set()
        self.lines = self.imports
        self.tests: dict[str, dict[str, Any]] = {}

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """For sys.settrace: note the line where the file is one of those that count."""
        module = self.files.get(frame.f_code.co_filename)
        if module is None:
            return None
        self.lines.add((module, frame.f_lineno))
        return self.trace

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Begin a test."""
        self.tests[item.nodeid] = {
            "fixtures": sorted(item.fixturenames),
            "setup": set(),
            "call": set(),
            "seconds": 0.0,
            "passed": True,
        }

    def pytest_runtest_setup(self, item: Any) -> None:
        """Lines from here on belong to fixtures."""
        self.lines = self.tests[item.nodeid]["setup"]

    def pytest_runtest_call(self, item: Any) -> None:
        """Lines from here on belong to the test."""
        self.lines = self.tests[item.nodeid]["call"]
        self.tests[item.nodeid]["seconds"] -= _processor_s()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note processor time and outcome; a busy machine does not change what is tried."""
        test = self.tests[report.nodeid]
        test["passed"] &= report.passed
        test["seconds"] += _processor_s() if report.when == "call" else 0.0

    def result(self) -> dict[str, Any]:
        """What was recorded, as JSON."""
        tests = {
            name: {**test, "setup": _by_module(test["setup"]), "call": _by_module(test["call"])}
            for name, test in self.tests.items()
            if test["passed"]
        }
        return {"imports": _by_module(self.imports), "tests": tests}


class Selection:
    """Pytest plugin: run these tests only, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {name: place for place, name in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )


def _processor_s() -> float:
    """Processor time of this process and of those that it has waited for [s]."""
    return sum(os.times()[:4])


def _by_module(lines: set[tuple[str, int]]) -> dict[str, list[int]]:
    modules: dict[str, list[int]] = {}
    for module, line in sorted(lines):
        modules.setdefault(module, []).append(line)
    return modules


def run_tests(root: Path, files: list[str], log: Path, limit_s: float, plugin: Any) -> int | str:
    """Exit code of pytest in a fork; `TOOK_TOO_LONG` where it was stopped."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            code = _run_pytest(root, files, plugin, log)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    end = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done or time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):  # what the tests left running
                os.killpg(child, signal.SIGKILL)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.waitpid(child, 0)
            return TOOK_TOO_LONG
        time.sleep(0.02)


def _run_pytest(root: Path, files: list[str], plugin: Any, log: Path) -> int:
    import pytest  # imported by the parent already

    os.chdir(root)
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = str(root)  # for processes that tests start
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files]
    if not isinstance(plugin, Recorder):
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        return int(pytest.main(["-x", *words], plugins=[plugin]))
    sys.settrace(plugin.trace)
    try:
        code = int(pytest.main(words, plugins=[plugin]))
    finally:
        sys.settrace(None)
    log.with_suffix(".json").write_text(json.dumps(plugin.result()))
    return code


def record(root: Path, modules: list[str], tests: list[str], work: Path) -> None:
    """Record each test file once for this state of it and of the modules.

    Args:
        root: of the copy.
        modules: whose lines count, relative to `root`.
        tests: test files, relative to `root`.
        work: folder of what was recorded, `<test file>.json`.
    """
    sources = b"".join((root / module).read_bytes() for module in modules)
    for test in tests:
        log = work / (test.replace("/", "-") + ".log")
        digest = hashlib.sha256(sources + (root / test).read_bytes()).hexdigest()
        stamp = log.with_suffix(".sha256")
        if stamp.exists() and stamp.read_text() == digest:
            continue
        started = time.monotonic()
        code = run_tests(root, [test], log, RECORD_S, Recorder(root, modules))
        print(f"recorded {test}: exit code {code}, {time.monotonic() - started:.0f} s", flush=True)
        if code not in (0, 1, 5):
            raise SystemExit(f"{test}: could not be run, see {log}")
        stamp.write_text(digest)


@contextlib.contextmanager
def changed(path: Path, content: str, number: int) -> Iterator[None]:
    """A module with another content and a time of its own, so that no compiled file is taken."""
    original, times = path.read_bytes(), path.stat()
    path.write_text(content, encoding="utf-8")
    os.utime(path, (times.st_atime, int(times.st_mtime) + 1000 + number))
    try:
        yield
    finally:
        path.write_bytes(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def try_mutants(root: Path, plan: Path, results: Path) -> None:
    """Try each mutant of a plan, and write its outcome as a line of JSON.

    Args:
        root: of the copy.
        plan: JSON list of mutants: module, content, tests, limit_s, key.
        results: JSON lines of key and outcome; those that stand there are not tried again.
    """
    done = set()
    if results.exists():
        done = {json.loads(line)["key"] for line in results.read_text().splitlines()}
    mutants = json.loads(plan.read_text())
    for number, mutant in enumerate(mutants, 1):
        if mutant["key"] in done:
            continue
        files = list(dict.fromkeys(test.split("::")[0] for test in mutant["tests"]))
        log = results.with_suffix(".log")
        started = time.monotonic()
        with changed(root / mutant["module"], mutant["content"], number):
            code = run_tests(root, files, log, mutant["limit_s"], Selection(mutant["tests"]))
        seconds = time.monotonic() - started
        outcome = {0: "survived", 5: "survived", TOOK_TOO_LONG: TOOK_TOO_LONG}.get(code, "killed")
        row = {"key": mutant["key"], "outcome": outcome, "seconds": round(seconds, 1), "exit": code}
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            f"{number} of {len(mutants)}: {outcome}, {seconds:.0f} s: {mutant['key']}", flush=True
        )


def main() -> None:
    """Import what is slow, then do what the file of instructions says."""
    for name in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    for name in ("INTRA", "INTER"):
        os.environ.setdefault(f"TF_NUM_{name}OP_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.path[:] = [
        path for path in sys.path if not Path(path or ".", "zoo", "__init__.py").exists()
    ]
    words = json.loads(Path(sys.argv[1]).read_text())
    for name in IMPORTS:
        importlib.import_module(name)
    assert "zoo" not in sys.modules
    root = Path(words["root"])
    if words["do"] == "record":
        record(root, words["modules"], words["tests"], Path(words["work"]))
    else:
        try_mutants(root, Path(words["plan"]), Path(words["results"]))


if __name__ == "__main__":
    main()
