"""Settings of the measurement by halves."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of one measurement.

    Attributes:
        model: folder of a hearing-aid model.
        bank: folders of sound banks.
        clips: of each class.
        seed: of the division of the sources and of the scenes.
    """

    model: Path
    bank: tuple[Path, ...]
    clips: int = 24
    seed: int = 0
