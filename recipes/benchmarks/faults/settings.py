"""Settings of the faults."""

from dataclasses import dataclass
from pathlib import Path

# Name of a job -> what it writes or reads.
JOBS = {
    "text": "a page of 8 kB through zoo.files",
    "checkpoint": "checkpoint of a training, two generations",
    "trial": "result of a leaderboard's trial",
    "cache": "decoded clips in a folder",
    "model": "a saved model, as an export replaces it",
    "table": "zoo predict MODEL FILE --out CSV",
    "picture": "zoo predict MODEL FILE --plot PNG",
    "app": "python -m recipes.app MODEL --csv FILE --out CSV",
    "read table": "zoo predict MODEL FILE",
    "read model": "zoo verify FOLDER",
    "read checkpoint": "a run that is continued",
    "read cache": "decoded clips that are there",
}


@dataclass(frozen=True)
class Settings:
    """Settings of the faults.

    Attributes:
        jobs: names among `JOBS`.
        faults: names of faults; empty: all.
        out: folder of the table.
    """

    jobs: tuple[str, ...] = tuple(JOBS)
    faults: tuple[str, ...] = ()
    out: Path = Path("runs", "faults")
