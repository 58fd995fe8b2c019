"""One fault in each round: kill a worker, kill a machine, fill the disk; then compare."""

import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recipes.benchmarks.cluster.settings import Settings
from recipes.benchmarks.cluster.work import EPOCHS, progress_file, read_result
from zoo.tasks import Outcome, Task, Workers, run_tasks

SEEDS = (0, 1)  # two trainings in every round, side by side
DISK_BYTES = 4_000_000
WAIT_S = 300.0
STORE_BYTES = 100_000_000  # of Ray's objects on each of its machines, which here are one


def make_tasks(folder: Path, training: str) -> list[Task]:
    """Two trainings with results in a folder."""
    return [
        Task(
            f"training {seed}",
            f"recipes.benchmarks.cluster.work:train_{training}",
            {"result": folder / f"{seed}.json", "seed": seed},
            folder / f"{seed}.json",
        )
        for seed in SEEDS
    ]


def is_done(task: Task) -> bool:
    """Whether the result of a training is there and whole."""
    return read_result(task.result) is not None


def run_here(tasks: list[Task], workers: Workers) -> list[Outcome]:
    """Run trainings; those whose results are whole are not repeated."""
    return run_tasks(tasks, workers, is_done=is_done)


def results(tasks: list[Task]) -> list[str | None]:
    """What the trainings left."""
    return [read_result(task.result) for task in tasks]


def wait_for_epoch(task: Task, epoch: int) -> int:
    """Wait until a training has so many epochs; returns the number of its process.

    Raises:
        TimeoutError: it has not after some minutes.
    """
    began = time.monotonic()
    while time.monotonic() - began < WAIT_S:
        with contextlib.suppress(OSError, ValueError):
            pid, done = progress_file(task.result).read_text().split()
            if int(done) >= epoch:
                return int(pid)
        time.sleep(0.002)
    raise TimeoutError(f"{task.name} did not reach epoch {epoch}")


@contextlib.contextmanager
def meanwhile(fault: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Let a fault happen in a thread while the block runs; yields what it raised."""
    raised: list[BaseException] = []

    def call() -> None:
        try:
            fault()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield raised
    finally:
        thread.join()


def kill_worker(folder: Path, settings: Settings, workers: Workers, rng: np.random.Generator):
    """Kill the process of a training behind a random epoch.

    Returns:
        The results, and the deaths that were noticed.
    """
    tasks = make_tasks(folder, settings.training)
    victim, epoch = tasks[rng.integers(len(tasks))], int(rng.integers(1, EPOCHS))

    def fault() -> None:
        os.kill(wait_for_epoch(victim, epoch), signal.SIGKILL)

    with meanwhile(fault) as raised:
        outcomes = run_here(tasks, workers)
    return results(tasks), sum(o.deaths for o in outcomes) if not raised else 0


def fill_disk(folder: Path, settings: Settings, workers: Workers, rng: np.random.Generator):
    """Fill a small disk behind a random epoch, make room after the tasks have failed, go on.

    Returns:
        The results, and how many tasks ended with an error of one line.
    """
    with small_disk(folder):
        tasks = make_tasks(folder, settings.training)
        victim, epoch = tasks[rng.integers(len(tasks))], int(rng.integers(1, EPOCHS))
        filler = folder / "filler"

        def fault() -> None:
            wait_for_epoch(victim, epoch)
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                for size in (65536, 512, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(bytes(size))

        with meanwhile(fault):
            outcomes = run_here(tasks, workers)
        full_disk_count = sum("No space left" in outcome.error for outcome in outcomes)
        filler.unlink()
        run_here(tasks, workers)
        return results(tasks), full_disk_count


@contextlib.contextmanager
def small_disk(folder: Path) -> Generator[None, None, None]:
    """A file system of some megabytes in memory, at a folder.

    Raises:
        PermissionError: it cannot be mounted; root can.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PermissionError(f"{folder}: no small disk ({done.stderr.strip()}). Run it as root.")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


class SmallCluster:
    """A Ray of two nodes on this machine, one of which can be killed and made anew."""

    def __init__(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        self.cluster: Any = importlib.import_module("ray.cluster_utils").Cluster(
            initialize_head=True, head_node_args=options
        )
        self.second = self.add()

    def add(self):
        """Add the second node."""
        self.second = self.cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        self.cluster.wait_for_nodes()
        return self.second

    @property
    def workers(self) -> Workers:
        """To run on it."""
        return Workers(ray=self.cluster.address)

    def kill_second(self) -> None:
        """Kill the second node and everything that runs on it, without a word to the first."""
        self.cluster.remove_node(self.second, allow_graceful=False)

    def close(self) -> None:
        """End all nodes."""
        self.cluster.shutdown()


def kill_node(
    folder: Path, settings: Settings, cluster: SmallCluster, rng: np.random.Generator
) -> tuple[list[str | None], int]:
    """Kill the second node while a training runs on each; the first node does both then.

    Returns:
        The results, and the deaths that were noticed.
    """
    tasks = make_tasks(folder, settings.training)
    epoch = int(rng.integers(1, EPOCHS - 2))

    def fault() -> None:
        for task in tasks:
            wait_for_epoch(task, epoch)
        cluster.kill_second()

    with meanwhile(fault) as raised:
        outcomes = run_here(tasks, cluster.workers)
    cluster.add()
    return results(tasks), sum(o.deaths for o in outcomes) if not raised else 0


def run_fault(name: str, settings: Settings) -> dict[str, int | float]:
    """Rounds of one fault.

    Args:
        name: of `settings.FAULTS`, but for those of replicas.
        settings: rounds, seed, training.

    Returns:
        Rounds; how many had the fault noticed; how many ended with the results of trainings that
        nothing happened to; seconds.
    """
    began = time.monotonic()
    rng = np.random.default_rng([settings.seed, len(name)])
    work = Path(tempfile.mkdtemp(prefix="zoo-cluster-"))
    whole = make_tasks(work / "whole", settings.training)
    run_here(whole, Workers(2))
    expected = results(whole)
    noticed = same = 0
    with contextlib.ExitStack() as stack:
        if name == "node-ray":
            cluster = SmallCluster()
            stack.callback(cluster.close)
            fault = lambda folder: kill_node(folder, settings, cluster, rng)  # noqa: E731
        else:
            workers = Workers(2, stack.enter_context(small_ray()) if "ray" in name else None)
            one = kill_worker if name.startswith("worker") else fill_disk
            fault = lambda folder: one(folder, settings, workers, rng)  # noqa: E731
        for number in range(settings.rounds):
            results_after, count = fault(work / str(number))
            noticed += count > 0
            same += results_after == expected and None not in results_after
    if same == settings.rounds:
        shutil.rmtree(work, ignore_errors=True)
    seconds = round(time.monotonic() - began)
    return {"rounds": settings.rounds, "noticed": noticed, "same": same, "seconds": seconds}


@contextlib.contextmanager
def small_ray() -> Generator[str, None, None]:
    """One Ray for all rounds, on this machine, with two processors and little memory."""
    ray: Any = importlib.import_module("ray")  # an extra
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        "local",
        num_cpus=4,  # two trainings at a time, or four replicas
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        yield "local"
    finally:
        ray.shutdown()
