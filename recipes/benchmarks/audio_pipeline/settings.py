"""Settings of the benchmark of the audio pipeline."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of the benchmark.

    Attributes:
        data: corpus in any layout; None: synthetic files.
        cores: processors to use.
        repeats: runs; the median counts.
    """

    data: Path | None = None
    cores: int = 2
    repeats: int = 3


def limit_cores(cores: int) -> None:
    """Use this number of processors; to be called before NumPy and TensorFlow are imported."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(cores)
    # A loop uses one core: more BLAS threads would only add idle processor time to its count.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
