"""What is run, where, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCAL = "local"  # address of a Ray that is started for one command and ends with it


class WorkersDied(RuntimeError):
    """A worker died more often than `Workers.retries`."""


@dataclass(frozen=True)
class Task:
    """One call of a function, in a process of its own.

    Attributes:
        name: for progress and messages.
        function: "package.module:name", importable wherever the task may run.
        arguments: keyword arguments; they can be pickled.
        result: file that the function writes at its end, as a whole; on a cluster in a folder that
            all machines share.
        log_file: of what the task prints, kept until it is done; None: NAME.log beside the result.
    """

    name: str
    function: str
    arguments: Mapping[str, Any]
    result: Path
    log_file: Path | None = None

    @property
    def log(self) -> Path:
        """File of what the task printed, while it runs and after it failed."""
        return self.log_file or self.result.with_name(f"{self.result.name}.log")


@dataclass(frozen=True)
class Workers:
    """Where tasks run.

    Attributes:
        count: tasks at a time on this machine; on a cluster its processors decide.
        ray: address of a Ray cluster, HOST:PORT; "local": one on this machine that ends with the
            command; None: processes, without Ray.
        threads: of each task, for TensorFlow and BLAS. Results depend on it, so that it is the same
            for every number of workers.
        retries: how often a task is run again whose worker died.
    """

    count: int = 1
    ray: str | None = None
    threads: int = 1
    retries: int = 3

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("threads", 1), ("retries", 0)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"Expected `{name}` of {least} or more. Received: {value}.")

    @property
    def environment(self) -> dict[str, str]:
        """Variables of each worker, set before it imports anything."""
        names = ("OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
        threads = {
            f"{name}_THREADS" if name.startswith("TF") else f"{name}_NUM_THREADS": str(self.threads)
            for name in names
        }
        return {**threads, "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        task: that was run.
        error: one line that says why it has no result; empty: it has one.
        seconds: that it ran [s]; 0: it was done before.
        deaths: how often its worker died.
    """

    task: Task
    error: str = ""
    seconds: float = 0.0
    deaths: int = 0


def has_result(task: Task) -> bool:
    """Whether the file of a task is there; the plainest check that it is done."""
    return task.result.is_file()
