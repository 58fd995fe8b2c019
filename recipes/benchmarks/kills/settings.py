"""Settings of the kills."""

from dataclasses import dataclass
from pathlib import Path

CASES = ("hysteresis", "leaderboard", "scenes", "wheeze", "identify")


@dataclass(frozen=True)
class Settings:
    """Settings of the kills.

    Attributes:
        kills: of each case, at least.
        seed: of the moments.
        cases: names among `CASES`.
        out: folder of the table and of the runs.
    """

    kills: int = 8
    seed: int = 0
    cases: tuple[str, ...] = CASES
    out: Path = Path("runs", "kills")
