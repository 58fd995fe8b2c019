"""Jobs in child processes: a crash there becomes an error message here."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    arguments: Sequence[str], jobs: Sequence[dict], started: Callable[[dict], None]
) -> list[dict]:
    """Give `jobs` one by one to a Python process that answers each with a line of JSON.

    After a crash a new process goes on with the job behind the one that crashed.

    Args:
        arguments: of the interpreter.
        jobs: anything JSON can hold.
        started: called with each job when its turn comes.

    Returns:
        `{"result": ...}` or `{"error": one line}` for each job.

    Raises:
        RuntimeError: if a process answered all its jobs and still ended with an error.
    """
    answers: list[dict] = []
    while len(answers) < len(jobs):
        answers += _run(arguments, jobs[len(answers) :], started)
    return answers


def _run(arguments, jobs, started) -> list[dict]:
    """Answers up to and including the first crash."""
    answers = []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=_environment(),
        )
        try:
            for job in jobs:
                started(job)
                answer = _ask(process, job)
                if not answer:
                    reason = _death(process.wait(), log)
                    return [*answers, {"error": reason}]
                answers.append(json.loads(answer))
            process.stdin.close()
            if process.wait() != 0:
                raise RuntimeError(_death(process.returncode, log))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
    return answers


def _ask(process: subprocess.Popen, job: dict) -> str:
    """The answer's line; empty if the process is no more."""
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


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


def _death(code: int, log) -> str:
    """How a process ended and the last thing that it said."""
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    how = f"crashed with {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"the process {how}" + (f": {last}" if last else "")
