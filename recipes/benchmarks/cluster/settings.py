"""Settings of the faults and of the scaling."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FAULTS = ("worker", "worker-ray", "node-ray", "disk", "disk-ray", "replica", "replica-ray")
PARTS = (*FAULTS, "hashes", "hashes-ray", "scaling")


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes:
        rounds: of each fault.
        seed: of the moments.
        training: what the tasks train: a network by `zoo.training.fit`, or one in NumPy, whose
            tasks take a tenth of the time; both with `zoo.checkpoints`.
        parts: names among `PARTS`.
        out: folder of the table; its rows are kept in `cluster.json`, so that parts can be measured
            one after the other.
        publish: whether the page goes to recipes/benchmarks/cluster.md as well.
    """

    rounds: int = 10
    seed: int = 0
    training: Literal["keras", "numpy"] = "keras"
    parts: tuple[str, ...] = PARTS
    out: Path = Path("runs/cluster")
    publish: bool = False
