"""Run tests in forks of a process that has imported TensorFlow, Keras and SciPy, but never `zoo`.

`mutate.py` starts this with the Python that has the packages. A fork costs a second where a new
process costs five; TensorFlow starts its threads with its first computation, which the parent never
makes. Records which lines each test runs, and tries changed modules on the tests that run the line.
"""

import contextlib
import hashlib
import importlib
import json
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coverage import Coverage

IMPORTS = (
    *("numpy", "scipy.optimize", "scipy.signal", "scipy.special", "scipy.integrate", "pandas"),
    *("tensorflow", "keras", "matplotlib.pyplot", "soundfile", "soxr", "pytest"),
    "ai_edge_litert.interpreter",
)
RECORD_S = 1800.0  # processor time of one test file
CLOCK_S, CLOCK_FACTOR = 300.0, 10.0  # on the clock, beside so many times the processor time
TOOK_TOO_LONG = "no end"


class Recorder:
    """Pytest plugin: lines that the import, the set-up and the call of each test run."""

    def __init__(self, root: Path, modules: list[str]) -> None:
        self.files = {str(root / module): module for module in modules}
        self.coverage = Coverage(
            data_file=None, include=list(self.files), config_file=False, messages=False
        )
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Begin a test."""
        self.tests[item.nodeid] = {
            "fixtures": sorted(item.fixturenames),
            "setup": {},
            "call": {},
            "seconds": 0.0,
            "passed": True,
        }

    def pytest_runtest_setup(self, item: Any) -> None:
        """Lines from here on belong to fixtures."""
        self.coverage.switch_context(f"setup {item.nodeid}")

    def pytest_runtest_call(self, item: Any) -> None:
        """Lines from here on belong to the test."""
        self.coverage.switch_context(f"call {item.nodeid}")
        self.tests[item.nodeid]["seconds"] -= _processor_s()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note processor time and outcome; a busy machine does not change what is tried."""
        test = self.tests[report.nodeid]
        test["passed"] &= report.passed
        test["seconds"] += _processor_s() if report.when == "call" else 0.0

    def result(self) -> dict[str, Any]:
        """What was recorded, as JSON."""
        imports: dict[str, list[int]] = {}
        data = self.coverage.get_data()
        for file in data.measured_files():
            module = self.files[file]
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    when, _, test = context.partition(" ")
                    lines = self.tests[test][when] if test else imports
                    lines.setdefault(module, []).append(line)
        passed = {name: test for name, test in self.tests.items() if test["passed"]}
        return {"imports": imports, "tests": passed}


class Selection:
    """Pytest plugin: run these tests only, in this order; note in a file which ones fail."""

    def __init__(self, tests: list[str], failed: Path) -> None:
        self.order = {name: place for place, name in enumerate(tests)}
        self.failed = failed
        failed.write_text("")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test that fails."""
        if report.failed:
            with self.failed.open("a") as file:
                file.write(report.nodeid + "\n")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )


def _processor_s() -> float:
    """Processor time of this process and of those that it has waited for [s]."""
    return sum(os.times()[:4])


def run_tests(
    root: Path, files: list[str], log: Path, limit_s: float, plugin: Any, stop: bool = True
) -> int | str:
    """Exit code of pytest in a fork; `TOOK_TOO_LONG` where it was stopped.

    The limit is one of processor time, so that a busy machine changes no outcome; the clock only
    ends what waits for ever.
    """
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit_s), resource.RLIM_INFINITY))
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            code = _run_pytest(root, files, plugin, log, stop)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    end = time.monotonic() + CLOCK_S + CLOCK_FACTOR * limit_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done or time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):  # what the tests left running
                os.killpg(child, signal.SIGKILL)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return TOOK_TOO_LONG if code == -signal.SIGXCPU else code
        if time.monotonic() > end:
            os.waitpid(child, 0)
            return TOOK_TOO_LONG
        time.sleep(0.02)


def _run_pytest(root: Path, files: list[str], plugin: Any, log: Path, stop: bool) -> int:
    import pytest  # imported by the parent already

    os.chdir(root)
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = str(root)  # for processes that tests start
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files]
    if not isinstance(plugin, Recorder):
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        return int(pytest.main(["-x", *words] if stop else words, plugins=[plugin]))
    plugin.coverage.start()
    try:
        code = int(pytest.main(words, plugins=[plugin]))
    finally:
        plugin.coverage.stop()
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
    done: dict[str, Any] = {}
    if results.exists():
        rows = [json.loads(line) for line in results.read_text().splitlines()]
        done = {row["key"]: row for row in rows}
    mutants = json.loads(plan.read_text())
    log, failed = results.with_suffix(".log"), results.with_suffix(".failed")
    for number, mutant in enumerate(mutants, 1):
        if mutant["key"] in done:
            continue
        files = _files(mutant["tests"])
        started = time.monotonic()
        with changed(root / mutant["module"], mutant["content"], number):
            selection = Selection(mutant["tests"], failed)
            code = run_tests(root, files, log, mutant["limit_s"], selection)
        seconds = time.monotonic() - started
        outcome = {0: "survived", 5: "survived", TOOK_TOO_LONG: TOOK_TOO_LONG}.get(code, "killed")
        row = {"key": mutant["key"], "outcome": outcome, "seconds": round(seconds, 1), "exit": code}
        done[mutant["key"]] = {**row, "by": failed.read_text().split("\n")[0]}
        with results.open("a") as file:
            file.write(json.dumps(done[mutant["key"]]) + "\n")
        print(
            f"{number} of {len(mutants)}: {outcome}, {seconds:.0f} s: {mutant['key']}", flush=True
        )
    check_killers(root, [done[mutant["key"]] for mutant in mutants], log, failed)


def check_killers(root: Path, rows: list[dict[str, Any]], log: Path, failed: Path) -> None:
    """Run the tests that killed mutants on the code as it is: there they have to pass."""
    killers = sorted({row["by"] for row in rows if row["outcome"] == "killed" and row["by"]})
    if not killers:
        return
    selection = Selection(killers, failed)
    code = run_tests(root, _files(killers), log, RECORD_S, selection, stop=False)
    if code:
        raise SystemExit(f"unchanged code, exit code {code}: {failed.read_text()} (see {log})")
    print(f"the {len(killers)} tests that killed pass on the unchanged code", flush=True)


def _files(tests: list[str]) -> list[str]:
    return list(dict.fromkeys(test.split("::")[0] for test in tests))


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
