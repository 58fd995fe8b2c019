"""Run every target in a process of its own, so that a crash or a hang is one case of many."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from recipes.benchmarks.fuzz.settings import TARGETS, Settings
from recipes.benchmarks.fuzz.target import Counts, expected_answers, run_case
from recipes.benchmarks.fuzz.targets import make_target
from zoo import folders
from zoo.files import write_text
from zoo.processes import with_parent
from zoo.progress import say
from zoo.report import Column, Table, earlier_rows

HEADINGS = (
    *("input", "tried", "refused in one line", "answered as before", "another file"),
    *("broke", "seed"),
)
MODEL = "hysteresis-rnn"  # whose files are damaged: the smallest network
HANG_S = 30.0  # of processor time; a case that takes more hangs
SLEEP_S, START_S = 300.0, 900.0  # on the clock: of a case that only waits, of the first one
MEMORY_BYTES = 6 << 30  # address space of a process that parses; TensorFlow alone takes two thirds


def run(settings: Settings) -> int:
    """Fuzz the targets, print and write the table; returns 1 if something broke.

    Raises:
        ValueError: a target could not be started.
    """
    seconds = 60 * settings.minutes / len(settings.targets)
    results: dict[str, Counts] = {}
    file, table = settings.out / "fuzz.md", Table(HEADINGS, [])
    for name in settings.targets:
        results[name] = _run_target(name, settings, seconds)
        say(f"{name}: {asdict(results[name])}")
        table = _table(results, settings, file)  # after each target: a run may take hours
        write_text(file, f"{table.markdown()}\n{table.caption}\n")
    print(table.text())
    return int(any(counts.broke for counts in results.values()))


def _run_target(name: str, settings: Settings, seconds: float) -> Counts:
    """Counts of a target; processes are started until time or cases are over."""
    total, number, end = Counts(), 0, time.monotonic() + seconds
    cases = settings.cases or sys.maxsize
    while time.monotonic() < end and number < cases:
        with tempfile.TemporaryDirectory(prefix="zoo-fuzz-") as folder:
            state = Path(folder, "state.json")
            words = [sys.executable, "-m", "recipes.benchmarks.fuzz", "--worker", name]
            left = str(max(1.0, end - time.monotonic()))
            words += ["--seed", str(settings.seed), "--first", str(number), "--minutes", left]
            words += ["--cases", str(cases)]
            process = subprocess.Popen(
                with_parent([*words, "--out", str(state)]),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            is_hung = _wait(process, state)
            errors = (process.stderr.read() if process.stderr else b"").decode(errors="replace")
            counts = json.loads(state.read_text()) if state.exists() else None
        if counts is None:
            last = (errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
            raise ValueError(f"{name}: could not be started: {last}")
        number = counts.pop("next")
        _add(total, Counts(**counts))
        if process.returncode:
            what = "hung" if is_hung else f"ended the process with {process.returncode}"
            total.tried += 1
            total.add_fault(f"case {number}: {what}")
            number += 1
    return total


def _wait(process: subprocess.Popen[bytes], state: Path) -> bool:
    """Wait for a process, or kill it where a case takes too long; whether that was so."""
    last, since, cpu_then = None, time.monotonic(), 0.0
    while process.poll() is None:
        time.sleep(0.1)
        changed = state.stat().st_mtime_ns if state.exists() else None
        if changed != last:
            last, since, cpu_then = changed, time.monotonic(), _cpu_s(process.pid)
        waited_s = time.monotonic() - since
        is_hung = last is not None and _cpu_s(process.pid) - cpu_then > HANG_S
        if is_hung or waited_s > (START_S if last is None else SLEEP_S):
            process.kill()
            process.wait()
            return True
    return False


def _cpu_s(process: int) -> float:
    """Processor time that a process has used [s], 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _add(total: Counts, part: Counts) -> None:
    for name in ("tried", "refused", "same", "other", "broke"):
        setattr(total, name, getattr(total, name) + getattr(part, name))
    total.faults = [*(total.faults or []), *(part.faults or [])][:10] or None


def run_worker(name: str, seed: int, cases: range, seconds: float, state: Path) -> None:
    """Run cases of one target; the state file tells how far it came.

    Args:
        name: of the target.
        seed: of the run.
        cases: their numbers.
        seconds: how long [s].
        state: JSON of the counts, written before every case.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="zoo-fuzz-") as folder:
        target = make_target(name, folders.find(MODEL), Path(folder))
        expected, counts, number = expected_answers(target), Counts(), cases.start
        _silence()
        end = time.monotonic() + seconds
        while time.monotonic() < end and number < cases.stop:
            _write_state(state, counts, number)
            run_case(target, expected, seed, number, counts)
            number += 1
        _write_state(state, counts, number)


def _write_state(state: Path, counts: Counts, number: int) -> None:
    aside = state.with_name("aside.json")
    aside.write_text(json.dumps({**asdict(counts), "next": number}))
    os.replace(aside, state)


def _silence() -> None:
    """Libraries in C write remarks on damaged files to standard error."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def _table(results: dict[str, Counts], settings: Settings, file: Path) -> Table:
    """Counts, with those of targets that stand in the file and were not tried again."""
    names = ("tried", "refused", "same", "other", "broke")
    row_of_target = {
        name: [name, *map(int, cells[1:-1]), cells[-1]]
        for name, cells in earlier_rows(file, len(HEADINGS), tuple(TARGETS)).items()
    }
    seed = str(settings.seed)
    row_of_target |= {
        n: [n, *(getattr(c, each) for each in names), seed] for n, c in results.items()
    }
    rows = [row_of_target[name] for name in TARGETS if name in row_of_target]
    rows.append(["all", *(sum(row[k] for row in rows) for k in range(1, 6)), ""])
    faults = "; ".join(f"{n}: {c.faults[0]}" for n, c in results.items() if c.faults)
    words = f"--minutes {settings.minutes:g}"
    if settings.cases:
        words += f" --cases {settings.cases}"
    return Table(
        [Column(heading, number="d") for heading in HEADINGS],
        rows,
        f"Damaged input: `python -m recipes.benchmarks.fuzz {words} --out {settings.out}`, where "
        "`--targets` renews "
        "some rows and keeps the others. Another file: its text or bytes say something else and "
        f"nothing in it contradicts that; sealed files are never taken so. {faults}".rstrip(),
    )
