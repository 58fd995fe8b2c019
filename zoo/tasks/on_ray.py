"""Tasks and replicas on Ray (extra `cluster`). Imported only where Ray is asked for."""

import contextlib
import importlib
import os
import pickle
from collections.abc import Callable, Generator, Sequence
from typing import Any

from zoo.tasks.execution import Job, Reply, Setting, execute, reply_of, resolve
from zoo.tasks.process import WorkerDied
from zoo.tasks.task import LOCAL, Workers

ray: Any = importlib.import_module("ray")  # so that types are checked without the extra
errors: Any = importlib.import_module("ray.exceptions")


@contextlib.contextmanager
def connection(workers: Workers) -> Generator[None, None, None]:
    """Connect to a cluster, or start one on this machine, until the block ends.

    A connection that is there already is used and kept.

    Raises:
        ConnectionError: no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a notice otherwise
    if ray.is_initialized():
        yield
        return
    own: dict[str, Any] = {}
    if workers.ray == LOCAL:
        own = {"num_cpus": workers.count * workers.threads, "include_dashboard": False}
    ray.init(workers.ray, log_to_driver=False, logging_level="ERROR", **own)
    try:
        yield
    finally:
        ray.shutdown()


def run_jobs(
    jobs: Sequence[Job],
    common: bytes,
    workers: Workers,
    ended: Callable[[int, Reply | WorkerDied], bool],
) -> None:
    """Run jobs as Ray tasks, each in a new process; as many at a time as the cluster has room for.

    Args:
        jobs: to run.
        common: pickled keyword arguments of all of them; sent to each machine once.
        workers: where, and threads of each.
        ended: called with the number of a job and its reply, or with how its worker died; returns
            whether the job is to be run again.
    """
    # Ray's own retries are off: a death is counted and told like that of a process
    run = ray.remote(num_cpus=workers.threads, max_calls=1, max_retries=0)(execute)
    shared = ray.put(common)
    pending = {run.remote(job, shared): number for number, job in enumerate(jobs)}
    try:
        while pending:
            done, _ = ray.wait(list(pending))
            for reference in done:
                number = pending.pop(reference)
                if ended(number, _get(reference)):
                    pending[run.remote(jobs[number], shared)] = number
    finally:
        for reference in pending:
            ray.cancel(reference, force=True)


class RayWorker:
    """An actor that holds one handler, with the interface of `ProcessWorker`.

    Args:
        factory: "package.module:name" of a function that makes the handler.
        arguments: of that function, pickled.
        workers: threads of each.
        setting: of the worker.
    """

    def __init__(self, factory: str, arguments: bytes, workers: Workers, setting: Setting) -> None:
        host = ray.remote(num_cpus=workers.threads, max_restarts=0, max_task_retries=0)(_Host)
        self._actor = host.remote(factory, arguments, setting)
        self._references: list[Any] = []

    @property
    def pid(self) -> int:
        """Number of its process, on its machine."""
        return ray.get(self._actor.pid.remote())

    def send(self, request: Any) -> None:
        """Send a request; `receive` then waits for its reply."""
        self._references.append(self._actor.call.remote(request))

    def receive(self) -> Reply:
        """The reply to the oldest request without one.

        Raises:
            WorkerDied: the actor or its machine ended before.
        """
        reply = _get(self._references.pop(0))
        if isinstance(reply, WorkerDied):
            raise reply
        return reply

    def close(self) -> None:
        """End the actor, whatever it does."""
        ray.kill(self._actor)


class _Host:
    """In the actor: the handler, made with the environment set before anything is imported."""

    def __init__(self, factory: str, arguments: bytes, setting: Setting) -> None:
        setting.apply()
        make = resolve(factory)
        self.handler = make(**pickle.loads(arguments))

    def pid(self) -> int:
        return os.getpid()

    def call(self, request: Any) -> Reply:
        return reply_of(lambda: self.handler(request))


def _get(reference: Any) -> Reply | WorkerDied:
    try:
        return ray.get(reference)
    except errors.RayTaskError:  # of the code around the task: `execute` itself does not raise
        raise
    except errors.RayError as error:
        return WorkerDied(f"{type(error).__name__} on Ray")
