"""Settings of the firmware benchmark."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of one run.

    Attributes:
        model: folder of a streaming classifier of sound.
        seconds: of sound to compare the library with the runtime on [s].
        hops: over which instructions are counted.
        data: folder of recordings that the sound is drawn from; None: synthetic scenes.
        seed: of the sound.
    """

    model: Path
    seconds: float = 3600.0
    hops: int = 20
    data: Path | None = None
    seed: int = 0
