"""Run each job once, then under each fault, then once more; judge what became of it."""

import hashlib
import json
import os
import re
import select
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipes.benchmarks.faults.injection import FAULTS, Fault, NotPossible, mount_disk
from recipes.benchmarks.faults.jobs import JOBS, PREPARED, Job, call, import_for
from recipes.benchmarks.faults.settings import Settings
from zoo.checkpoints import CheckpointFile
from zoo.files import write_text
from zoo.progress import say
from zoo.report import Column, Table, earlier_rows

MAX_S = 120.0  # of one job on the clock
MAX_ANSWER = 30_000  # characters, which a pipe holds
_TEMPORARY = re.compile(r"\.partial-|/\.[0-9a-f]{8}\.")
HELD, BROKE, NOT_POSSIBLE = "held", "broke", "not possible"
HEADINGS = ("job", "tried", HELD, BROKE, NOT_POSSIBLE)


def run(settings: Settings) -> int:
    """Disturb the jobs, print and write the table; returns 1 if one did not hold.

    Raises:
        ValueError: a name of a fault that there is not.
    """
    names = [fault.name for fault in FAULTS]
    unknown = [name for name in settings.faults if name not in names]
    if unknown:
        raise ValueError(f"no fault {unknown[0]!r}. Expected: {', '.join(names)}.")
    import_for(settings.jobs)
    rows, faults_found = [], []
    table = Table(HEADINGS, [])
    for name in settings.jobs:
        job = JOBS[name]
        counts: dict[str, int] = {HELD: 0, BROKE: 0, NOT_POSSIBLE: 0}
        for fault in FAULTS:
            if not fault.fits(job) or (settings.faults and fault.name not in settings.faults):
                continue
            outcome, why = disturb(name, fault)
            counts[outcome] += 1
            if outcome != HELD:
                faults_found.append(f"{name}, {fault.name}: {why}")
                say(f"{outcome}: {faults_found[-1]}")
        tried = counts[HELD] + counts[BROKE]
        rows.append([name, tried, counts[HELD], counts[BROKE], counts[NOT_POSSIBLE]])
        say(f"{name}: {counts}")
        table = _write_table(settings.out / "faults.md", rows, faults_found)
    print(table.text())
    return int(any(row[3] for row in rows))


def _write_table(file: Path, rows: list[list[Any]], faults_found: list[str]) -> Table:
    """Write the rows, with those of jobs that are there and were not disturbed again."""
    row_of_job = {
        name: [name, *map(int, cells[1:])]
        for name, cells in earlier_rows(file, len(HEADINGS), tuple(JOBS)).items()
    }
    row_of_job |= {row[0]: row for row in rows}
    kept = [row_of_job[name] for name in JOBS if name in row_of_job]
    shown = "".join(f"\n- {each[:200]}" for each in faults_found)
    caption = (
        "Faults of disks, files and rights: `python -m recipes.benchmarks.faults --out "
        f"{file.parent}`, where `--jobs` renews some rows and keeps the others.{shown}"
    )
    total = ["all", *(sum(row[k] for row in kept) for k in range(1, 5))]
    table = Table([Column(each, number="d") for each in HEADINGS], [*kept, total], caption)
    write_text(file, f"{table.markdown()}\n{table.caption}\n")
    return table


def disturb(name: str, fault: Fault) -> tuple[str, str]:
    """Outcome of a job under a fault, and what was wrong; in a process of its own."""
    base = Path(tempfile.mkdtemp(prefix="zoo-faults-"))
    try:
        result = _in_child(lambda: _case(name, fault, base))
        return (result[0], result[1]) if result else (BROKE, "the case itself ended")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _in_child(work: Callable[[], Any], limit_s: float = 4 * MAX_S) -> Any:
    """What a function returns in a process of its own, as JSON; None: it hung or ended.

    The answer comes through a pipe, which full disks and quotas do not touch.
    """
    reader, writer = os.pipe()
    child = os.fork()  # TensorFlow may be imported and has not computed anything
    if child == 0:
        try:
            os.setsid()
            os.write(writer, json.dumps(work())[:MAX_ANSWER].encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writer)
    try:
        if not select.select([reader], [], [], limit_s)[0]:
            os.kill(child, signal.SIGKILL)
        content = os.read(reader, 2 * MAX_ANSWER)
    finally:
        os.close(reader)
        os.waitpid(child, 0)
    return json.loads(content) if content else None


def _case(name: str, fault: Fault, base: Path) -> tuple[str, str]:
    """Run a job, disturb it, repeat it."""
    job, out = JOBS[name], base / "out"
    out.mkdir()
    (base / "plain").write_text("a file")
    try:
        if fault.on_disk:
            mount_disk(out)
        if name in PREPARED:
            _in_child(lambda: call(JOBS[PREPARED[name]], out))
        first = _in_child(lambda: call(job, out))
        if first is None or first[0]:
            return BROKE, f"fails without a fault: {first}"
        reference = _state(job, out)
        fault.prepare(job, out)
        before = _state(job, out)

        def disturbed() -> tuple[int, str, str]:
            fault.enter(job, out)
            return call(job, fault.place(out))

        second = _in_child(disturbed, MAX_S)
        after = _state(job, out)
        fault.undo(job, out)
        third = _in_child(lambda: call(job, out))
    except NotPossible as error:
        return NOT_POSSIBLE, str(error)
    why = _judge(second, first[1], before, after, reference)
    if not why and (third is None or third[0] or third[1] != first[1]):
        why = f"does not work after the fault: {third}"
    if not why and _state(job, out) != reference:
        why = "another result after the fault"
    return (BROKE, why) if why else (HELD, "")


def _judge(result: list[Any] | None, read: str, before: Any, after: Any, reference: Any) -> str:
    """What is wrong with the end of a disturbed job; empty: nothing."""
    if result is None:
        return "hung, or ended in a traceback"
    code, text, errors = result
    lines = errors.splitlines()
    if code == 0:
        if text not in (read, "a new run"):
            return f"read {text[:100]!r}"
        return "" if after in (before, reference) else f"exit code 0, left {after}"
    if code != 2 or sum(line.startswith("error: ") for line in lines) != 1:
        return f"exit code {code}: {errors[-300:]}"
    line = lines[-1]
    is_named = "/" in line or "working folder" in line
    if not line.startswith("error: ") or not is_named or _TEMPORARY.search(line):
        return f"does not name the file: {line}"
    return "" if after == before else f"refused, and left {after} of {before}"


def _state(job: Job, out: Path) -> Any:
    """What stands in a folder: names and contents; of checkpoints what a run would go on from."""
    if (
        job.target == "run.npz"
        and not job.reads
        and ((out / "run.npz").is_file() or (out / "run.previous.npz").is_file())
    ):
        arrays = CheckpointFile(out / "run.npz", {"seed": 0}).read()
        hidden = sorted(path.name for path in out.iterdir() if path.name.startswith(".r"))
        return [hidden, arrays is not None and float(arrays["weights"].sum())]
    if not out.is_dir():
        return out.read_text()
    paths = sorted(path for path in out.rglob("*") if path.name != ".filler")
    return {str(path.relative_to(out)): _content(path) for path in paths}


def _content(path: Path) -> str:
    if path.is_symlink() or path.is_fifo():
        return "special"
    return "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()[:12]
