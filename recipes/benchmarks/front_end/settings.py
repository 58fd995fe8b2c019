"""Settings of the front-end benchmark."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes:
        cores: processor cores to use.
        repeats: timed runs; the median counts.
    """

    cores: int = 2
    repeats: int = 30


def limit_cores(cores: int) -> None:
    """Limit this process and its libraries to some cores; before TensorFlow is imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(cores)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
