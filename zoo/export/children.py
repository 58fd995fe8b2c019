"""Jobs in child processes: a crash there becomes an error message here."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import IO, Any

from zoo.processes import with_parent

ROOT = Path(__file__).parents[2]  # the folder that holds this package


def run_jobs(
    arguments: Sequence[str], jobs: Sequence[dict[str, Any]], started: Callable[[dict], None]
) -> list[dict[str, Any]]:
    """Give `jobs` one by one to a Python process that answers each with a line of JSON.

    After a crash a new process continues with the job after the one that crashed.

    Args:
        arguments: of the interpreter.
        jobs: anything JSON can hold.
        started: called with each job when its turn comes.

    Returns:
        `{"result": ...}` or `{"error": one line}` for each job.

    Raises:
        RuntimeError: if a process answered all its jobs and still ended with an error.
    """
    replies: list[dict[str, Any]] = []
    while len(replies) < len(jobs):
        replies += _run_until_crash(arguments, jobs[len(replies) :], started)
    return replies


def _run_until_crash(
    arguments: Sequence[str], jobs: Sequence[dict[str, Any]], started: Callable[[dict], None]
) -> list[dict[str, Any]]:
    """Answers up to and including the first crash."""
    replies = []
    with tempfile.TemporaryFile() as log, _process(arguments, log) as process:
        for job in jobs:
            started(job)
            reply = _ask(process, job)
            if not reply:
                return [*replies, {"error": _describe_end(process.wait(), log)}]
            replies.append(json.loads(reply))
        _stream(process.stdin).close()
        if process.wait() != 0:
            raise RuntimeError(_describe_end(process.returncode, log))
    return replies


@contextlib.contextmanager
def _process(
    arguments: Sequence[str], log: IO[bytes]
) -> Generator[subprocess.Popen[str], None, None]:
    """A Python process, killed at the end of the block."""
    process = subprocess.Popen(
        with_parent([sys.executable, "-P", *arguments]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=_environment(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        _stream(process.stdout).close()
        with contextlib.suppress(BrokenPipeError):
            _stream(process.stdin).close()


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # it is a pipe
    return stream


def _ask(process: subprocess.Popen[str], job: dict[str, Any]) -> str:
    """The line of the reply; empty if the process has ended."""
    stdin = _stream(process.stdin)
    try:
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
    except BrokenPipeError:
        return ""
    return _stream(process.stdout).readline()


def _environment() -> dict[str, str]:
    """This package can be found, TensorFlow is quiet and stays on the CPU."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
    }


def _describe_end(code: int, log: IO[bytes]) -> str:
    """How a process ended, and the last line that it wrote to standard error."""
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    how = f"crashed with {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"the process {how}" + (f": {last}" if last else "")
