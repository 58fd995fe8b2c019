"""Run the tasks that have no result yet; run those again whose worker died."""

import contextlib
import pickle
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from zoo.files import private_folder, write_bytes
from zoo.progress import say
from zoo.tasks.execution import Job, Reply, Setting, execute
from zoo.tasks.process import ProcessWorker, WorkerDied
from zoo.tasks.task import Outcome, Task, Workers, has_result


def run_tasks(
    tasks: Sequence[Task],
    workers: Workers | None = None,
    *,
    common: Mapping[str, Any] | None = None,
    is_done: Callable[[Task], bool] = has_result,
) -> list[Outcome]:
    """Run the tasks that are not done, each in an interpreter of its own.

    Args:
        tasks: in the order in which they are begun.
        workers: where; None: one process at a time.
        common: keyword arguments that all tasks share and that are large: they are handed over
            once, not with each task.
        is_done: whether a task has its result, and the result is whole; asked before and after.

    Returns:
        How each task ended, in their order. A task that raised is not run again.

    Raises:
        KeyboardInterrupt: Ctrl-C reached this process or a task.
        ValueError: arguments that cannot be pickled.
        ModuleNotFoundError: Ray is asked for and not installed.
        ConnectionError: there is no Ray at that address.
    """
    workers = workers or Workers()
    missing = [task for task in tasks if not is_done(task)]
    say(f"{len(tasks)} tasks, {len(tasks) - len(missing)} of them done before")
    if not missing:
        return [Outcome(task) for task in tasks]
    setting = Setting.here(workers.environment)
    jobs = [Job(task.function, _pickle(task.arguments), task.log, setting) for task in missing]
    ledger = _Ledger(missing, workers, is_done)
    shared = _pickle(common) if common else b""
    if workers.ray is None:
        _run_processes(jobs, shared, workers, ledger)
    else:
        from zoo.tasks import on_ray  # an extra

        with on_ray.connection(workers):
            on_ray.run_jobs(jobs, shared, workers, ledger.ended)
    ran = {id(outcome.task): outcome for outcome in ledger.outcomes()}
    return [ran.get(id(task), Outcome(task)) for task in tasks]


def require_done(outcomes: Sequence[Outcome], what: str = "tasks") -> None:
    """Refuse outcomes without a result.

    Args:
        outcomes: of `run_tasks`.
        what: they are called in the message.

    Raises:
        ValueError: some have none; the line names the first with its reason.
    """
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        first = failed[0]
        raise ValueError(
            f"{len(failed)} of {len(outcomes)} {what} failed; the first: {first.task.name}: "
            f"{first.error}"
        )


def _pickle(arguments: Mapping[str, Any]) -> bytes:
    """Keyword arguments as bytes.

    Raises:
        ValueError: they cannot be sent to another process.
    """
    try:
        return pickle.dumps(dict(arguments), protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"An argument cannot be sent to another process ({error}). Give functions of a module, "
            "not those within another function, and values that can be pickled."
        ) from None


class _Ledger:
    """Deaths and outcomes of the tasks that run."""

    def __init__(
        self, tasks: Sequence[Task], workers: Workers, is_done: Callable[[Task], bool]
    ) -> None:
        self.tasks, self.retries, self.is_done = tasks, workers.retries, is_done
        self.deaths = [0] * len(tasks)
        self.began = [time.monotonic()] * len(tasks)
        self.found: dict[int, Outcome] = {}
        self.lock = threading.Lock()

    def begin(self, number: int) -> None:
        """A task begins; on Ray the time that it waits counts as well."""
        self.began[number] = time.monotonic()

    def ended(self, number: int, reply: Reply | WorkerDied) -> bool:
        """Note how a task ended; returns whether it is to be run again.

        Raises:
            KeyboardInterrupt: the task was interrupted.
        """
        task = self.tasks[number]
        if isinstance(reply, WorkerDied):
            self.deaths[number] += 1
            # it may have died behind its last line; what counts is the result
            if not self.is_done(task) and self.deaths[number] <= self.retries:
                say(f"{task.name}: {reply}; run again, {self.deaths[number]} of {self.retries}")
                return True
            reply = Reply(error=f"its worker died {self.deaths[number]} times; the last: {reply}")
        elif reply.interrupted:
            raise KeyboardInterrupt
        error = "" if self.is_done(task) else reply.error or f"it left no result in {task.result}"
        seconds = time.monotonic() - self.began[number]
        with self.lock:
            self.found[number] = Outcome(task, error, seconds, self.deaths[number])
        if not error:
            with contextlib.suppress(OSError):
                task.log.unlink(missing_ok=True)
        say(f"{task.name}: {error or f'{seconds:.0f} s'}")
        return False

    def outcomes(self) -> list[Outcome]:
        return [self.found[number] for number in sorted(self.found)]


def _run_processes(jobs: Sequence[Job], common: bytes, workers: Workers, ledger: _Ledger) -> None:
    """Run jobs in processes; a thread each, which waits for its process."""
    alive: set[ProcessWorker] = set()
    stopped = threading.Event()
    with private_folder() as folder:
        file = folder / "common"
        write_bytes(file, common)

        def run(number: int) -> None:
            ledger.begin(number)
            while not stopped.is_set() and ledger.ended(number, attempt(jobs[number])):
                pass

        def attempt(job: Job) -> Reply | WorkerDied:
            process = ProcessWorker("zoo.tasks.running:make_runner", {"common": file}, job.setting)
            alive.add(process)
            try:
                process.send(job)
                reply = process.receive()
                return reply.value if isinstance(reply.value, Reply) else reply
            except WorkerDied as died:
                return died if not stopped.is_set() else Reply(interrupted=True)
            finally:
                alive.discard(process)
                process.close()

        with ThreadPoolExecutor(workers.count) as pool:
            futures = [pool.submit(run, number) for number in range(len(jobs))]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            except BaseException:
                stopped.set()
                for future in futures:
                    future.cancel()
                for process in list(alive):
                    with contextlib.suppress(OSError):
                        process.kill()
                raise


def make_runner(common: Path) -> Callable[[Job], Any]:
    """Handler of a worker process: runs one job, raises what the job raised.

    Args:
        common: file with the pickled arguments that all tasks share.
    """
    return lambda job: execute(job, common.read_bytes())
