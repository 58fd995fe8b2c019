"""Measure part by part; keep the rows; write the table."""

import contextlib
import json
from pathlib import Path
from typing import Any

from recipes.benchmarks.cluster import faults
from recipes.benchmarks.cluster.settings import FAULTS, Settings
from zoo.files import write_text
from zoo.progress import say
from zoo.report import Column, Table

PAGE = "cluster.md"
PUBLISHED = Path(__file__).parents[1]
WHAT = {
    "worker": "kill -9 of a training process; processes",
    "worker-ray": "kill -9 of a training process; Ray",
    "node-ray": "second of two Ray nodes killed, with what ran on it",
    "disk": "disk full behind an epoch, then room again; processes",
    "disk-ray": "disk full behind an epoch, then room again; Ray",
    "replica": "kill -9 of a replica of data-parallel training, once a step; processes",
    "replica-ray": "kill -9 of a replica of data-parallel training, once a step; Ray",
}


def run(settings: Settings) -> int:
    """Measure, print and write; returns 1 if a result was another one."""
    file = settings.out / "cluster.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for part in settings.parts:
        say(part)
        name = f"{part} {settings.training}" if _has_tasks(part) else part
        rows[name] = _measure(part, settings)
        say(f"{part}: {rows[name]}")
        write_text(file, json.dumps(rows, indent=1))
    plan = Path(__file__).with_name("plan.md").read_text(encoding="utf-8")
    pages = [settings.out / PAGE, *([PUBLISHED / PAGE] if settings.publish else [])]
    for page in pages:
        write_text(page, f"{markdown(rows)}\n{plan}")
    print(fault_table(rows).text())
    wrong = [n for n, row in rows.items() if "same" in row and row["same"] != row["rounds"]]
    hashes = {each for n, row in rows.items() if n.startswith("hashes") for each in row.values()}
    return int(bool(wrong) or len(hashes) > 1)


def _has_tasks(part: str) -> bool:
    return part in FAULTS and not part.startswith("replica")


def _measure(part: str, settings: Settings) -> dict[str, Any]:
    if _has_tasks(part):
        return faults.run_fault(part, settings)
    from recipes.benchmarks.cluster import parallel  # TensorFlow, only where it is needed

    with faults.small_ray() if "ray" in part else contextlib.nullcontext() as ray:
        if part.startswith("replica"):
            return parallel.kill_replicas(settings, ray)
        return parallel.compare_hashes(ray) if "hashes" in part else parallel.measure_scaling()


def fault_table(rows: dict[str, Any]) -> Table:
    """A row for each fault."""
    lines = []
    for name, row in rows.items():
        part, _, training = name.partition(" ")
        if part in FAULTS:
            what = WHAT[part] + (f"; training with {training}" if training else "")
            lines.append([what, row["rounds"], row["noticed"], row["same"], row["seconds"]])
    columns = ("fault", "rounds", "noticed", "identical results", "seconds in all")
    return Table([Column(each) for each in columns], lines)


def markdown(rows: dict[str, Any]) -> str:
    """All that was measured, for `cluster.md`."""
    made = (
        "Made by `python -m recipes.benchmarks.cluster`, part by part, tasks in NumPy by "
        "`--training numpy`, on one machine of two busy cores. Two trainings run side by side in "
        "each round. "
        "Noticed: a death was counted, or a full disk was told in a line."
    )
    parts = ["# Cluster\n", made, "", "## Faults\n", fault_table(rows).markdown(), ""]
    hashes = {name: row for name, row in rows.items() if name.startswith("hashes")}
    if hashes:
        parts += ["## Hash of the weights after 12 steps, 4 shards, dropout 0.1\n"]
        lines = [[name, *row.values()] for name, row in hashes.items()]
        parts += [Table(["", "1 worker", "2 workers", "4 workers"], lines).markdown(), ""]
    if scaling := rows.get("scaling"):
        sent, received = scaling["bytes"].values()
        about = (
            f"LSTM with {scaling['parameters']:,} parameters, batch 64 of 100 time steps in 4 "
            f"shards, one thread each, at a load of {scaling['load']:.0f} on two cores. A training "
            f"step sends {sent:,} bytes to one worker and receives {received:,}."
        )
        parts += ["## A training step\n", about, "", _scaling_table(scaling).markdown(), ""]
    return "\n".join(parts)


def _scaling_table(scaling: dict[str, Any]) -> Table:
    keys = ("median_ms", "least_ms", "most_ms", "own_processor_ms", "worker_processor_ms")
    lines = [
        [name, *(round(row[key]) for key in keys)]
        for name, row in scaling.items()
        if isinstance(row, dict) and "median_ms" in row
    ]
    titles = ("median", "least", "most", "processor, here", "processor, busiest worker")
    return Table(["", *(f"{title} [ms]" for title in titles)], lines)
