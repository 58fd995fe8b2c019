"""Tasks in processes: only what is missing runs, a death is repeated, a mistake is not."""

import contextlib
import importlib.util
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from zoo.tasks import Replicas, Task, Workers, WorkersDied, require_done, run_tasks

HAS_RAY = importlib.util.find_spec("ray") is not None
BACKENDS = [
    pytest.param(None, id="processes"),
    pytest.param(
        "local",
        id="ray",
        marks=pytest.mark.skipif(not HAS_RAY, reason="Ray (extra `cluster`) is not installed"),
    ),
]


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Workers find modules where this process does."""
    sys.path.insert(0, str(Path(__file__).parent))
    with _one_ray():
        yield
    sys.path.remove(str(Path(__file__).parent))


@contextlib.contextmanager
def _one_ray():
    """One Ray for all tests of this file: starting it takes seconds."""
    if not HAS_RAY:
        yield
        return
    import ray  # an extra

    options = {"include_dashboard": False, "object_store_memory": 100_000_000}
    ray.init("local", num_cpus=2, log_to_driver=False, logging_level="ERROR", **options)
    yield
    ray.shutdown()


def task(folder, name, function, **arguments):
    result = folder / f"{name}.txt"
    return Task(name, f"tiny:{function}", {"path": str(result), **arguments}, result)


@pytest.mark.parametrize("ray", BACKENDS)
def test_missing_tasks_run_with_what_all_share_and_done_ones_do_not(tmp_path, ray):
    tasks = [task(tmp_path, str(k), "write", value=k) for k in range(3)]
    tasks[1].result.write_text("done before")
    outcomes = run_tasks(tasks, Workers(2, ray), common={"offset": 40})
    assert [each.result.read_text() for each in tasks] == ["40", "done before", "42"]
    assert [outcome.task for outcome in outcomes] == tasks
    assert not any(outcome.error or outcome.deaths for outcome in outcomes)
    require_done(outcomes)


@pytest.mark.parametrize("ray", BACKENDS)
def test_a_killed_worker_is_replaced_and_hurts_no_other(tmp_path, ray, capsys):
    tasks = [
        task(tmp_path, "dies", "die_at_first", times=2),
        *(task(tmp_path, str(k), "write", value=k) for k in range(2)),
    ]
    outcomes = run_tasks(tasks, Workers(2, ray))
    assert [each.result.read_text() for each in tasks] == ["2", "0", "1"]
    assert [outcome.deaths for outcome in outcomes] == [2, 0, 0]
    assert "run again, 2 of 3" in capsys.readouterr().err


@pytest.mark.parametrize("ray", BACKENDS)
def test_a_task_that_always_dies_ends_after_its_retries(tmp_path, ray):
    outcomes = run_tasks([task(tmp_path, "dies", "die_at_first", times=9)], Workers(1, ray, 1, 1))
    assert outcomes[0].deaths == 2
    with pytest.raises(ValueError, match="1 of 1 runs failed; the first: dies: its worker died 2"):
        require_done(outcomes, "runs")


@pytest.mark.parametrize("ray", BACKENDS)
def test_what_raises_is_not_repeated_and_is_told_in_one_line(tmp_path, ray):
    names = ("mistake", "defect", "nothing", "absent")
    outcomes = run_tasks([task(tmp_path, name, name) for name in names], Workers(2, ray))
    errors = [outcome.error for outcome in outcomes]
    assert errors[:2] == ["expected a spoon received a fork", "RuntimeError: a defect"]
    assert errors[2].startswith("it left no result in")
    assert errors[3].startswith('Expected a function as "package.module:name". Received: tiny:')
    assert Path(tmp_path, "mistake.txt.calls").read_text() == "x"
    log = Path(tmp_path, "defect.txt.log").read_text()
    assert "before it failed" in log
    assert "tiny.py" in log  # the traceback


@pytest.mark.parametrize("ray", BACKENDS)
def test_each_task_has_an_interpreter_of_its_own_and_its_threads(tmp_path, ray):
    tasks = [task(tmp_path, str(k), "environment") for k in range(2)]
    require_done(run_tasks(tasks, Workers(1, ray, threads=2)))
    threads, pids = zip(*(each.result.read_text().split() for each in tasks), strict=True)
    assert threads == ("2", "2")
    assert len({*pids, str(os.getpid())}) == 3
    assert not list(tmp_path.glob("*.log"))  # they are done


def test_an_interrupted_task_stops_all(tmp_path):
    tasks = [task(tmp_path, "interrupt", "interrupt"), task(tmp_path, "s", "slow", seconds=60)]
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(tasks, Workers(2))
    assert time.monotonic() - began < 30


def test_a_process_that_is_killed_from_outside_is_repeated(tmp_path):
    slow = task(tmp_path, "slow", "slow", seconds=0.3)
    pid = Path(f"{slow.result}.pid")

    def kill():
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.01)
        os.kill(int(pid.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = run_tasks([slow])
    killer.join()
    assert [(outcome.error, outcome.deaths) for outcome in outcomes] == [("", 1)]


@pytest.mark.parametrize("ray", BACKENDS)
def test_a_replica_that_dies_is_made_anew_and_gives_the_reply_that_was_lost(tmp_path, ray):
    arguments = {"start": 100, "folder": str(tmp_path)}
    with Replicas("tiny:Adder", arguments, Workers(2, ray)) as replicas:
        first = replicas.call([1, 2])
        second = replicas.call([13, 4])
        assert [value for value, _ in (*first, *second)] == [101, 102, 113, 104]
        assert first[1][1] == second[1][1]  # the other one lived on
        assert first[0][1] != second[0][1]
        assert replicas.deaths == 1
        with pytest.raises(ValueError, match="expected 0 or more"):
            replicas.call([-1, 0])


def test_a_replica_that_cannot_be_made_is_given_up(tmp_path):
    with (
        Replicas("tiny:Adder", {"wrong": 1}, Workers(1, retries=1)) as replicas,
        pytest.raises(WorkersDied, match=r"died 2 times.*TypeError"),
    ):
        replicas.call([1])


@pytest.mark.parametrize("wrong", [{"count": 0}, {"threads": 0}, {"retries": -1}])
def test_wrong_workers_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Expected `{next(iter(wrong))}` of"):
        Workers(**wrong)
