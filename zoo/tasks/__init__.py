"""Tasks in processes of their own, on this machine or on a cluster of Ray; retried, never doubled.

    tasks = [Task(f"seed {k}", "recipes.x.train:run_seed", {"seed": k}, out / f"{k}.json") for ...]
    outcomes = run_tasks(tasks, Workers(count=2))             # processes of this machine
    outcomes = run_tasks(tasks, Workers(ray="head:6379"))     # of a cluster

A task is an importable function with arguments that can be pickled, and a file that it leaves when
it is done. Each runs in an interpreter of its own, with as many threads wherever it runs, so that
its result does not depend on what ran before it or beside it. Where its worker dies (killed, out of
memory, a machine that is gone) it is run again, and goes on from its own checkpoint; where it
raises, it is not. `Replicas` keeps an object in each of several workers, for training in parallel.
"""

from zoo.tasks.replicas import Replicas
from zoo.tasks.running import require_done, run_tasks
from zoo.tasks.task import Outcome, Task, Workers, WorkersDied, has_result

__all__ = [
    "Outcome",
    "Replicas",
    "Task",
    "Workers",
    "WorkersDied",
    "has_result",
    "require_done",
    "run_tasks",
]
